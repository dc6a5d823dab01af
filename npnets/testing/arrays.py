"""Trees of arrays for the laws: drawing parameters, comparing bits or values, selecting rows, printing.

Values are compared on NumPy, on whichever device the arrays are.
"""

from typing import TypeAlias, TypeGuard

import numpy as np
from numpy.typing import DTypeLike

from npnets import tree
from npnets.backend import Array, asarray_like
from npnets.common.spec import init_part
from npnets.testing.forward_signature import Network
from npnets.testing.law import Violation
from npnets.tree import Tree

Bits: TypeAlias = dict[str, object]


def parameters_from(net: Network, seed: int, spread: float = 0.0, dtype: DTypeLike = np.float32) -> Tree:
    """Return the parameters that belong to a seed: initial values, with noise on every entry.

    Parameters
    ----------
    net : network
    seed : int
    spread : float
        Standard deviation of the normal noise, which moves every parameter away from special values such as zero.
    dtype : dtype

    Returns
    -------
    tree
        Structured as by `net.init`, in that dtype, on the network's device.

    Raises
    ------
    Violation
        If `net.init` raises, or returns something other than a tree of arrays.
    """
    rng = np.random.default_rng(seed)
    params = _initial(net, rng, dtype)
    if not spread:
        return params
    return tree.map(lambda leaf: leaf + asarray_like(spread * rng.standard_normal(leaf.shape), leaf), params)


def _initial(net: Network, rng: np.random.Generator, dtype: DTypeLike) -> Tree:
    expected = "init(rng) to return a tree of arrays"
    try:
        params = init_part(net, rng, dtype)
    except Exception as error:
        cause = "see the traceback above; or lists in place of arrays"
        raise Violation(expected, f"{type(error).__name__}: {error}", cause) from error
    for path, leaf in paths_and_leaves(params):
        if not is_array(leaf):
            raise Violation(
                expected,
                f"{path or 'the result'} is of type {type(leaf).__name__}",
                "a list or number that was not converted to an array, or an init without return; a network without "
                "parameters returns {}",
            )
    return params


def paths_and_leaves(arrays: Tree) -> list[tuple[str, Tree]]:
    """Return the leaves of a tree with their paths."""
    return list(zip(tree.paths(arrays), tree.leaves(arrays), strict=True))


def bits(arrays: Tree) -> Bits:
    """Return the dtype, shape and bytes of each leaf by its path; a leaf that is not an array stays as it is."""
    leaves, array = paths_and_leaves(tree.to_numpy(arrays)), (np.ndarray, np.generic)
    return {path: (x.dtype.str, x.shape, x.tobytes()) if isinstance(x, array) else x for path, x in leaves}


def first_difference(before: Bits, after: Bits) -> str | None:
    """Return the path of the first leaf that differs, or `None`."""
    for path in [*before, *(path for path in after if path not in before)]:
        if path not in before or path not in after or before[path] != after[path]:
            return path or "the array"
    return None


def check_equal(before: Bits, after: Bits, expected: str, cause: str, came: str = "{} differs") -> None:
    """Raise `Violation` unless two results of `bits` are equal; `came` describes the path of the first difference."""
    path = first_difference(before, after)
    if path is not None:
        raise Violation(expected, came.format(path), cause)


def is_array(leaf: object) -> TypeGuard[Array]:
    """Whether a leaf is an array of NumPy or CuPy, or a traced one."""
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype")


def is_floating(leaf: object) -> TypeGuard[Array]:
    """Whether a leaf is an array of floating-point numbers."""
    return is_array(leaf) and getattr(leaf.dtype, "kind", "") == "f"


def difference(came: Tree, expected: Tree, tolerance: float | None) -> str | None:
    """Describe how an array differs from the expected one by more than rounding, or return `None`.

    The tolerance is relative to the largest entry; the default is the square root of the dtype's precision.
    """
    came, expected = np.asarray(tree.to_numpy(came)), np.asarray(tree.to_numpy(expected))
    if came.shape != expected.shape:
        return f"shape {came.shape} instead of {expected.shape}"
    if not is_floating(came):
        return None if np.array_equal(came, expected) else f"{shown(came)} instead of {shown(expected)}"
    relative = float(np.sqrt(np.finfo(came.dtype).eps)) if tolerance is None else tolerance
    finite = np.abs(expected[np.isfinite(expected)])
    if np.allclose(came, expected, rtol=0, atol=relative * max(1e-3, finite.max(initial=0)), equal_nan=True):
        return None
    return f"{shown(came)} instead of {shown(expected)}"


def rows(arrays: Tree, index: slice | list[int]) -> Tree:
    """Return a tree with the selected rows of each array, along the first axis."""
    return tree.map(lambda leaf: leaf[index] if np.ndim(leaf) else leaf, arrays)


def normal_like(leaf: Array, rng: np.random.Generator) -> Array:
    """Return an array of normal numbers with the shape, dtype and device of another."""
    return asarray_like(rng.standard_normal(np.shape(leaf)), leaf)


def shown(value: Tree) -> str:
    """Return a value as an example prints it, with large arrays shortened."""
    value = tree.to_numpy(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {shown(part)}" for key, part in value.items()) + "}"
    if not isinstance(value, np.ndarray):
        return str(value)
    return np.array2string(value, threshold=60, separator=", ", max_line_width=100)
