"""Limiting the norm of gradients, whatever their size, and refusing those that are not finite.

Symbols: the norm is `scaled * scale`, where `scale` is a power of two that brings the largest entry near one, so that
squares neither overflow nor vanish.
"""

import math
from typing import NoReturn

import numpy as np

from npnets import tree
from npnets.autodiff.devices import computing_where
from npnets.backend import Array
from npnets.optim.arithmetic import Rule, sum_of_squares, updated
from npnets.optim.checks import ARRAYS
from npnets.optim.optimizer import T
from npnets.optim.settings import check_positive
from npnets.tree import Tree

_RULE = Rule("scale", lambda ops, numbers, leaf: (leaf * numbers[0],))
_EPSILON = 1e-6
_TINY, _ROUNDING = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).eps)  # float64's are smaller
_LARGEST_EXPONENT = np.finfo(np.float64).maxexp - 2


def clip_by_global_norm(grads: T, limit: float) -> tuple[T, float]:
    """Scale gradients down so that all of them together are no longer than a limit.

    On a GPU the host waits once for the norm; then it knows whether the gradients are finite.

    Parameters
    ----------
    grads : tree
    limit : float
        The greatest Euclidean norm of all leaves laid out in one vector.

    Returns
    -------
    grads : tree
    norm : float
        The norm that they had before; right also where squares of entries overflow or vanish in the leaves' dtype.

    Raises
    ------
    ValueError
        If the limit is not positive.
    TypeError
        If a leaf is no floating-point array.
    FloatingPointError
        If an entry is NaN or infinite; the message names the leaf.

    Notes
    -----
    PyTorch's ``clip_grad_norm_``, whose factor is `limit / (norm + 1e-6)` where that is below one. With a norm that is
    not finite, that factor would make every parameter NaN or zero.
    """
    limit = check_positive("limit", limit, "the order is clip_by_global_norm(grads, limit)")
    with computing_where({"grads": grads}, ARRAYS), np.errstate(all="ignore"):
        scaled, scale = _norm(grads)
        root = math.sqrt(limit / (scaled + _EPSILON / scale)) / math.sqrt(scale)
        factor = min(root * root, 1.0)
        if factor < _TINY:  # in two steps: the factor itself may be no number of the leaves' dtype
            return tree.map(lambda leaf: leaf * root * root, grads), scaled * scale
        (clipped,) = updated(_RULE, (factor,), (grads,))
        return clipped, scaled * scale


def _norm(grads: Tree) -> tuple[float, float]:
    """Return `scaled` and `scale`, whose product may be no finite number."""
    leaves = tree.leaves(grads)
    square = sum_of_squares(leaves)
    return (math.sqrt(square), 1.0) if _is_safe(square, leaves) else _careful_norm(grads)


def _is_safe(square: float, leaves: list[Array]) -> bool:
    """Tell whether squares that vanished cannot matter to their sum: each is off by the smallest normal number."""
    return sum([leaf.size for leaf in leaves]) * _TINY / _ROUNDING <= square < math.inf


def _careful_norm(grads: Tree) -> tuple[float, float]:
    """Return the norm by way of the largest entry, in double precision."""
    leaves = [leaf for leaf in tree.leaves(grads) if leaf.size]
    peaks = [float(np.abs(leaf).max()) for leaf in leaves]
    if not all(map(math.isfinite, peaks)):
        _refuse(grads)
    exponent = math.frexp(max(peaks, default=0.0))[1]
    scale = 2.0 ** max(min(exponent, _LARGEST_EXPONENT), -_LARGEST_EXPONENT)
    scaled = [leaf.astype(np.float64) * (1 / scale) for leaf in leaves]
    return math.sqrt(sum(float(np.vdot(leaf, leaf)) for leaf in scaled)), scale


def _refuse(grads: Tree) -> NoReturn:
    named = zip(tree.paths(grads), tree.leaves(grads), strict=True)
    faulty = [(path, leaf) for path, leaf in named if not np.isfinite(leaf).all()]
    path, leaf = faulty[0]
    others = f"; {len(faulty) - 1} more of the {len(tree.leaves(grads))} leaves are not finite" * (len(faulty) > 1)
    raise FloatingPointError(
        f"expected finite gradients, but {path or 'the root'!r} has {_count(leaf)} of {leaf.size}{others}. The likely "
        "cause is an overflow, a division by zero or a log of zero in the loss, or parameters that have diverged: "
        "leave this step out and lower the learning rate, or find the operation on the CPU with "
        "numpy.errstate(divide='raise', over='raise', invalid='raise') around value_and_grad"
    )


def _count(leaf: Array) -> str:
    """Return how many entries are NaN and how many infinite."""
    counts = {"nan": int(np.isnan(leaf).sum()), "inf": int(np.isinf(leaf).sum())}
    return " and ".join(f"{count} entries {what}" for what, count in counts.items() if count)
