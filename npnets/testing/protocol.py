"""The protocol of a network that can be property-tested."""

from collections.abc import Callable
from typing import Protocol

from npnets.tree import Tree


class Network(Protocol):
    """A network: `init(rng)` returns parameters, and `forward(params, obs, ...)` returns outputs.

    It also needs `output_dim`, unless it is one of npnets' layers.
    """

    @property
    def init(self) -> Callable[..., Tree]:
        """Draw parameters."""
        ...

    @property
    def forward(self) -> Callable[..., object]:
        """Map parameters and observations to an output, or to a pair (output, new state)."""
        ...
