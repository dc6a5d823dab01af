"""Every kernel's CUDA C++ through NVIDIA's own compiler: it compiles in both dtypes, and float32 stays float32.

NVRTC needs no GPU, only the packages `cupy-cuda13x` and `nvidia-cuda-nvrtc`. Without them the tests are skipped, unless
the variable NPNETS_REQUIRE_CUPY says that they must be there. Their results are tested elsewhere: the stand-in for
CuPy runs them, compiled for the host.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest
from real_cupy import result_of

import npnets
from npnets.kernels.cuda.elementwise_kernel import ElementwiseKernel

pytestmark = pytest.mark.numpy_alone("compiles sources, and runs none")

DTYPES = ("float", "double")


def _elementwise_kernels() -> dict[str, ElementwiseKernel]:
    """Yield every `ElementwiseKernel` of the package, a global of a module or in a dict."""
    found = {}
    for info in pkgutil.walk_packages(npnets.__path__, "npnets."):
        for value in vars(importlib.import_module(info.name)).values():
            parts = value.values() if isinstance(value, dict) else [value]
            found.update({part.name: part for part in parts if isinstance(part, ElementwiseKernel)})
    return found


def _source(kernel: ElementwiseKernel, dtype: str) -> str:
    """Return a CUDA function around a kernel's operation, with constant inputs and references as outputs."""
    inputs, outputs = ([p.split() for p in text.split(",")] for text in (kernel.inputs, kernel.outputs))
    arguments = [f"const {kind}* {name}_" for kind, name in inputs] + [f"{kind}* {name}_" for kind, name in outputs]
    entries = [f"const {kind}& {name} = {name}_[i];" for kind, name in inputs]
    entries += [f"{kind}& {name} = {name}_[i];" for kind, name in outputs]
    return f"""typedef {dtype} T;
    extern "C" __global__ void {kernel.name}({", ".join(arguments)}, long long n) {{
        for (long long i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x) {{
            {" ".join(entries)}
            {kernel.operation};
        }}
    }}"""


def _compiled(sources: dict[str, str]) -> Any:
    return result_of("compile_cuda.py", sources)


@pytest.fixture(scope="module")
def kernels() -> Any:
    """PTX and compiler's log of every kernel in both dtypes."""
    found = _elementwise_kernels()
    return _compiled({f"{name} {dtype}": _source(one, dtype) for name, one in found.items() for dtype in DTYPES})


def test_every_kernel_compiles_without_warnings(kernels: Any) -> None:
    assert {name: log for name, (ptx, log) in kernels.items() if not ptx or log.strip(" \n\0")} == {}


def test_kernels_in_float32_compute_nothing_in_double_precision(kernels: Any) -> None:
    wide = {name for name, (ptx, _) in kernels.items() if re.search(r"\.f64\b", ptx)}
    assert wide == {name for name in kernels if name.endswith("double")}


def test_a_mistake_in_a_kernel_is_found(kernels: Any) -> None:
    wrong = ElementwiseKernel("T x", "T y", "y = tamh(x);", "misspelt")
    changes_its_input = ElementwiseKernel("T x", "T y", "x = y;", "changes_its_input")
    for kernel in (wrong, changes_its_input):
        ((ptx, log),) = _compiled({"wrong": _source(kernel, "float")}).values()
        assert (ptx, "error" in log) == ("", True)


def test_every_elementwise_kernel_is_tested() -> None:
    tested = {kernel.name for kernel in _elementwise_kernels().values()}
    for path in Path(npnets.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "ElementwiseKernel":
                name = call.args[3]
                assert not isinstance(name, ast.Constant) or f"npnets_{name.value}" in tested, (path, call.lineno)
    assert len(tested) >= 8 * 3 + 5 + 4
