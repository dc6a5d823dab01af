"""DQN's training loop in the examples: n-step returns, exploration, and what is stored and learned from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest

from examples.discrete.learning_state import State
from examples.discrete.quantile_dqn import Hyperparameters
from examples.discrete.replay_learning import Buffer, exploration, learn_by_replay, n_step_returns
from examples.discrete.rollouts import Rollout

pytestmark = pytest.mark.numpy_alone("plays environments, which know no networks")

SETTINGS = Hyperparameters(
    steps=64, warmup=16, environments=2, horizon=8, updates=3, batch_size=400, n_steps=2, gamma=0.9
)


def random_rollout(steps: int, envs: int) -> Rollout:
    rng = np.random.default_rng(0)
    seen, following = rng.normal(size=(2, steps, envs, 3)).astype(np.float32)
    rewards, ended = rng.normal(size=(steps, envs)).astype(np.float32), rng.random((steps, envs)) < 0.2
    terminated = ended & (rng.random((steps, envs)) < 0.5)
    actions, always = np.zeros((steps, envs), np.int64), np.ones((steps, envs), np.bool_)
    return Rollout(seen, actions, rewards, following, terminated, ended, always)


@pytest.mark.parametrize("n", [1, 3, 50])
def test_an_n_step_return_ends_with_n_rewards_or_with_its_episode_or_with_the_rollout(n: int) -> None:
    rollout = random_rollout(steps=20, envs=4)
    returns, following, discounts = n_step_returns(rollout, 0.9, n)
    cut = set()
    for step, env in np.ndindex(20, 4):
        last = step
        while last + 1 < min(step + n, 20) and not rollout.ended[last, env]:
            last += 1
        cut.add((bool(rollout.ended[last, env]), bool(rollout.terminated[last, env])))
        powers = 0.9 ** np.arange(last - step + 1)
        assert returns[step, env] == pytest.approx(powers @ rollout.rewards[step : last + 1, env], rel=1e-5, abs=1e-6)
        np.testing.assert_array_equal(following[step, env], rollout.next_observations[last, env])
        expected = 0 if rollout.terminated[last, env] else 0.9 ** (last - step + 1)
        assert discounts[step, env] == pytest.approx(expected, rel=1e-6)
    assert cut == {(False, False), (True, False), (True, True)}


def test_a_transition_has_its_own_discount_also_once_it_has_replaced_an_old_one() -> None:
    rollout, buffer = random_rollout(steps=5, envs=4), Buffer(12)
    returns, following, discounts = n_step_returns(rollout, 0.9, 3)
    for step in range(5):
        buffer.add(Rollout(*(column[step : step + 1] for column in rollout)), 0.9, 1)
    buffer.add(rollout._replace(played=rollout.played & (np.arange(4) < 2)), 0.9, 3)  # ten steps
    batch = buffer.sample(np.random.default_rng(0), 400)
    columns = (column[:, :2].reshape(10, -1) for column in (returns, following, discounts))
    known = {value.item(): (after, discount) for value, after, discount in zip(*columns, strict=True)}
    found = [value for value in batch.returns.tolist() if value in known]
    assert len(set(found)) == 10 and len(set(batch.returns)) == 12
    for value, after, discount in zip(batch.returns.tolist(), batch.following, batch.discounts, strict=True):
        if value in known:
            np.testing.assert_array_equal(after, known[value][0])
            assert discount == known[value][1]


def test_the_probability_of_random_actions_falls_linearly_from_one() -> None:
    settings = replace(SETTINGS, epsilon=0.2, exploration_steps=100)
    falls = [exploration(settings, taken) for taken in (0, 50, 100, 1000)]
    assert falls == pytest.approx([1.0, 0.6, 0.2, 0.2])


class Recorder:
    """An agent that learns nothing and records its batches and its probabilities of random actions."""

    def __init__(self, settings: Any) -> None:
        self.settings, self.batches, self.epsilons = settings, list[Any](), list[float]()

    def init(self, rng: np.random.Generator) -> State:
        return State({}, {}, {})

    def learn(self, state: State, batch: Any, rng: np.random.Generator) -> Any:
        self.batches.append(batch)
        return state, {"learned": len(self.batches)}

    def explore(self, params: Any, observations: Any, epsilon: float, rng: np.random.Generator) -> Any:
        if epsilon not in self.epsilons:
            self.epsilons.append(epsilon)
        return rng.integers(2, size=len(observations))


def played(settings: Any, max_episode_steps: int) -> tuple[Recorder, list[tuple[int, int]]]:
    agent = Recorder(settings)
    learning = learn_by_replay(
        agent, lambda: gymnasium.make("CartPole-v1", max_episode_steps=max_episode_steps), seed=0
    )
    return agent, [(taken, losses.get("learned", 0)) for taken, _, losses in learning]


def test_learning_begins_after_the_warmup_with_some_steps_for_each_rollout() -> None:
    agent, taken = played(SETTINGS, max_episode_steps=7)  # every eighth step only begins an episode
    assert taken == [(0, 0), (14, 0), (28, 3), (42, 6), (56, 9), (64, 12)]
    assert agent.epsilons[0] == 1 and agent.epsilons[1] == exploration(SETTINGS, 14)


@pytest.mark.parametrize(("limit", "terminal"), [(4, False), (500, True)])
def test_the_next_value_counts_at_a_time_limit_and_not_after_a_terminal_state(limit: int, terminal: bool) -> None:
    agent, _ = played(replace(SETTINGS, steps=200, n_steps=1), max_episode_steps=limit)
    observations, actions, returns, following, discounts = agent.batches[-1]
    fell = abs(following[:, 2]) > 12 * np.pi / 180
    np.testing.assert_allclose(discounts, np.where(fell, 0, 0.9), rtol=1e-6)
    assert fell.any() == terminal
    np.testing.assert_array_equal(returns, 1)
    assert set(actions) == {0, 1}
    assert abs(observations[:, 2]).max() < 12 * np.pi / 180
