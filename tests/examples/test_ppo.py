"""PPO of the examples: the clipped loss, a learning step, advantages and actions, against computations by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from backends import as_numpy, device, on_backend
from by_hand import assert_went_down, double, mlp

import npnets
from examples.online import ppo
from npnets import normalization, optim, tree

SMALL: dict[str, Any] = {"hidden_sizes": (6, 5), "gamma": 0.9, "normalize_observations": False}
OBSERVED, BOUNDS = gymnasium.spaces.Box(-np.inf, np.inf, (3,)), gymnasium.spaces.Box(-2, np.float32([2, 4]))


def small(**settings: Any) -> ppo.PPO:
    return ppo.PPO(ppo.Settings(**{**SMALL, "device": device(), **settings}), OBSERVED, BOUNDS)


def rollout(steps: int = 11, envs: int = 3, **changes: Any) -> ppo.Rollout:
    rng = np.random.default_rng(2)
    obs, next_obs = rng.normal(size=(2, steps, envs, 3))
    rewards, log_probs = rng.normal(size=(2, steps, envs))
    never, always = np.zeros((steps, envs), bool), np.ones((steps, envs), bool)
    draws = rng.normal(size=(steps, envs, 2))
    return ppo.Rollout(obs, draws, log_probs, rewards, next_obs, never, never, always)._replace(**changes)


# -- a learning step --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clip_ratio", [0.2, 0.4])
def test_a_ratio_beyond_the_clip_range_in_the_direction_of_its_advantage_has_no_gradient(clip_ratio: float) -> None:
    ratios = np.array([0.5, 0.7, 0.95, 1.1, 1.25, 2.0] * 2)
    advantages = np.repeat([1.5, -0.5], 6)
    nothing = np.zeros((12, 1))
    batch = ppo.Batch(*on_backend([nothing, nothing, np.full(12, -0.7), advantages, nothing]))
    slopes = as_numpy(npnets.grad(ppo.clipped_loss)(on_backend(-0.7 + np.log(ratios)), batch, clip_ratio))
    counts = np.where(advantages > 0, ratios < 1 + clip_ratio, ratios > 1 - clip_ratio)
    np.testing.assert_allclose(slopes, np.where(counts, -ratios * advantages / 12, 0), rtol=1e-9, atol=1e-15)
    assert 0 < counts.sum() < 12


def some_steps() -> ppo.Batch:
    played, rng = rollout(), np.random.default_rng(6)
    flat = [column.reshape(33, *column.shape[2:]) for column in (played.obs, played.draw)]
    return ppo.Batch(*flat, *(rng.normal(size=33) for _ in range(3)))


def one_step(agent: ppo.PPO, batch: ppo.Batch) -> tuple[Any, Any]:
    """Return parameters in float64, and those that a step along their gradient leads to."""
    begun = agent.init(np.random.default_rng(0))
    params, plain = double(begun.params), optim.sgd(1.0)
    state = begun._replace(params=params, adam=plain.init(params))
    learned, _ = agent.improve(state, on_backend(batch), plain)  # type: ignore[arg-type]
    return params, learned.params


def trunk_of(part: Any, params: Any, obs: Any) -> Any:
    """Return the features of the actor's or the critic's trunk, which may be one."""
    for layer in part.get("preprocess", params.get("preprocess"))["model"].values():
        obs = np.tanh(obs @ layer["weight"] + layer["bias"])
    return obs


def loss_by_hand(params: Any, batch: ppo.Batch, settings: ppo.Settings) -> Any:
    """Return PPO's loss with its three parts, by equations (7) and (9) of the paper."""
    actor, critic = params["actor"], params["critic"]
    deviation = (batch.draw - mlp(actor["mu"], trunk_of(actor, params, batch.obs))) / np.exp(actor["log_sigma"])
    log_sigma = actor["log_sigma"].sum()
    log_prob = -(deviation**2).sum(axis=1) / 2 - log_sigma - np.log(2 * np.pi)
    ratio = np.exp(log_prob - batch.log_prob)
    clipped = np.clip(ratio, 1 - settings.clip_ratio, 1 + settings.clip_ratio)
    gain = np.minimum(ratio * batch.advantage, clipped * batch.advantage).mean()
    errors = mlp(critic["last"], trunk_of(critic, params, batch.obs))[:, 0] - batch.target
    entropy = log_sigma + 1 + np.log(2 * np.pi)
    return -gain + settings.value_weight * (errors**2).mean() - settings.entropy_weight * entropy


@pytest.mark.parametrize("share_trunk", [False, True])
def test_ppo_descends_its_whole_loss_through_one_trunk_or_two(share_trunk: bool) -> None:
    agent = small(share_trunk=share_trunk, entropy_weight=0.3, value_weight=0.7, clip_ratio=0.4, max_grad_norm=1e9)
    batch = some_steps()
    before, after = one_step(agent, batch)
    assert ("preprocess" in before) == share_trunk
    assert_went_down(lambda params: loss_by_hand(params, batch, agent.settings), before, after)


def test_ppos_gradient_is_no_longer_than_its_limit() -> None:
    pairs = zip(*map(tree.leaves, as_numpy(one_step(small(max_grad_norm=0.01), some_steps()))), strict=True)
    assert np.sqrt(sum(((a - b) ** 2).sum() for a, b in pairs)) == pytest.approx(0.01, rel=1e-3)


def test_the_first_weights_are_orthogonal_and_the_first_means_are_near_zero() -> None:
    params = as_numpy(small().init(np.random.default_rng(0)).params)
    for part in (params["actor"], params["critic"]):
        weight = part["preprocess"]["model"]["linear_1"]["weight"]
        np.testing.assert_allclose(weight.T @ weight, 2 * np.eye(5), atol=1e-5)
    weight = params["actor"]["mu"]["linear_0"]["weight"]
    np.testing.assert_allclose(weight.T @ weight, 2e-4 * np.eye(2), atol=1e-8)
    np.testing.assert_array_equal(params["actor"]["log_sigma"], [-0.5, -0.5])


def test_learning_takes_steps_of_the_given_rate_and_none_with_a_rate_of_zero() -> None:
    agent, played = small(passes=1, batch_size=33), rollout()
    begun = agent.init(np.random.default_rng(0))
    still, moved = (as_numpy(agent.learn(begun, played, lr, np.random.default_rng(0))[0].params) for lr in (0.0, 1e-3))
    before = as_numpy(begun.params)
    steps = [abs(a - b).max() for a, b in zip(*map(tree.leaves, (before, moved)), strict=True)]
    assert max(steps) == pytest.approx(1e-3, rel=0.01)  # Adam's first step is the rate, whatever the gradient
    for ours, theirs in zip(*map(tree.leaves, (before, still)), strict=True):
        np.testing.assert_array_equal(ours, theirs)


# -- advantages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("standardized", [False, True])
def test_ppo_learns_from_valid_steps_with_returns_in_units_of_their_deviation(standardized: bool) -> None:
    agent = small(gae_lambda=0.8, normalize_advantages=standardized)
    state = agent.init(np.random.default_rng(0))
    seen = normalization.update(normalization.init(()), [0.0, 8.0])
    state = state._replace(params=double(state.params), return_statistics=seen)
    ended = np.zeros((11, 3), bool)
    ended[4] = True
    played = rollout(truncated=ended, valid=~np.roll(ended, 1, axis=0))
    after, batch = agent.estimate(state, played)
    values, following = (4 * agent.values(state.params, obs) for obs in (played.obs, played.next_obs))
    errors = played.reward + 0.9 * following - values
    expected = errors.copy()
    for step in reversed(range(10)):
        expected[step] += 0.9 * 0.8 * ~ended[step] * expected[step + 1]
    valid = played.valid
    returns, expected = (expected + values)[valid], expected[valid]
    if standardized:
        expected = (expected - expected.mean()) / expected.std()
    assert len(batch.target) == 30
    np.testing.assert_allclose(batch.advantage, expected, rtol=1e-5)
    np.testing.assert_allclose(batch.target, returns / 4, rtol=1e-6)
    np.testing.assert_array_equal(batch.obs, played.obs[valid])
    np.testing.assert_allclose(after.return_statistics.var, np.concatenate([[0, 8], returns]).var(), rtol=1e-6)


def test_every_pass_takes_every_valid_step_once_with_advantages_by_the_critic_as_it_is_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    agent, batches = small(passes=2, batch_size=8), list[ppo.Batch]()
    improve = agent.improve

    def recording(state: Any, batch: Any, adam: Any) -> Any:
        batches.append(as_numpy(batch))
        return improve(state, batch, adam)

    monkeypatch.setattr(agent, "improve", recording)
    valid = np.ones((11, 3), bool)
    valid[3] = False
    played = rollout(valid=valid)
    begun = agent.init(np.random.default_rng(0))
    agent.learn(begun, played, 1e-2, np.random.default_rng(0))
    assert [len(batch.target) for batch in batches] == [10] * 6
    passes = [ppo.Batch(*map(np.concatenate, zip(*part, strict=True))) for part in (batches[:3], batches[3:])]
    orders = [np.argsort(steps.log_prob) for steps in passes]
    assert (orders[0] != orders[1]).any()
    expected, order = agent.estimate(begun, played)[1], np.argsort(played.log_prob[valid])
    for steps, found in zip(passes, orders, strict=True):
        for name in ("obs", "draw", "log_prob"):
            np.testing.assert_array_equal(getattr(steps, name)[found], getattr(expected, name)[order])
    np.testing.assert_allclose(passes[0].advantage[orders[0]], expected.advantage[order], rtol=1e-5)
    assert abs(passes[1].advantage[orders[1]] - expected.advantage[order]).max() > 1e-3


# -- actions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("squash", [False, True])
def test_ppo_scores_draws_as_they_were_drawn_also_where_actions_are_at_their_bounds(squash: bool) -> None:
    agent, rng = small(squash=squash), np.random.default_rng(2)
    state = agent.init(np.random.default_rng(0))
    obs = np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32)
    for bias in (0.0, 12.0):
        head = state.params["actor"]["mu"]["linear_0"]
        head["bias"] = head["bias"] + np.float32(bias)
        draws, log_probs = agent.explore(state, obs, rng)
        again = agent.distribution(state.params["actor"], on_backend(obs)).log_prob(on_backend(draws))
        np.testing.assert_allclose(as_numpy(again), log_probs, rtol=1e-5, atol=2e-5)
        actions = agent.action(draws)
        assert all(action in BOUNDS for action in actions)
    assert len(np.unique(actions)) < len(np.unique(draws)) == 100
    np.testing.assert_allclose(agent.action(np.zeros((1, 2))), [[0, 1]])  # the middle


@pytest.mark.parametrize("squash", [False, True])
def test_the_saved_policy_acts_on_the_environments_own_observations_and_within_its_bounds(
    squash: bool, tmp_path: Path
) -> None:
    agent, rng = small(squash=squash, normalize_observations=True), np.random.default_rng(0)
    state, seen = agent.observe(agent.init(rng), 5 + 3 * rng.normal(size=(20, 3)))
    np.testing.assert_allclose([seen.mean(0), seen.std(0)], [[0] * 3, [1] * 3], atol=1e-5)
    state.params["actor"]["mu"]["linear_0"]["bias"] = on_backend(np.float32([0.3, 7]))
    agent.deterministic(state).save(tmp_path / "policy.npz")
    obs = 5 + 3 * rng.normal(size=(9, 3))
    normalized = on_backend(normalization.normalize(state.obs_statistics, obs.astype(np.float32)))  # type: ignore[arg-type]
    expected = agent.action(as_numpy(agent.distribution(state.params["actor"], normalized).mode()))
    np.testing.assert_allclose(npnets.Policy.load(tmp_path / "policy.npz").act(obs), expected, atol=1e-5)
    assert (expected[:, 1] > 3.99).all() and (abs(expected[:, 0]) < 2).all()
