"""Gradients divided by the root of their running mean square."""

from dataclasses import dataclass
from typing import NamedTuple

from npnets import tree
from npnets.autodiff.devices import computing_where
from npnets.description import call_repr, set_fields, set_plain
from npnets.optim.arithmetic import axpy, lerp_square, ratio
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
from npnets.optim.settings import check_decay_rate, check_not_negative
from npnets.tree import Tree
from npnets.underflow import ignoring_underflow


class RMSpropState(NamedTuple):
    """State of `rmsprop`: updates made, the second moment, a running mean of `g * g`, and the velocity.

    The velocity is `None` without momentum.
    """

    step: int
    nu: Tree
    velocity: Tree


@dataclass(frozen=True, repr=False)
class rmsprop(Optimizer):
    """Gradients divided by the root of the running mean of their squares (Tieleman and Hinton 2012).

    Parameters
    ----------
    learning_rate : float, function of the step, or dict
        As in `sgd`.
    alpha : float
        Decay rate of the running mean, in [0, 1).
    eps : float
        Added to the root.
    weight_decay : float, function of the step, or dict
        Multiple of a parameter that is added to its gradient.
    momentum : float
        Decay rate of the velocity, in [0, 1).

    Raises
    ------
    TypeError
        If a setting is of another kind.
    ValueError
        If a setting is out of its range.
    """

    learning_rate: Rate = 0.01
    alpha: float = 0.99
    eps: float = 1e-8
    weight_decay: Rate = 0.0
    momentum: float = 0.0

    __repr__ = call_repr

    def __post_init__(self) -> None:
        set_plain(self)
        set_fields(
            self,
            learning_rate=check_rate("learning_rate", self.learning_rate),
            alpha=check_decay_rate("alpha", self.alpha),
            eps=check_not_negative("eps", self.eps),
            weight_decay=check_rate("weight_decay", self.weight_decay),
            momentum=check_decay_rate("momentum", self.momentum),
        )

    def init(self, params: Tree) -> RMSpropState:
        """Return the state before the first update."""
        with computing_where({"params": params}, ARRAYS):
            tree.map(check_like, params)
            return RMSpropState(0, zeros_like(params), zeros_like(params) if self.momentum else None)

    def update(self, params: T, grads: Tree, state: RMSpropState) -> tuple[T, RMSpropState]:
        """Return new parameters and a new state; the arguments stay as they are."""
        check_state(state, RMSpropState)
        check_velocity(state.velocity, self.momentum)
        rates = current_rates(state.step, params, learning_rate=self.learning_rate, weight_decay=self.weight_decay)
        with computing_where({"params": params, "grads": grads, "state": state}, ARRAYS):
            return self._step(params, grads, state, *rates)

    @ignoring_underflow
    def _step(
        self, params: T, grads: Tree, state: RMSpropState, learning_rate: CurrentRate, weight_decay: CurrentRate
    ) -> tuple[T, RMSpropState]:
        alpha, eps, momentum = self.alpha, self.eps, self.momentum
        tree.map(check_like, params, grads, state.nu, *([state.velocity] if momentum else []))
        grads = add_weight_decay(params, grads, weight_decay)
        nu = tree.map(lambda n, g: lerp_square(n, g, 1 - alpha), state.nu, grads)
        direction = tree.map(lambda g, n: ratio(g, n, eps), grads, nu)
        velocity = None
        if momentum:
            direction = velocity = tree.map(lambda v, d: axpy(momentum, v, d), state.velocity, direction)
        return descend(params, direction, learning_rate), RMSpropState(int(state.step) + 1, nu, velocity)
