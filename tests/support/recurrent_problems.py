"""Recurrent networks of random sizes with sequences for them, in float64, for the tests of laws of sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from backends import as_numpy, on_backend
from finite_differences import direction_like
from hypothesis import strategies as st

import npnets
import npnets.numpy as nnp

OBS, ACT = 3, 2
NETWORKS: dict[str, Callable[[int, int], Any]] = {
    "Recurrent": lambda layers, hidden: npnets.Recurrent(layers, OBS, ACT, hidden_layer_size=hidden),
    "RecurrentActorProb": lambda layers, hidden: npnets.RecurrentActorProb(layers, OBS, ACT, hidden, 2.0),
    "RecurrentActorProb conditioned": lambda layers, hidden: npnets.RecurrentActorProb(
        layers, OBS, ACT, hidden, unbounded=True, conditioned_sigma=True
    ),
    "RecurrentCritic": lambda layers, hidden: npnets.RecurrentCritic(layers, OBS, hidden_layer_size=hidden),
    "RecurrentCritic of actions": lambda layers, hidden: npnets.RecurrentCritic(
        layers, OBS, ACT, hidden_layer_size=hidden
    ),
}
each_network = pytest.mark.parametrize("name", NETWORKS)


class Problem(NamedTuple):
    """A network, its parameters, and the other arguments of `forward` by name; arrays are on the running backend."""

    net: Any
    params: Any
    given: dict[str, Any]

    @property
    def batch(self) -> int:
        return len(self.given["obs"])

    @property
    def steps(self) -> int:
        return self.given["obs"].shape[1]  # type: ignore[no-any-return]

    def but(self, **changes: Any) -> Problem:
        """Return the same problem with other inputs; `None` leaves one out."""
        given = {name: value for name, value in {**self.given, **changes}.items() if value is not None}
        return self._replace(given=given)

    def of_steps(self, steps: slice) -> Problem:
        """Return the same problem for a part of the steps, from the same state."""
        return self.but(**{name: self.given[name][:, steps] for name in ("obs", "act", "resets") if name in self.given})

    def of_row(self, row: int) -> Problem:
        """Return the same problem for a single sequence."""
        return self.but(**npnets.tree.map(lambda leaf: leaf[row : row + 1], self.given))


def small_problem(name: str, layers: int, hidden: int, batch: int, steps: int, seed: int) -> Problem:
    """Return a problem that starts from a state of its own."""
    net, rng = NETWORKS[name](layers, hidden), np.random.default_rng(seed)
    params = npnets.tree.map(lambda leaf: leaf + 0.3 * rng.normal(size=leaf.shape), net.init(rng, np.float64))
    given = {
        "obs": rng.normal(size=(batch, steps, OBS)),
        "state": {part: rng.normal(size=(batch, layers, hidden)) for part in ("hidden", "cell")},
    }
    if "of actions" in name:
        given["act"] = rng.normal(size=(batch, steps, ACT))
    return Problem(net, *on_backend((params, given)))


sizes = {
    "layers": st.integers(1, 3),
    "hidden": st.integers(1, 4),
    "batch": st.integers(1, 3),
    "seed": st.integers(0, 9),
}


def drawn_resets(problem: Problem, seed: int) -> Any:
    """Return resets for a problem, one step in three."""
    return on_backend(np.random.default_rng(seed + 100).uniform(size=(problem.batch, problem.steps)) < 1 / 3)


def drawn_lengths(problem: Problem, seed: int) -> Any:
    """Return lengths for a problem, from one to all of its steps."""
    return np.random.default_rng(seed + 200).integers(1, problem.steps + 1, problem.batch)


def run(problem: Problem, all_steps: bool = True) -> tuple[Any, dict[str, Any]]:
    """Return the output, with mean and deviation concatenated, and the new state."""
    obs, options = problem.given["obs"], {**problem.given, "all_steps": all_steps}
    del options["obs"]
    if isinstance(problem.net, npnets.RecurrentCritic):
        return problem.net.forward(problem.params, obs, **options, return_state=True)  # type: ignore[no-any-return]
    output, state = problem.net.forward(problem.params, obs, **options)
    return (nnp.concatenate(output, -1) if isinstance(output, tuple) else output), state


def traced_parts(problem: Problem) -> dict[str, Any]:
    """Return all arrays that a problem can be differentiated with respect to."""
    return {
        "params": problem.params,
        **{name: problem.given[name] for name in ("obs", "act", "state") if name in problem.given},
    }


def with_parts(problem: Problem, parts: dict[str, Any]) -> Problem:
    """Return a problem with these arrays in place of its own."""
    given = {name: value for name, value in parts.items() if name != "params"}
    return problem.but(**given)._replace(params=parts["params"])


def weights_like(output: Any, state: Any, lengths: Any, seed: int) -> tuple[Any, Any]:
    """Return a weight for every entry of output and state, zero for steps after the end of a sequence."""
    of_output, of_state = direction_like(np.random.default_rng(seed + 300), (output, state))
    real = np.arange(output.shape[1]) < np.asarray(lengths)[:, None]
    return on_backend(as_numpy(of_output) * real[..., None]), of_state


def weighted(output: Any, state: Any, weights: tuple[Any, Any]) -> Any:
    """Return one number that depends on every entry of output and state."""
    pairs = [(output, weights[0]), *((state[name], weights[1][name]) for name in ("hidden", "cell"))]
    return sum((nnp.sum(part * weight) for part, weight in pairs), 0.0)
