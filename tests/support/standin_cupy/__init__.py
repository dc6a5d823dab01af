"""A stand-in for CuPy, over NumPy, for machines with no GPU: `with standin_cupy.installed(): import cupy`.

It can prove that code uses only names and arguments that CuPy has, never mixes CuPy's arrays with NumPy's or with
those of another device, never copies to the host implicitly, keeps dtypes, writes in place where it says so, and
computes the right numbers if CuPy's functions do what NumPy's of the same name do. Kernels in C++ are compiled and run.

It cannot prove anything about a GPU's own arithmetic (rounding, fused multiply-adds, the order in which sums are
taken, races), streams and waiting, memory that runs out, speed. It counts launches, and not what each one costs.

It is stricter than CuPy where CuPy lets a NumPy array through by accident: `cupy.sum` of one computes on the CPU and
returns NumPy's, and `cupy.zeros_like` of one takes its shape. Here both are a `TypeError`.

Its signatures are compared with the real package by `tests/backend/test_cupy_signatures.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from standin_cupy import elementwise_kernel, functions, operators, ufuncs  # noqa: F401 (they fill the modules)
from standin_cupy.counting import Counts, counts
from standin_cupy.devices import VERSION, pretend
from standin_cupy.modules import IMPORTABLE, cupy

__all__ = ["Counts", "counts", "cupy", "installed"]


@contextmanager
def installed(devices: int = 2, failure: int | None = None, driver: int = VERSION) -> Iterator[ModuleType]:
    """Let `import cupy` find the stand-in, on a machine with this many devices, inside the block.

    With `failure`, the status of a CUDA error, everything that needs a device raises that error. `driver` is the CUDA
    version that the driver supports, as 13000 for 13.0, or 0 for a machine without a driver.
    """
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] in ("cupy", "cupyx")}
    sys.modules.update(IMPORTABLE)
    try:
        with pretend(devices, failure, driver):
            yield cupy
    finally:
        for name in IMPORTABLE:
            sys.modules.pop(name, None)
        sys.modules.update(hidden)
