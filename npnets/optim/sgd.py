"""Gradient descent."""

from dataclasses import dataclass
from typing import NamedTuple

from npnets.backend import Array
from npnets.description import check_flags
from npnets.optim.arithmetic import Arithmetic, Rule
from npnets.optim.leafwise import LeafwiseOptimizer, descend
from npnets.optim.rates import Rate
from npnets.optim.settings import check_decay_rate, set_checked
from npnets.tree import Tree


def _compose(ops: Arithmetic, numbers: tuple[float, ...], p: Array, g: Array, *velocity: Array) -> tuple[Array, ...]:
    decay, rate, momentum, nesterov = numbers
    g = ops.axpy(decay, p, g) if decay else g  # g_t = gradient + decay p
    if not velocity:
        return (descend(ops, rate, g, p),)  # p_t = p - rate g_t
    v = ops.axpy(momentum, velocity[0], g)  # v_t = momentum v + g_t
    direction = ops.axpy(momentum, v, g) if nesterov else v  # momentum v_t + g_t, or v_t
    return descend(ops, rate, direction, p), v


class SGDState(NamedTuple):
    """State of `sgd`: updates made, and the velocity, a tree as the parameters (without momentum `None`)."""

    step: int
    velocity: Tree


@dataclass(frozen=True, repr=False)
class sgd(LeafwiseOptimizer[SGDState]):
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

    _state_class = SGDState
    _rule = Rule("sgd", _compose)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_flags(self, "nesterov")
        set_checked(self, check_decay_rate, "momentum")
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov needs a momentum above zero")

    def _has_moments(self) -> tuple[bool]:
        return (bool(self.momentum),)

    def _numbers(self, t: int, rate: float, decay: float) -> tuple[float, ...]:
        return decay, rate, self.momentum, float(self.nesterov)
