"""Gradient descent."""

from dataclasses import dataclass
from typing import NamedTuple

from npnets import tree
from npnets.autodiff.devices import computing_where
from npnets.description import call_repr, check_flags, set_fields, set_plain
from npnets.optim.arithmetic import axpy
from npnets.optim.optimizer import (
    ARRAYS,
    Optimizer,
    T,
    add_weight_decay,
    check_like,
    check_state,
    check_velocity,
    descend,
    zeros_like,
)
from npnets.optim.rates import CurrentRate, Rate, check_rate, current_rates
from npnets.optim.settings import check_decay_rate
from npnets.tree import Tree
from npnets.underflow import ignoring_underflow


class SGDState(NamedTuple):
    """State of `sgd`: updates made, and the velocity, a tree as the parameters (without momentum `None`)."""

    step: int
    velocity: Tree


@dataclass(frozen=True, repr=False)
class sgd(Optimizer):
    """Gradient descent, optionally with momentum.

    Parameters
    ----------
    learning_rate : float, function of the step, or dict
        Zero or positive. A function takes the number of updates made before this one and returns the rate; a dict has a
        rate for each part of the parameters, by name.
    momentum : float
        Decay rate of the velocity, in [0, 1).
    weight_decay : float, function of the step, or dict
        Multiple of a parameter that is added to its gradient.
    nesterov : bool
        Whether the step looks ahead along the velocity (Sutskever et al. 2013).

    Raises
    ------
    TypeError
        If a setting is of another kind.
    ValueError
        If a setting is out of its range, or `nesterov` has no momentum.
    """

    learning_rate: Rate
    momentum: float = 0.0
    weight_decay: Rate = 0.0
    nesterov: bool = False

    __repr__ = call_repr

    def __post_init__(self) -> None:
        set_plain(self)
        check_flags(self, "nesterov")
        set_fields(
            self,
            learning_rate=check_rate("learning_rate", self.learning_rate),
            momentum=check_decay_rate("momentum", self.momentum),
            weight_decay=check_rate("weight_decay", self.weight_decay),
        )
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov needs a momentum above zero")

    def init(self, params: Tree) -> SGDState:
        """Return the state before the first update."""
        with computing_where({"params": params}, ARRAYS):
            tree.map(check_like, params)
            return SGDState(0, zeros_like(params) if self.momentum else None)

    def update(self, params: T, grads: Tree, state: SGDState) -> tuple[T, SGDState]:
        """Return new parameters and a new state; the arguments stay as they are."""
        check_state(state, SGDState)
        check_velocity(state.velocity, self.momentum)
        rates = current_rates(state.step, params, learning_rate=self.learning_rate, weight_decay=self.weight_decay)
        with computing_where({"params": params, "grads": grads, "state": state}, ARRAYS):
            return self._step(params, grads, state, *rates)

    @ignoring_underflow
    def _step(
        self, params: T, grads: Tree, state: SGDState, learning_rate: CurrentRate, weight_decay: CurrentRate
    ) -> tuple[T, SGDState]:
        momentum = self.momentum
        tree.map(check_like, params, grads, *([state.velocity] if momentum else []))
        grads = add_weight_decay(params, grads, weight_decay)
        if not momentum:
            return descend(params, grads, learning_rate), SGDState(int(state.step) + 1, None)
        velocity = tree.map(lambda v, g: axpy(momentum, v, g), state.velocity, grads)
        direction = tree.map(lambda v, g: axpy(momentum, v, g), velocity, grads) if self.nesterov else velocity
        return descend(params, direction, learning_rate), SGDState(int(state.step) + 1, velocity)
