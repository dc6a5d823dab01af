"""Two operations on whole trees: limiting the norm of gradients, and moving a target network."""

import math
from typing import Any

import numpy as np

from npnets import tree
from npnets.backend import namespace
from npnets.optim.arithmetic import toward
from npnets.optim.optimizer import alike, number, positive, together
from npnets.tree import Tree
from npnets.underflow import ignoring_underflow


@ignoring_underflow
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
        The norm that they had before, right also where squares overflow or vanish.

    Raises
    ------
    FloatingPointError
        If a gradient is NaN or infinite: scaled by such a norm, all others would be lost too. On a GPU, where to look
        would be to wait, such gradients stay as they are, and the norm is NaN or infinite.
    ValueError
        If the limit is not positive.
    TypeError
        If a leaf is no floating-point array.

    Notes
    -----
    PyTorch's `clip_grad_norm_`, whose factor is `limit / (norm + 1e-6)` where that is below one.
    """
    limit = positive("limit", limit)
    tree.map(alike, grads)
    with together(grads=grads):
        leaves = tree.leaves(grads)
        if not leaves:
            return tree.map(lambda leaf: leaf, grads), 0.0
        if namespace(leaves[0]) is not np:
            return _clip_without_waiting(grads, limit)
        squares = sum(np.vdot(leaf, leaf) for leaf in leaves)
        if not _is_safe(squares):
            return _clip_by_largest(grads, limit)
        return _scaled(grads, np.sqrt(squares), limit)


def _scaled(grads: Tree, norm: Any, limit: float) -> tuple[Tree, Any]:
    factor = np.minimum(limit / (norm + 1e-6), 1)
    return tree.map(lambda leaf: leaf * factor.astype(leaf.dtype), grads), norm


def _clip_without_waiting(grads: Tree, limit: float) -> tuple[Tree, Any]:
    """Do the same on a GPU, in double precision, where the squares of float32 neither overflow nor vanish."""
    wide = [leaf.astype(np.float64) for leaf in tree.leaves(grads)]
    norm = np.sqrt(sum(np.vdot(leaf, leaf) for leaf in wide))
    finite = np.where(np.isfinite(norm), norm, 0)
    return _scaled(grads, finite, limit)[0], norm.astype(tree.leaves(grads)[0].dtype)


def _is_safe(squares: Any) -> bool:
    """Tell whether a sum of squares has neither overflowed nor lost what is too small to be squared."""
    limits = np.finfo(squares.dtype)
    return bool(limits.tiny / limits.eps < float(squares) < math.inf)


def _clip_by_largest(grads: Tree, limit: float) -> tuple[Tree, Any]:
    """Do the same on gradients divided by the largest entry."""
    leaves = tree.leaves(grads)
    largest = max((float(abs(leaf).max()) for leaf in leaves if leaf.size), default=0.0)
    if not math.isfinite(largest) or largest == 0:  # `max` may pass a NaN over
        _require_finite(grads)
    scale = largest or 1.0
    parts = tree.map(lambda leaf: leaf / leaf.dtype.type(scale), grads)
    of_parts = math.sqrt(sum(float(np.vdot(part, part)) for part in tree.leaves(parts)))
    _require_finite(grads if not math.isfinite(of_parts) else {})
    factor = min(limit / (scale * of_parts + 1e-6), 1.0) * scale
    with np.errstate(over="ignore"):
        norm = namespace(leaves[0]).asarray(of_parts * scale, leaves[0].dtype)[()]
    return tree.map(lambda part: part * part.dtype.type(factor), parts), norm


def _require_finite(grads: Tree) -> None:
    for path, leaf in zip(tree.paths(grads), tree.leaves(grads), strict=True):
        wrong = int((~np.isfinite(leaf)).sum())
        if wrong:
            raise FloatingPointError(
                f"expected finite gradients, but {wrong} of {leaf.size} entries of {path or 'the array'!r} are NaN or "
                "infinite, and clipping would spread that over all parameters; the loss overflows, divides by zero, or "
                "reads such numbers: look at its value and its inputs, or leave this update out"
            )


def soft_update(target: Tree, source: Tree, tau: float) -> Tree:
    """Move a target network's parameters toward another's: `tau * source + (1 - tau) * target`.

    Parameters
    ----------
    target, source : tree
    tau : float
        In [0, 1]; at 0 and 1 the result is the target or the source to the last bit.

    Returns
    -------
    tree
        The target's new parameters.
    """
    tau = number("tau", tau)
    if not 0 <= tau <= 1:
        raise ValueError(f"tau must be in [0, 1], but is {tau!r}")
    with together(target=target, source=source), np.errstate(all="ignore"):  # infinite parameters are moved too
        return tree.map(lambda t, s: toward(alike(t, s), s, tau), target, source)
