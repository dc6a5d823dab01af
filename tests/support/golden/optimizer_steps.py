"""The arithmetic of one update of each optimizer on one array, in plain NumPy and in the order of its roundings.

The library must reproduce these steps bit for bit, so that neither a new feature nor a faster implementation changes a
training run. Python numbers are combined with float32 arrays and rounded to float32, as in the library.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Step = tuple[Any, ...]


def sgd(p: Any, g: Any, state: Step, lr: float, momentum: float = 0.0, wd: float = 0.0, nesterov: bool = False) -> Any:
    """Return the parameter and the velocity."""
    g = p * wd + g if wd else g
    velocity = state[0] * momentum + g if momentum else state[0]
    direction = velocity * momentum + g if nesterov else velocity if momentum else g
    return direction * -lr + p, (velocity,)


def rmsprop(
    p: Any, g: Any, state: Step, lr: float, alpha: float, eps: float, wd: float = 0.0, momentum: float = 0.0
) -> Any:
    """Return the parameter, and the mean square and the velocity."""
    g = p * wd + g if wd else g
    nu = _lerp_square(state[0], g, 1 - alpha)
    direction = g / _root(nu, eps)
    velocity = direction = state[1] * momentum + direction if momentum else direction
    return direction * -lr + p, (nu, velocity)


def adam(
    p: Any, g: Any, state: Step, lr: float, betas: Any, eps: float, in_gradient: float, decoupled: float, step: int
) -> Any:
    """Return the parameter and both moments of update number `step`, the first of which is one."""
    g = p * in_gradient + g if in_gradient else g
    root = math.sqrt(1 - betas[1] ** step)
    mu, nu = _lerp(state[0], g, 1 - betas[0]), _lerp_square(state[1], g, 1 - betas[1])
    change = mu / _root(nu, eps * root) * -(lr * root / (1 - betas[0] ** step))
    change = p * -(lr * decoupled) + change if decoupled else change
    return change + p, (mu, nu)


def _lerp(x: Any, y: Any, weight: float) -> Any:
    if weight in (0, 1):
        return y if weight else x
    return (y - x) * weight + x if weight < 0.5 else (y - x) * (weight - 1) + y


def _lerp_square(x: Any, y: Any, weight: float) -> Any:
    return x * (1 - weight) + y * y * weight


def _root(square: Any, eps: float) -> Any:
    root = np.sqrt(square) + eps
    return np.where(root == 0, root.dtype.type(1), root) if eps < np.finfo(np.float32).tiny else root
