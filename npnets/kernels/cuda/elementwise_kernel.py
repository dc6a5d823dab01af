"""Chains of elementwise operations on a GPU in one launch: starting a kernel costs more than computing most of them."""

from types import ModuleType
from typing import Any

from npnets.backend import namespace
from npnets.caches import bounded_cache


class ElementwiseKernel:
    """A chain of elementwise operations on CuPy arrays in one launch; CuPy's operators would launch one each.

    Parameters
    ----------
    inputs, outputs : str
        Types and names as `cupy.ElementwiseKernel` takes them: `"T x, T factor"`; `T` is the arrays' dtype.
    operation : str
        CUDA C++ that computes an entry of each output from an entry of each input.
    name : str
        The name in profilers, after the prefix `npnets_`.
    """

    def __init__(self, inputs: str, outputs: str, operation: str, name: str) -> None:
        self.inputs, self.outputs, self.operation, self.name = inputs, outputs, operation, f"npnets_{name}"

    def __call__(self, *arguments: object) -> Any:
        """Return the outputs for inputs, an array first, broadcast against each other; or write into given outputs."""
        return _made(self, namespace(arguments[0]))(*arguments)


@bounded_cache(maxsize=256)
def _made(kernel: ElementwiseKernel, cupy: ModuleType) -> Any:
    return cupy.ElementwiseKernel(kernel.inputs, kernel.outputs, kernel.operation, kernel.name)
