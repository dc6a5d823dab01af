"""Widths and norms of a `Net` or `MLP` of Tianshou, read from the names and shapes in its state dict.

Layers are numbered with their activations, which have no parameters: `model.0.weight`, `model.2.weight`, ...
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from npnets.files.fault import Fault
from npnets.files.quoting import listed, quoted

_LAYER = re.compile(r"(\d{1,6})\.(weight|bias)")


class Layers(NamedTuple):
    """The linear layers of an `MLP`: their inputs and outputs, and which others are between them."""

    inputs: int
    outputs: tuple[int, ...]
    norms: tuple[bool, ...]
    has_activations: bool


def layers_of(part: Mapping[str, Any], prefix: str) -> Layers | None:
    """Return the layers below a prefix, `None` if there are none.

    Raises
    ------
    Fault
        If there are other layers than linear ones and layer norms.
    """
    shapes = _weights(part, prefix)
    if not shapes:
        return None
    places = [place for place, shape in sorted(shapes.items()) if len(shape) == 2]
    norms = [place + 1 in shapes and len(shapes[place + 1]) == 1 for place in places]
    odd = [place for place, shape in shapes.items() if len(shape) != 2 and place - 1 not in places]
    if not places or odd or len(shapes) != len(places) + sum(norms):
        raise Fault(f"it has layers in {quoted(prefix)} that are neither linear nor layer norms")
    steps = [after - before - norm for before, after, norm in zip(places, places[1:], norms, strict=False)]
    if len(set(steps)) > 1 or not set(steps) <= {1, 2}:
        raise Fault(
            f"its layers in {quoted(prefix)} are numbered {places}; expected a linear layer, a norm or none, "
            "and an activation in turn"
        )
    outputs = tuple(shapes[place][0] for place in places)
    inputs = [shapes[place][1] for place in places]
    if inputs[1:] != list(outputs[:-1]) or 0 in outputs or 0 in inputs:
        raise Fault(
            f"its layers in {quoted(prefix)} do not follow each other: they have the shapes "
            f"{listed([shapes[place] for place in places])}"
        )
    return Layers(inputs[0], outputs, tuple(norms), steps != [] and steps[0] == 2 or not steps)


def _weights(part: Mapping[str, Any], prefix: str) -> dict[int, tuple[int, ...]]:
    """Return the shape of each layer's weight, by its number."""
    below = {name.removeprefix(f"{prefix}."): value for name, value in part.items() if name.startswith(f"{prefix}.")}
    shapes: dict[int, tuple[int, ...]] = {}
    for name, value in below.items():
        layer = _LAYER.fullmatch(name)
        if layer is None or not isinstance(value, np.ndarray):
            raise Fault(f"it has {quoted(f'{prefix}.{name}')}, where weights and biases of linear layers must be")
        if layer[2] == "weight":
            shapes[int(layer[1])] = value.shape
    return shapes
