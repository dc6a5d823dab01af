"""Optimizers as pairs of pure functions, and two operations on trees that reinforcement learning needs beside them.

An `Optimizer` is a named pair: `init(params)` gives a state, `update(params, grads, state)` gives new parameters and a
new state. Nothing is changed in place: arguments stay as they were, and each new array is allocated once. The formulas
and defaults are those of `torch.optim`.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from npnets import tree
from npnets.backend import Array
from npnets.tree import Tree


class Optimizer(NamedTuple):
    """A pair of pure functions.

    Attributes
    ----------
    init : callable
        `init(params) -> state`.
    update : callable
        `update(params, grads, state) -> (params, state)`.
    """

    init: Callable[[Tree], Any]
    update: Callable[[Tree, Tree, Any], tuple[Tree, Any]]


class SGDState(NamedTuple):
    """State of `sgd`: updates made, and the velocity, a tree as the parameters (without momentum `None`)."""

    step: int
    velocity: Tree


class RMSpropState(NamedTuple):
    """State of `rmsprop`: updates made, running mean of squared gradients, velocity (without momentum `None`)."""

    step: int
    square: Tree
    velocity: Tree


class AdamState(NamedTuple):
    """State of `adam` and `adamw`: updates made, running means of gradients and of their squares."""

    step: int
    mean: Tree
    square: Tree


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
    _require_positive("learning_rate", learning_rate)
    _require_share("momentum", momentum)
    if nesterov and not momentum:
        raise ValueError("nesterov needs a momentum above zero")

    def init(params: Tree) -> SGDState:
        return SGDState(0, tree.map(np.zeros_like, params) if momentum else None)

    def update(params: Tree, grads: Tree, state: SGDState) -> tuple[Tree, SGDState]:
        grads = _decayed(params, grads, weight_decay)
        if not momentum:
            return _descend(params, grads, learning_rate), SGDState(state.step + 1, None)
        velocity = tree.map(lambda v, g: _scaled_sum(v, momentum, g), state.velocity, grads)
        direction = tree.map(lambda v, g: _scaled_sum(v, momentum, g), velocity, grads) if nesterov else velocity
        return _descend(params, direction, learning_rate), SGDState(state.step + 1, velocity)

    return Optimizer(init, update)


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
    _require_positive("learning_rate", learning_rate)
    _require_share("alpha", alpha)
    _require_share("momentum", momentum)

    def init(params: Tree) -> RMSpropState:
        velocity = tree.map(np.zeros_like, params) if momentum else None
        return RMSpropState(0, tree.map(np.zeros_like, params), velocity)

    def update(params: Tree, grads: Tree, state: RMSpropState) -> tuple[Tree, RMSpropState]:
        grads = _decayed(params, grads, weight_decay)
        square = tree.map(lambda s, g: _toward_square(s, g, 1 - alpha), state.square, grads)
        direction = tree.map(lambda g, s: _ratio(g, s, 1.0, eps), grads, square)
        velocity = None
        if momentum:
            direction = velocity = tree.map(lambda v, d: _scaled_sum(v, momentum, d), state.velocity, direction)
        return _descend(params, direction, learning_rate), RMSpropState(state.step + 1, square, velocity)

    return Optimizer(init, update)


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
    _require_adam(learning_rate, betas, eps)

    def update(params: Tree, grads: Tree, state: AdamState) -> tuple[Tree, AdamState]:
        direction, state = _adam_direction(_decayed(params, grads, weight_decay), state, betas, eps)
        return _descend(params, direction, learning_rate), state

    return Optimizer(_adam_init, update)


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
    _require_adam(learning_rate, betas, eps)

    def update(params: Tree, grads: Tree, state: AdamState) -> tuple[Tree, AdamState]:
        direction, state = _adam_direction(_decayed(params, grads, 0), state, betas, eps)
        direction = tree.map(lambda p, d: _scaled_sum(p, weight_decay, d), params, direction)
        return _descend(params, direction, learning_rate), state

    return Optimizer(_adam_init, update)


def clip_by_global_norm(grads: Tree, limit: float) -> tuple[Tree, Any]:
    """Scale gradients down so that all of them together are no longer than a limit.

    Parameters
    ----------
    grads : tree
    limit : float
        The greatest Euclidean norm of all leaves laid out in one vector.

    Returns
    -------
    grads : tree
    norm : scalar
        The norm that they had before.

    Notes
    -----
    PyTorch's `clip_grad_norm_`, whose factor is `limit / (norm + 1e-6)` where that is below one.
    """
    _require_positive("limit", limit)
    norm = np.sqrt(sum(np.vdot(leaf, leaf) for leaf in tree.leaves(grads)))
    factor = np.minimum(limit / (norm + 1e-6), 1)
    return tree.map(lambda leaf: leaf * factor.astype(leaf.dtype), grads), norm


def soft_update(target: Tree, source: Tree, tau: float) -> Tree:
    """Move a target network's parameters toward another's: `tau * source + (1 - tau) * target`.

    Parameters
    ----------
    target, source : tree
    tau : float
        In [0, 1].

    Returns
    -------
    tree
        The target's new parameters.
    """
    if not 0 <= tau <= 1:
        raise ValueError(f"tau must be in [0, 1], but is {tau!r}")
    return tree.map(lambda t, s: _toward(_alike(t, s), s, tau), target, source)


# -- arithmetic on leaves, one allocation each ------------------------------------------------------------------------


def _descend(params: Tree, direction: Tree, learning_rate: float) -> Tree:
    return tree.map(lambda p, d: _scaled_sum(d, -learning_rate, p), params, direction)


def _scaled_sum(x: Array, factor: float, y: Array) -> Array:
    """Return `factor * x + y`."""
    answer = np.multiply(x, factor, out=np.empty_like(x))
    answer += y
    return answer


def _toward(x: Array, y: Array, share: float) -> Array:
    """Return `(1 - share) * x + share * y`; at a share of one `y` itself, to the last bit."""
    answer = np.subtract(y, x, out=np.empty_like(x))
    answer *= share if share < 0.5 else share - 1
    answer += x if share < 0.5 else y
    return answer


def _toward_square(x: Array, y: Array, share: float) -> Array:
    """Return `(1 - share) * x + share * y * y`."""
    answer = np.multiply(y, y, out=np.empty_like(x))
    answer -= x
    answer *= share
    answer += x
    return answer


def _ratio(x: Array, square: Array, correction: float, eps: float) -> Array:
    """Return `x / (sqrt(square) / correction + eps)`."""
    answer = np.sqrt(square, out=np.empty_like(square))
    answer /= correction
    answer += eps
    return np.divide(x, answer, out=answer)


def _adam_init(params: Tree) -> AdamState:
    return AdamState(0, tree.map(np.zeros_like, params), tree.map(np.zeros_like, params))


def _adam_direction(grads: Tree, state: AdamState, betas: tuple[float, float], eps: float) -> tuple[Tree, AdamState]:
    step = state.step + 1
    mean = tree.map(lambda m, g: _toward(m, g, 1 - betas[0]), state.mean, grads)
    square = tree.map(lambda s, g: _toward_square(s, g, 1 - betas[1]), state.square, grads)
    root = math.sqrt(1 - betas[1] ** step)
    unscaled = 1 - betas[0] ** step
    direction = tree.map(lambda m, s: _ratio(m, s, root / unscaled, eps * unscaled), mean, square)
    return direction, AdamState(step, mean, square)


def _decayed(params: Tree, grads: Tree, weight_decay: float) -> Tree:
    checked = tree.map(_alike, params, grads)
    return tree.map(lambda p, g: _scaled_sum(p, weight_decay, g), checked, grads) if weight_decay else grads


# -- what is wrong with arguments -------------------------------------------------------------------------------------


def _alike(parameter: Any, other: Any) -> Any:
    """Return a parameter if its gradient, or its other network's parameter, has the same shape and dtype."""
    if not hasattr(parameter, "dtype") or parameter.dtype.kind != "f":
        raise TypeError(f"expected floating-point arrays as parameters, but got {parameter!r:.80}")
    if getattr(other, "shape", None) != parameter.shape or other.dtype != parameter.dtype:
        found = f"{other.dtype} {other.shape}" if hasattr(other, "dtype") else f"a {type(other).__name__}"
        raise ValueError(
            f"expected an array like the parameter, {parameter.dtype} {parameter.shape}, but got {found}; were the two "
            "trees made by different networks?"
        )
    return parameter


def _require_positive(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be positive and finite, but is {value!r}")


def _require_share(name: str, value: float) -> None:
    if not 0 <= value < 1:
        raise ValueError(f"{name} must be in [0, 1), but is {value!r}")


def _require_adam(learning_rate: float, betas: tuple[float, float], eps: float) -> None:
    _require_positive("learning_rate", learning_rate)
    _require_positive("eps", eps)
    for beta in betas:
        _require_share("each of betas", beta)
