"""Gradients divided by the root of their running mean square."""

from dataclasses import dataclass
from typing import NamedTuple

from npnets.backend import Array
from npnets.optim.arithmetic import Arithmetic, Rule
from npnets.optim.leafwise import LeafwiseOptimizer, descend
from npnets.optim.rates import Rate
from npnets.optim.settings import check_decay_rate, check_not_negative, set_checked
from npnets.tree import Tree


def _compose(
    ops: Arithmetic, numbers: tuple[float, ...], p: Array, g: Array, nu: Array, *velocity: Array
) -> tuple[Array, ...]:
    decay, rate, momentum, weight, eps = numbers
    g = ops.axpy(decay, p, g) if decay else g  # g_t = gradient + decay p
    nu = ops.lerp_square(nu, g, weight)  # nu_t = alpha nu + (1 - alpha) g_t^2
    direction = ops.ratio(g, nu, eps)  # d_t = g_t / (sqrt(nu_t) + eps)
    if not velocity:
        return descend(ops, rate, direction, p), nu  # p_t = p - rate d_t
    v = ops.axpy(momentum, velocity[0], direction)  # v_t = momentum v + d_t
    return descend(ops, rate, v, p), nu, v


class RMSpropState(NamedTuple):
    """State of `rmsprop`: updates made, the second moment, a running mean of `g * g`, and the velocity.

    The velocity is `None` without momentum.
    """

    step: int
    nu: Tree
    velocity: Tree


@dataclass(frozen=True, repr=False)
class rmsprop(LeafwiseOptimizer[RMSpropState]):
    """Gradients divided by the root of the running mean of their squares (Tieleman and Hinton 2012).

    Parameters
    ----------
    learning_rate, weight_decay : float, function of the step, or dict
        As in `sgd`.
    alpha : float
        Decay rate of the running mean, in [0, 1).
    eps : float
        Added to the root.
    momentum : float
        Decay rate of the velocity, in [0, 1).

    Raises
    ------
    TypeError, ValueError
        As `sgd`.
    """

    learning_rate: Rate = 0.01
    alpha: float = 0.99
    eps: float = 1e-8
    weight_decay: Rate = 0.0
    momentum: float = 0.0

    _state_class = RMSpropState
    _rule = Rule("rmsprop", _compose)

    def __post_init__(self) -> None:
        super().__post_init__()
        set_checked(self, check_decay_rate, "alpha", "momentum")
        set_checked(self, check_not_negative, "eps")

    def _has_moments(self) -> tuple[bool, bool]:
        return True, bool(self.momentum)

    def _numbers(self, t: int, rate: float, decay: float) -> tuple[float, ...]:
        return decay, rate, self.momentum, 1 - self.alpha, self.eps
