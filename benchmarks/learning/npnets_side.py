"""Training with npnets' examples, for the comparison of learning curves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.learning.problem import EXAMPLES, Watch
from examples.shared.unsaved_run import UnsavedRun
from npnets import Policy


def learn(algorithm: str, settings: Any, watch: Watch) -> None:
    """Train as the example does; hand its policy over after every step."""

    def hand_over(step: int, policy: Callable[[], Policy]) -> None:
        watch(step, lambda observations: policy().act(observations))

    EXAMPLES[algorithm].train(settings, UnsavedRun(settings, hand_over))
