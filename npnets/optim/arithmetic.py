"""The arithmetic of optimizers: the rule of one leaf from a few functions, and where a rule is computed for all leaves.

`updated` chooses between NumPy's functions, CUDA's, and a call of the kernels in C for all leaves together. Each
function returns an array of its own and changes no other. On a GPU each is one launch. On NumPy each passes `out=`: for
large leaves a scratch buffer, because half of the time would go into fresh memory; and for an array of no dimension
because NumPy would return a scalar, which cannot be written into.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from npnets.autodiff import bare
from npnets.backend import Array, loaded_cupy, namespace
from npnets.kernels.buffers import scratch
from npnets.kernels.compiled.native import native
from npnets.kernels.cuda import arithmetic as cuda
from npnets.kernels.cuda.adam import ADAM
from npnets.optim.checks import check_like
from npnets.tree import Tree
from npnets.tree.structure import from_rows, rows_of

Row: TypeAlias = tuple[Array, ...]
"""The arrays of one leaf: a parameter, and what belongs to it."""

Numbers: TypeAlias = tuple[float, ...]
"""The numbers of a rule, as its composition unpacks them."""

_VANISHING = float(np.finfo(np.float32).tiny)


class Arithmetic(NamedTuple):
    """The functions for arrays of one kind of processor; `adam` is an update of Adam in one launch, if there is one."""

    axpy: Callable[[float, Array, Array], Array]
    lerp: Callable[[Array, Array, float], Array]
    lerp_square: Callable[[Array, Array, float], Array]
    ratio: Callable[[Array, Array, float], Array]
    adam: Callable[..., tuple[Array, Array, Array]] | None = None


class Rule(NamedTuple):
    """How a leaf is updated: `compose(arithmetic, numbers, *row)`, and the name of the same in C."""

    name: str
    compose: Callable[..., Row]


def updated(rule: Rule, numbers: Numbers | list[Numbers], trees: tuple[Tree, ...]) -> tuple[Tree, ...]:
    """Return a tree for each new array of a rule; all leaves lie on one device.

    `numbers` are those of the rule: for all leaves, or for each leaf in the order of the first tree's keys.

    On NumPy everything is computed again with a careful `lerp` if anything overflows on the way: the processor notes an
    overflow and an infinity lost by itself, so that ordinary numbers need no look at them. The kernels in C leave this
    to NumPy, and trees that are no dicts, or at fault.
    """
    if native is not None and loaded_cupy() is None:
        found: tuple[Tree, ...] | None = getattr(native, rule.name)(numbers, trees)
        if found is not None:
            return found
    rows = rows_of(*trees)
    new_rows = _computed(rule, numbers if isinstance(numbers, list) else [numbers] * len(rows), rows)
    return from_rows(trees[0], iter(new_rows), max(len(trees) - 1, 1))


def _computed(rule: Rule, numbers: list[Numbers], rows: list[Row]) -> list[Row]:
    for row in rows:
        check_like(*row)
    if loaded_cupy() is not None and any(namespace(bare(row[0])) is not np for row in rows):
        return _composed(rule, numbers, rows, _CUDA)
    try:
        with np.errstate(over="raise", invalid="raise", under="ignore"):
            return _composed(rule, numbers, rows, _NUMPY)
    except FloatingPointError:
        return _composed(rule, numbers, rows, _NUMPY._replace(lerp=_lerp_anywhere))


def _composed(rule: Rule, numbers: list[Numbers], rows: list[Row], arithmetic: Arithmetic) -> list[Row]:
    return [rule.compose(arithmetic, its, *row) for its, row in zip(numbers, rows, strict=True)]


def sum_of_squares(leaves: list[Array]) -> float:
    """Return the sum of the squares of all entries, which may overflow."""
    if native is not None and loaded_cupy() is None:
        found: float | None = native.sum_of_squares(leaves)
        if found is not None:
            return found
    products: list[Any] = [np.vdot(leaf, check_like(leaf)) for leaf in leaves]
    return float(sum(products))


def _axpy(factor: float, x: Array, y: Array) -> Array:
    """Return `factor * x + y`."""
    output = np.multiply(x, factor, out=scratch(x, x.shape))
    output += y
    return output


def _lerp(x: Array, y: Array, weight: float) -> Array:
    """Return `(1 - weight) * x + weight * y`; at a weight of zero or one `x` or `y` itself, to the last bit.

    Computed from the difference of the two, which is exact where they are equal. Only where no difference overflows and
    no infinity meets another or a zero: `updated` sees to that.
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
