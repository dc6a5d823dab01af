"""Gradient descent."""

from typing import NamedTuple

import numpy as np

from npnets import tree
from npnets.optim.arithmetic import scaled_sum
from npnets.optim.optimizer import (
    Optimizer,
    decay_rate,
    decayed,
    descend,
    expect_state,
    following_params,
    not_negative,
    positive,
)
from npnets.tree import Tree


class SGDState(NamedTuple):
    """State of `sgd`: updates made, and the velocity, a tree as the parameters (without momentum `None`)."""

    step: int
    velocity: Tree


def sgd(learning_rate: float, momentum: float = 0.0, weight_decay: float = 0.0, nesterov: bool = False) -> Optimizer:
    """Gradient descent, with momentum if asked for.

    Parameters
    ----------
    learning_rate : float
    momentum : float
        Share of the velocity that is kept, in [0, 1).
    weight_decay : float
        How much of a parameter is added to its gradient.
    nesterov : bool
        Whether the step looks ahead along the velocity (Sutskever et al. 2013).

    Returns
    -------
    Optimizer
    """
    learning_rate, weight_decay = positive("learning_rate", learning_rate), not_negative("weight_decay", weight_decay)
    momentum = decay_rate("momentum", momentum)
    if nesterov and not momentum:
        raise ValueError("nesterov needs a momentum above zero")

    def init(params: Tree) -> SGDState:
        return SGDState(0, tree.map(np.zeros_like, params) if momentum else None)

    def update(params: Tree, grads: Tree, state: SGDState) -> tuple[Tree, SGDState]:
        expect_state(state, SGDState)
        grads = decayed(params, grads, weight_decay, *([state.velocity] if momentum else []))
        if not momentum:
            return descend(params, grads, learning_rate), SGDState(state.step + 1, None)
        velocity = tree.map(lambda v, g: scaled_sum(v, momentum, g), state.velocity, grads)
        direction = tree.map(lambda v, g: scaled_sum(v, momentum, g), velocity, grads) if nesterov else velocity
        return descend(params, direction, learning_rate), SGDState(state.step + 1, velocity)

    return following_params(init, update)
