"""The LSTM that the recurrent networks share: layers of parameters, and the one function that runs them over sequences.

It is no network of its own: `npnets.common.sequences` is the door that the networks bring their input through.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import npnets.numpy as nnp
from npnets.autodiff import bare
from npnets.backend import Array, namespace, parse_device
from npnets.common.sequences import Sequences, sequences
from npnets.description import call_repr, no_call, set_fields, set_plain, shape, size
from npnets.initializers import uniform_fan_in
from npnets.inputs import check_keys, check_parameters, first_leaf
from npnets.kernels.lstm import State, lstm
from npnets.tree import Params, Tree


@dataclass(frozen=True, repr=False)
class LSTM:
    """Layers of an LSTM, each reading the hidden states of the one below.

    Parameters
    ----------
    input_size, hidden_size : int
        Sizes of the last axis before and after.
    num_layers : int
        How many layers.

    Notes
    -----
    PyTorch's ``LSTM``, as Tianshou uses it; weights are stored as `(in, out)`. Parameters: `layer_0`, `layer_1`, ...,
    each with `weight_ih` `(in, 4 hidden)`, `weight_hh` `(hidden, 4 hidden)`, `bias_ih` and `bias_hh` `(4 hidden,)`;
    gates in the order input, forget, cell, output.
    """

    input_size: int
    hidden_size: int
    num_layers: int = 1

    _shapes: dict[str, dict[str, tuple[int, ...]]] = field(init=False, repr=False, compare=False)

    __repr__ = call_repr
    __call__ = no_call

    def __post_init__(self) -> None:
        set_plain(self)
        names = ("input_size", "hidden_size", "num_layers")
        set_fields(self, **{name: size(name, getattr(self, name)) for name in names})
        inputs = (self.input_size, *[self.hidden_size] * (self.num_layers - 1))
        set_fields(self, _shapes={f"layer_{n}": _shapes(width, self.hidden_size) for n, width in enumerate(inputs)})

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Params:
        """Draw parameters, evenly within one over the root of `hidden`."""
        return {
            layer: {name: uniform_fan_in(rng, shape, self.hidden_size, dtype) for name, shape in shapes.items()}
            for layer, shapes in self._shapes.items()
        }

    def sequences(
        self, params: Tree, obs: Any, state: Any, lengths: Any, resets: Any, features: int, owner: object
    ) -> Sequences:
        """Bring what a network was given to its parameters; observations have a number of `features`."""
        return sequences(
            obs,
            state,
            lengths,
            resets,
            like=first_leaf(params),
            features=features,
            layers=self.num_layers,
            hidden=self.hidden_size,
            owner=owner,
        )

    def apply(self, params: Params, given: Sequences, all_steps: bool) -> tuple[Array, dict[str, Array]]:
        """Run all layers over sequences that are past a network's door.

        Parameters
        ----------
        params : dict
            As `init` made them.
        given : Sequences
        all_steps : bool
            Whether there is an output at every step, or only at each sequence's last.

        Returns
        -------
        hidden : (batch, hidden) array
            Of the last layer at each sequence's last step; with `all_steps` `(steps * batch, hidden)`.
        state : dict
            `hidden` and `cell` of all layers after each sequence's last step, each `(batch, layers, hidden)`.
        """
        check_keys(params, tuple(self._shapes), self)
        outputs, hs, cs = given.x, [], []
        for index, name in enumerate(self._shapes):
            weights = self._weights(params[name], name, outputs)
            outputs, h, c = lstm(outputs, weights, *self._entering(given, index), given.reset, given.valid)
            hs.append(h)
            cs.append(c)
        last = outputs.reshape((-1, self.hidden_size)) if all_steps else h
        return last, {"hidden": _joined(hs), "cell": _joined(cs)}

    def _weights(self, params: Tree, layer: str, x: Array) -> tuple[Array, Array, Array, Array]:
        return tuple(check_parameters(params, self._shapes[layer], x.dtype, self))

    def _entering(self, given: Sequences, layer: int) -> State:
        """Return the hidden and cell state that enter a layer, each `(batch, hidden)`."""
        if given.state is None:
            zeros = namespace(bare(given.x)).zeros((given.x.shape[1], self.hidden_size), given.x.dtype)
            return zeros, zeros
        hidden, cell = given.state
        if self.num_layers == 1:
            shape = hidden.shape[::2]
            return hidden.reshape(shape), cell.reshape(shape)
        return hidden[:, layer], cell[:, layer]


def set_recurrent_sizes(network: Any, fewest_actions: int = 1) -> None:
    """Check what the constructors of all recurrent networks take, and store it in one form."""
    parse_device(network.device)
    set_fields(
        network,
        layer_num=size("layer_num", network.layer_num),
        state_shape=shape("state_shape", network.state_shape),
        action_shape=shape("action_shape", network.action_shape, least=fewest_actions),
        hidden_layer_size=size("hidden_layer_size", network.hidden_layer_size),
    )


def _shapes(inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
    gates = 4 * hidden
    return {"weight_ih": (inputs, gates), "weight_hh": (hidden, gates), "bias_ih": (gates,), "bias_hh": (gates,)}


def _joined(layers: list[Array]) -> Array:
    """Return the states of layers `(batch, hidden)` as one array `(batch, layers, hidden)`."""
    if len(layers) > 1:
        return nnp.stack(layers, 1)
    batch, hidden = layers[0].shape
    return layers[0].reshape((batch, 1, hidden))
