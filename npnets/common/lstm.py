"""The LSTM of the recurrent networks: its layers' parameters, and the method that runs them over sequences.

It runs inside the recurrent networks only, on inputs that `npnets.common.sequences` has validated.
"""

from dataclasses import dataclass
from typing import Any

import npnets.numpy as nnp
from npnets.autodiff import bare
from npnets.backend import Array, namespace, parse_device
from npnets.common.network import Network
from npnets.common.sequences import Sequences
from npnets.common.sequential import Leaves
from npnets.common.spec import Parameter, Spec, Uniform
from npnets.description import cached_property, set_fields, set_plain, set_sizes, shape
from npnets.kernels.lstm import State, lstm


@dataclass(frozen=True, repr=False)
class LSTM(Network):
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

    def __post_init__(self) -> None:
        set_plain(self)
        set_sizes(self, "input_size", "hidden_size", "num_layers")

    @cached_property
    def spec(self) -> Spec:
        """`layer_0`, `layer_1`, ..., drawn evenly within one over the root of `hidden`."""
        inputs = (self.input_size, *[self.hidden_size] * (self.num_layers - 1))
        return Spec({f"layer_{n}": _layer(width, self.hidden_size) for n, width in enumerate(inputs)})

    def run(self, leaves: Leaves, given: Sequences, all_steps: bool) -> tuple[Array, dict[str, Array]]:
        """Run all layers over sequences that have been validated.

        Parameters
        ----------
        leaves : sequence
            The LSTM's own, four for each layer.
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
        outputs, hs, cs = given.x, [], []
        for layer in range(self.num_layers):
            weights = tuple(leaves[4 * layer : 4 * layer + 4])
            outputs, h, c = lstm(outputs, weights, *self._entering(given, layer), given.reset, given.valid)
            hs.append(h)
            cs.append(c)
        last = outputs.reshape((-1, self.hidden_size)) if all_steps else h
        return last, {"hidden": _joined(hs), "cell": _joined(cs)}

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
    set_sizes(network, "layer_num", "hidden_layer_size")
    set_fields(network, state_shape=shape("state_shape", network.state_shape))
    set_fields(network, action_shape=shape("action_shape", network.action_shape, least=fewest_actions))


def _layer(inputs: int, hidden: int) -> Spec:
    shapes = {"weight_ih": (inputs, 4 * hidden), "weight_hh": (hidden, 4 * hidden)}
    biases = {"bias_ih": (4 * hidden,), "bias_hh": (4 * hidden,)}
    return Spec({name: Parameter(shape, Uniform(hidden)) for name, shape in {**shapes, **biases}.items()})


def _joined(layers: list[Array]) -> Array:
    """Return the states of layers `(batch, hidden)` as one array `(batch, layers, hidden)`."""
    if len(layers) > 1:
        return nnp.stack(layers, 1)
    batch, hidden = layers[0].shape
    return layers[0].reshape((batch, 1, hidden))
