"""The layers of a `torch.nn.Sequential` in a state dict, as parameters of npnets.

A state dict names the layers of a sequence by their places, `prefix.0.weight`, `prefix.2.weight`, ...; activations have
no parameters, and leave gaps. PyTorch's weights are `(out, in)`, those of npnets `(in, out)`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from npnets.backend import Array
from npnets.files.fault import Fault
from npnets.files.quoting import listed, quoted
from npnets.tree import Params


class Dense(NamedTuple):
    """A linear layer: its weight `(in, out)`, and its bias `(out,)`, if it has one."""

    weight: Array
    bias: Array

    @property
    def params(self) -> Params:
        """Parameters of `npnets.Linear`."""
        return {"weight": self.weight, "bias": self.bias}


def linear(state: Mapping[str, Any], name: str) -> Dense:
    """Return the linear layer `name` of a state dict.

    Raises
    ------
    Fault
        If the state dict lacks it, or it has other shapes.
    """
    weight, bias = (_array(state, f"{name}.{part}") for part in ("weight", "bias"))
    if weight.ndim != 2 or bias.shape != weight.shape[:1] or 0 in weight.shape:
        shapes = f"a weight {weight.shape} and a bias {bias.shape}"
        raise Fault(
            f"its layer {quoted(name)} has {shapes}, where those of a linear layer must be (out, in) and (out,)"
        )
    return Dense(np.ascontiguousarray(weight.T), bias)


def linear_layers(state: Mapping[str, Any], prefix: str) -> list[Dense]:
    """Return the linear layers of a sequence of linear layers and activations, in order; none if it is empty.

    Parameters
    ----------
    state : mapping
        A state dict: arrays by their names.
    prefix : str
        The name of the sequence.

    Raises
    ------
    Fault
        If it has parameters of other layers, or a layer does not fit the one before it.
    """
    start = f"{prefix}."
    below = [name.removeprefix(start) for name in state if isinstance(name, str) and name.startswith(start)]
    numbers = {part.partition(".")[0] for part in below}
    expected = {f"{number}.{part}" for number in numbers for part in ("weight", "bias") if number.isdecimal()}
    if others := [f"{prefix}.{part}" for part in below if part not in expected]:
        raise Fault(f"it has {listed(others)} in {quoted(prefix)}, where only linear layers and activations are read")
    layers = [linear(state, f"{prefix}.{number}") for number in sorted(numbers, key=int)]
    check_chain(layers, prefix)
    return layers


def check_chain(layers: Sequence[Dense], what: str) -> None:
    """Check that each layer takes as many numbers as the one before it gives."""
    for before, after in zip(layers, layers[1:], strict=False):
        if before.weight.shape[1] != after.weight.shape[0]:
            raise Fault(
                f"in {quoted(what)}, a layer of {before.weight.shape[1]} outputs is followed by one of "
                f"{after.weight.shape[0]} inputs"
            )


def params_of(layers: Sequence[Dense]) -> Params:
    """Return the parameters of an `MLP` of these layers."""
    return {f"linear_{index}": layer.params for index, layer in enumerate(layers)}


def _array(state: Mapping[str, Any], name: str) -> Array:
    value = state.get(name)
    if not isinstance(value, np.ndarray):
        found = "lacks" if value is None else f"has a {type(value).__name__} as"
        raise Fault(f"it {found} {quoted(name)}, which must be an array; the file is damaged, or of another version")
    if value.dtype.kind != "f":
        raise Fault(f"its {quoted(name)} is of {value.dtype}, where floating-point numbers must be")
    return value
