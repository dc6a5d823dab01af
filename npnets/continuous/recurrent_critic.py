"""A critic with a memory: the value of sequences of observations, or of observations and actions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, overload

from numpy.typing import ArrayLike

import npnets.numpy as nnp
from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device
from npnets.common import Linear
from npnets.common.lstm import LSTM, set_recurrent_sizes
from npnets.common.network import Network
from npnets.common.sequences import Sequences, sequences
from npnets.common.sequential import Leaves, Sequential, entry_of, part_of
from npnets.common.spec import Spec
from npnets.description import Shape, cached_property, set_plain, width
from npnets.inputs import as_input, first_leaf
from npnets.tree import Params


@dataclass(frozen=True, repr=False)
class RecurrentCritic(Network):
    """A critic with a memory, from sequences of observations, and actions, to values.

    Parameters
    ----------
    layer_num : int
        How many layers the LSTM has.
    state_shape : int or sequence of int
        Shape of one observation.
    action_shape : int or sequence of int
        Shape of an action; zero for the value of observations alone.
    device : str, int or None
        Where `init` places parameters.
    hidden_layer_size : int
        Width of the LSTM.

    Notes
    -----
    Tianshou's ``RecurrentCritic``. Parameters: `lstm` and `last`. Actions do not pass through the LSTM: they
    are concatenated to its output.
    """

    layer_num: int
    state_shape: Shape
    action_shape: Shape = 0
    device: Device = "cpu"
    hidden_layer_size: int = 128

    def __post_init__(self) -> None:
        set_plain(self)
        set_recurrent_sizes(self, fewest_actions=0)

    @cached_property
    def lstm(self) -> LSTM:
        """The layers of the LSTM."""
        return LSTM(width(self.state_shape), self.hidden_layer_size, self.layer_num)

    @cached_property
    def last(self) -> Linear:
        """The layer from the LSTM, and an action beside it, to the value."""
        return Linear(self.hidden_layer_size + self._actions, 1)

    @property
    def output_dim(self) -> int:
        """One, the number of entries of an output."""
        return 1

    @cached_property
    def spec(self) -> Spec:
        """`lstm` and `last`."""
        return Spec({"lstm": self.lstm.spec, "last": entry_of(self.last)}, self.device)

    @overload
    def forward(
        self,
        params: Params,
        obs: ArrayLike,
        act: ArrayLike | None = None,
        info: object = None,
        *,
        state: Mapping[str, ArrayLike] | None = None,
        lengths: ArrayLike | None = None,
        resets: ArrayLike | None = None,
        all_steps: bool = False,
        return_state: Literal[False] = False,
    ) -> Array: ...

    @overload
    def forward(
        self,
        params: Params,
        obs: ArrayLike,
        act: ArrayLike | None = None,
        info: object = None,
        *,
        state: Mapping[str, ArrayLike] | None = None,
        lengths: ArrayLike | None = None,
        resets: ArrayLike | None = None,
        all_steps: bool = False,
        return_state: Literal[True],
    ) -> tuple[Array, dict[str, Array]]: ...

    @computes_where_params
    def forward(
        self,
        params: Params,
        obs: ArrayLike,
        act: ArrayLike | None = None,
        info: object = None,
        *,
        state: Mapping[str, ArrayLike] | None = None,
        lengths: ArrayLike | None = None,
        resets: ArrayLike | None = None,
        all_steps: bool = False,
        return_state: bool = False,
    ) -> Array | tuple[Array, dict[str, Array]]:
        """Map sequences of observations, and actions if the critic is made for them, to values.

        Parameters
        ----------
        params : dict
            As `init` made them.
        obs : (batch, steps, features) or (batch, features) array
            Sequences of observations; without the axis of steps, one observation each.
        act : (batch, actions) array, optional
            The action at each sequence's last real step; with `all_steps` `(batch, steps, actions)`.
        info : any
            Accepted and unused, as in Tianshou.
        state : dict, optional
            `hidden` and `cell` before the first step, each `(batch, layers, hidden)`, as an earlier call returned
            them; zero if left out.
        lengths : (batch,) array of int, optional
            How many real steps each sequence has; the padding after them changes nothing.
        resets : (batch, steps) array of bool, optional
            True where an episode begins at that step, with a state of zeros; for one step also `(batch,)`.
        all_steps : bool
            Whether there is an output at every step, or only at each sequence's last.
        return_state : bool
            Whether the new state is returned too.

        Returns
        -------
        value : (batch, 1) array
            At each sequence's last real step; with `all_steps` `(batch, steps, 1)`.
        state : dict
            With `return_state`: `hidden` and `cell` after that step. Derivatives go through it;
            `npnets.stop_gradient(state)` ends them.
        """
        _check_no_state(act=act, info=info)
        leaves = self.spec.read(params, self)
        given = sequences(self, leaves, obs, state, lengths, resets)
        actions = None if act is None and not self._actions else self._action_rows(act, given, leaves, all_steps)
        hidden, new_state = self.lstm.run(leaves[self.spec.slices["lstm"]], given, all_steps)
        value = self._last.run(leaves, hidden if actions is None else nnp.concatenate([hidden, actions], 1))
        value = given.by_sequence(value) if all_steps else value
        return (value, new_state) if return_state else value

    @cached_property
    def _last(self) -> Sequential:
        return part_of(self.spec, "last", self.last)

    def _action_rows(self, act: object, given: Sequences, leaves: Leaves, all_steps: bool) -> Array:
        """Return actions as rows in the order of the LSTM's."""
        steps, batch = given.x.shape[:2]
        expected = (batch, steps, self._actions) if all_steps else (batch, self._actions)
        if act is None or not self._actions:
            came = "no act" if act is None else f"an act, although action_shape is {self.action_shape}"
            raise ValueError(f"{self!r} was given {came}; {_remedy(expected, self._actions)}")
        found = as_input(act, first_leaf(leaves), "act")
        if found.shape != expected and (not all_steps or steps > 1 or found.shape != (batch, self._actions)):
            raise ValueError(
                f"{self!r} expected act of shape {expected}, {'every' if all_steps else 'the last'} step's for obs of "
                f"{batch} sequences and {steps} steps, but got {found.shape}; {_other(all_steps)}"
            )
        if not all_steps:
            return found
        return given.rows(found.reshape((batch, steps, self._actions)).swapaxes(0, 1))

    @property
    def _actions(self) -> int:
        return width(self.action_shape)


def _check_no_state(**arguments: object) -> None:
    """Check that no recurrent state was passed as another argument, which would ignore it."""
    for name, value in arguments.items():
        if isinstance(value, dict) and {"hidden", "cell"} <= value.keys():
            raise TypeError(f"{name} is a recurrent state; a critic takes it by keyword: forward(..., state=state)")


def _remedy(expected: tuple[int, ...], actions: int) -> str:
    if actions:
        return f"its value is that of an observation and an action: pass act of shape {expected}"
    return "make the critic with the shape of an action to value observations and actions"


def _other(all_steps: bool) -> str:
    return "for the last step's alone leave all_steps out" if all_steps else "for every step's pass all_steps=True"
