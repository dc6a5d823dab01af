"""Changing an array's shape and joining arrays: every entry of the output is an entry of an argument."""

import builtins
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.typing import ArrayLike

from npnets.autodiff import bare, is_traced, primitive
from npnets.backend import Array, namespace


@primitive(
    vjp=lambda argnum, g, output, args: reshape(g, args[0].shape),
    jvp=lambda argnum, tangent, output, args: reshape(tangent, args[1]),
)
def reshape(x: ArrayLike, shape: int | Sequence[int]) -> Array:
    """Give an array another shape with as many entries; one size may be -1."""
    return np.reshape(x, shape)


def ravel(x: ArrayLike) -> Array:
    """Lay an array out in one dimension."""
    return reshape(x, (-1,))


def transpose(x: ArrayLike, axes: int | Sequence[int] | None = None) -> Array:
    """Permute the axes; without `axes`, reverse their order."""
    return _transpose(x, axes if axes is None or isinstance(axes, (int, np.integer)) else tuple(axes))


@primitive(
    vjp=lambda argnum, g, output, args: _transpose_back(g, *args[1:]),
    jvp=lambda argnum, tangent, output, args: transpose(tangent, *args[1:]),
)
def _transpose(x: ArrayLike, axes: Any) -> Array:
    return np.transpose(x, axes)


def _transpose_back(g: Any, axes: Any) -> Any:
    if axes is None:
        return transpose(g)
    return transpose(g, tuple(np.argsort(normalize_axis_tuple(axes, g.ndim)).tolist()))


@primitive(
    vjp=lambda argnum, g, output, args: swapaxes(g, *args[1:]),
    jvp=lambda argnum, tangent, output, args: swapaxes(tangent, *args[1:]),
)
def swapaxes(x: ArrayLike, axis1: int, axis2: int) -> Array:
    """Exchange two axes."""
    return np.swapaxes(x, axis1, axis2)


def expand_dims(x: ArrayLike, axis: int | tuple[int, ...]) -> Array:
    """Insert axes of size one at these positions of the result."""
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    ndim = np.ndim(x) + len(axes)
    places = {place % ndim for place in axes if -ndim <= place < ndim}
    if len(places) != len(axes):
        raise ValueError(f"expected {len(axes)} different axes within [-{ndim}, {ndim}), but got {axis}")
    sizes = iter(np.shape(x))
    return reshape(x, tuple(1 if place in places else next(sizes) for place in range(ndim)))


def squeeze(x: ArrayLike, axis: int | tuple[int, ...] | None = None) -> Array:
    """Drop axes of size one: all of them, or those named."""
    shape = getattr(x, "shape", None) or np.shape(x)
    ones = [one for one, size in enumerate(shape) if size == 1]
    dropped = ones if axis is None else normalize_axis_tuple(axis, len(shape))
    if any(shape[one] != 1 for one in dropped):
        raise ValueError(f"cannot squeeze axis {axis} of shape {shape}: its size is not one")
    return reshape(x, tuple(size for one, size in enumerate(shape) if one not in dropped))


def concatenate(arrays: Sequence[ArrayLike], axis: int | None = 0) -> Array:
    """Join arrays along an axis that they have; with `axis=None`, in one dimension."""
    if not len(arrays):
        raise ValueError("expected at least one array to concatenate, but got none")
    parts: Sequence[Any] = arrays
    if not builtins.all([hasattr(array, "dtype") for array in arrays]):
        typed = with_numbers_in_dtype(_with_lists_stacked(arrays))
        parts = [array if hasattr(array, "dtype") else np.asarray(array) for array in typed]
    return _concatenate(0, *[ravel(part) for part in parts]) if axis is None else _concatenate(axis, *parts)


@primitive(
    vjp=lambda argnum, g, output, args: _part(g, argnum, *args),
    jvp=lambda argnum, tangent, output, args: _with_zeros(tangent, argnum, *args),
    copies_constants=False,
)
def _concatenate(axis: int, *arrays: Array) -> Array:
    return namespace(arrays[0]).concatenate(arrays, axis)


def _part(g: Array, argnum: int, axis: int, *arrays: Any) -> Array:
    start = builtins.sum(array.shape[axis] for array in arrays[: argnum - 1])
    index = [slice(None)] * g.ndim
    index[axis] = slice(start, start + arrays[argnum - 1].shape[axis])
    part = g[tuple(index)]
    return part if part.dtype == arrays[argnum - 1].dtype else part.astype(arrays[argnum - 1].dtype)


def _with_zeros(tangent: Array, argnum: int, axis: int, *arrays: Any) -> Array:
    xp = namespace(tangent)
    parts = [xp.zeros(array.shape, array.dtype) for array in arrays]
    parts[argnum - 1] = tangent
    return concatenate(parts, axis)


def with_numbers_in_dtype(args: Sequence[Any]) -> Sequence[Any]:
    """Return arguments with lists and tuples of numbers as arrays of the floating-point dtype that the others share."""
    if not any([isinstance(arg, (list, tuple)) for arg in args]):
        return args
    dtypes = [arg.dtype for arg in args if hasattr(arg, "dtype") and not isinstance(bare(arg), np.generic)]
    if not any([dtype.kind == "f" for dtype in dtypes]):
        return args
    dtype = np.result_type(*dtypes)
    return [np.asarray(arg, dtype) if _holds_numbers(arg) else arg for arg in args]


def _holds_numbers(x: object) -> bool:
    """Tell whether an argument is a list or tuple of nothing but numbers, however deeply nested."""
    if not isinstance(x, (list, tuple)):
        return False
    return builtins.all([isinstance(part, (int, float, np.number)) or _holds_numbers(part) for part in x])


def stack(arrays: Iterable[ArrayLike], axis: int = 0) -> Array:
    """Join arrays of one shape along a new axis; numbers count as arrays of no dimension, and promote nothing."""
    parts = with_numbers_as_arrays(list(arrays))
    shapes = {np.shape(part) for part in parts}
    if len(shapes) != 1:
        raise ValueError(f"expected arrays of one shape to stack, but got {sorted(shapes)}")
    return concatenate([expand_dims(part, axis) for part in parts], axis)


def hstack(arrays: Iterable[ArrayLike]) -> Array:
    """Join arrays along their second axis, vectors along their only one; numbers are vectors, and promote nothing."""
    parts = _of_at_least(1, arrays)
    return concatenate(parts, 0 if parts and parts[0].ndim == 1 else 1)


def vstack(arrays: Iterable[ArrayLike]) -> Array:
    """Join arrays along their first axis; vectors count as rows, numbers as rows of one entry, and promote nothing."""
    return concatenate(_of_at_least(2, arrays), 0)


def _of_at_least(ndim: int, arrays: Iterable[ArrayLike]) -> list[Any]:
    """Return arrays with axes of size one in front, if they have fewer than a number of axes."""
    parts = with_numbers_as_arrays(list(arrays))
    return [part if part.ndim >= ndim else reshape(part, (1,) * (ndim - part.ndim) + part.shape) for part in parts]


def with_numbers_as_arrays(arrays: Sequence[Any]) -> Sequence[Any]:
    """Return arrays with numbers made arrays of the module and the floating-point dtype of the others."""
    arrays = _with_lists_stacked(arrays)
    values = [bare(array) for array in arrays if not _is_number(array)]
    xp = next((owner for owner in map(namespace, values) if owner is not np), np)
    dtypes = [value.dtype for value in values if value.dtype.kind == "f"]
    dtype = np.result_type(*dtypes) if dtypes else None
    if any([array is None for array in arrays]):
        raise TypeError("expected arrays or numbers, but got None; was a return forgotten?")
    return [xp.asarray(array, dtype) if _is_number(array) else array for array in arrays]


def _with_lists_stacked(arrays: Sequence[Any]) -> Sequence[Any]:
    """Return arrays with nested sequences that NumPy cannot make an array of, as of traced ones, stacked."""
    return [stack(array) if holds_arrays_to_stack(array) else array for array in arrays]


def holds_arrays_to_stack(x: object) -> bool:
    """Tell whether nested sequences hold an array that NumPy cannot put into one of its own."""
    if not isinstance(x, (list, tuple)):
        return False
    return builtins.any([is_traced(part) or namespace(part) is not np or holds_arrays_to_stack(part) for part in x])


def _is_number(x: object) -> bool:
    return not hasattr(x, "dtype") or isinstance(x, np.generic)
