"""The stand-in's array: NumPy memory that code cannot use as a NumPy array, and the number of a simulated device.

The errors are those of CuPy: for implicit conversion to NumPy, for arithmetic with a NumPy array, and for work while
another device is current. It is stricter in two places: NumPy arrays are never accepted as values to assign, and an
index out of range is an error where CuPy wraps around. Methods that nobody needs are absent.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

from standin_cupy import modules
from standin_cupy.counting import counts
from standin_cupy.devices import Device, check_current, current_device

SCALARS = (bool, int, float, complex, np.bool_, np.number)
_BASIC_INDICES = (int, np.integer, slice, type(None), type(Ellipsis))
_COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")


class Flags:
    """The memory layout of an array."""

    def __init__(self, array: ndarray) -> None:
        host = array._host
        self.c_contiguous, self.f_contiguous = host.flags.c_contiguous, host.flags.f_contiguous
        self.owndata = array.base is None

    def __getitem__(self, name: str) -> bool:
        return bool(getattr(self, name.lower()))


class ndarray:  # noqa: N801 (CuPy's name)
    """An array of the stand-in, as `cupy.ndarray` is one of CuPy."""

    __slots__ = ("__weakref__", "_device", "_host", "base")
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    _device: int
    _host: Any
    base: ndarray | None

    def __init__(self, shape: Any, dtype: Any = float, order: str = "C") -> None:
        self._host, self._device, self.base = np.empty(shape, dtype, order), current_device(), None  # type: ignore[call-overload]

    # -- attributes ---------------------------------------------------------------------------------------------------

    dtype = property(lambda self: self._host.dtype)
    shape = property(lambda self: self._host.shape)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    nbytes = property(lambda self: self._host.nbytes)
    itemsize = property(lambda self: self._host.itemsize)
    strides = property(lambda self: self._host.strides)
    flags = property(Flags)
    device = property(lambda self: Device(self._device))
    T = property(lambda self: self if self.ndim < 2 else view(self, self._host.T))

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        strides = None if self.flags.c_contiguous else self.strides
        pointer = self._host.ctypes.data if self.size else 0
        described = {"shape": self.shape, "typestr": self.dtype.str, "descr": self.dtype.descr, "stream": 1}
        return described | {"version": 3, "strides": strides, "data": (pointer, False)}

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of unsized object")
        return int(self.shape[0])

    def __iter__(self) -> Iterator[ndarray]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[row] for row in range(len(self)))

    # -- to the host: on purpose only ---------------------------------------------------------------------------------

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy array "
            "explicitly."
        )

    def get(self, stream: Any = None, order: str = "C", out: Any = None, blocking: bool = True) -> Any:
        """Copy to the host, from whichever device."""
        if out is not None and (type(out) is not np.ndarray or out.dtype != self.dtype or out.shape != self.shape):
            raise TypeError(f"out must be a NumPy array of dtype {self.dtype} and shape {self.shape}")
        counts.transferred()
        counts.synchronized()
        if out is None:
            return np.array(self._host, order=order)
        np.copyto(out, self._host)
        return out

    def item(self) -> Any:
        """Copy the one element to the host."""
        return self.get().item()

    def tolist(self) -> Any:
        """Copy to the host, as nested lists."""
        return self.get().tolist()

    def __float__(self) -> float:
        return float(self.get())

    def __int__(self) -> int:
        return int(self.get())

    def __bool__(self) -> bool:
        return bool(self.get())

    def __repr__(self) -> str:
        return repr(self.get())

    def __str__(self) -> str:
        return str(self.get())

    def __format__(self, spec: str) -> str:
        return format(self.get(), spec)

    def __reduce__(self) -> tuple[Any, ...]:
        return modules.cupy.array, (self.get(),)

    # -- copies -------------------------------------------------------------------------------------------------------

    def copy(self, order: str = "C") -> ndarray:
        """Copy to the current device, from whichever device."""
        current_device()
        return launch("copy", lambda: np.array(self._host, order=order))  # type: ignore[no-any-return]

    def __copy__(self) -> ndarray:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> ndarray:
        with self.device:
            return self.copy()

    def astype(self, dtype: Any, order: str = "K", casting: Any = None, subok: Any = None, copy: Any = True) -> ndarray:
        """Cast; without `copy`, the array itself where there is nothing to cast."""
        if casting is not None or subok is not None:
            raise TypeError("casting and subok are not supported")
        if not copy and self.dtype == np.dtype(dtype):
            return self
        check_current(self._device)
        return launch("copy", lambda: self._host.astype(dtype, order))  # type: ignore[no-any-return]

    def flatten(self, order: str = "C") -> ndarray:
        """Copy into one dimension."""
        check_current(self._device)
        return launch("copy", lambda: self._host.flatten(order))  # type: ignore[no-any-return]

    def fill(self, value: Any) -> None:
        """Set every element to a number."""
        self[...] = operand_number(value)

    # -- methods whose arguments are named otherwise than the function's ---------------------------------------------

    def reshape(self, *shape: Any, order: str = "C", copy: Any = None) -> ndarray:
        """Give another shape."""
        return modules.cupy.reshape(self, _sizes(shape), order, copy=copy)  # type: ignore[no-any-return]

    def transpose(self, *axes: Any) -> ndarray:
        """Permute the axes."""
        return modules.cupy.transpose(self, _sizes(axes) if axes else None)  # type: ignore[no-any-return]

    def clip(self, min: Any = None, max: Any = None, out: Any = None) -> ndarray:
        """Limit each element."""
        return modules.cupy.clip(self, min, max, out)  # type: ignore[no-any-return]

    # -- indexing -----------------------------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> ndarray:
        parts, copies = _host_index(index)
        if not copies:
            ellipsis = () if Ellipsis in parts else (Ellipsis,)
            return view(self, self._host[(*parts, *ellipsis)])
        check_current(self._device)
        return launch("take", lambda: np.array(self._host[parts]))  # type: ignore[no-any-return]

    def __setitem__(self, index: Any, value: Any) -> None:
        parts, copies = _host_index(index)
        check_current(self._device)
        host = operand(value)
        with np.errstate(all="ignore"):
            self._host[parts] = host
        counts.launched("scatter_update" if copies else "copy" if isinstance(value, ndarray) else "fill")

    # -- NumPy's functions --------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        function = getattr(modules.cupy, ufunc.__name__, None)
        if method != "__call__" or function is None:
            return NotImplemented
        if "out" in kwargs:
            (kwargs["out"],) = kwargs["out"]
        everything = (*inputs, kwargs["out"]) if "out" in kwargs else inputs
        if not all(isinstance(x, (ndarray, np.ndarray, *SCALARS)) for x in everything):
            return NotImplemented
        if ufunc.__name__ in _COMPARISONS:
            inputs = tuple(x.item() if isinstance(x, np.ndarray) and not x.ndim else x for x in inputs)
        return function(*inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        try:
            module = functools.reduce(getattr, function.__module__.split(".")[1:], modules.cupy)
            ours = getattr(module, function.__name__)
        except AttributeError:
            return NotImplemented
        if any(one not in (ndarray, np.ndarray) for one in types):
            return NotImplemented
        return ours(*args, **kwargs)


# -- making arrays, and reading them in a kernel ----------------------------------------------------------------------


def fresh(host: Any) -> ndarray:
    """Return NumPy memory that is not shared as an array on the current device."""
    array = ndarray.__new__(ndarray)
    array._host, array._device, array.base = np.asarray(host), current_device(), None
    return array


def view(source: ndarray, host: Any) -> ndarray:
    """Return another view of an array's memory; its `base` is the array that owns it."""
    array = ndarray.__new__(ndarray)
    array._host, array._device, array.base = host, source._device, source if source.base is None else source.base
    return array


def operand(x: Any) -> Any:
    """Return the value of an argument for a kernel: the memory of an array on the current device, or a number."""
    if isinstance(x, ndarray):
        check_current(x._device)
        return x._host
    return operand_number(x)


def operand_number(x: Any) -> Any:
    """Return a number that is a kernel's argument."""
    if not isinstance(x, SCALARS):
        raise TypeError(f"Unsupported type {type(x)}")
    return x


def operand_array(x: Any) -> Any:
    """Return the memory of an argument that must be an array on the current device."""
    if not isinstance(x, ndarray):
        raise TypeError(f"expected a cupy.ndarray, got {type(x).__module__}.{type(x).__name__}")
    return operand(x)


def launch(name: str, compute: Callable[..., Any], out: Any = None) -> Any:
    """Run a kernel over memory already checked; `compute` takes `out` if there is one. The GPU warns of nothing."""
    with np.errstate(all="ignore"):
        result = compute() if out is None else compute(out=operand_array(out))
    counts.launched(name)
    return fresh(result) if out is None else out


def _host_index(index: Any) -> tuple[tuple[Any, ...], bool]:
    """Return an index for NumPy memory, and whether it copies; arrays and lists in it are moved to the device."""
    parts = index if isinstance(index, tuple) else (index,)
    basic = [isinstance(part, _BASIC_INDICES) and not isinstance(part, bool) for part in parts]
    host = [part if is_basic else _host_indices(part) for part, is_basic in zip(parts, basic, strict=True)]
    return tuple(host), not all(basic)


def _host_indices(part: Any) -> Any:
    """Return indices that are an array or a list; a mask has the host wait until its true entries are counted."""
    host = operand(part if isinstance(part, ndarray) else modules.cupy.asarray(part))
    if host.dtype.kind == "b":
        counts.synchronized()
    return host if host.size or host.dtype.kind == "b" else host.astype(np.intp)


def _sizes(arguments: tuple[Any, ...]) -> Any:
    """Return `(2, 3)` for the arguments `2, 3` as for the one argument `(2, 3)`."""
    return arguments[0] if len(arguments) == 1 else arguments


modules.cupy.ndarray = ndarray
