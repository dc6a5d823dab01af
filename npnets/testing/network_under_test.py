"""The network under test: which inputs its `forward` takes, how it is called, and what it returns.

All of this is read from the signature of `forward`, from the description, or from the arguments of `check_network`.
Laws call a network only in this way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from hypothesis import find, settings
from hypothesis.strategies import SearchStrategy

from npnets import tree
from npnets.backend import Array, device_of, to_device
from npnets.continuous import VAE
from npnets.description import Shape, cached_property
from npnets.discrete import IntrinsicCuriosityModule
from npnets.normalization.network import unwrapped
from npnets.testing.arrays import is_array, parameters_from
from npnets.testing.forward_signature import Network, argument_names, check_action_shape, takes_sequences
from npnets.testing.law import Violation
from npnets.testing.quantiles import fraction_rows, output_rows, outputs_of, with_fractions
from npnets.testing.shapes import (
    Row,
    action_row,
    as_row,
    choices_of,
    members_of,
    observation_row,
    output_row,
    returns_state,
)
from npnets.tree import Tree

Inputs: TypeAlias = dict[str, Tree]
"""Arguments of `forward` by name: `obs`, and those of `act`, `s2`, `noise` and `rng` (a seed) that it takes."""


CURIOSITY = "mse_loss"
"""The output of the curiosity module that is one number for each row."""


class Result(NamedTuple):
    """The output arrays of `forward` by name, and the new state."""

    outputs: dict[str, Array]
    state: Tree

    def as_tree(self) -> Tree:
        """Return one tree, whose paths appear in errors."""
        return {**self.outputs, "state": self.state}


@dataclass(frozen=True)
class NetworkUnderTest:
    """A network and what the laws must know of it.

    `inner` is the network without the stage that normalizes observations, which changes only their shape.
    `observation`, `action` and `output` are shapes of one row; `action` is `None` if `forward` takes no actions.
    `names` are the arguments of `forward` after the observations. `members` is the size of an ensemble, or `None`.
    """

    net: Network
    inner: Network
    names: tuple[str, ...]
    observation: Row
    action: Row | None
    output: Row
    members: int | None
    takes_sequences: bool
    obs: Callable[[int], SearchStrategy[Tree]] | None = None

    @cached_property
    def rows(self) -> dict[str, Row]:
        """The shapes of one row of observations, actions, following observations and noise that `forward` takes."""
        latent = getattr(self.inner, "latent_dim", None)
        noise = (latent,) if "noise" in self.names and latent is not None else None
        following = self.observation if "s2" in self.names else None
        shapes = {"obs": self.observation, "act": self.action, "s2": following, "noise": noise}
        shapes |= fraction_rows(self.inner)
        return {name: row for name, row in shapes.items() if row is not None}

    @property
    def choices(self) -> int | None:
        """The number of choices for each entry of the actions that `forward` takes, if they are discrete."""
        return choices_of(self.inner) if "act" in self.rows else None

    @property
    def needs_rng(self) -> bool:
        """Whether `forward` draws numbers with the generator it is passed, and takes no noise instead."""
        return "rng" in self.names and not self.rows.keys() & {"noise", "taus"}

    @cached_property
    def device(self) -> str:
        """The device of the network's parameters."""
        leaves = tree.leaves(parameters_from(self.net, 0))
        return device_of(leaves[0]) if leaves else "cpu"

    @cached_property
    def is_recurrent(self) -> bool:
        """Whether `forward` returns a state when it is passed none."""
        return "state" in self.names and any(leaf is not None for leaf in tree.leaves(self.state_like(2)))

    @property
    def is_sequential(self) -> bool:
        """Whether it is recurrent and takes `(batch, steps, ...)` of any floating-point numbers."""
        return self.is_recurrent and self.takes_sequences and self.obs is None

    def state_like(self, batch: int) -> Tree:
        """Return the state that `forward` returns for a batch; `None` if it fails, which a law reports."""
        try:
            return self.call(self.net, parameters_from(self.net, 0), self.zeros(batch)).state
        except Violation:
            return None

    @cached_property
    def state_axes(self) -> Tree:
        """The axis of each leaf of a state for the rows of a batch, -1 for a leaf without such an axis."""
        return tree.map(_differing_axis, self.state_like(2), self.state_like(3))

    def output_shape(self, name: str, batch: int) -> Row:
        """Return the shape that an output must have."""
        row = (self.inner.latent_dim,) if isinstance(self.inner, VAE) and name != "reconstruction" else self.output
        row = () if name == CURIOSITY else output_rows(self.inner).get(name, row)
        return (*([] if self.members is None else [self.members]), batch, *row)

    def call(self, net: Network, params: Tree, inputs: Inputs, state: Tree = None, **options: Tree) -> Result:
        """Call the `forward` of this network or of a copy; if it fails or returns no arrays, raise `Violation`."""
        arguments = self._arguments(inputs, state) | options
        try:
            returned = net.forward(params, inputs["obs"], **arguments)
        except Exception as error:
            shapes = {name: np.shape(value) for name, value in inputs.items()}
            raise Violation(
                f"an output for inputs of the shapes {shapes}",
                f"{type(error).__name__}: {error}",
                "see the traceback above; or the state_shape or action_shape passed to check_network is not that of "
                "the network",
            ) from error
        output, new_state = _pair(returned) if "state" in self.names else (returned, None)
        return Result(self._by_name(output), new_state)

    def _arguments(self, inputs: Inputs, state: Tree) -> dict[str, object]:
        action = "action" if "action" in self.names else "act"
        arguments = {action if name == "act" else name: value for name, value in inputs.items() if name != "obs"}
        if "rng" in inputs:
            arguments["rng"] = np.random.default_rng(inputs["rng"])
        if state is not None:
            arguments["state"] = state
        if "return_state" in self.names:
            arguments["return_state"] = True
        return with_fractions(self.inner, arguments)

    def _by_name(self, output: Tree) -> dict[str, Array]:
        parts = output if isinstance(output, (tuple, list)) else [output]
        quantiles = outputs_of(self.inner, parts)
        if not all(is_array(part) for part in (parts if quantiles is None else quantiles.values())):
            types = [type(part).__name__ for part in parts]
            cause = "forward returns something else, or a new state although it has no argument state"
            raise Violation("an array, or a tuple of arrays", str(types), cause)
        if quantiles is not None:
            return quantiles
        if isinstance(self.inner, VAE):
            return dict(zip(("reconstruction", "mean", "std"), parts, strict=True))
        if isinstance(self.inner, IntrinsicCuriosityModule):
            return dict(zip((CURIOSITY, "act_hat"), parts, strict=True))
        if len(parts) == 2:
            return {"mu": parts[0], "sigma": parts[1]}
        return {"output": parts[0]} if len(parts) == 1 else {f"output[{n}]": part for n, part in enumerate(parts)}

    def zeros(self, batch: int) -> Inputs:
        """Return inputs of zeros on the network's device; observations from `obs` if there is such a strategy."""
        inputs: Inputs = {name: np.zeros((batch, *row), np.float32) for name, row in self.rows.items()}
        if self.choices is not None:
            inputs["act"] = as_choices(inputs["act"], self.choices)
        if self.obs is not None:
            quiet = settings(database=None, deadline=None, max_examples=10)
            inputs["obs"] = find(self.obs(batch), lambda _: True, settings=quiet)
        on_device = tree.map(lambda leaf: to_device(leaf, self.device), inputs)
        return {**on_device, "rng": 0} if self.needs_rng else on_device


def as_choices(drawn: Array, choices: int) -> Array:
    """Return discrete actions in the place of drawn numbers."""
    return np.rint(abs(drawn)).astype(np.int64) % choices


def _pair(returned: object) -> tuple[Tree, Tree]:
    if isinstance(returned, (tuple, list)) and len(returned) == 2:
        return returned[0], returned[1]
    raise Violation(
        "a pair (output, new state), because forward takes a state",
        f"a {type(returned).__name__}",
        "forward must return an output and a state; without a memory, None or the given state",
    )


def network_under_test(
    net: Network,
    state_shape: Shape | None = None,
    action_shape: Shape | None = None,
    obs: Callable[[int], SearchStrategy[Tree]] | None = None,
    members: int | None = None,
    sequences: bool | None = None,
) -> NetworkUnderTest:
    """Return a network as the laws use it, once its description and the arguments of `check_network` are checked."""
    inner = unwrapped(net)
    names = tuple(name for name in argument_names(inner) if name != "state" or returns_state(inner))
    observation = as_row("state_shape", state_shape) if state_shape is not None else observation_row(net)
    if observation is None and obs is None:
        raise TypeError(
            f"the shape of observations cannot be read from {net!r:.80}, which has no state_shape; pass it: "
            "check_network(net, state_shape=17)"
        )
    action = as_row("action_shape", action_shape) if action_shape is not None else action_row(inner)
    check_action_shape(inner, action)
    return NetworkUnderTest(
        net=net,
        inner=inner,
        names=names,
        observation=observation or (),
        action=action if {"act", "action"} & set(names) else None,
        output=output_row(inner, action),
        members=members if members is not None else members_of(inner),
        takes_sequences=takes_sequences(inner, names) if sequences is None else sequences,
        obs=obs,
    )


def _differing_axis(two: Tree, three: Tree) -> int:
    axes = [n for n, (a, b) in enumerate(zip(np.shape(two), np.shape(three), strict=False)) if a != b]
    return axes[0] if axes else -1
