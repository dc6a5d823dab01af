"""An actor that returns a normal distribution."""

from dataclasses import KW_ONLY, dataclass

from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device
from npnets.bounds import Edge, repr_with_bounds
from npnets.common import MLP, PreprocessNet
from npnets.common.network import Network
from npnets.common.protocols import features_of
from npnets.common.sequential import Sequential, entry_of, operations_of, part_of
from npnets.common.spec import Spec
from npnets.common.trunk import NetBody, OwnBody, body, entry_of_trunk
from npnets.continuous.gaussian_head import SIGMA, outputs, set_bounds_of_mean, sigma_of_spec
from npnets.description import Bound, Shape, Sizes, cached_property, check_flags, set_fields, set_plain, shape, width
from npnets.kernels.activations import TANH, Activation
from npnets.kernels.shared_sigma import shared_sigma
from npnets.tree import Params, Tree


@dataclass(frozen=True, repr=False)
class ActorProb(Network):
    """An actor that returns the mean and the standard deviation of a normal distribution over actions.

    Parameters
    ----------
    preprocess_net : PreprocessNet
        Turns observations into features.
    action_shape : int, sequence of int or Box
        Shape of an action. A Gymnasium `Box` also gives the bounds, unless there are `low` and `high`.
    hidden_sizes : sequence of int
        Widths of hidden layers after the preprocess net, for the mean and for a conditioned sigma.
    max_action : float or sequence of float
        Bound of the mean: one number, or one for each dimension.
    device : str, int or None
        Where `init` places parameters.
    unbounded : bool
        Whether the mean is left unsquashed; `max_action` is then discarded, with a warning if it was set.
    conditioned_sigma : bool
        Whether the standard deviation is computed from the observation; else it is a parameter of its own.
    preprocess_net_output_dim : int, optional
        Number of features, for a preprocess net without `output_dim`.
    low, high : float or array of the action's shape, optional
        In place of `max_action`: the lower and the upper bound of the mean. With
        `unbounded` they are those of a distribution that squashes, `SquashedGaussian.from_actor`.
    flatten_action : bool
        Whether mean and standard deviation of several axes come out laid out in one, as in Tianshou, or whole.

    Notes
    -----
    Tianshou's ``ActorProb``. Parameters: `preprocess`, `mu`, and `sigma` (with `conditioned_sigma`) or `log_sigma`
    `(actions,)`.
    """

    preprocess_net: PreprocessNet
    action_shape: Shape
    hidden_sizes: Sizes = ()
    max_action: Bound | None = 1.0
    device: Device = "cpu"
    unbounded: bool = False
    conditioned_sigma: bool = False
    preprocess_net_output_dim: int | None = None
    _: KW_ONLY
    low: Edge | None = None
    high: Edge | None = None
    flatten_action: bool = True

    def __post_init__(self) -> None:
        set_plain(self)
        check_flags(self, "unbounded", "conditioned_sigma", "flatten_action")
        space = self.action_shape
        set_fields(self, action_shape=shape("action_shape", space))
        set_fields(self, hidden_sizes=self.head.hidden_sizes)
        set_bounds_of_mean(self, space)

    def __repr__(self) -> str:
        return repr_with_bounds(self)

    @cached_property
    def head(self) -> MLP:
        """The MLP from features to the mean; a conditioned sigma has one of the same form."""
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
        """`preprocess`, `mu`, and `sigma` or `log_sigma`, which begins at zero."""
        heads = {"preprocess": entry_of_trunk(self.preprocess_net), "mu": entry_of(self.head)}
        sigma = sigma_of_spec(self.head, self.output_dim, self.conditioned_sigma)
        return Spec({**heads, **sigma}, self.device)

    @computes_where_params
    def forward(
        self, params: Params, obs: object, state: Tree = None, info: object = None
    ) -> tuple[tuple[Array, Array], Tree]:
        """Map observations to distributions over actions.

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
        (mu, sigma) : two (batch, actions) arrays
            Mean, within its bounds unless unbounded, and standard deviation; without `flatten_action` both
            `(batch, *action_shape)`.
        state
            The preprocess net's new state (Tianshou 1.0.0 gives the old one).
        """
        leaves = self.spec.read(params, self)
        x, state = self._body.observe(leaves, obs, state)
        if self.conditioned_sigma:
            mu, sigma = self._mu.run(leaves, x), self._sigma.run(leaves, x)
        else:
            mu, sigma = x, shared_sigma(leaves[-1], x.shape)
        return outputs(self, mu, sigma), state

    @cached_property
    def _body(self) -> NetBody | OwnBody:
        """The trunk; with a sigma of its own, which needs no features, also the head for the mean."""
        head, then = ((), None) if self.conditioned_sigma else (operations_of(self.head, "mu"), self._squash)
        return body(self.preprocess_net, head, then, self.head.input_dim)

    @cached_property
    def _mu(self) -> Sequential:
        return part_of(self.spec, "mu", self.head, self._squash)

    @cached_property
    def _sigma(self) -> Sequential:
        return part_of(self.spec, "sigma", self.head, SIGMA)

    @property
    def _squash(self) -> Activation | None:
        return None if self.unbounded else TANH
