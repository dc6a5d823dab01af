"""An actor with a memory that returns a normal distribution."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass

from numpy.typing import ArrayLike

from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device
from npnets.bounds import Edge, repr_with_bounds
from npnets.common import Linear
from npnets.common.lstm import LSTM, set_recurrent_sizes
from npnets.common.network import Network
from npnets.common.sequences import sequences
from npnets.common.sequential import Sequential, entry_of, part_of
from npnets.common.spec import Spec
from npnets.continuous.gaussian_head import SIGMA, outputs, set_bounds_of_mean, sigma_of_spec
from npnets.description import Bound, Shape, cached_property, check_flags, set_plain, width
from npnets.kernels.activations import TANH
from npnets.kernels.shared_sigma import shared_sigma
from npnets.tree import Params


@dataclass(frozen=True, repr=False)
class RecurrentActorProb(Network):
    """An actor with a memory, from sequences of observations to normal distributions over actions.

    Parameters
    ----------
    layer_num : int
        How many layers the LSTM has.
    state_shape : int or sequence of int
        Shape of one observation.
    action_shape : int, sequence of int or Box
        Shape of an action. A Gymnasium `Box` also gives the bounds, unless there are `low` and `high`.
    hidden_layer_size : int
        Width of the LSTM.
    max_action : float or sequence of float
        Bound of the mean: one number, or one for each dimension.
    device : str, int or None
        Where `init` places parameters.
    unbounded : bool
        Whether the mean is left unsquashed; `max_action` is then discarded, with a warning if it was set.
    conditioned_sigma : bool
        Whether the standard deviation is computed from the observations; else it is a parameter of its own.
    low, high : float or array of the action's shape, optional
        In place of `max_action`: the lower and the upper bound of the mean. With
        `unbounded` they are those of a distribution that squashes, `SquashedGaussian.from_actor`.
    flatten_action : bool
        Whether mean and standard deviation of several axes come out laid out in one, as in Tianshou, or whole.

    Notes
    -----
    Tianshou's ``RecurrentActorProb``. Parameters: `lstm`, `mu`, and `sigma` (with `conditioned_sigma`) or `log_sigma`
    `(actions,)`.
    """

    layer_num: int
    state_shape: Shape
    action_shape: Shape
    hidden_layer_size: int = 128
    max_action: Bound | None = 1.0
    device: Device = "cpu"
    unbounded: bool = False
    conditioned_sigma: bool = False
    _: KW_ONLY
    low: Edge | None = None
    high: Edge | None = None
    flatten_action: bool = True

    def __post_init__(self) -> None:
        set_plain(self)
        check_flags(self, "unbounded", "conditioned_sigma", "flatten_action")
        space = self.action_shape
        set_recurrent_sizes(self)
        set_bounds_of_mean(self, space)

    def __repr__(self) -> str:
        return repr_with_bounds(self)

    @cached_property
    def lstm(self) -> LSTM:
        """The layers of the LSTM."""
        return LSTM(width(self.state_shape), self.hidden_layer_size, self.layer_num)

    @cached_property
    def head(self) -> Linear:
        """The layer from the LSTM to the mean; a conditioned sigma has one of the same form."""
        return Linear(self.hidden_layer_size, self.output_dim)

    @property
    def output_dim(self) -> int:
        """Number of entries of an action."""
        return width(self.action_shape)

    @cached_property
    def spec(self) -> Spec:
        """`lstm`, `mu`, and `sigma` or `log_sigma`, which begins at zero."""
        sigma = sigma_of_spec(self.head, self.output_dim, self.conditioned_sigma)
        return Spec({"lstm": self.lstm.spec, "mu": entry_of(self.head), **sigma}, self.device)

    @computes_where_params
    def forward(
        self,
        params: Params,
        obs: ArrayLike,
        state: Mapping[str, ArrayLike] | None = None,
        info: object = None,
        *,
        lengths: ArrayLike | None = None,
        resets: ArrayLike | None = None,
        all_steps: bool = False,
    ) -> tuple[tuple[Array, Array], dict[str, Array]]:
        """Map sequences of observations to distributions over actions.

        Parameters
        ----------
        params : dict
            As `init` made them.
        obs : (batch, steps, features) or (batch, features) array
            Sequences of observations; without the axis of steps, one observation each.
        state : dict, optional
            `hidden` and `cell` before the first step, each `(batch, layers, hidden)`, as an earlier call returned
            them; zero if left out.
        info : any
            Accepted and unused, as in Tianshou.
        lengths : (batch,) array of int, optional
            How many real steps each sequence has; the padding after them changes nothing.
        resets : (batch, steps) array of bool, optional
            True where an episode begins at that step, with a state of zeros; for one step also `(batch,)`.
        all_steps : bool
            Whether there is an output at every step, or only at each sequence's last.

        Returns
        -------
        (mu, sigma) : two (batch, actions) arrays
            Mean, within its bounds unless unbounded, and standard deviation, at each sequence's last real step; with
            `all_steps` `(batch, steps, actions)`. Without `flatten_action` `action_shape` takes the place of `actions`.
        state : dict
            `hidden` and `cell` after that step. Derivatives go through it; `npnets.stop_gradient(state)` ends them.
        """
        leaves = self.spec.read(params, self)
        given = sequences(self, leaves, obs, state, lengths, resets)
        hidden, new_state = self.lstm.run(leaves[self.spec.slices["lstm"]], given, all_steps)
        mu = self._mu.run(leaves, hidden)
        if self.conditioned_sigma:
            sigma = self._sigma.run(leaves, hidden)
        else:
            sigma = shared_sigma(leaves[-1], mu.shape)
        if all_steps:
            mu, sigma = given.by_sequence(mu), given.by_sequence(sigma)
        return outputs(self, mu, sigma), new_state

    @cached_property
    def _mu(self) -> Sequential:
        return part_of(self.spec, "mu", self.head, then=None if self.unbounded else TANH)

    @cached_property
    def _sigma(self) -> Sequential:
        return part_of(self.spec, "sigma", self.head, SIGMA)
