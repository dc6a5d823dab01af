"""The networks of npnets that policies of other libraries become, with their parameters."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from npnets.common import Net
from npnets.files.fault import Fault
from npnets.files.quoting import listed
from npnets.interop.policies.activations import Named
from npnets.interop.policies.sequential import Dense, check_chain, params_of
from npnets.tree import Params

MOST_ADDED = 2**24
"""The most numbers in linear layers that change nothing: a small file could otherwise take any memory."""


class Body(NamedTuple):
    """The layers from an observation to a mean, to logits or to values.

    Attributes
    ----------
    net : Net
        The hidden layers.
    params : dict
        Their parameters.
    last : Dense
        The linear layer after them.
    """

    net: Net
    params: Params
    last: Dense

    @property
    def actor_params(self) -> Params:
        """The parameters of an actor, of discrete actions too."""
        return {"preprocess": self.params, "last": {"linear_0": self.last.params}}

    @property
    def net_with_output(self) -> tuple[Net, Params]:
        """A `Net` of all layers, and its parameters."""
        layers: Params = dict(self.params["model"])
        layers[f"linear_{len(layers)}"] = self.last.params
        settings = {name: getattr(self.net, name) for name in ("hidden_sizes", "activation", "act_args")}
        return Net(self.net.state_shape, self.last.weight.shape[1], **settings), {"model": layers}


def body(shape: tuple[int, ...], hidden: Sequence[Dense], last: Dense, activation: Named) -> Body:
    """Return layers whose hidden ones are all followed by one activation.

    Parameters
    ----------
    shape : tuple of int
        Shape of one observation.
    hidden : sequence of Dense
    last : Dense
    activation : Named

    Raises
    ------
    Fault
        If a layer does not take as many numbers as come out before it.
    """
    return body_of_several(shape, hidden, last, [activation] * len(hidden))


def body_of_several(shape: tuple[int, ...], hidden: Sequence[Dense], last: Dense, activations: Sequence[Named]) -> Body:
    """Return layers whose hidden ones are each followed by an activation of their own."""
    layers = [*hidden, last]
    check_chain(layers, "its layers")
    if layers[0].weight.shape[0] != math.prod(shape):
        raise Fault(
            f"its first layer takes {layers[0].weight.shape[0]} numbers, but observations have the shape {shape}"
        )
    net = Net(shape, hidden_sizes=tuple(layer.bias.size for layer in hidden), **_one_or_each(activations))
    return Body(net, {"model": params_of(hidden)}, last)


def check_identities(widths: Sequence[int]) -> None:
    """Check that linear layers that change nothing, which are not in a file, take little memory.

    Raises
    ------
    Fault
        If they take more than those of any real policy.
    """
    count = sum(width**2 for width in widths)
    if count > MOST_ADDED:
        raise Fault(
            f"it needs further linear layers of the widths {listed(widths)}, which have {count} numbers, more than the "
            f"{MOST_ADDED} that are added"
        )


def identity(width: int, dtype: np.dtype[Any]) -> Dense:
    """Return the linear layer that changes nothing."""
    return Dense(np.eye(width, dtype=dtype), np.zeros(width, dtype))


def _one_or_each(activations: Sequence[Named]) -> dict[str, Any]:
    """Return the arguments of `Net` for activations, in the shorter form where all are alike."""
    if all(one == activations[0] for one in activations):
        name, args = activations[0] if activations else Named("relu")
        return {"activation": name, **({} if args is None else {"act_args": args})}
    return {"activation": [one.name for one in activations], "act_args": [one.args for one in activations]}
