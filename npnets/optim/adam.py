"""Adam, and Adam with weight decay apart from the gradient."""

import functools
import math
from typing import NamedTuple

import numpy as np

from npnets import tree
from npnets.backend import Array, namespace
from npnets.launch import Launch
from npnets.optim.arithmetic import LERP, Lerp, in_range, ratio, scaled_sum, toward_square
from npnets.optim.optimizer import (
    Optimizer,
    alike,
    decay_rate,
    decayed,
    expect_state,
    following_params,
    not_negative,
    positive,
)
from npnets.tree import Tree


class AdamState(NamedTuple):
    """State of `adam` and `adamw`: updates made, running means of gradients and of their squares."""

    step: int
    mean: Tree
    square: Tree


def adam(
    learning_rate: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> Optimizer:
    """Adam (Kingma and Ba 2015).

    Parameters
    ----------
    learning_rate : float
    betas : tuple of two floats
        Shares of the running means of gradients and of their squares that are kept, in [0, 1).
    eps : float
        Added to the root of the mean square.
    weight_decay : float
        How much of a parameter is added to its gradient.

    Returns
    -------
    Optimizer
    """
    return _adam(learning_rate, betas, eps, of_gradient=weight_decay, of_parameter=0.0)


def adamw(
    learning_rate: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> Optimizer:
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019).

    Parameters
    ----------
    learning_rate, betas, eps
        As in `adam`.
    weight_decay : float
        Share of a parameter, times the learning rate, that each update takes away.

    Returns
    -------
    Optimizer
    """
    return _adam(learning_rate, betas, eps, of_gradient=0.0, of_parameter=weight_decay)


def _adam(
    learning_rate: float, betas: tuple[float, float], eps: float, of_gradient: float, of_parameter: float
) -> Optimizer:
    """Make either optimizer: weight decay goes into the gradient, or apart from it into the step."""
    learning_rate, eps = positive("learning_rate", learning_rate), not_negative("eps", eps)
    of_gradient, of_parameter = not_negative("weight_decay", of_gradient), not_negative("weight_decay", of_parameter)
    betas = _checked_betas(betas)

    def update(params: Tree, grads: Tree, state: AdamState) -> tuple[Tree, AdamState]:
        expect_state(state, AdamState)
        if of_gradient:
            grads = decayed(params, grads, of_gradient, state.mean, state.square)
        step = int(state.step) + 1
        root = math.sqrt(1 - betas[1] ** step)
        rate = learning_rate * root / (1 - betas[0] ** step)
        settings = (1 - betas[0], 1 - betas[1], rate, eps * root, learning_rate * of_parameter)
        trees = params, grads, state.mean, state.square
        moved = in_range(lambda lerp: tree.unzip(3, functools.partial(_moved, settings, lerp), *trees))
        return moved[0], AdamState(step, *moved[1:])

    return following_params(_init, update)


def _init(params: Tree) -> AdamState:
    return AdamState(0, tree.map(np.zeros_like, params), tree.map(np.zeros_like, params))


_MOVED = Launch(
    "T p, T g, T m, T s, T share, T kept, T share_of_square, T rate, T eps, T decay",
    "T parameter, T mean, T square",
    f"""{LERP.format(x="m", y="g", out="mean")}
    square = s * (T(1) - share_of_square) + g * g * share_of_square;
    const T root = sqrt(square) + eps;
    parameter = p - (rate * (mean / (root == T(0) ? T(1) : root)) + decay * p);""",
    "adam",
)


def _moved(
    settings: tuple[float, ...], lerp: Lerp, p: Array, g: Array, m: Array, s: Array
) -> tuple[Array, Array, Array]:
    """Return one leaf's parameter, running mean of gradients and running mean of their squares after an update.

    The corrections of both means, which began at zero, are in the settings: those of the root are in `rate` and `eps`.
    """
    alike(p, g, m, s)
    if namespace(p) is not np:
        share, *others = settings
        return _MOVED(p, g, m, s, share, 1 - share, *others)
    share, share_of_square, rate, eps, decay = settings
    mean, square = lerp(m, g, share), toward_square(s, g, share_of_square)
    step = ratio(mean, square, eps)
    step *= -rate
    if decay:  # added to the step and not to the parameter, beside which both may be less than a rounding
        step = scaled_sum(p, -decay, step)
    step += p
    return step, mean, square


def _checked_betas(betas: tuple[float, float]) -> tuple[float, float]:
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise TypeError(f"betas must be a pair of numbers, but is {betas!r}")
    return decay_rate("each of betas", betas[0]), decay_rate("each of betas", betas[1])
