"""Trees of arrays as the laws need them: drawn from seeds, compared to the last bit or nearly, cut to rows, printed.

Comparisons are made on NumPy, wherever the arrays lie.
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from npnets import tree
from npnets.backend import asarray_like
from npnets.common.spec import init_part
from npnets.testing.law import Breach
from npnets.tree import Tree


def parameters_from(net: Any, seed: int, spread: float = 0.0, dtype: DTypeLike = np.float32) -> Tree:
    """Return parameters that a seed stands for: initial values, and noise on each of them.

    Parameters
    ----------
    net : network
    seed : int
    spread : float
        How much normal noise is added, so that no parameter stays at a special value such as zero.
    dtype : dtype

    Returns
    -------
    tree
        As `net.init` made it, in that dtype, on the network's device.

    Raises
    ------
    Breach
        If `net.init` raises, or answers with something else; a law is then broken.
    """
    rng = np.random.default_rng(seed)
    params = _initial(net, rng, dtype)
    if not spread:
        return params
    return tree.map(lambda leaf: leaf + asarray_like(spread * rng.standard_normal(leaf.shape), leaf), params)


def _initial(net: Any, rng: np.random.Generator, dtype: DTypeLike) -> Tree:
    expected, cause = "init(rng) to return a tree of arrays", "see the traceback above; or a list is no array"
    try:
        params = init_part(net, rng, dtype)
    except Exception as error:
        raise Breach(expected, f"{type(error).__name__}: {error}", cause) from error
    for path, leaf in zip(tree.paths(params), tree.leaves(params), strict=True):
        if not (hasattr(leaf, "shape") and hasattr(leaf, "dtype")):
            raise Breach(
                expected,
                f"{path or 'all of it'} is of type {type(leaf).__name__}",
                "a list or a number that is not made an array, or an init without return; no parameters are {}",
            )
    return params


def bits(arrays: Tree) -> dict[str, Any]:
    """Return what identifies each leaf of a tree to the last bit, by its path; what is no array as it is."""
    host = tree.to_numpy(arrays)
    return {path: _bits(leaf) for path, leaf in zip(tree.paths(host), tree.leaves(host), strict=True)}


def _bits(leaf: Any) -> Any:
    return (leaf.dtype.str, leaf.shape, leaf.tobytes()) if hasattr(leaf, "tobytes") else leaf


def changed(before: dict[str, Any], after: dict[str, Any]) -> str | None:
    """Return the path of the first leaf that is not the same in both, `None` if all are."""
    for path in [*before, *(path for path in after if path not in before)]:
        if path not in before or path not in after or before[path] != after[path]:
            return path or "the array"
    return None


def check_same(before: dict[str, Any], after: dict[str, Any], expected: str, cause: str) -> None:
    """Raise `Breach` unless two trees, as `bits` gives them, are the same."""
    path = changed(before, after)
    if path is not None:
        raise Breach(expected, f"{path} differs", cause)


def is_floating(leaf: Any) -> bool:
    """Whether something is an array of floating-point numbers."""
    return getattr(getattr(leaf, "dtype", None), "kind", "") == "f"


def difference(came: Any, expected: Any, tolerance: float | None) -> str | None:
    """Return what an array differs in from another beyond rounding, `None` if it does not.

    The tolerance is a share of the largest entry; by default the root of the dtype's precision.
    """
    came, expected = np.asarray(tree.to_numpy(came)), np.asarray(tree.to_numpy(expected))
    if came.shape != expected.shape:
        return f"shape {came.shape} instead of {expected.shape}"
    if not is_floating(came):
        return None if np.array_equal(came, expected) else f"{shown(came)} instead of {shown(expected)}"
    share = float(np.sqrt(np.finfo(came.dtype).eps)) if tolerance is None else tolerance
    finite = np.abs(expected[np.isfinite(expected)])
    if np.allclose(came, expected, rtol=0, atol=share * max(1e-3, finite.max(initial=0)), equal_nan=True):
        return None
    return f"{shown(came)} instead of {shown(expected)}"


def rows(arrays: Tree, index: Any) -> Tree:
    """Return a tree with these rows of its arrays, along the first axis."""
    return tree.map(lambda leaf: leaf[index] if np.ndim(leaf) else leaf, arrays)


def drawn_like(leaf: Any, rng: np.random.Generator) -> Any:
    """Return an array of normal numbers with the shape, dtype and device of another."""
    return asarray_like(rng.standard_normal(np.shape(leaf)), leaf)


def shown(value: Any) -> str:
    """Write a value as an example shows it, large arrays shortened."""
    value = tree.to_numpy(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {shown(part)}" for key, part in value.items()) + "}"
    if not isinstance(value, np.ndarray):
        return str(value)
    return np.array2string(value, threshold=60, separator=", ", max_line_width=100)
