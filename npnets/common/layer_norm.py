"""Layer normalization as a layer with parameters."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array
from npnets.common.network import Network
from npnets.common.sequential import Operation
from npnets.common.spec import Constant, Parameter, Spec
from npnets.description import cached_property, check_flags, set_plain, set_sizes
from npnets.inputs import as_array, as_input, check_dtype, check_width
from npnets.kernels.layer_norm import layer_norm
from npnets.tree import Params


@dataclass(frozen=True, repr=False)
class LayerNorm(Network):
    """Layer normalization over the last axis (Ba, Kiros and Hinton 2016).

    Parameters
    ----------
    features : int
        Size of the last axis.
    eps : float
        Added to the variance.
    elementwise_affine : bool
        Whether there is a `weight` that scales the output.
    bias : bool
        Whether there is a `bias` that shifts it; only beside a `weight`.

    Notes
    -----
    PyTorch's ``LayerNorm``; chosen in networks by `norm_layer="layer_norm"`. Parameters: `weight` and `bias`
    `(features,)`.
    """

    features: int
    eps: float = 1e-5
    elementwise_affine: bool = True
    bias: bool = True

    def __post_init__(self) -> None:
        set_plain(self)
        check_flags(self, "elementwise_affine", "bias")
        set_sizes(self, "features")
        if not isinstance(self.eps, (int, float, np.number)) or not self.eps > 0:
            raise ValueError(f"eps must be a positive number, but is {self.eps!r}")

    @cached_property
    def spec(self) -> Spec:
        """`weight`, all one, and `bias`, all zero."""
        shape, affine = (self.features,), self.elementwise_affine
        weight = Parameter(shape, Constant(1)) if affine else None
        return Spec({"weight": weight, "bias": Parameter(shape, Constant(0)) if affine and self.bias else None})

    @computes_where_params
    def forward(self, params: Params, x: ArrayLike) -> Array:
        """Normalize an array `(..., features)`, in the parameters' dtype if there are parameters."""
        leaves = self.spec.read(params, self)
        return self._run(as_input(x, leaves[0], "x") if self.elementwise_affine else as_array(x), *leaves)

    def _run(self, x: Array, weight: Array | None, bias: Array | None) -> Array:
        check_width(x, self.features, self)
        if weight is not None:
            check_dtype(x.dtype, weight, self)
        return layer_norm(x, weight, bias, self.eps)

    @cached_property
    def _operations(self) -> tuple[Operation, ...]:
        return (Operation(self._run, 2),)
