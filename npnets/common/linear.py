"""Linear layers, for one network and for an ensemble of them."""

from dataclasses import dataclass

from numpy.typing import ArrayLike

from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array
from npnets.common.network import Network
from npnets.common.sequential import LinearLayers, Operation
from npnets.common.spec import Parameter, Spec, Uniform
from npnets.description import cached_property, check_flags, set_plain, set_sizes
from npnets.inputs import as_input
from npnets.tree import Params


@dataclass(frozen=True, repr=False)
class Linear(Network):
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

    def __post_init__(self) -> None:
        set_plain(self)
        check_flags(self, "bias")
        set_sizes(self, "in_features", "out_features")

    @cached_property
    def spec(self) -> Spec:
        """`weight` `(in, out)` and `bias` `(out,)`, evenly drawn within `1 / sqrt(in)`."""
        draw = Uniform(self.in_features)
        bias = Parameter((self.out_features,), draw) if self.bias else None
        return Spec({"weight": Parameter((self.in_features, self.out_features), draw), "bias": bias})

    @computes_where_params
    def forward(self, params: Params, x: ArrayLike) -> Array:
        """Map an array `(..., batch, in)` to `(..., batch, out)`, in the parameters' dtype."""
        leaves = self.spec.read(params, self)
        return self._operations[0].run(as_input(x, leaves[0], "x"), *leaves)

    @cached_property
    def _operations(self) -> tuple[Operation, ...]:
        return (Operation(LinearLayers((self.spec["weight"].shape,), (None,), self), 2),)


@dataclass(frozen=True, repr=False)
class EnsembleLinear(Network):
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

    def __post_init__(self) -> None:
        set_plain(self)
        check_flags(self, "bias")
        set_sizes(self, "ensemble_size", "in_feature", "out_feature")

    @cached_property
    def spec(self) -> Spec:
        """`weight` `(members, in, out)` and `bias` `(members, 1, out)`, evenly drawn within `1 / sqrt(in)`."""
        members, inputs, outputs = self.ensemble_size, self.in_feature, self.out_feature
        bias = Parameter((members, 1, outputs), Uniform(inputs)) if self.bias else None
        return Spec({"weight": Parameter((members, inputs, outputs), Uniform(inputs)), "bias": bias})

    @computes_where_params
    def forward(self, params: Params, x: ArrayLike) -> Array:
        """Map `(batch, in)`, the same for all members, or `(members, batch, in)` to `(members, batch, out)`."""
        leaves = self.spec.read(params, self)
        return self._operations[0].run(as_input(x, leaves[0], "x"), *leaves)

    @cached_property
    def _operations(self) -> tuple[Operation, ...]:
        return (Operation(LinearLayers((self.spec["weight"].shape,), (None,), self), 2),)
