"""Layer normalization as a layer with parameters."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from npnets.backend import Array
from npnets.description import call_repr, check_flags, no_call, set_fields, set_plain, size
from npnets.initializers import check_floating, check_generator
from npnets.inputs import as_array, as_input, check_parameters, check_width, first_leaf, follows_params
from npnets.kernels.layer_norm import layer_norm
from npnets.tree import Params


@dataclass(frozen=True, repr=False)
class LayerNorm:
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

    __repr__ = call_repr
    __call__ = no_call

    def __post_init__(self) -> None:
        set_plain(self)
        check_flags(self, "elementwise_affine", "bias")
        set_fields(self, features=size("features", self.features))
        if not isinstance(self.eps, (int, float, np.number)) or not self.eps > 0:
            raise ValueError(f"eps must be a positive number, but is {self.eps!r}")

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Params:
        """Return parameters that change nothing: `weight` all one, `bias` all zero."""
        check_generator(rng)
        values = {"weight": np.ones, "bias": np.zeros}
        return {name: values[name](self.features, check_floating(dtype)) for name in self._names}

    @follows_params
    def forward(self, params: Params, x: ArrayLike) -> Array:
        """Normalize an array `(..., features)`, in the parameters' dtype if there are parameters."""
        return self.apply(params, as_input(x, first_leaf(params), "x") if self._names else as_array(x))

    def apply(self, params: Params, x: Array) -> Array:
        """Do as `forward` for an array that is past a network's door."""
        check_width(x, self.features, self)
        shapes = dict.fromkeys(self._names, (self.features,))
        weight, bias = [*check_parameters(params, shapes, x.dtype, self), None, None][:2]
        return layer_norm(x, weight, bias, self.eps)

    @property
    def _names(self) -> tuple[str, ...]:
        if not self.elementwise_affine:
            return ()
        return ("weight", "bias") if self.bias else ("weight",)
