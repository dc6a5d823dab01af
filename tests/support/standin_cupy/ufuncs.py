"""The elementwise functions, `add`, `tanh`, `erf` and so on: NumPy's and SciPy's arithmetic under CuPy's rules.

Arguments are arrays on the current device and numbers, nothing else; there is no `where=` and, but for `add.at`, none
of the methods of NumPy's ufuncs. The result is a new array in C order, or `out`.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import scipy.special

from standin_cupy import modules, signatures
from standin_cupy.arrays import _host_index, launch, operand, operand_array
from standin_cupy.counting import counts

_SCATTERED = ("int32", "float16", "float32", "float64", "uint32", "uint64")


class ufunc:  # noqa: N801 (CuPy's name)
    """An elementwise function."""

    nout = 1

    def __init__(self, name: str, inputs: int, host: Any) -> None:
        self.__name__ = self.name = name
        self.nin, self.nargs = inputs, inputs + 1
        self.__signature__ = signatures.signature(signatures.ufunc_signature(inputs))
        self._host = host

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        bound = self.__signature__.bind(*args, **kwargs)
        out = bound.arguments.get("out")
        options = {name: bound.arguments[name] for name in ("casting", "dtype") if name in bound.arguments}
        hosts = [operand(x) for x in args[: self.nin]]

        def compute(**given: Any) -> Any:
            return np.asarray(self._host(*hosts, **given, **options), order=None if given else "C")

        return launch(self.name, compute, out)

    def at(self, a: Any, indices: Any, b: Any = None) -> None:
        """Add at indices, twice at those that are named twice."""
        if self.name != "add":
            raise NotImplementedError(f"`cupy_{self.name}.at` is not supported yet")
        target, (parts, copies), values = operand_array(a), _host_index(indices), operand(b)
        if copies and target.dtype.name not in _SCATTERED:
            raise TypeError(f"scatter_add only supports {', '.join(_SCATTERED)} as data type")
        np.add.at(target, parts, np.asarray(values).astype(target.dtype))
        counts.launched("scatter_add")

    def __repr__(self) -> str:
        return f"<ufunc '{self.name}'>"


def _fill(module: ModuleType, names: dict[str, int], host: Any) -> None:
    for name, inputs in names.items():
        setattr(module, name, ufunc(name, inputs, getattr(host, name)))


_fill(modules.cupy, signatures.UFUNCS, np)
_fill(modules.special, signatures.SPECIAL, scipy.special)
modules.cupy.ufunc = ufunc
