"""A critic for discrete actions: the value of observations, or of each action in them."""

from dataclasses import dataclass

from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device
from npnets.common import MLP, PreprocessNet
from npnets.common.network import Network
from npnets.common.protocols import features_of
from npnets.common.sequential import entry_of, operations_of
from npnets.common.spec import Spec
from npnets.common.trunk import NetBody, OwnBody, body, entry_of_trunk
from npnets.description import Sizes, cached_property, set_fields, set_plain, set_sizes
from npnets.tree import Params, Tree


@dataclass(frozen=True, repr=False)
class Critic(Network):
    """A critic that returns the value of each observation, or one value for each action.

    Parameters
    ----------
    preprocess_net : PreprocessNet
        Turns observations into features: `Net`, or any network with `init`, `forward` and `output_dim`.
    hidden_sizes : sequence of int
        Widths of hidden layers after the preprocess net; by default a single linear layer follows it.
    last_size : int
        Number of values: one for the value of an observation, the number of actions for the value of each.
    preprocess_net_output_dim : int, optional
        Number of features, for a preprocess net without `output_dim`.
    device : str, int or None
        Where `init` places parameters.

    Notes
    -----
    Tianshou's ``Critic`` of ``tianshou.utils.net.discrete``. Parameters: `preprocess` and `last`. Unlike the critic for
    continuous actions it takes no actions, and its preprocess net gets the observations as they come.
    """

    preprocess_net: PreprocessNet
    hidden_sizes: Sizes = ()
    last_size: int = 1
    preprocess_net_output_dim: int | None = None
    device: Device = "cpu"

    def __post_init__(self) -> None:
        set_plain(self)
        set_sizes(self, "last_size")
        set_fields(self, hidden_sizes=self.last.hidden_sizes)

    @cached_property
    def last(self) -> MLP:
        """The MLP from features to values."""
        features = features_of("preprocess_net", self.preprocess_net, self.preprocess_net_output_dim, takes_state=True)
        return MLP(features, self.last_size, self.hidden_sizes, device=self.device)

    @property
    def output_dim(self) -> int:
        """Number of values for an observation."""
        return self.last_size

    @cached_property
    def spec(self) -> Spec:
        """`preprocess` and `last`."""
        return Spec({"preprocess": entry_of_trunk(self.preprocess_net), "last": entry_of(self.last)}, self.device)

    @computes_where_params
    def forward(self, params: Params, obs: object, *, state: Tree = None) -> Array:
        """Map observations to values.

        Parameters
        ----------
        params : dict
            As `init` made them.
        obs : (batch, ...) array
            Observations, as the preprocess net takes them.
        state : any
            For a recurrent preprocess net, whose new state is not returned.

        Returns
        -------
        (batch, last_size) array
        """
        return self._body.observe(self.spec.read(params, self), obs, state)[0]

    @cached_property
    def _body(self) -> NetBody | OwnBody:
        return body(
            self.preprocess_net,
            operations_of(self.last, "last"),
            features=self.last.input_dim,
            remedy="a critic for discrete actions needs the features of a single network",
        )
