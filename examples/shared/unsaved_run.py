"""A run that writes nothing, for programs that train an algorithm many times, or look at it after every step."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from npnets import Policy, training

Watch = Callable[[int, Callable[[], Policy]], None]


class UnsavedRun(training.Run):
    """A run without a folder: a function is called after every step, and the last state is kept in memory.

    Given more steps, and handed to the algorithm again, it goes on from there with a new episode.

    Parameters
    ----------
    settings : Settings
    watch : callable, optional
        `watch(step, policy)`, before the first step and after each; `policy()` returns the policy as it is then.

    Attributes
    ----------
    policy : callable
        Returns the latest policy.
    kept : tuple or None
        The state, the generator and the replay buffer after all steps.
    """

    policy: Callable[[], Policy]

    def __init__(self, settings: training.Settings, watch: Watch | None = None) -> None:
        self.settings, self.step, self._watch = settings, 0, watch
        self.kept: tuple[Any, Any, Any] | None = None

    def restore(self, state: Any, rng: Any, buffer: Any = None) -> tuple[Any, Any, Any]:
        """Return the kept ones; at the beginning, those that are given."""
        return self.kept or (state, rng, buffer)

    def advance(self, steps: int) -> None:
        """Count steps."""
        self.step += steps

    def record(self, state: Any, losses: Mapping[str, Any], policy_of: Callable[[Any], Policy]) -> None:
        """Call the function."""
        self.policy = lambda: policy_of(state)
        if self._watch is not None:
            self._watch(self.step, self.policy)

    def save_if_due(self, state: Any, rng: Any, buffer: Any = None) -> bool:
        """Keep everything if this is the last step, and return whether it is."""
        last = self.step >= self.settings.steps
        if last:
            self.kept = state, copy.deepcopy(rng), buffer  # the algorithm goes on to draw from its generator
        return last
