"""A deterministic actor."""

from dataclasses import dataclass

from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device
from npnets.common import MLP, PreprocessNet
from npnets.common.network import Network
from npnets.common.protocols import features_of
from npnets.common.sequential import entry_of, operations_of
from npnets.common.spec import Spec
from npnets.common.trunk import NetBody, OwnBody, body, entry_of_trunk
from npnets.description import Bound, Shape, Sizes, bound, cached_property, set_fields, set_plain, shape, width
from npnets.functional import scaled
from npnets.kernels.activations import TANH
from npnets.tree import Params, Tree


@dataclass(frozen=True, repr=False)
class Actor(Network):
    """A deterministic actor, with actions squashed into their bound: `max_action * tanh(last(preprocess(obs)))`.

    Parameters
    ----------
    preprocess_net : PreprocessNet
        Turns observations into features: `Net`, or any network with `init`, `forward` and `output_dim`.
    action_shape : int or sequence of int
        Shape of an action.
    hidden_sizes : sequence of int
        Widths of hidden layers after the preprocess net; by default a single linear layer follows it.
    max_action : float or sequence of float
        Bound of the actions: one number, or one for each dimension.
    device : str, int or None
        Where `init` places parameters.
    preprocess_net_output_dim : int, optional
        Number of features, for a preprocess net without `output_dim`.

    Notes
    -----
    Tianshou's ``Actor``. Parameters: `preprocess` and `last`.
    """

    preprocess_net: PreprocessNet
    action_shape: Shape
    hidden_sizes: Sizes = ()
    max_action: Bound = 1.0
    device: Device = "cpu"
    preprocess_net_output_dim: int | None = None

    def __post_init__(self) -> None:
        set_plain(self)
        set_fields(self, action_shape=shape("action_shape", self.action_shape))
        set_fields(self, hidden_sizes=self.last.hidden_sizes)
        set_fields(self, max_action=bound("max_action", self.max_action, self.output_dim))

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
            Every entry within `[-max_action, max_action]`.
        state
            The preprocess net's new state.
        """
        leaves = self.spec.read(params, self)
        action, state = self._body.observe(leaves, obs, state)
        return scaled(action, self.max_action), state

    @cached_property
    def _body(self) -> NetBody | OwnBody:
        return body(self.preprocess_net, operations_of(self.last, "last"), TANH, self.last.input_dim)
