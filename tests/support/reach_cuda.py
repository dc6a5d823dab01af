"""Calls the library with arrays of the real CuPy on a machine without a GPU: a process of its own for the real package.

The arrays lie over the host's memory, which is all that CuPy needs until it sets a GPU to work: everything before that,
which function runs for an operator and whether it has the keywords, happens as on a GPU. The types of arguments, and
what comes after a call's first launch, CuPy looks at later: of those this shows nothing. Prints a JSON object from the
names of calls to how they ended: `"returned"` without a launch, `"reached CUDA"`, or another error. Run by
`test_cupy_dispatch.py`.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import backends
import cupy
import kernel_cases
import network_cases
import numpy as np
import numpy_cases

import npnets
import npnets.autodiff.arguments
import npnets.inputs
import npnets.numpy
from npnets.autodiff.derivatives import uncopied_vjp  # because `vjp` copies first


def over_host_memory(array: Any, device: Any = None) -> Any:
    """Return a CuPy array whose memory is that of a NumPy array."""
    if isinstance(array, cupy.ndarray):
        return array
    array = np.asarray(array, order="C")
    address = array.ctypes.data_as(ctypes.c_void_p).value
    memory = cupy.cuda.UnownedMemory(address, max(array.nbytes, 1), array, device_id=0)
    return cupy.ndarray(np.shape(array), array.dtype, cupy.cuda.MemoryPointer(memory, 0))


def ending(call: Callable[[], Any]) -> str:
    """Return how a call ended."""
    try:
        call()
    except cupy.cuda.runtime.CUDARuntimeError:
        return "reached CUDA"
    except ImportError as error:
        return "reached CUDA" if "libcublas" in str(error) else f"ImportError: {error}"
    except Exception as error:  # any error, which is the result
        return f"{type(error).__name__}: {error}"
    return "returned"


def calls() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Every case of the suite's tables, by itself and while it is differentiated, and one that must be refused."""
    yield "a misspelt keyword", lambda: cupy.sum(over_host_memory(np.ones(3)), keepdim=True)
    for index, case in enumerate(numpy_cases.TABLE):
        fun = lambda x, case=case: case.fun(npnets.numpy, *x)  # noqa: E731
        yield f"{case.name}-{index}", lambda case=case, fun=fun: fun(case.arrays(0))
        yield f"traced {case.name}-{index}", lambda case=case, fun=fun: uncopied_vjp(fun, case.arrays(0))
    for index, case in enumerate(kernel_cases.CASES):
        fun = lambda x, case=case: case.fun(*x)  # noqa: E731
        yield f"{case.kernel}-{index}", lambda case=case, fun=fun: fun(case.arrays())
    for name, network in network_cases.CASES.items():
        yield name, lambda network=network: network.run(network.params(), *network.inputs())


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    npnets.backend.to_device = over_host_memory
    for module in (npnets.backend, npnets.autodiff.devices):  # only CuPy's functions use CUDA
        module.using = lambda device: contextlib.nullcontext()
    backends.current = backends.GPU
    print(json.dumps({name: ending(call) for name, call in calls()}))
