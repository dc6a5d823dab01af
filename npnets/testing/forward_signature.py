"""The protocol of a network, the arguments that its `forward` takes, and checks that all of them can be supplied."""

import inspect
from collections.abc import Callable
from typing import Protocol

from npnets.normalization.network import unwrapped
from npnets.testing.quantiles import supplied_to
from npnets.testing.shapes import Row
from npnets.tree import Tree

_SUPPLIED = {"act", "action", "s2", "state", "noise", "rng"}
_FOR_SEQUENCES = {"lengths", "resets", "all_steps"}


class Network(Protocol):
    """A network: `init(rng)` returns parameters, and `forward(params, obs, ...)` returns outputs.

    It also needs `output_dim`, unless it is one of npnets' layers.
    """

    @property
    def init(self) -> Callable[..., Tree]:
        """Draw parameters."""

    @property
    def forward(self) -> Callable[..., object]:
        """Map parameters and observations to an output, or to a pair (output, new state)."""


def argument_names(net: Network) -> tuple[str, ...]:
    """Return the names of the arguments after the observations, once it is checked that all can be supplied."""
    if isinstance(net, type) or not (hasattr(net, "init") and hasattr(net, "forward")):
        raise TypeError(f"a network has init(rng), forward(params, obs, ...) and output_dim, but is {net!r:.80}")
    every = list(inspect.signature(net.forward).parameters.values())
    _check_observations(net, every)
    arguments = [p for p in every[2:] if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    supplied = _SUPPLIED | supplied_to(net)
    unknown = [p.name for p in arguments if p.default is p.empty and p.name not in supplied]
    if unknown:
        raise TypeError(
            f"forward of {net!r:.80} requires {unknown}, which check_network cannot supply; give them defaults, or "
            "wrap the network in one that supplies them"
        )
    return tuple(p.name for p in arguments)


def _check_observations(net: Network, arguments: list[inspect.Parameter]) -> None:
    kinds = [p.kind for p in arguments]
    positional = kinds.count(inspect.Parameter.POSITIONAL_ONLY) + kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if positional < 2 and inspect.Parameter.VAR_POSITIONAL not in kinds:
        raise TypeError(
            f"forward of a network is forward(params, obs, ...), but that of {net!r:.80} takes "
            f"({', '.join(p.name for p in arguments)}); let it take the parameters and the observations"
        )


def check_action_shape(net: Network, action: Row | None) -> None:
    """Check that the shape of actions is known if `forward` requires actions."""
    arguments = inspect.signature(net.forward).parameters
    required = [name for name in ("act", "action") if name in arguments and arguments[name].default is inspect._empty]
    if required and action is None:
        raise TypeError(
            f"the shape of actions cannot be read from {net!r:.80}; pass it: check_network(net, action_shape=6)"
        )


def takes_sequences(net: Network, names: tuple[str, ...]) -> bool:
    """Whether observations may be `(batch, steps, ...)`: if `forward` or that of the trunk takes lengths or resets."""
    if _FOR_SEQUENCES & set(names):
        return True
    trunk = unwrapped(getattr(net, "preprocess_net", None))
    return "state" in names and trunk is not None and bool(_FOR_SEQUENCES & set(argument_names(trunk)))
