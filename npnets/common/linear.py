"""Linear layers, for one network and for an ensemble of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from npnets.backend import Array
from npnets.description import cached_property, call_repr, check_flags, no_call, set_fields, set_plain, size
from npnets.initializers import uniform_fan_in
from npnets.inputs import as_input, check_keys, check_parameters, check_width, follows_params
from npnets.kernels.linear import ActivationCall, linear_layers
from npnets.tree import Params, Tree


@dataclass(frozen=True, repr=False)
class Linear:
    """A linear layer, `x W + b`.

    Parameters
    ----------
    in_features, out_features : int
        Sizes of the last axis before and after.
    bias : bool
        Whether there is a `b`.

    Notes
    -----
    PyTorch's ``Linear``, as Tianshou uses it; the weight is stored as `(in, out)`. Parameters: `weight`, `bias`.
    """

    in_features: int
    out_features: int
    bias: bool = True

    __repr__ = call_repr
    __call__ = no_call

    def __post_init__(self) -> None:
        set_plain(self)
        check_flags(self, "bias")
        set_fields(
            self,
            in_features=size("in_features", self.in_features),
            out_features=size("out_features", self.out_features),
        )

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Params:
        """Draw parameters: `weight` `(in, out)` and `bias` `(out,)`, evenly within one over the root of `in`."""
        return _init(rng, self.shapes, self.in_features, dtype)

    @follows_params
    def forward(self, params: Params, x: ArrayLike) -> Array:
        """Map an array `(..., batch, in)` to `(..., batch, out)`, in the parameters' dtype."""
        check_keys(params, tuple(self.shapes), self)
        return self.apply(params, as_input(x, params["weight"], "x"))

    def apply(self, params: Params, x: Array, activation: ActivationCall = None) -> Array:
        """Do as `forward` for an array that is past a network's door, with an activation fused in."""
        return apply_layers([(self, params, activation)], x)

    def check_input(self, x: Array) -> None:
        """Check the shape of an array that is past a network's door."""
        check_width(x, self.in_features, self)

    def follows(self, before: Any) -> bool:
        """Tell whether this layer takes what another one answers, so that both can run in one operation."""
        return isinstance(before, Linear) and before.out_features == self.in_features

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each parameter by its name."""
        weight = (self.in_features, self.out_features)
        return {"weight": weight, "bias": weight[1:]} if self.bias else {"weight": weight}


@dataclass(frozen=True, repr=False)
class EnsembleLinear:
    """Linear layers of the members of an ensemble, side by side.

    Parameters
    ----------
    ensemble_size : int
        How many members.
    in_feature, out_feature : int
        Sizes of the last axis before and after.
    bias : bool
        Whether there is a bias.

    Notes
    -----
    Tianshou's ``EnsembleLinear``. Parameters: `weight` `(members, in, out)`, `bias` `(members, 1, out)`. As a
    `linear_layer`: `functools.partial(npnets.EnsembleLinear, 4)`.
    """

    ensemble_size: int
    in_feature: int
    out_feature: int
    bias: bool = True

    __repr__ = call_repr
    __call__ = no_call

    def __post_init__(self) -> None:
        set_plain(self)
        check_flags(self, "bias")
        set_fields(
            self,
            ensemble_size=size("ensemble_size", self.ensemble_size),
            in_feature=size("in_feature", self.in_feature),
            out_feature=size("out_feature", self.out_feature),
        )

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Params:
        """Draw parameters: `weight` and `bias`, evenly within one over the root of `in`."""
        return _init(rng, self.shapes, self.in_feature, dtype)

    @follows_params
    def forward(self, params: Params, x: ArrayLike) -> Array:
        """Map `(batch, in)`, the same for all members, or `(members, batch, in)` to `(members, batch, out)`."""
        check_keys(params, tuple(self.shapes), self)
        return self.apply(params, as_input(x, params["weight"], "x"))

    def apply(self, params: Params, x: Array, activation: ActivationCall = None) -> Array:
        """Do as `forward` for an array that is past a network's door, with an activation fused in."""
        return apply_layers([(self, params, activation)], x)

    def check_input(self, x: Array) -> None:
        """Check the shape of an array that is past a network's door."""
        if x.ndim != 2 and (x.ndim != 3 or x.shape[0] != self.ensemble_size):
            raise ValueError(
                f"{self!r} expected (batch, {self.in_feature}) or ({self.ensemble_size}, batch, {self.in_feature}), "
                f"but got {x.shape}"
            )
        check_width(x, self.in_feature, self)

    def follows(self, before: Any) -> bool:
        """Tell whether this layer takes what another one answers, so that both can run in one operation."""
        found = isinstance(before, EnsembleLinear) and (before.ensemble_size, before.out_feature)
        return found == (self.ensemble_size, self.in_feature)

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each parameter by its name."""
        weight = (self.ensemble_size, self.in_feature, self.out_feature)
        return {"weight": weight, "bias": (weight[0], 1, weight[2])} if self.bias else {"weight": weight}


def _init(rng: np.random.Generator, shapes: Any, fan_in: int, dtype: DTypeLike) -> Tree:
    return {name: uniform_fan_in(rng, shape, fan_in, dtype) for name, shape in shapes.items()}


def apply_layers(layers: Sequence[tuple[Linear | EnsembleLinear, Tree, ActivationCall]], x: Array) -> Array:
    """Run layers in one operation on an array that is past a network's door.

    Parameters
    ----------
    layers : sequence of (layer, params, activation)
        Each `follows` the one before.
    x : array
        As the first layer's `forward` takes it, in the parameters' dtype.
    """
    layers[0][0].check_input(x)
    checked = [part for layer, params, _ in layers for part in _checked(layer, params, x.dtype)]
    return linear_layers(x, checked, tuple([activation for _, _, activation in layers]))


def _checked(layer: Linear | EnsembleLinear, params: Tree, dtype: np.dtype[Any]) -> list[Array | None]:
    """Return a layer's weight and its bias, which may be `None`, if they are as the layer expects them."""
    return [*check_parameters(params, layer.shapes, dtype, layer), None][:2]
