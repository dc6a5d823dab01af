"""The comparison of learning curves: both libraries have equal initial networks, and equal data until one learns."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))

from benchmarks.learning import npnets_side, problem, tianshou_side  # noqa: E402
from npnets import training  # noqa: E402

pytestmark = [pytest.mark.live, pytest.mark.numpy_alone("compares with PyTorch on the CPU")]

WARMUP, STEPS = 30, 34


SMALL: dict[str, Any] = {"warmup": WARMUP, "batch_size": 16, "steps": STEPS}

each_algorithm = pytest.mark.parametrize("algorithm", ["sac", "td3"])


class Recorder(gymnasium.Wrapper):
    """Records the actions and the results of an environment."""

    def __init__(self, env: gymnasium.Env, rows: list[Any]) -> None:
        super().__init__(env)
        self.rows = rows

    def step(self, action: Any) -> Any:
        output = super().step(action)
        self.rows.append((np.array(action), *output[:4]))
        return output


def seen(side: Any, algorithm: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    rows, steps, make = [], [], training.make_env
    with monkeypatch.context() as patched:
        patched.setattr(training, "make_env", lambda name: Recorder(make(name), rows))
        side.learn(algorithm, problem.settings_of(algorithm, **SMALL), lambda step, _: steps.append(step))
    assert steps == list(range(STEPS + 1))
    return rows[-STEPS:]


@each_algorithm
def test_every_network_and_target_begins_with_npnets_numbers(algorithm: str) -> None:
    agent = problem.make_agent(algorithm, **SMALL)
    state = agent.init(np.random.default_rng(0))
    policy = tianshou_side.make_policy(agent, state)
    rng = np.random.default_rng(1)
    obs, act = rng.normal(size=(9, 3)).astype(np.float32), rng.uniform(-1, 1, (9, 1)).astype(np.float32)
    np.testing.assert_allclose(
        tianshou_side.acting(policy)(obs), agent.deterministic(state).act(obs), rtol=1e-4, atol=1e-6
    )
    values = agent.critics.forward(state.critics, obs, act)
    for modules in ((policy.critic, policy.critic2), (policy.critic_old, policy.critic2_old)):
        for module, expected in zip(modules, values, strict=True):
            with torch.no_grad():
                np.testing.assert_allclose(module(obs, act).numpy(), expected, rtol=1e-4, atol=1e-6)


@each_algorithm
def test_the_random_steps_are_the_same_bit_for_bit_and_those_after_are_not(
    algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = (seen(side, algorithm, monkeypatch) for side in (npnets_side, tianshou_side))
    for mine, other in zip(ours[:WARMUP], theirs[:WARMUP], strict=True):
        for left, right in itertools.zip_longest(mine, other):
            np.testing.assert_array_equal(left, right)
    assert ours[-1][0] != theirs[-1][0]
    assert all(np.abs(row[0]).max() <= 1 for row in ours + theirs)


@each_algorithm
def test_tianshou_learns_once_a_step_after_the_random_ones_with_the_examples_settings(
    algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = problem.settings_of(algorithm, **SMALL)
    policies, make = [], tianshou_side.make_policy
    monkeypatch.setattr(tianshou_side, "make_policy", lambda *given: policies.append(make(*given)) or policies[-1])
    obs = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
    acted: list[Any] = []
    tianshou_side.learn(algorithm, settings, lambda _, policy: acted.append(policy(obs)))
    assert all(np.array_equal(actions, acted[0]) for actions in acted[: WARMUP + 1])
    assert not np.array_equal(acted[WARMUP + 1], acted[0])
    (policy,) = policies
    steps = {int(state["step"]) for state in policy.critic_optim.state.values()}
    assert steps == {STEPS - WARMUP} and policy.tau == settings.tau and policy.gamma == settings.gamma
