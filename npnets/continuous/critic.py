"""A critic: the value of observations, or of observations and actions."""

from collections.abc import Callable
from dataclasses import dataclass

from numpy.typing import ArrayLike

import npnets.numpy as nnp
from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device
from npnets.common import MLP, Linear, PreprocessNet
from npnets.common.network import Network
from npnets.common.protocols import Layer, features_of
from npnets.common.sequential import entry_of, operations_of
from npnets.common.spec import Spec
from npnets.common.trunk import NetBody, OwnBody, body, entry_of_trunk
from npnets.description import Sizes, cached_property, set_fields, set_plain
from npnets.inputs import as_input, first_leaf, flattened
from npnets.tree import Params


@dataclass(frozen=True, repr=False)
class Critic(Network):
    """A critic that returns one value for each observation, or for each observation and action.

    Parameters
    ----------
    preprocess_net : PreprocessNet
        Turns observations, and actions if given, into features. For values of actions use `Net` with `concat=True`.
    hidden_sizes : sequence of int
        Widths of hidden layers after the preprocess net.
    device : str, int or None
        Where `init` places parameters.
    preprocess_net_output_dim : int, optional
        Number of features, for a preprocess net without `output_dim`.
    linear_layer : callable
        Makes a layer from two sizes; `functools.partial(npnets.EnsembleLinear, 4)` makes four critics side by side.
    flatten_input : bool
        Whether the features are flattened to `(batch, features)`; `False` behind an ensemble.

    Notes
    -----
    Tianshou's ``Critic``. Parameters: `preprocess` and `last`.
    """

    preprocess_net: PreprocessNet
    hidden_sizes: Sizes = ()
    device: Device = "cpu"
    preprocess_net_output_dim: int | None = None
    linear_layer: Callable[[int, int], Layer] = Linear
    flatten_input: bool = True

    def __post_init__(self) -> None:
        set_plain(self)
        set_fields(self, hidden_sizes=self.last.hidden_sizes, linear_layer=self.last.linear_layer)

    @cached_property
    def last(self) -> MLP:
        """The MLP from features to the value."""
        return MLP(
            features_of("preprocess_net", self.preprocess_net, self.preprocess_net_output_dim),
            1,
            self.hidden_sizes,
            device=self.device,
            linear_layer=self.linear_layer,
            flatten_input=self.flatten_input,
        )

    @property
    def output_dim(self) -> int:
        """One, the number of entries of an output."""
        return 1

    @cached_property
    def spec(self) -> Spec:
        """`preprocess` and `last`."""
        trunk = entry_of_trunk(self.preprocess_net, takes_ensembles=not self.flatten_input)
        return Spec({"preprocess": trunk, "last": entry_of(self.last)}, self.device)

    @computes_where_params
    def forward(self, params: Params, obs: ArrayLike, act: ArrayLike | None = None, info: object = None) -> Array:
        """Map observations, and actions if given, to values.

        Parameters
        ----------
        params : dict
            As `init` made them.
        obs : (batch, ...) array
        act : (batch, ...) array, optional
            Actions, put beside the observations.
        info : any
            Accepted and unused, as in Tianshou.

        Returns
        -------
        (batch, 1) array
            Or `(members, batch, 1)` for an ensemble.
        """
        leaves = self.spec.read(params, self)
        like = first_leaf(leaves)
        x = flattened(as_input(obs, like), "obs")
        if act is not None:
            x = _joined(x, flattened(as_input(act, like, "act"), "act"))
        return self._body.run(leaves, x)

    @cached_property
    def _body(self) -> NetBody | OwnBody:
        return body(
            self.preprocess_net,
            operations_of(self.last, "last"),
            features=self.last.input_dim if self.flatten_input else None,
            remedy="make the critic with flatten_input=False",
            takes_ensembles=not self.flatten_input,
        )


def _joined(obs: Array, act: Array) -> Array:
    if len(obs) != len(act):
        raise ValueError(f"obs and act must have a row for each of the same batch, but have {len(obs)} and {len(act)}")
    return nnp.concatenate([obs, act], 1)
