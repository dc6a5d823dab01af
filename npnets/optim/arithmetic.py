"""The arithmetic of optimizers on one leaf at a time: each function returns an array of its own and changes no other.

`computed` chooses between NumPy's functions and CUDA's, once for a tree. On a GPU each is one launch. On NumPy each
passes `out=`: for large leaves a scratch buffer, because half of the time would go into fresh memory; and for an array
of no dimension because NumPy would return a scalar, which cannot be written into.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np

from npnets import tree
from npnets.autodiff import bare
from npnets.backend import Array, loaded_cupy, namespace
from npnets.kernels.buffers import scratch
from npnets.kernels.cuda import arithmetic as cuda
from npnets.kernels.cuda.adam import ADAM
from npnets.tree import Tree

T = TypeVar("T")
_VANISHING = float(np.finfo(np.float32).tiny)


class Arithmetic(NamedTuple):
    """The functions for arrays of one kind of processor; `adam` is an update of Adam in one launch, if there is one."""

    axpy: Callable[[float, Array, Array], Array]
    lerp: Callable[[Array, Array, float], Array]
    lerp_square: Callable[[Array, Array, float], Array]
    ratio: Callable[[Array, Array, float], Array]
    adam: Callable[..., tuple[Array, Array, Array]] | None = None


def computed(compute: Callable[[Arithmetic], T], x: Tree) -> T:
    """Return what is computed with the arithmetic for the arrays of a tree, which all lie on one device.

    On NumPy it is computed again with a careful `lerp` if anything overflows on the way: the processor notes an
    overflow and an infinity lost by itself, so that ordinary numbers need no look at them.
    """
    if loaded_cupy() is not None and any(namespace(bare(leaf)) is not np for leaf in tree.leaves(x)):
        return compute(_CUDA)
    try:
        with np.errstate(over="raise", invalid="raise", under="ignore"):
            return compute(_NUMPY)
    except FloatingPointError:
        return compute(_NUMPY._replace(lerp=_lerp_anywhere))


def _axpy(factor: float, x: Array, y: Array) -> Array:
    """Return `factor * x + y`."""
    output = np.multiply(x, factor, out=scratch(x, x.shape))
    output += y
    return output


def _lerp(x: Array, y: Array, weight: float) -> Array:
    """Return `(1 - weight) * x + weight * y`; at a weight of zero or one `x` or `y` itself, to the last bit.

    Computed from the difference of the two, which is exact where they are equal. Only where no difference overflows and
    no infinity meets another or a zero: `computed` sees to that.
    """
    if weight in (0, 1):
        return (y if weight else x).copy()
    output = np.subtract(y, x, out=scratch(x, x.shape))
    output *= weight if weight < 0.5 else weight - 1
    output += x if weight < 0.5 else y
    return output


def _lerp_anywhere(x: Array, y: Array, weight: float) -> Array:
    """Do as `_lerp` for any numbers: where a difference is not finite, the weighted sum takes its place."""
    if weight in (0, 1):
        return _lerp(x, y, weight)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(np.isfinite(y - x), _lerp(x, y, weight), (1 - weight) * x + weight * y)


def _lerp_square(x: Array, y: Array, weight: float) -> Array:
    """Return `(1 - weight) * x + weight * y * y`."""
    output = np.multiply(x, 1 - weight, out=scratch(x, x.shape))
    square = np.multiply(y, y, out=scratch(x, x.shape))
    square *= weight
    output += square
    return output


def _ratio(x: Array, square: Array, eps: float) -> Array:
    """Return `x / (sqrt(square) + eps)`, zero where that is zero divided by zero."""
    output = np.sqrt(square, out=scratch(square, square.shape))
    output += eps
    if eps < _VANISHING:  # the dtype may have no such number
        output[output == 0] = 1
    return np.divide(x, output, out=output)


_NUMPY = Arithmetic(_axpy, _lerp, _lerp_square, _ratio)
_CUDA = Arithmetic(
    axpy=lambda factor, x, y: cuda.AXPY(x, factor, y),
    lerp=lambda x, y, weight: cuda.LERP(x, y, weight, 1 - weight) if 0 < weight < 1 else _lerp(x, y, weight),
    lerp_square=lambda x, y, weight: cuda.LERP_SQUARE(x, y, weight, 1 - weight),
    ratio=cuda.RATIO,
    adam=ADAM,
)
