"""A network as the laws see it: which inputs its `forward` takes, how it is called, and what its answer is made of.

Everything is read from its signature, its description, or from what the user says beside it. No law calls a network in
another way.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import find, settings
from hypothesis.strategies import SearchStrategy

from npnets import tree
from npnets.backend import device_of, to_device
from npnets.continuous import VAE
from npnets.description import cached_property
from npnets.testing.arrays import parameters_from
from npnets.testing.law import Breach
from npnets.testing.shapes import Row, action_row, answer_row, as_row, members_of, observation_row
from npnets.tree import Tree

_KNOWN = {"act", "action", "state", "noise", "rng"}
_SEQUENCES = {"lengths", "resets", "all_steps"}


@dataclass(frozen=True)
class Subject:
    """A network that is held to the laws.

    `observation`, `action` and `answer` are shapes of a row; `action` is `None` where `forward` is given none. `names`
    are those of `forward`'s arguments after the observations. `members` is the size of an ensemble, or `None`.
    """

    net: Any
    names: tuple[str, ...]
    observation: Row
    action: Row | None
    answer: Row
    members: int | None
    takes_sequences: bool
    obs: Callable[[int], SearchStrategy[Any]] | None = None

    @property
    def row_axis(self) -> int:
        """The axis of an answer along which rows stand."""
        return 0 if self.members is None else 1

    @property
    def takes_state(self) -> bool:
        """Whether `forward` takes a state, and answers with a pair of answer and new state."""
        return "state" in self.names

    @property
    def noise(self) -> Row | None:
        """The shape of a row of noise, for a network that takes some."""
        return (self.net.latent_dim,) if "noise" in self.names and hasattr(self.net, "latent_dim") else None

    @property
    def needs_rng(self) -> bool:
        """Whether `forward` draws numbers with a generator that it is given, and takes no noise in its place."""
        return "rng" in self.names and self.noise is None

    @property
    def init_takes_dtype(self) -> bool:
        """Whether `init` can be asked for a dtype."""
        return "dtype" in inspect.signature(self.net.init).parameters

    @cached_property
    def device(self) -> str:
        """Where the network's parameters lie."""
        leaves = tree.leaves(parameters_from(self.net, 0))
        return device_of(leaves[0]) if leaves else "cpu"

    @cached_property
    def has_memory(self) -> bool:
        """Whether it answers with a state although it was given none."""
        return self.takes_state and any(leaf is not None for leaf in tree.leaves(self.state_like(2)))

    @property
    def carries_sequences(self) -> bool:
        """Whether it has a memory and takes `(batch, steps, ...)` of any floating-point numbers."""
        return self.has_memory and self.takes_sequences and self.obs is None

    def state_like(self, batch: int) -> Tree:
        """Return the state that it answers with for a batch; `None` where it fails, which a law will say."""
        try:
            return self.call(self.net, parameters_from(self.net, 0), self.zeros(batch))[1]
        except Breach:
            return None

    @cached_property
    def state_axes(self) -> Tree:
        """For each leaf of a state the axis along which rows stand, -1 for a leaf without."""
        return tree.map(_differing_axis, self.state_like(2), self.state_like(3))

    def shape_of(self, name: str, batch: int) -> Row:
        """Return the shape that an answer must have."""
        row = (self.net.latent_dim,) if isinstance(self.net, VAE) and name != "reconstruction" else self.answer
        return (*([] if self.members is None else [self.members]), batch, *row)

    def call(
        self, net: Any, params: Tree, given: dict[str, Any], state: Tree = None, **options: Any
    ) -> tuple[dict[str, Any], Tree]:
        """Call a network, and return its answers by name and its new state.

        Raises
        ------
        Breach
            If it raises, or answers with something else.
        """
        named = {self._keyword(name): value for name, value in given.items() if name != "obs"} | options
        if "rng" in given:
            named["rng"] = np.random.default_rng(given["rng"])
        if state is not None:
            named["state"] = state
        if "return_state" in self.names:
            named["return_state"] = True
        try:
            found = net.forward(params, given["obs"], **named)
        except Exception as error:
            shapes = {name: np.shape(value) for name, value in given.items()}
            raise Breach(
                f"an answer to inputs of the shapes {shapes}",
                f"{type(error).__name__}: {error}",
                "see the traceback above; or check_network was told another state_shape or action_shape than it has",
            ) from error
        answer, new_state = self._pair(found) if self.takes_state else (found, None)
        return self._by_name(answer), new_state

    def _keyword(self, name: str) -> str:
        return "action" if name == "act" and "action" in self.names else name

    def _pair(self, found: Any) -> Any:
        if isinstance(found, (tuple, list)) and len(found) == 2:
            return found
        raise Breach(
            "a pair (answer, new state), because forward takes a state",
            f"a {type(found).__name__}",
            "forward must return the state beside the answer, None or the same one if it has no memory",
        )

    def _by_name(self, answer: Any) -> dict[str, Any]:
        parts = answer if isinstance(answer, (tuple, list)) else [answer]
        if not all(hasattr(part, "shape") and hasattr(part, "dtype") for part in parts):
            kinds = [type(part).__name__ for part in parts]
            raise Breach("an array, or a tuple of arrays", str(kinds), "forward answers with something else")
        if isinstance(self.net, VAE):
            return dict(zip(("reconstruction", "mean", "std"), parts, strict=True))
        if len(parts) == 2:
            return {"mu": parts[0], "sigma": parts[1]}
        return {"output": parts[0]} if len(parts) == 1 else {f"output[{n}]": part for n, part in enumerate(parts)}

    def zeros(self, batch: int) -> dict[str, Any]:
        """Return inputs of zeros on the network's device; those of `obs` if there is one."""
        rows = {"obs": self.observation, "act": self.action, "noise": self.noise}
        given: dict[str, Any] = {k: np.zeros((batch, *row), np.float32) for k, row in rows.items() if row is not None}
        if self.obs is not None:
            quiet = settings(database=None, deadline=None, max_examples=10)
            given["obs"] = find(self.obs(batch), lambda _: True, settings=quiet)
        placed = tree.map(lambda leaf: to_device(leaf, self.device), given)
        return {**placed, "rng": 0} if self.needs_rng else placed


def subject_of(
    net: Any,
    state_shape: Any = None,
    action_shape: Any = None,
    obs: Callable[[int], SearchStrategy[Any]] | None = None,
    members: int | None = None,
    sequences: bool | None = None,
) -> Subject:
    """Return a network as the laws see it.

    Raises
    ------
    TypeError
        If it is no network, its `output_dim` is no integer, or its description does not tell a shape and it was not
        given either.
    """
    names = _names_of(net)
    observation = as_row("state_shape", state_shape) if state_shape is not None else observation_row(net)
    if observation is None and obs is None:
        raise TypeError(
            f"the shape of observations cannot be read from {net!r:.80}, which has no state_shape; say it: "
            "check_network(net, state_shape=17)"
        )
    actions = as_row("action_shape", action_shape) if action_shape is not None else action_row(net)
    _check_width(net)
    answer = answer_row(net, actions)
    if answer is None:
        raise TypeError(f"{net!r:.80} has no output_dim; a network has init, forward and output_dim")
    takes_act = bool({"act", "action"} & set(names))
    _check_action(net, actions, takes_act)
    return Subject(
        net=net,
        names=names,
        observation=observation or (),
        action=actions if takes_act else None,
        answer=answer,
        members=members if members is not None else members_of(net),
        takes_sequences=_takes_sequences(net, names) if sequences is None else sequences,
        obs=obs,
    )


def _names_of(net: Any) -> tuple[str, ...]:
    """Return the names of `forward`'s arguments after the observations, once all of them can be given."""
    if isinstance(net, type) or not (hasattr(net, "init") and hasattr(net, "forward")):
        raise TypeError(f"a network has init(rng), forward(params, obs, ...) and output_dim, but is {net!r:.80}")
    every = list(inspect.signature(net.forward).parameters.values())
    _check_observations(net, every)
    after_obs = every[2:]
    arguments = [p for p in after_obs if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    unknown = [p.name for p in arguments if p.default is p.empty and p.name not in _KNOWN]
    if unknown:
        raise TypeError(
            f"forward of {net!r:.80} needs {unknown}, which check_network cannot know; give them defaults, or wrap the "
            "network in one that has them"
        )
    return tuple(p.name for p in arguments)


def _check_observations(net: Any, arguments: list[inspect.Parameter]) -> None:
    kinds = [p.kind for p in arguments]
    positional = kinds.count(inspect.Parameter.POSITIONAL_ONLY) + kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if positional < 2 and inspect.Parameter.VAR_POSITIONAL not in kinds:
        raise TypeError(
            f"forward of a network is forward(params, obs, ...), but that of {net!r:.80} takes "
            f"({', '.join(p.name for p in arguments)}); give it the parameters and the observations"
        )


def _check_width(net: Any) -> None:
    features = getattr(net, "output_dim", None)
    if features is not None and (isinstance(features, bool) or not isinstance(features, (int, np.integer))):
        raise TypeError(
            f"output_dim must be an integer, the width of the output, but that of {net!r:.80} is {features!r:.80}; "
            "was it read from text, or is it a method without @property?"
        )


def _check_action(net: Any, actions: Row | None, takes_act: bool) -> None:
    if not takes_act or actions is not None:
        return
    parameters = inspect.signature(net.forward).parameters
    if any(name in parameters and parameters[name].default is inspect.Parameter.empty for name in ("act", "action")):
        raise TypeError(
            f"the shape of actions cannot be read from {net!r:.80}; say it: check_network(net, action_shape=6)"
        )


def _takes_sequences(net: Any, names: tuple[str, ...]) -> bool:
    """Whether observations may be `(batch, steps, ...)`: if `forward`, or the trunk's, knows of lengths or resets."""
    if _SEQUENCES & set(names):
        return True
    trunk = getattr(net, "preprocess_net", None)
    return "state" in names and trunk is not None and bool(_SEQUENCES & set(_names_of(trunk)))


def _differing_axis(two: Any, three: Any) -> int:
    axes = [n for n, (a, b) in enumerate(zip(np.shape(two), np.shape(three), strict=False)) if a != b]
    return axes[0] if axes else -1
