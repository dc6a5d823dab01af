"""The functions of the module, each called by its signature in the table: CuPy's arguments are taken and no others.

A function that is not written out here does what NumPy's of the same name does to the memory of its array arguments;
`_VIEWS` says which of them return views. Methods that do what a function does are made here too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from standin_cupy import modules, signatures
from standin_cupy.arrays import SCALARS, fresh, launch, ndarray, operand, operand_array, view
from standin_cupy.counting import counts
from standin_cupy.devices import check_current, current_device

_CREATIONS = ("zeros", "ones", "full", "empty", "eye", "arange", "linspace")
_LIKE = ("zeros_like", "ones_like", "full_like", "empty_like")
_VIEWS = ("expand_dims", "squeeze", "reshape", "ravel", "transpose", "swapaxes", "moveaxis", "diagonal", "flip")
_SECOND_ARRAYS = {"vdot": ("b",), "dot": ("b",), "outer": ("b",)}


# -- by NumPy's function of the same name -----------------------------------------------------------------------------


def _creation(name: str) -> Callable[..., Any]:
    def make(first: Any, **given: Any) -> ndarray:
        current_device()
        host = getattr(np, name)(_number(first), **{key: _number(value) for key, value in given.items()})
        return fresh(host) if name == "empty" else launch(name, lambda: host)  # type: ignore[no-any-return]

    return make


def _like(name: str) -> Callable[..., Any]:
    def make(a: Any, **given: Any) -> ndarray:
        current_device()  # like CuPy's, the new array is on the current device, wherever `a` is
        host = getattr(np, name)(_memory(a), **{key: _number(value) for key, value in given.items()})
        return fresh(host) if name == "empty_like" else launch(name, lambda: host)  # type: ignore[no-any-return]

    return make


def _view(name: str) -> Callable[..., Any]:
    def look(a: Any, **given: Any) -> ndarray:
        shape = [given.pop("newshape")] if "newshape" in given else []  # NumPy's name for it has changed
        options = {key: value for key, value in given.items() if value is not None}
        host = getattr(np, name)(_memory(a), *shape, **options)
        if not a.size or np.may_share_memory(host, a._host):
            return view(a, host)
        check_current(a._device)
        return launch("copy", lambda: host)  # type: ignore[no-any-return]

    return look


def _kernel(name: str) -> Callable[..., Any]:
    def run(a: Any, out: Any = None, **given: Any) -> Any:
        hosts = [operand_array(a), *[operand_array(given.pop(second)) for second in _SECOND_ARRAYS.get(name, ())]]
        options = {key: _plain(value) for key, value in given.items()}
        dtype = options.pop("dtype", None) if name in ("argmax", "argmin") else None

        def compute(**where_to: Any) -> Any:
            result = getattr(np, name)(*hosts, **where_to, **options)
            return result if where_to else np.asarray(result, dtype, order="C")

        return launch(name, compute, out)

    return run


def _memory(a: Any) -> Any:
    """Return the memory of an array on any device, for views and for functions of shapes."""
    return a._host if isinstance(a, ndarray) else operand_array(a)


def _number(x: Any) -> Any:
    """Return an argument of a function that makes arrays: shapes, numbers and dtypes, but no arrays to read from."""
    return operand(x) if isinstance(x, (ndarray, np.ndarray)) else x


def _plain(x: Any) -> Any:
    """Return an argument other than the array: an axis, a dtype, a word, or one more array."""
    if x is None or isinstance(x, (ndarray, np.ndarray, *SCALARS)):
        return x if x is None else operand(x)
    if isinstance(x, (str, type, np.dtype, tuple, list)):
        return x
    raise TypeError(f"Unsupported type {type(x)}")


# -- to and from the host ---------------------------------------------------------------------------------------------


def _array(obj: Any, dtype: Any, copy: Any, order: Any, subok: bool, ndmin: int, blocking: bool) -> ndarray:
    if subok:
        raise NotImplementedError
    made = _from_device(obj, dtype, copy, order or "K") if isinstance(obj, ndarray) else _from_host(obj, dtype, copy)
    return made if made.ndim >= ndmin else made.reshape((1,) * (ndmin - made.ndim) + made.shape)


def _from_device(x: ndarray, dtype: Any, copy: Any, order: str) -> ndarray:
    dtype = x.dtype if dtype is None else np.dtype(dtype)
    here = x._device == current_device()
    if copy is False and not (here and dtype == x.dtype):
        copy = None
    return x.astype(dtype, order, copy=bool(copy)) if here else x.copy(order).astype(dtype, copy=False)


def _from_host(obj: Any, dtype: Any, copy: Any) -> ndarray:
    if _holds_arrays_only(obj):
        stacked = modules.cupy.stack([modules.cupy.asarray(part) for part in obj])
        return stacked if dtype is None else stacked.astype(dtype, copy=False)  # type: ignore[no-any-return]
    current_device()
    host = np.array(obj, dtype)
    if host.dtype.kind not in "biufc":
        raise ValueError(f"Unsupported dtype {host.dtype}")
    counts.transferred()
    return fresh(host)


def _holds_arrays_only(obj: Any) -> bool:
    """Return whether a sequence, perhaps of sequences, consists of the stand-in's arrays."""
    is_sequence = isinstance(obj, (list, tuple)) and len(obj) > 0
    return is_sequence and all(isinstance(part, ndarray) or _holds_arrays_only(part) for part in obj)


def _asarray(a: Any, dtype: Any, order: Any, copy: Any, blocking: bool) -> ndarray:
    if copy is False and not (isinstance(a, ndarray) and a._device == current_device()):
        raise ValueError("Unable to avoid copy while creating an array as requested.")
    return _array(a, dtype, copy, order, False, 0, blocking)


def _asnumpy(a: Any, stream: Any, order: str, out: Any, blocking: bool) -> Any:
    return a.get(stream, order, out) if isinstance(a, ndarray) else np.asarray(a, order=order)  # type: ignore[call-overload]


# -- written out ------------------------------------------------------------------------------------------------------


def _broadcast_to(array: Any, shape: Any) -> ndarray:
    """Return a view that can be written to, as CuPy's can: each of its elements is many."""
    strides = np.broadcast_to(_memory(array), shape).strides
    return view(array, np.lib.stride_tricks.as_strided(array._host, shape, strides))


def _concatenate(tup: Any, axis: Any, out: Any, dtype: Any, casting: str) -> Any:
    hosts = [operand_array(x) for x in tup]
    options = {"dtype": dtype, "casting": casting}
    return launch("concatenate", lambda **given: np.concatenate(hosts, axis, **given, **options), out)


def _stack(tup: Any, axis: int, out: Any, dtype: Any, casting: str) -> Any:
    return _concatenate([modules.cupy.expand_dims(x, axis) for x in tup], axis, out, dtype, casting)


def _where(condition: Any, x: Any, y: Any) -> Any:
    if x is None or y is None:
        raise NotImplementedError("the stand-in's where needs both x and y")
    hosts = [operand_array(condition), operand(x), operand(y)]
    return launch("where", lambda: np.asarray(np.where(*hosts), order="C"))


def _clip(a: Any, a_min: Any, a_max: Any, out: Any) -> Any:
    hosts = [operand_array(a), *[bound if bound is None else operand(bound) for bound in (a_min, a_max)]]
    return launch("clip", lambda **given: np.asarray(np.clip(*hosts, **given), order=None if given else "C"), out)


def _take(a: Any, indices: Any, axis: Any, out: Any) -> Any:
    chosen = indices if isinstance(indices, (ndarray, int, np.integer)) else modules.cupy.asarray(indices)
    hosts = operand_array(a), operand(chosen), axis
    return launch("take", lambda **given: np.take(*hosts, **given), out)


def _matmul(args: Any, out: Any, order: str, casting: str, **refused: Any) -> Any:
    if any(refused.values()):
        raise NotImplementedError(f"the stand-in's matmul has none of {', '.join(refused)}")
    x, y, *positional_out = args
    hosts = operand_array(x), operand_array(y)
    out = positional_out[0] if positional_out else out
    return launch("matmul", lambda **given: np.matmul(*hosts, **given, casting=casting), out)


def _copy(a: Any, order: str) -> Any:
    return a.copy(order)


def _shape(a: Any) -> tuple[int, ...]:
    return a.shape if isinstance(a, ndarray) else np.shape(a)  # type: ignore[no-any-return]


def _ndim(a: Any) -> int:
    return a.ndim if hasattr(a, "ndim") else np.ndim(a)  # type: ignore[no-any-return]


def _size(a: Any, axis: Any) -> int:
    host = _memory(a)
    return int(host.size if axis is None else host.shape[axis])


_WRITTEN_OUT: dict[str, Callable[..., Any]] = {
    "array": _array,
    "asarray": _asarray,
    "asnumpy": _asnumpy,
    "broadcast_to": _broadcast_to,
    "concatenate": _concatenate,
    "stack": _stack,
    "where": _where,
    "clip": _clip,
    "take": _take,
    "matmul": _matmul,
    "copy": _copy,
    "shape": _shape,
    "ndim": _ndim,
    "size": _size,
}


# -- the module -------------------------------------------------------------------------------------------------------


def _implementation(name: str) -> Callable[..., Any]:
    kinds = {_CREATIONS: _creation, _LIKE: _like, _VIEWS: _view}
    make = next((make for names, make in kinds.items() if name in names), _kernel)
    return make(name)


def _function(name: str, parameters: str) -> Callable[..., Any]:
    """Return a function of the module, with the signature that the table gives it."""
    signature = signatures.signature(parameters)
    written_out = _WRITTEN_OUT.get(name)
    by_numpy = None if written_out else _implementation(name)

    def function(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        if by_numpy is not None:
            first, *rest = bound.arguments
            return by_numpy(bound.arguments[first], **{name: bound.arguments[name] for name in rest})
        bound.apply_defaults()
        return written_out(**bound.arguments)  # type: ignore[misc]

    function.__name__ = function.__qualname__ = name
    function.__module__ = "cupy"
    function.__signature__ = signature  # type: ignore[attr-defined]
    function.__doc__ = f"As `cupy.{name}`."
    return function


def _method(name: str) -> Callable[..., Any]:
    """Return the method that calls the function of its name."""
    parameters = signatures.signature(signatures.METHODS[name])

    def method(self: ndarray, *args: Any, **kwargs: Any) -> Any:
        return getattr(modules.cupy, name)(self, **parameters.bind(*args, **kwargs).arguments)

    method.__name__, method.__doc__ = name, f"As the function `{name}`."
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    method.__signature__ = parameters.replace(parameters=[own, *parameters.parameters.values()])  # type: ignore[attr-defined]
    return method


for _name, _parameters in signatures.FUNCTIONS.items():
    setattr(modules.cupy, _name, _function(_name, _parameters))
for _name, _value in signatures.CONSTANTS.items():
    setattr(modules.cupy, _name, _value)
for _name in signatures.METHODS:
    setattr(ndarray, _name, _method(_name))
