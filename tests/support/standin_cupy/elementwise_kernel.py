"""`ElementwiseKernel`: a kernel given as C++, compiled for the host and run over its arguments, broadcast.

Parameters are `T x` with a placeholder of one letter, or `float32 x` with a dtype. Placeholders are resolved by the
arrays among the arguments, which must agree; numbers are cast to what was found. The kernel has its name in C, as
CuPy's does, so that the name of a C function is an error. Not supported: `raw` parameters, `size`, complex numbers.
"""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from standin_cupy import modules, signatures
from standin_cupy.arrays import fresh, ndarray, operand
from standin_cupy.counting import counts
from standin_cupy.devices import current_device
from standin_cupy.host_compiler import C_TYPES, compiled

_LOOP = """
{typedefs}
{preamble}
extern "C" void {name}(long long _size, void **_arguments) {{
  {loop_prep};
  for (long long i = 0; i < _size; ++i) {{
    {variables}
    {operation};
  }}
  {after_loop};
}}
"""


@dataclass(frozen=True)
class Parameter:
    """One parameter: its name, and either its placeholder or its dtype."""

    name: str
    placeholder: str | None
    dtype: Any

    @classmethod
    def parse(cls, text: str) -> Parameter:
        """Read `T x` or `float32 x`."""
        words = text.split()
        if len(words) != 2:
            raise (NotImplementedError if "raw" in words else Exception)(f"Syntax error: {text}")
        kind, name = words
        if name == "i":
            raise ValueError("Can not use 'i' as a parameter name")
        return cls(name, kind, None) if len(kind) == 1 else cls(name, None, np.dtype(kind))


class ElementwiseKernel:
    """A kernel; CuPy's compiles it for each combination of dtypes when it is first called, and so does this one."""

    def __init__(
        self,
        in_params: str,
        out_params: str,
        operation: str,
        name: str = "kernel",
        reduce_dims: bool = True,
        preamble: str = "",
        no_return: bool = False,
        return_tuple: bool = False,
        **kwargs: Any,
    ) -> None:
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise ValueError(f'Invalid kernel name: "{name}"')
        if unknown := kwargs.keys() - set(signatures.KERNEL_OPTIONS):
            raise TypeError(f"unexpected keyword arguments {sorted(unknown)}")
        self.in_params, self.out_params = _parameters(in_params), _parameters(out_params)
        self.nin, self.nout = len(self.in_params), len(self.out_params)
        self.nargs = self.nin + self.nout
        self.operation, self.name, self.preamble, self.kwargs = operation, name, preamble, kwargs
        self.reduce_dims, self.no_return, self.return_tuple = reduce_dims, no_return, return_tuple

    def __call__(self, *args: Any) -> Any:
        if len(args) not in (self.nin, self.nargs):
            raise TypeError(
                f"Wrong number of arguments for {self.name!r}. It must be either {self.nin} or {self.nargs} (with "
                f"outputs), but given {len(args)}."
            )
        current_device()
        hosts = [operand(x) for x in args]
        types = self._types(args)
        shape = _broadcast_shape(args)
        outs = self._outs(args[self.nin :], shape, types)
        if 0 not in shape:
            self._run(hosts[: self.nin], outs, shape, types)
        if self.no_return:
            return None
        return outs[0] if self.nout == 1 and not self.return_tuple else tuple(outs)

    def _types(self, args: tuple[Any, ...]) -> dict[str, np.dtype[Any]]:
        """Return the dtype of each placeholder; arrays decide, outputs before inputs, and have to agree."""
        types: dict[str, np.dtype[Any]] = {}
        pairs = list(zip(self.in_params + self.out_params, args, strict=False))
        for parameter, x in pairs[self.nin :] + pairs[: self.nin]:
            if not isinstance(x, ndarray):
                continue
            expected = parameter.dtype or types.setdefault(str(parameter.placeholder), x.dtype)
            if x.dtype != expected:
                raise TypeError(f"Type is mismatched. {parameter.name} {x.dtype} {expected}")
        return types

    def _outs(self, given: tuple[Any, ...], shape: tuple[int, ...], types: Any) -> list[ndarray]:
        if not given:
            return [fresh(np.empty(shape, _dtype(parameter, types))) for parameter in self.out_params]
        if not all(isinstance(out, ndarray) for out in given):
            raise TypeError("Output arguments type must be cupy.ndarray")
        if any(out.shape != shape for out in given):
            raise ValueError("Out shape is mismatched")
        return list(given)

    def _run(self, inputs: list[Any], outs: list[ndarray], shape: tuple[int, ...], types: Any) -> None:
        """Run the kernel over contiguous memory: an argument's own wherever that is so, which keeps aliases."""
        read = [_readable(x, shape, _dtype(p, types)) for p, x in zip(self.in_params, inputs, strict=True)]
        written = [np.ascontiguousarray(out._host).reshape(shape) for out in outs]
        arrays = [*read, *written]
        pointers = (ctypes.c_void_p * len(arrays))(*[array.ctypes.data for array in arrays])
        are_arrays = [isinstance(x, np.ndarray) for x in inputs]
        compiled(self._source(are_arrays, types), self.name)(int(np.prod(shape)), pointers)
        for out, host in zip(outs, written, strict=True):
            if not np.may_share_memory(out._host, host):
                out._host[...] = host
        counts.launched(self.name)

    def _source(self, are_arrays: list[bool], types: Any) -> str:
        variables = [
            f"const {_c_type(p, types)} &{p.name} = static_cast<const {_c_type(p, types)} *>(_arguments[{n}])"
            f"[{'i' if is_array else '0'}];"
            for n, (p, is_array) in enumerate(zip(self.in_params, are_arrays, strict=True))
        ]
        variables += [
            f"{_c_type(p, types)} &{p.name} = static_cast<{_c_type(p, types)} *>(_arguments[{n + self.nin}])[i];"
            for n, p in enumerate(self.out_params)
        ]
        options = {"loop_prep": "", "after_loop": ""} | self.kwargs
        return _LOOP.format(
            typedefs="\n".join(f"typedef {C_TYPES[dtype.name]} {name};" for name, dtype in sorted(types.items())),
            preamble=self.preamble,
            name=self.name,
            variables="\n    ".join(variables),
            operation=self.operation,
            loop_prep=options["loop_prep"],
            after_loop=options["after_loop"],
        )


def _parameters(text: str) -> tuple[Parameter, ...]:
    return tuple(Parameter.parse(part) for part in text.split(",")) if text.strip() else ()


def _dtype(parameter: Parameter, types: Any) -> np.dtype[Any]:
    """Return a parameter's dtype; a placeholder that no array resolves is a `KeyError`, as in CuPy."""
    return parameter.dtype or types[parameter.placeholder]  # type: ignore[no-any-return]


def _c_type(parameter: Parameter, types: Any) -> str:
    dtype = _dtype(parameter, types)
    if dtype.name not in C_TYPES:
        raise NotImplementedError(f"the stand-in runs no kernels on {dtype}")
    return parameter.placeholder or C_TYPES[dtype.name]


def _broadcast_shape(args: tuple[Any, ...]) -> tuple[int, ...]:
    shapes = [x.shape for x in args if isinstance(x, ndarray)]
    if not shapes:
        raise ValueError("Loop size is undecided.")
    return np.broadcast_shapes(*shapes)


def _readable(x: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return an input as memory with one element for each of the loop, or as a number of the dtype."""
    if not isinstance(x, np.ndarray):
        with np.errstate(all="ignore"):
            return np.asarray(x).astype(dtype)
    return np.ascontiguousarray(np.broadcast_to(x, shape))


modules.cupy.ElementwiseKernel = ElementwiseKernel
