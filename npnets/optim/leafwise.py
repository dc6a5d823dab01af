"""Optimizers whose update is one rule for each leaf: what `sgd`, `rmsprop`, `adam` and `adamw` have in common.

Symbols: a leaf's parameter `p`, its gradient `g`, and its *moments*, the running means that the state keeps beside it.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from npnets import tree
from npnets.autodiff.devices import computing_where
from npnets.backend import Array
from npnets.description import call_repr, set_plain
from npnets.optim.arithmetic import Arithmetic, Rule, updated
from npnets.optim.checks import ARRAYS, check_like, check_state
from npnets.optim.optimizer import Optimizer, T
from npnets.optim.rates import CurrentRate, Rate, check_rate, current_rates
from npnets.optim.settings import set_checked
from npnets.tree import Tree
from npnets.tree.structure import rows_of
from npnets.underflow import ignoring_underflow

State = TypeVar("State", bound=tuple[Any, ...])


class LeafwiseOptimizer(Optimizer, Generic[State]):
    """A subclass has the fields below, a rule, and a state: a named tuple of `step` and a tree for each moment."""

    learning_rate: Rate
    weight_decay: Rate
    _state_class: ClassVar[type[Any]]

    __repr__ = call_repr

    def __post_init__(self) -> None:
        set_plain(self)
        set_checked(self, check_rate, "learning_rate", "weight_decay")

    def _has_moments(self) -> tuple[bool, ...]:
        """Return for each moment of the state whether this optimizer uses it; else it is `None`."""
        raise NotImplementedError

    _rule: ClassVar[Rule]

    def _numbers(self, t: int, rate: float, decay: float) -> tuple[float, ...]:
        """Return the numbers of the rule for a leaf in update number `t`, which begins at one."""
        raise NotImplementedError

    def init(self, params: Tree) -> State:
        """Return the state before the first update."""
        with computing_where({"params": params}, ARRAYS):
            tree.map(check_like, params)
            zeros = (tree.map(np.zeros_like, params) if has else None for has in self._has_moments())
            return self._state_class(0, *zeros)

    def update(self, params: T, grads: Tree, state: State) -> tuple[T, State]:
        """Return new parameters and a new state; the arguments stay as they are."""
        check_state(state, self._state_class, self._has_moments(), self)
        step = int(state[0])
        rates = current_rates(step, params, learning_rate=self.learning_rate, weight_decay=self.weight_decay)
        moments = [moment for moment in state[1:] if moment is not None]
        with computing_where({"params": params, "grads": grads, "state": state}, ARRAYS):
            new_params, *moments = self._updated(step + 1, rates, params, grads, *moments)
        unused = [moment for moment in state[1:] if moment is None]  # the last ones
        return new_params, self._state_class(step + 1, *moments, *unused)

    @ignoring_underflow
    def _updated(self, t: int, rates: Sequence[CurrentRate], *trees: Tree) -> tuple[Tree, ...]:
        """Apply the rule to each leaf of the parameters, gradients and moments; rates are numbers or trees of them."""
        if type(rates[0]) is float:
            return updated(self._rule, self._numbers(t, *rates), trees)
        return updated(self._rule, [self._numbers(t, *its) for its in rows_of(*rates)], trees)


def descend(ops: Arithmetic, rate: float, direction: Array, p: Array) -> Array:
    """Return a parameter one step down a direction: at a rate of zero a copy, whatever the direction holds."""
    return ops.axpy(-rate, direction, p) if rate else p.copy()
