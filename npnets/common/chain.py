"""A shortcut through networks that are linear layers one after the other and nothing else: all layers as one operation.

An actor is a trunk and a head, a trunk is a `Net`, a `Net` is an MLP, and each has a door of its own. Where all of them
are linear layers with activations, a `Chain` knows beforehand where in the tree their parameters lie. In one pass it
sees whether these are as usual, brings the input to them, and runs the layers together. Where anything is not as usual,
it answers with `None`: the network then goes from door to door, and at one of them it is said what is wrong.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import Traced, bare
from npnets.backend import Array
from npnets.common.linear import EnsembleLinear, Linear
from npnets.dtypes import COMPUTED, class_fault
from npnets.inputs import as_input
from npnets.kernels.linear import ActivationCall, linear_layers
from npnets.tree import Params, Tree

_PLAIN = (np.ndarray, Traced, type(None))


class Link(NamedTuple):
    """A linear layer, the activation behind it, and the keys that lead to its parameters."""

    path: tuple[str, ...]
    layer: Linear | EnsembleLinear
    activation: ActivationCall


Part = tuple[str, Sequence[Link] | None]
"""The key of a network's parameters, `""` where there is nothing else, and its links; `None` if it has other layers."""


def below(key: str, links: Sequence[Link] | None) -> tuple[Link, ...] | None:
    """Return links as they are in a tree that has theirs below a key."""
    return None if links is None else tuple(link._replace(path=(key, *link.path)) for link in links)


class Chain:
    """Linear layers that follow each other, of one or several networks whose parameters lie in one tree.

    Parameters
    ----------
    parts : sequence of (key, links)
        The networks, one after the other. If one of them has no links, or the layers do not follow each other, the
        chain is empty: it answers every call with `None`.
    then : tuple, optional
        The activation behind the last layer, which has none of its own.
    others : sequence of str
        Further keys of the tree, whose values are none of the chain's business.
    """

    def __init__(self, parts: Sequence[Part], then: ActivationCall = None, others: Sequence[str] = ()) -> None:
        links = _joined([below(key, links) if key else links for key, links in parts])
        if links and then is not None:
            links = [*links[:-1], links[-1]._replace(activation=then)] if links[-1].activation is None else []
        self._activations = tuple([link.activation for link in links])
        self._places = _Places(links, others)
        self._in_features = links[0].layer.shapes["weight"][-2] if links else 0

    def run(self, params: Tree, **inputs: Any) -> Array | None:
        """Return the last layer's answer, or `None` where parameters or inputs are not what they nearly always are.

        Parameters
        ----------
        params : dict
        **inputs : (batch, features) arrays
            By the names that an error calls them. They are brought to the parameters' device and dtype, and several of
            them put side by side.
        """
        parameters = self._gather(params)
        if parameters is None:
            return None
        arrays = [as_input(value, parameters[0], name) for name, value in inputs.items()]
        x = arrays[0] if len(arrays) == 1 else _side_by_side(arrays)
        return None if x is None else self._answer(parameters, x)

    def apply(self, params: Params, x: Array) -> Array | None:
        """Do as `run` for an array that is past a network's door, whose dtype must be the parameters'."""
        parameters = self._gather(params)
        return None if parameters is None or parameters[0].dtype != x.dtype else self._answer(parameters, x)

    def _gather(self, params: Tree) -> list[Any] | None:
        return self._places.gather(params) if self._activations else None

    def _answer(self, parameters: list[Any], x: Array) -> Array | None:
        if x.ndim != 2 or x.shape[1] != self._in_features:
            return None
        return linear_layers(x, parameters, self._activations)


def _side_by_side(arrays: list[Array]) -> Array | None:
    rows = len(arrays[0]) if arrays[0].ndim else 0
    if any(array.ndim != 2 or len(array) != rows for array in arrays):
        return None
    return nnp.concatenate(arrays, 1)


def _joined(parts: Sequence[Sequence[Link] | None]) -> list[Link]:
    """Return all links, or none if there is a part without or a layer that does not follow the one before."""
    links = [link for part in parts for link in part or ()]
    pairs = zip(links, links[1:], strict=False)
    whole = all(part is not None for part in parts) and all(link.layer.follows(before.layer) for before, link in pairs)
    return links if whole else []


class _Places:
    """Where in a tree of parameters the layers' weights and biases lie, found in one pass that takes little time.

    Each dict is found in one that was found before: `(its place in the list, key, number of keys)`.
    """

    def __init__(self, links: Sequence[Link], others: Sequence[str]) -> None:
        paths = list(dict.fromkeys(link.path[:depth] for link in links for depth in range(len(link.path) + 1)))
        sizes = {path: sum(other[:-1] == path for other in paths if other) for path in paths}
        sizes |= {link.path: len(link.layer.shapes) for link in links}
        self.size, self.others = sizes.get((), 0) + len(others), tuple(others)
        self.dicts = [(paths.index(path[:-1]), path[-1], sizes[path]) for path in paths if path]
        self.layers: list[Any] = [(paths.index(k.path), *map(k.layer.shapes.get, ("weight", "bias"))) for k in links]

    def gather(self, params: Any) -> list[Any] | None:
        """Return each layer's weight and bias, in turn, or `None` if anything is not as it should be."""
        if type(params) is not dict or len(params) != self.size or not all(map(params.__contains__, self.others)):
            return None
        dicts = [params]
        for place, key, size in self.dicts:
            part = dicts[place].get(key)
            if type(part) is not dict or len(part) != size:
                return None
            dicts.append(part)
        return self._of_layers(dicts)

    def _of_layers(self, dicts: list[Any]) -> list[Any] | None:
        found: list[Any] = []
        dtype = None
        for place, weight_shape, bias_shape in self.layers:
            weight, bias = dicts[place].get("weight"), dicts[place].get("bias")
            if getattr(weight, "shape", None) != weight_shape or getattr(bias, "shape", None) != bias_shape:
                return None
            dtype = dtype or weight.dtype
            if weight.dtype != dtype or (bias is not None and bias.dtype != dtype):
                return None
            found += (weight, bias)
        is_plain = all([type(array) in _PLAIN or class_fault(bare(array)) is None for array in found])
        return found if dtype in COMPUTED and is_plain else None
