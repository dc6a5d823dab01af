"""Operators, methods and attributes of traced arrays, and the behaviour of NumPy's own functions on them."""

import functools
import operator
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar

import numpy as np

from npnets.autodiff import Traced, bare
from npnets.backend import namespace
from npnets.numpy import (
    accumulating,
    angles,
    broadcasting,
    constants,
    contraction,
    elementwise,
    indexing,
    linalg,
    products,
    reductions,
    shaping,
    sorting,
    tiling,
)
from npnets.public import MissingNameError

_MODULES = (
    accumulating,
    angles,
    broadcasting,
    constants,
    contraction,
    elementwise,
    products,
    reductions,
    shaping,
    sorting,
    tiling,
)

T = TypeVar("T")


def _reversed(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: function(other, self)


def _power(x: Any, exponent: Any) -> Any:
    return elementwise.square(x) if type(exponent) is int and exponent == 2 else elementwise.power(x, exponent)


_BINARY = {
    "add": elementwise.add,
    "sub": elementwise.subtract,
    "mul": elementwise.multiply,
    "truediv": elementwise.divide,
    "pow": _power,
    "matmul": products.matmul,
    "mod": angles.mod,
}


def _itself(self: T) -> T:
    """Return the array as it is: no traced array is ever changed in place."""
    return self


_COMPARISONS = {
    "lt": constants.less,
    "le": constants.less_equal,
    "gt": constants.greater,
    "ge": constants.greater_equal,
    "eq": constants.equal,
    "ne": constants.not_equal,
}
_METHODS = {
    "sum": reductions.sum,
    "mean": reductions.mean,
    "var": reductions.var,
    "std": reductions.std,
    "max": reductions.max,
    "min": reductions.min,
    "clip": elementwise.clip,
    "ravel": shaping.ravel,
    "flatten": shaping.ravel,
    "swapaxes": shaping.swapaxes,
    "squeeze": shaping.squeeze,
    "repeat": tiling.repeat,
    "cumsum": accumulating.cumsum,
    "cumprod": accumulating.cumprod,
    "prod": accumulating.prod,
    "dot": products.dot,
    "astype": broadcasting.astype,
    "copy": _itself,
    "argmax": constants.argmax,
    "argmin": constants.argmin,
    "argsort": sorting.argsort,
    "all": constants.all,
    "any": constants.any,
}


def _sizes(arguments: tuple[object, ...]) -> Any:
    """Return `(2, 3)` for the arguments `2, 3` as for the one argument `(2, 3)`."""
    return arguments[0] if len(arguments) == 1 else arguments


def _reshape(self: Any, *shape: Any) -> Any:
    """Return the array in another shape, given as `x.reshape(2, 3)` or `x.reshape((2, 3))`."""
    return shaping.reshape(self, _sizes(shape))


def _rows(self: Any) -> Iterator[Any]:
    if not self.ndim:
        raise TypeError("iteration over an array of no dimension, such as a sum of all entries")
    return (self[index] for index in range(len(self)))


def _contains(self: object, value: object) -> bool:
    return bool((bare(self) == bare(value)).any())


def _formatted(self: object, specification: str) -> str:
    return format(bare(self), specification) if specification else str(self)


def _no_pickle(self: object, protocol: int) -> NoReturn:
    raise TypeError(
        "an array that is being differentiated cannot be pickled or sent to another process, because its derivative "
        "would be lost; send npnets.stop_gradient(x), or values from outside of the function that is differentiated"
    )


def _transpose(self: Any, *axes: Any) -> Any:
    """Return the array with its axes in another order, the reverse one unless axes are given."""
    return shaping.transpose(self, _sizes(axes) if axes else None)


def _no_assignment(self: object, index: object, value: object) -> NoReturn:
    raise TypeError(
        "an array that is being differentiated cannot be assigned to; build the output with npnets.numpy.where, "
        "concatenate or stack"
    )


def _no_floor_division(self: object, other: object) -> NoReturn:
    raise TypeError("an array that is being differentiated has no //; use npnets.numpy.floor(x / y)")


def _no_number(self: object, *args: object, **kwargs: object) -> NoReturn:
    """Raise a `TypeError`: the derivative of a plain number would be lost."""
    raise TypeError(
        "an array that is being differentiated is no plain number or NumPy array; use functions of npnets.numpy on it, "
        "and npnets.numpy.stack to make one of a list of them; npnets.stop_gradient(x) is its value, and has_aux=True "
        "returns values beside a loss"
    )


def _missing(self: object, name: str) -> NoReturn:
    """Raise an error for an attribute that is not there, with the function of that name or the nearest attributes."""
    if name.startswith("_"):  # protocols that ask objects for it
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
    import npnets.numpy as nnp

    remedy = f"use npnets.numpy.{name}(x)" if callable(vars(nnp).get(name)) and name in nnp.__all__ else ""
    raise MissingNameError("an array that is being differentiated", name, _ATTRIBUTES, remedy)


def _attribute(name: str) -> property:
    return property(operator.attrgetter(f"_value.{name}"))


def _own_functions() -> dict[object, Callable[..., Any]]:
    """Return a table from NumPy's functions to ours of the same name."""
    ours = {name: value for module in _MODULES for name, value in vars(module).items() if name in np.__all__}
    table = {getattr(np, name): value for name, value in ours.items() if value is not getattr(np, name)}
    return {**table, np.linalg.norm: linalg.norm, np.copy: lambda x: x}


def _array_ufunc(self: object, ufunc: Any, method: str, *inputs: object, **kwargs: object) -> object:
    if method != "__call__" or kwargs:
        call = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        raise TypeError(
            f"numpy.{call} with {', '.join(kwargs) or 'these arguments'} has no derivative here; in place (out=, +=) "
            "nothing can be differentiated: write x = x + y for x += y"
        )
    return _own(ufunc)(*inputs)


class _ArrayUfunc:
    """`__array_ufunc__`: a method on the class, for NumPy, and `None` on an array on a GPU.

    NumPy asks the class. CuPy asks the array, and only one that has `None` gets to compute CuPy's operators: without it
    `@` between a CuPy array and a traced one would be an error.
    """

    def __get__(self, array: object, owner: type) -> object:
        if array is None:
            return _array_ufunc
        return functools.partial(_array_ufunc, array) if namespace(bare(array)) is np else None


def _array_function(self: object, function: Any, types: object, args: Any, kwargs: Any) -> Any:
    return _own(function)(*args, **kwargs)


def _own(function: object) -> Callable[..., Any]:
    if function not in _OWN:
        raise TypeError(
            f"{_full_name(function)} has no derivative here; write it with the functions of npnets.numpy, or take its "
            "value with npnets.stop_gradient first"
        )
    return _OWN[function]


def _full_name(function: object) -> str:
    module = getattr(function, "__module__", None) or "numpy"  # older ufuncs do not know their module
    return f"{module}.{getattr(function, '__name__', function)}"


def _install() -> None:
    for name, function in _BINARY.items():
        setattr(Traced, f"__{name}__", function)
        setattr(Traced, f"__r{name}__", _reversed(function))
    for name, comparison in _COMPARISONS.items():
        setattr(Traced, f"__{name}__", comparison)
    for name, method in _METHODS.items():
        setattr(Traced, name, method)
    for name in ("shape", "ndim", "size", "dtype"):
        setattr(Traced, name, _attribute(name))
    for name in ("__array__", "__float__", "__int__", "__index__", "item", "tolist"):
        setattr(Traced, name, _no_number)
    special = {
        "T": property(shaping.transpose),
        "reshape": _reshape,
        "transpose": _transpose,
        "__neg__": elementwise.negative,
        "__pos__": lambda self: self,
        "__abs__": elementwise.abs,
        "__floordiv__": _no_floor_division,
        "__rfloordiv__": _no_floor_division,
        "__getitem__": indexing.take,
        "__setitem__": _no_assignment,
        "__len__": lambda self: len(bare(self)),
        "__iter__": _rows,
        "__contains__": _contains,
        "__format__": _formatted,
        "__copy__": _itself,
        "__deepcopy__": lambda self, memo: self,
        "__reduce_ex__": _no_pickle,
        "__hash__": object.__hash__,
        "__repr__": lambda self: f"Traced({bare(self)!r})",
        "__array_ufunc__": _ArrayUfunc(),
        "__array_function__": _array_function,
        "__getattr__": _missing,
    }
    for name, value in special.items():
        setattr(Traced, name, value)


_OWN = _own_functions()
_install()
_ATTRIBUTES = [name for name in vars(Traced) if not name.startswith("_")]
