"""The comparison of learning curves: both libraries have equal initial networks, and equal data until one learns."""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))

from benchmarks.learning import npnets_side, problem, tianshou_side  # noqa: E402

pytestmark = [pytest.mark.live, pytest.mark.numpy_alone("compares with PyTorch on the CPU")]

WARMUP, STEPS = 30, 34


@pytest.fixture(params=["sac", "td3"])
def agent(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    make, settings = problem.AGENTS[request.param]
    small = replace(settings, warmup=WARMUP, batch_size=16)
    monkeypatch.setitem(problem.AGENTS, request.param, (make, small))
    return problem.make_agent(request.param, STEPS)


class Recorder(gymnasium.Wrapper):
    """Records the actions and the results of an environment."""

    def __init__(self, env: gymnasium.Env, rows: list[Any]) -> None:
        super().__init__(env)
        self.rows = rows

    def step(self, action: Any) -> Any:
        output = super().step(action)
        self.rows.append((np.array(action), *output[:4]))
        return output


def seen(side: Any, agent: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    rows: list[Any] = []
    monkeypatch.setattr(side, "make_env", lambda: Recorder(problem.make_env(), rows))
    assert [step for step, _ in side.learn(agent, 0)] == list(range(STEPS + 1))
    return rows[-STEPS:]


def test_every_network_and_target_begins_with_npnets_numbers(agent: Any) -> None:
    params = agent.init(np.random.default_rng(0)).params
    policy = tianshou_side.make_policy(agent, params)
    rng = np.random.default_rng(1)
    obs, act = rng.normal(size=(9, 3)).astype(np.float32), rng.uniform(-1, 1, (9, 1)).astype(np.float32)
    np.testing.assert_allclose(tianshou_side.acting(policy)(obs), agent.act(params, obs), rtol=1e-4, atol=1e-6)
    values = agent.critics.forward(params["critics"], obs, act)
    for modules in ((policy.critic, policy.critic2), (policy.critic_old, policy.critic2_old)):
        for module, expected in zip(modules, values, strict=True):
            with torch.no_grad():
                np.testing.assert_allclose(module(obs, act).numpy(), expected, rtol=1e-4, atol=1e-6)


def test_the_random_steps_are_the_same_bit_for_bit_and_those_after_are_not(
    agent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = (seen(side, agent, monkeypatch) for side in (npnets_side, tianshou_side))
    for mine, other in zip(ours[:WARMUP], theirs[:WARMUP], strict=True):
        for left, right in itertools.zip_longest(mine, other):
            np.testing.assert_array_equal(left, right)
    assert ours[-1][0] != theirs[-1][0]
    assert all(np.abs(row[0]).max() <= 1 for row in ours + theirs)


def test_tianshou_learns_once_a_step_after_the_random_ones_with_the_examples_settings(
    agent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    policies, make = [], tianshou_side.make_policy
    monkeypatch.setattr(tianshou_side, "make_policy", lambda *given: policies.append(make(*given)) or policies[-1])
    obs = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
    acted = [policy(obs) for _, policy in tianshou_side.learn(agent, 0)]
    assert all(np.array_equal(actions, acted[0]) for actions in acted[: WARMUP + 1])
    assert not np.array_equal(acted[WARMUP + 1], acted[0])
    (policy,) = policies
    steps = {int(state["step"]) for state in policy.critic_optim.state.values()}
    assert steps == {STEPS - WARMUP} and policy.tau == agent.settings.tau and policy.gamma == agent.settings.gamma
