"""A deterministic actor."""

from dataclasses import KW_ONLY, dataclass

from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device
from npnets.bounds import Edge, repr_with_bounds, set_bounds
from npnets.common import MLP, PreprocessNet
from npnets.common.network import Network
from npnets.common.protocols import features_of
from npnets.common.sequential import entry_of, operations_of
from npnets.common.spec import Spec
from npnets.common.trunk import NetBody, OwnBody, body, entry_of_trunk
from npnets.continuous.action_axes import axes_of, whole
from npnets.description import Bound, Shape, Sizes, cached_property, check_flags, set_fields, set_plain, shape, width
from npnets.functional import scaled
from npnets.kernels.activations import TANH
from npnets.tree import Params, Tree


@dataclass(frozen=True, repr=False)
class Actor(Network):
    """A deterministic actor, with actions squashed into their bounds: `max_action * tanh(last(preprocess(obs)))`.

    With `low` and `high`, actions are `low + (high - low) * (tanh(last(preprocess(obs))) + 1) / 2`.

    Parameters
    ----------
    preprocess_net : PreprocessNet
        Turns observations into features: `Net`, or any network with `init`, `forward` and `output_dim`.
    action_shape : int, sequence of int or Box
        Shape of an action. A Gymnasium `Box` also gives the bounds, unless there are `low` and `high`.
    hidden_sizes : sequence of int
        Widths of hidden layers after the preprocess net; by default a single linear layer follows it.
    max_action : float or sequence of float
        Bound of the actions: one number, or one for each dimension.
    device : str, int or None
        Where `init` places parameters.
    preprocess_net_output_dim : int, optional
        Number of features, for a preprocess net without `output_dim`.
    low, high : float or array of the action's shape, optional
        In place of `max_action`: the lower and the upper bound of the actions.
    flatten_action : bool
        Whether actions of several axes come out laid out in one, as in Tianshou, or whole.

    Notes
    -----
    Tianshou's ``Actor``. Parameters: `preprocess` and `last`.
    """

    preprocess_net: PreprocessNet
    action_shape: Shape
    hidden_sizes: Sizes = ()
    max_action: Bound | None = 1.0
    device: Device = "cpu"
    preprocess_net_output_dim: int | None = None
    _: KW_ONLY
    low: Edge | None = None
    high: Edge | None = None
    flatten_action: bool = True

    def __post_init__(self) -> None:
        set_plain(self)
        check_flags(self, "flatten_action")
        space = self.action_shape
        set_fields(self, action_shape=shape("action_shape", space))
        set_fields(self, hidden_sizes=self.last.hidden_sizes)
        set_bounds(self, axes_of(self.action_shape), space)

    def __repr__(self) -> str:
        return repr_with_bounds(self)

    @cached_property
    def last(self) -> MLP:
        """The MLP from features to actions."""
        features = features_of("preprocess_net", self.preprocess_net, self.preprocess_net_output_dim, takes_state=True)
        return MLP(features, self.output_dim, self.hidden_sizes, device=self.device)

    @property
    def output_dim(self) -> int:
        """Number of entries of an action."""
        return width(self.action_shape)

    def get_preprocess_net(self) -> PreprocessNet:
        """Return the preprocess net."""
        return self.preprocess_net

    def get_output_dim(self) -> int:
        """Return the number of entries of an action."""
        return self.output_dim

    @cached_property
    def spec(self) -> Spec:
        """`preprocess` and `last`."""
        return Spec({"preprocess": entry_of_trunk(self.preprocess_net), "last": entry_of(self.last)}, self.device)

    @computes_where_params
    def forward(self, params: Params, obs: object, state: Tree = None, info: object = None) -> tuple[Array, Tree]:
        """Map observations to actions.

        Parameters
        ----------
        params : dict
            As `init` made them.
        obs : (batch, ...) array
            Observations, as the preprocess net takes them.
        state : any
            For a recurrent preprocess net.
        info : any
            Accepted and unused, as in Tianshou.

        Returns
        -------
        action : (batch, actions) array
            Every entry within its bounds; without `flatten_action` `(batch, *action_shape)`.
        state
            The preprocess net's new state.
        """
        leaves = self.spec.read(params, self)
        action, state = self._body.observe(leaves, obs, state)
        action = scaled(action, self.max_action, self.low, self.high)
        return action if self.flatten_action else whole(action, axes_of(self.action_shape)), state

    @cached_property
    def _body(self) -> NetBody | OwnBody:
        return body(self.preprocess_net, operations_of(self.last, "last"), TANH, self.last.input_dim)
