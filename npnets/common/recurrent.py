"""The recurrent network for logits or action values: a linear layer, an LSTM, a linear layer."""

from collections.abc import Mapping
from dataclasses import dataclass

from numpy.typing import ArrayLike

from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device
from npnets.common.linear import Linear
from npnets.common.lstm import LSTM, set_recurrent_sizes
from npnets.common.network import Network
from npnets.common.sequences import sequences
from npnets.common.sequential import Sequential, entry_of, part_of
from npnets.common.spec import Spec
from npnets.description import Shape, cached_property, set_plain, width
from npnets.tree import Params


@dataclass(frozen=True, repr=False)
class Recurrent(Network):
    """A network with a memory, from sequences of observations to logits or action values.

    Parameters
    ----------
    layer_num : int
        How many layers the LSTM has.
    state_shape : int or sequence of int
        Shape of one observation.
    action_shape : int or sequence of int
        Shape of the output.
    device : str, int or None
        Where `init` places parameters.
    hidden_layer_size : int
        Width of the LSTM and of the linear layer before it.

    Notes
    -----
    Tianshou's ``Recurrent``. Parameters: `first`, `lstm` and `last`.
    """

    layer_num: int
    state_shape: Shape
    action_shape: Shape
    device: Device = "cpu"
    hidden_layer_size: int = 128

    def __post_init__(self) -> None:
        set_plain(self)
        set_recurrent_sizes(self)

    @cached_property
    def first(self) -> Linear:
        """The layer from observations to the inputs of the LSTM."""
        return Linear(width(self.state_shape), self.hidden_layer_size)

    @cached_property
    def lstm(self) -> LSTM:
        """The layers of the LSTM."""
        return LSTM(self.hidden_layer_size, self.hidden_layer_size, self.layer_num)

    @cached_property
    def last(self) -> Linear:
        """The layer from the LSTM to the output."""
        return Linear(self.hidden_layer_size, self.output_dim)

    @property
    def output_dim(self) -> int:
        """Number of entries of an output."""
        return width(self.action_shape)

    @cached_property
    def spec(self) -> Spec:
        """`first`, `lstm` and `last`."""
        return Spec({"first": entry_of(self.first), "lstm": self.lstm.spec, "last": entry_of(self.last)}, self.device)

    @computes_where_params
    def forward(
        self,
        params: Params,
        obs: ArrayLike,
        state: Mapping[str, ArrayLike] | None = None,
        *,
        lengths: ArrayLike | None = None,
        resets: ArrayLike | None = None,
        all_steps: bool = False,
    ) -> tuple[Array, dict[str, Array]]:
        """Map sequences of observations to logits.

        Parameters
        ----------
        params : dict
            As `init` made them.
        obs : (batch, steps, features) or (batch, features) array
            Sequences of observations; without the axis of steps, one observation each.
        state : dict, optional
            `hidden` and `cell` before the first step, each `(batch, layers, hidden)`, as an earlier call returned
            them; zero if left out.
        lengths : (batch,) array of int, optional
            How many real steps each sequence has; the padding after them changes nothing.
        resets : (batch, steps) array of bool, optional
            True where an episode begins at that step, with a state of zeros; for one step also `(batch,)`.
        all_steps : bool
            Whether there is an output at every step, or only at each sequence's last.

        Returns
        -------
        logits : (batch, actions) array
            At each sequence's last real step; with `all_steps` `(batch, steps, actions)`.
        state : dict
            `hidden` and `cell` after that step. Derivatives go through it; `npnets.stop_gradient(state)` ends them.
        """
        leaves = self.spec.read(params, self)
        given = sequences(self, leaves, obs, state, lengths, resets)
        features = self._first.run(leaves, given.rows(given.x))
        read = given._replace(x=features.reshape((*given.x.shape[:2], self.hidden_layer_size)))
        hidden, new_state = self.lstm.run(leaves[self.spec.slices["lstm"]], read, all_steps)
        logits = self._last.run(leaves, hidden)
        return (given.by_sequence(logits) if all_steps else logits), new_state

    @cached_property
    def _first(self) -> Sequential:
        return part_of(self.spec, "first", self.first)

    @cached_property
    def _last(self) -> Sequential:
        return part_of(self.spec, "last", self.last)
