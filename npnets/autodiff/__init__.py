"""Derivatives of functions of trees of arrays.

`grad`, `value_and_grad`, `vjp`, `jvp`, `hvp` and `stop_gradient` are what users call; `primitive` and `fused` (with
`Pair`) are for those who write operations. Each leaf array is traced, never the dicts around it.
"""

from npnets.autodiff.derivatives import grad, stop_gradient, value_and_grad, vjp
from npnets.autodiff.forward_mode import hvp, jvp
from npnets.autodiff.operations import Pair, fused, primitive
from npnets.autodiff.tracing import Traced, bare, is_traced
from npnets.public import listing

__all__ = [
    "Pair",
    "Traced",
    "bare",
    "fused",
    "grad",
    "hvp",
    "is_traced",
    "jvp",
    "primitive",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]

__dir__ = listing(__all__)
