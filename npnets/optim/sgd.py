"""Gradient descent."""

from dataclasses import dataclass
from typing import NamedTuple

from npnets.backend import Array
from npnets.description import check_flags
from npnets.optim.arithmetic import Arithmetic
from npnets.optim.leafwise import LeafwiseOptimizer, descend
from npnets.optim.rates import Rate
from npnets.optim.settings import check_decay_rate, set_checked
from npnets.tree import Tree


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

    def __post_init__(self) -> None:
        super().__post_init__()
        check_flags(self, "nesterov")
        set_checked(self, check_decay_rate, "momentum")
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov needs a momentum above zero")

    def _has_moments(self) -> tuple[bool]:
        return (bool(self.momentum),)

    def _rule(
        self, ops: Arithmetic, t: int, rate: float, decay: float, p: Array, g: Array, *moments: Array
    ) -> tuple[Array, ...]:
        g = ops.axpy(decay, p, g) if decay else g  # g_t = gradient + decay p
        if not self.momentum:
            return (descend(ops, rate, g, p),)  # p_t = p - rate g_t
        velocity = ops.axpy(self.momentum, moments[0], g)  # v_t = momentum v + g_t
        direction = ops.axpy(self.momentum, velocity, g) if self.nesterov else velocity  # momentum v_t + g_t, or v_t
        return descend(ops, rate, direction, p), velocity
