"""Gradients divided by the root of their running mean square."""

from typing import NamedTuple

import numpy as np

from npnets import tree
from npnets.optim.arithmetic import ratio, scaled_sum, toward_square
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


class RMSpropState(NamedTuple):
    """State of `rmsprop`: updates made, running mean of squared gradients, velocity (without momentum `None`)."""

    step: int
    square: Tree
    velocity: Tree


def rmsprop(
    learning_rate: float = 0.01,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
) -> Optimizer:
    """Gradients divided by the root of the running mean of their squares (Tieleman and Hinton 2012).

    Parameters
    ----------
    learning_rate : float
    alpha : float
        Share of the running mean that is kept, in [0, 1).
    eps : float
        Added to the root.
    weight_decay : float
        How much of a parameter is added to its gradient.
    momentum : float
        Share of the velocity that is kept, in [0, 1).

    Returns
    -------
    Optimizer
    """
    learning_rate, weight_decay = positive("learning_rate", learning_rate), not_negative("weight_decay", weight_decay)
    eps, alpha, momentum = not_negative("eps", eps), decay_rate("alpha", alpha), decay_rate("momentum", momentum)

    def init(params: Tree) -> RMSpropState:
        velocity = tree.map(np.zeros_like, params) if momentum else None
        return RMSpropState(0, tree.map(np.zeros_like, params), velocity)

    def update(params: Tree, grads: Tree, state: RMSpropState) -> tuple[Tree, RMSpropState]:
        expect_state(state, RMSpropState)
        grads = decayed(params, grads, weight_decay, state.square, *([state.velocity] if momentum else []))
        square = tree.map(lambda s, g: toward_square(s, g, 1 - alpha), state.square, grads)
        direction = tree.map(lambda g, s: ratio(g, s, eps), grads, square)
        velocity = None
        if momentum:
            direction = velocity = tree.map(lambda v, d: scaled_sum(v, momentum, d), state.velocity, direction)
        return descend(params, direction, learning_rate), RMSpropState(state.step + 1, square, velocity)

    return following_params(init, update)
