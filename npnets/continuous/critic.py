"""A critic: the value of observations, or of observations and actions."""

from collections.abc import Callable
from dataclasses import dataclass, field

from numpy.typing import ArrayLike

from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device
from npnets.common import MLP, Linear, PreprocessNet
from npnets.common.network import Network
from npnets.common.protocols import Layer, features_of
from npnets.common.sequential import Leaves, Sequential, entry_of, operations_of, part_of
from npnets.common.spec import Spec
from npnets.common.trunk import NetBody, OwnBody, body, entry_of_trunk
from npnets.continuous.joined_actions import (
    check_batch_axis,
    check_no_actions,
    check_place_of_actions,
    feature_rows,
    flat_actions,
    joined,
)
from npnets.description import Shape, Sizes, cached_property, check_flags, set_fields, set_plain, shape, width
from npnets.inputs import as_input, first_leaf, flattened, is_array_like
from npnets.tree import Params, Tree


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
    apply_preprocess_net_to_obs_only : bool
        Whether the preprocess net sees the observation alone and as it is (a dict, an image), so that an actor can
        share it; actions are then flattened and joined to its features. Else actions join the observation before it.
    action_shape : int, sequence of int or Box, optional
        With `apply_preprocess_net_to_obs_only`: the shape of an action, which the head then counts among its inputs.
        Without it, `preprocess_net_output_dim` must count features and actions together, as in Tianshou.

    Notes
    -----
    Tianshou's ``Critic``; `apply_preprocess_net_to_obs_only` came with its version 1.1. Parameters: `preprocess` and
    `last`.
    """

    preprocess_net: PreprocessNet
    hidden_sizes: Sizes = ()
    device: Device = "cpu"
    preprocess_net_output_dim: int | None = None
    linear_layer: Callable[[int, int], Layer] = Linear
    flatten_input: bool = True
    apply_preprocess_net_to_obs_only: bool = False
    action_shape: Shape | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        set_plain(self)
        check_flags(self, "apply_preprocess_net_to_obs_only")
        if self.action_shape is not None:
            set_fields(self, action_shape=shape("action_shape", self.action_shape))
        check_place_of_actions(self.preprocess_net, self.action_shape, self.apply_preprocess_net_to_obs_only)
        set_fields(self, hidden_sizes=self.last.hidden_sizes, linear_layer=self.last.linear_layer)

    @cached_property
    def last(self) -> MLP:
        """The MLP from features to the value."""
        counts_actions = self.apply_preprocess_net_to_obs_only and self.action_shape is None
        given = self.preprocess_net_output_dim
        features = features_of("preprocess_net", self.preprocess_net, given, counts_actions=counts_actions)
        return MLP(
            features if self.action_shape is None else features + width(self.action_shape),
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
    def forward(self, params: Params, obs: object, act: ArrayLike | None = None, info: object = None) -> Array:
        """Map observations, and actions if given, to values.

        Parameters
        ----------
        params : dict
            As `init` made them.
        obs : (batch, ...) array
            Or observations of another kind, as a preprocess net of your own takes them.
        act : (batch, ...) array, optional
            Actions, put beside the observations; with `apply_preprocess_net_to_obs_only` beside their features.
        info : any
            Accepted and unused, as in Tianshou.

        Returns
        -------
        (batch, 1) array
            Or `(members, batch, 1)` for an ensemble.
        """
        leaves = self.spec.read(params, self)
        if self.apply_preprocess_net_to_obs_only:
            return self._last.run(leaves, self._features_with(act, leaves, obs))
        return self._body.run(leaves, self._observations_with(act, leaves, obs))

    def _observations_with(self, act: object, leaves: Leaves, obs: object) -> Tree:
        """Return the input of a preprocess net that takes observations and actions as one array."""
        is_own = isinstance(self._body, OwnBody)
        if is_own and not is_array_like(obs):
            check_no_actions(obs, act)
            return obs
        like = first_leaf(leaves)
        x = as_input(obs, like)
        if is_own:
            check_batch_axis(x)
        x = flattened(x, "obs")
        return x if act is None else joined("obs", x, flat_actions(act, like, None, self))

    def _features_with(self, act: object, leaves: Leaves, obs: object) -> Array:
        """Return the input of the head behind a preprocess net that takes the observation alone."""
        features, _ = self._trunk.observe(leaves, obs)
        actions = None
        if act is not None or self.action_shape is not None:
            expected = None if self.action_shape is None else width(self.action_shape)
            actions = flat_actions(act, first_leaf(leaves), expected, self)
        rows = feature_rows(features, obs, actions, self.last.input_dim, self.flatten_input, self)
        return rows if actions is None else joined("the preprocess net's output", rows, actions)

    @cached_property
    def _trunk(self) -> NetBody | OwnBody:
        """The preprocess net alone."""
        return body(self.preprocess_net, takes_ensembles=not self.flatten_input)

    @cached_property
    def _last(self) -> Sequential:
        return part_of(self.spec, "last", self.last)

    @cached_property
    def _body(self) -> NetBody | OwnBody:
        return body(
            self.preprocess_net,
            operations_of(self.last, "last"),
            features=self.last.input_dim if self.flatten_input else None,
            remedy="make the critic with flatten_input=False",
            takes_ensembles=not self.flatten_input,
        )
