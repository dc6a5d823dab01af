"""PPO of the examples: advantages, the clipped loss and a learning step, against a computation by hand in NumPy."""

from __future__ import annotations

import itertools
from typing import Any

import gymnasium
import numpy as np
import pytest
import scipy
from backends import as_numpy, device, on_backend
from by_hand import assert_went_down, double, mlp

import npnets
from examples.online import ppo
from examples.online.rollouts import Rollout
from npnets import optim, tree

no_network = pytest.mark.numpy_alone("is about arithmetic that is done in NumPy")

SMALL: dict[str, Any] = {"hidden_sizes": (6, 5), "gamma": 0.9}
LIMIT = 2.0


def rollout(steps: int = 11, envs: int = 3, **changes: Any) -> Rollout:
    rng = np.random.default_rng(2)
    boxes = rng.normal(size=(2, steps, envs, 3))
    rewards, log_probs = rng.normal(size=(2, steps, envs))
    never, always = np.zeros((steps, envs), bool), np.ones((steps, envs), bool)
    draws = rng.normal(size=(steps, envs, 2))
    made = Rollout(boxes[0], draws, log_probs, rewards, boxes[1], never, never, always)
    return made._replace(**changes)


@no_network
def test_advantages_are_the_discounted_sum_of_td_errors_up_to_the_end_of_the_episode() -> None:
    rng = np.random.default_rng(0)
    ended = rng.random((11, 3)) < 0.3
    played = rollout(ended=ended, terminated=ended & (rng.random((11, 3)) < 0.5))
    values, next_values = rng.normal(size=(2, 11, 3))
    found = ppo.generalized_advantages(played, values, next_values, 0.9, 0.8)
    assert (played.ended & ~played.terminated).any() and played.terminated.any()
    for env, start in itertools.product(range(3), range(11)):
        expected, weight = 0.0, 1.0
        for t in range(start, 11):
            following = 0.0 if played.terminated[t, env] else next_values[t, env]
            expected += weight * (played.rewards[t, env] + 0.9 * following - values[t, env])
            if played.ended[t, env]:
                break
            weight *= 0.9 * 0.8
        assert found[start, env] == pytest.approx(expected, rel=1e-12)


@no_network
def test_advantages_of_an_endless_episode_are_a_filter_that_runs_backwards() -> None:
    values, next_values = np.random.default_rng(1).normal(size=(2, 11, 3))
    played = rollout()
    td_errors = played.rewards + 0.9 * next_values - values
    expected = scipy.signal.lfilter([1], [1, -0.9 * 0.8], td_errors[::-1], axis=0)[::-1]
    np.testing.assert_allclose(ppo.generalized_advantages(played, values, next_values, 0.9, 0.8), expected, rtol=1e-12)


def test_a_ratio_beyond_the_clip_range_in_the_direction_of_its_advantage_has_no_gradient() -> None:
    ratios = np.array([0.5, 0.7, 0.95, 1.1, 1.25, 2.0] * 2)
    advantages = np.repeat([1.5, -0.5], 6)
    nothing = np.zeros((12, 1))
    data = ppo.TrainingData(*on_backend([nothing, nothing, np.full(12, -0.7), advantages, nothing]))
    slopes = as_numpy(npnets.grad(ppo.clipped_loss)(on_backend(-0.7 + np.log(ratios)), data, 0.2))
    counts = np.where(advantages > 0, ratios < 1.2, ratios > 0.8)
    np.testing.assert_allclose(slopes, np.where(counts, -ratios * advantages / 12, 0), rtol=1e-9, atol=1e-15)
    assert 0 < counts.sum() < 12


def ppo_data(agent: ppo.PPO) -> ppo.TrainingData:
    played = rollout()
    flat = [column.reshape(33, *column.shape[2:]) for column in (played.observations, played.draws)]
    rng = np.random.default_rng(6)
    return ppo.TrainingData(*flat, *(rng.normal(size=33) for _ in range(3)))


def tanh_features(params: Any, obs: Any) -> Any:
    for index in range(2):
        layer = params["model"][f"linear_{index}"]
        obs = np.tanh(obs @ layer["weight"] + layer["bias"])
    return obs


def ppo_loss(params: Any, data: ppo.TrainingData, settings: Any) -> Any:
    """Return PPO's loss with its three parts, by equations (7) and (9) of the paper."""
    x = tanh_features(params["actor"]["preprocess"], data.observations)
    deviation = (data.draws - mlp(params["actor"]["mu"], x)) / np.exp(params["actor"]["log_sigma"])
    log_sigma = params["actor"]["log_sigma"].sum()
    log_det = np.log(LIMIT * (1 - np.tanh(data.draws) ** 2)).sum(axis=1)  # of squashing
    log_prob = -(deviation**2).sum(axis=1) / 2 - log_sigma - np.log(2 * np.pi) - log_det
    ratio = np.exp(log_prob - data.log_probs)
    gain = np.minimum(ratio * data.advantages, np.clip(ratio, 0.8, 1.2) * data.advantages).mean()
    errors = mlp(params["critic"]["last"], x)[:, 0] - data.returns
    entropy = log_sigma + 1 + np.log(2 * np.pi)
    return -gain + settings.value_weight * (errors**2).mean() - settings.entropy_weight * entropy


def test_ppo_descends_its_whole_loss_through_the_trunk_that_actor_and_critic_share() -> None:
    settings = ppo.Hyperparameters(**SMALL, entropy_weight=0.3, value_weight=0.7, clip_norm=1e9)
    agent = ppo.PPO(settings, 3, 2, device())
    agent.make_optimizer = optim.sgd
    params = double(agent.init(np.random.default_rng(0)).params)
    data = ppo_data(agent)
    learned, _ = agent.learn(ppo.State(params, optim.sgd(1.0).init(params)), data, 1.0)
    assert_went_down(lambda params: ppo_loss(params, data, settings), params, learned.params)


def test_ppo_scores_stored_draws_as_they_were_drawn_also_where_actions_round_to_their_bounds() -> None:
    agent = ppo.PPO(ppo.Hyperparameters(**SMALL), 3, 2, device())
    params = agent.init(np.random.default_rng(0)).params
    observations = on_backend(np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32))
    for bias in (0.0, 12.0):
        head = params["actor"]["mu"]["linear_0"]
        head["bias"] = head["bias"] + np.float32(bias)
        actions, draws, log_probs = agent.draw(params, np.random.default_rng(2))(observations)
        again = agent.log_prob(agent.distribution(params, observations), on_backend(draws))
        np.testing.assert_allclose(as_numpy(again), log_probs, rtol=1e-5, atol=2e-5)
        assert np.abs(actions).max() <= LIMIT
    assert len(np.unique(actions)) < len(np.unique(draws)) == 100


def test_ppos_gradient_is_no_longer_than_its_limit() -> None:
    agent = ppo.PPO(ppo.Hyperparameters(**SMALL, clip_norm=0.01), 3, 2, device())
    agent.make_optimizer = optim.sgd
    params = double(agent.init(np.random.default_rng(0)).params)
    learned, _ = agent.learn(ppo.State(params, optim.sgd(1.0).init(params)), ppo_data(agent), 1.0)
    walked = sum(
        ((a - b) ** 2).sum() for a, b in zip(*map(tree.leaves, as_numpy((params, learned.params))), strict=True)
    )
    assert np.sqrt(walked) == pytest.approx(0.01, rel=1e-3)


def test_ppo_learns_from_valid_steps_with_scaled_rewards_and_advantages() -> None:
    settings = ppo.Hyperparameters(**SMALL, gae_lambda=0.8, reward_scale=0.1)
    agent = ppo.PPO(settings, 3, 2, device())
    params = double(agent.init(np.random.default_rng(0)).params)
    ended = np.zeros((11, 3), bool)
    ended[4] = True
    played = rollout(ended=ended, played=~np.roll(ended, 1, axis=0))
    data = agent.training_data(params, played)
    values, next_values = (
        as_numpy(agent.values(params, on_backend(obs.reshape(33, 3)))).reshape(11, 3)
        for obs in (played.observations, played.next_observations)
    )
    scaled = played._replace(rewards=0.1 * played.rewards)
    advantages = ppo.generalized_advantages(scaled, values, next_values, 0.9, 0.8)
    np.testing.assert_allclose(data.returns, (advantages + values)[played.played], rtol=1e-9)
    assert len(data.returns) == 30
    kept = advantages[played.played]
    np.testing.assert_allclose(data.advantages, (kept - kept.mean()) / kept.std(), rtol=1e-6)
    np.testing.assert_array_equal(data.observations, played.observations[played.played])


def test_the_learning_rate_of_ppo_falls_linearly_with_the_steps() -> None:
    rates: list[float] = []
    settings = ppo.Hyperparameters(**SMALL, steps=24, environments=4, horizon=4, epochs=1, learning_rate=0.2)
    agent = ppo.PPO(settings, 3, 1, device())
    agent.make_optimizer = lambda rate: rates.append(rate) or optim.adam(rate)
    learning = ppo.learn_by_rollouts(agent, lambda: gymnasium.make("Pendulum-v1", max_episode_steps=3), seed=0)
    assert [taken for taken, *_ in learning] == [0, 12, 24]  # every fourth step begins an episode and is none
    assert rates == [0.2, 0.2, 0.1]  # the first is for the optimizer's first state


@no_network
def test_batches_contain_every_step_once_with_all_of_its_values() -> None:
    column = np.arange(50.0)
    data = ppo.TrainingData(column[:, None], -column[:, None], 2 * column, 3 * column, 4 * column)
    parts = list(ppo.batches(data, 16, np.random.default_rng(0)))
    assert [len(part.returns) for part in parts] == [17, 17, 16]
    together = ppo.TrainingData(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    steps = together.observations[:, 0]
    assert sorted(steps) == list(column) != list(steps)
    for found, expected in zip(together[1:], (-steps[:, None], 2 * steps, 3 * steps, 4 * steps), strict=True):
        np.testing.assert_array_equal(found, expected)
