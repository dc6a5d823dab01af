"""A network whose first stage normalizes observations, by statistics among its parameters."""

from dataclasses import dataclass
from typing import Any

from npnets.autodiff import bare
from npnets.autodiff.devices import computes_where_params
from npnets.backend import asarray_like, namespace
from npnets.common.network import Network
from npnets.common.protocols import check_is_network
from npnets.common.spec import Constant, Parameter, Spec
from npnets.description import Shape, cached_property, set_fields, set_plain
from npnets.description import shape as checked_shape
from npnets.inputs import as_array, inputs_on_device
from npnets.normalization.statistics import Normalization, axes_of, check_limits, checked, limit, normalized
from npnets.tree import Params, Tree


def statistics_paths(params: Tree) -> set[str]:
    """Return the paths of all statistics of `Normalized` among parameters, as `tree.paths` writes them."""
    if not isinstance(params, (dict, list, tuple)):
        return set()
    parts = params.items() if isinstance(params, dict) else enumerate(params)
    found = {f"{key}.{path}" for key, part in parts for path in statistics_paths(part)}
    if isinstance(params, dict) and params.keys() == {"normalization", "network"}:
        found |= {f"normalization.{name}" for name in ("mean", "var")}
    return found


def unwrapped(network: Any) -> Any:
    """Return the network inside of `Normalized`, however often it is normalized."""
    return unwrapped(network.network) if isinstance(network, Normalized) else network


def normalizing_part(network: Any) -> "Normalized | None":
    """Return the part of a network that normalizes observations, itself or its trunk, or `None`."""
    if network is None or isinstance(network, Normalized):
        return network
    return normalizing_part(getattr(network, "preprocess_net", None))


def check_normalized_once(network: Any, normalization: object) -> None:
    """Check that a network that is used with statistics of observations, or with `None`, has none of its own."""
    part = normalizing_part(network)
    if part is not None and normalization is not None:
        raise TypeError(
            f"expected normalization=None, because {part!r:.80} normalizes observations by statistics among its "
            "parameters, and they would be normalized twice; leave normalization out, or pass the network inside with "
            "its own parameters"
        )


@dataclass(frozen=True, repr=False)
class Normalized(Network):
    """A network whose first stage normalizes observations: a trunk if the network is one.

    Parameters
    ----------
    network : network
        Takes normalized observations.
    shape : int, sequence of int or Box
        Shape of one observation.
    clip : float or None
        Largest absolute value of a normalized entry; `None` for no limit.
    epsilon : float
        Added to the variance before its root is taken.

    Notes
    -----
    Parameters: `normalization`, with `mean` and `var`, and `network`. No gradient reaches `mean` and `var`, which
    `with_statistics` sets; a variance below zero, which a search over all parameters may try, counts as zero.
    """

    network: Any
    shape: Shape
    clip: float | None = 10.0
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        set_plain(self)
        check_is_network("network", self.network)
        set_fields(self, shape=checked_shape("shape", self.shape))
        check_limits(self.clip, self.epsilon)
        set_fields(self, clip=limit(self.clip))

    @property
    def output_dim(self) -> int:
        """Number of features of the network's output."""
        found: int = self.network.output_dim
        return found

    @cached_property
    def spec(self) -> Spec:
        """`normalization`, which begins with mean 0 and variance 1, and `network`."""
        axes = axes_of(self.shape)
        statistics = Spec({"mean": Parameter(axes, Constant(0)), "var": Parameter(axes, Constant(1))})
        return Spec({"normalization": statistics, "network": self.network})

    def with_statistics(self, params: Params, state: Normalization) -> Params:
        """Return parameters with the mean and variance of a state.

        Parameters
        ----------
        params : dict
            As `init` made them; they are not changed.
        state : Normalization
            Of observations of this shape, with this `clip` and `epsilon`.

        Returns
        -------
        dict
            The statistics are rounded to the dtype of the parameters.
        """
        mean, _, _ = self.spec.read(params, self)
        state = checked(state)
        if (state.mean.shape, state.clip, state.epsilon) != (mean.shape, self.clip, self.epsilon):
            raise ValueError(
                f"expected a state with shape, clip and epsilon {(mean.shape, self.clip, self.epsilon)}, but it has "
                f"{(state.mean.shape, state.clip, state.epsilon)}"
            )
        statistics = {"mean": asarray_like(state.mean, mean), "var": asarray_like(state.var, mean)}
        return {**params, "normalization": statistics}

    @computes_where_params
    def forward(self, params: Params, obs: Any, *args: Any, **kwargs: Any) -> Any:
        """Return what the network does for normalized observations.

        Parameters
        ----------
        params : dict
            As `init` made them.
        obs : (batch, ...) array
            Observations.
        args, kwargs : any
            Passed on to the network's own `forward`.

        Returns
        -------
        As the network's own `forward`.
        """
        mean, var, inner = self.spec.read(params, self)
        x = inputs_on_device(as_array(obs), mean)
        var = namespace(bare(var)).maximum(bare(var), 0)
        state = Normalization(bare(mean), var, 0.0, self.clip, self.epsilon)
        return self.network.forward(inner, normalized(state, x, mean.dtype), *args, **kwargs)
