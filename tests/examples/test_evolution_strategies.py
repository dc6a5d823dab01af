"""Evolution strategies: the estimate of the gradient, the shards of the population, and faults."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
from backends import bits
from shuffled_executor import ShuffledExecutor
from small_evolution import SMALL, Line, after, register, search

import npnets
from examples.parallel import episodes, evolution_strategies
from examples.parallel.evolution_strategies import EvolutionStrategies, Settings
from npnets import parallel, tree

pytestmark = pytest.mark.numpy_alone("Gymnasium's environments take and return NumPy's arrays")


@pytest.fixture(autouse=True)
def line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Gymnasium make the environment."""
    register(monkeypatch)


# -- the estimate -----------------------------------------------------------------------------------------------------


def test_ranks_are_centred_and_equal_returns_share_the_mean_of_theirs() -> None:
    returns = np.array([[10.0, -300.0], [7.0, 1e9]])
    np.testing.assert_allclose(evolution_strategies.centred_ranks(returns), [[1 / 6, -0.5], [-1 / 6, 0.5]])
    equal = np.array([[2.0, 5.0, 2.0], [2.0, 9.0, -1.0]])
    np.testing.assert_allclose(evolution_strategies.centred_ranks(equal), [[-0.1, 0.3, -0.1], [-0.1, 0.5, -0.5]])


def test_the_members_of_a_pair_mirror_each_other() -> None:
    rng = np.random.default_rng(0)
    theta, noise = rng.normal(size=5).astype(np.float32), evolution_strategies.draw_noise(rng, 3, 5)
    members = evolution_strategies.antithetic(theta, noise)
    assert members.shape == (6, 5) and members.dtype == noise.dtype == np.float32
    np.testing.assert_array_equal(members[:3], theta + noise)
    np.testing.assert_allclose((members[:3] + members[3:]) / 2, np.tile(theta, (3, 1)), atol=1e-7)
    assert len(np.unique(noise)) == noise.size


def test_a_step_on_a_quadratic_equals_a_computation_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every loop is written out: ranks, pairs, the mean over the population, weight decay and Adam's first step."""
    settings = replace(SMALL, sigma=0.3, learning_rate=0.25, weight_decay=0.5)
    searching, seed, goal = search(settings, seed=4), (4, 0), 0.7
    state = searching.init()
    theta, unravel = tree.ravel(state.params)
    noise = [parallel.generator(seed, i).standard_normal((2, theta.size), np.float32) for i in range(3)]
    returns = np.array(
        [[[-np.sum((theta + sign * 0.3 * row - goal) ** 2) for row in rows] for sign in (1, -1)] for rows in noise]
    )
    monkeypatch.setattr(searching, "play_population", lambda state: (returns, state.moments))
    found = searching.next(state)

    order = sorted(returns.ravel())
    gradient = np.zeros(theta.size)
    for shard in range(3):
        for pair in range(2):
            for sign, earned in zip((1, -1), returns[shard, :, pair], strict=True):
                rank = order.index(earned) / 11 - 0.5
                gradient += rank * sign * noise[shard][pair] / (12 * 0.3)
    downhill = -gradient + 0.5 * theta
    expected = theta - 0.25 * downhill / (np.abs(downhill) + 1e-8)
    np.testing.assert_allclose(tree.ravel(found.params)[0], expected, atol=1e-5)
    np.testing.assert_allclose(tree.ravel(found.optimizer.mu)[0], 0.1 * downhill, atol=1e-6)
    assert gradient @ (goal - theta) > 0 and found.generation == 1


def test_the_search_climbs_on_returns_that_depend_on_the_parameters_alone() -> None:
    searching = search(replace(SMALL, pairs=24, shard=12))
    state = after(40, searching)
    assert searching.evaluate(state).mean() > searching.evaluate(searching.init()).mean() + 1


# -- a shard ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden_sizes", [(), (5,), (8, 6)])
def test_an_ensemble_of_policies_acts_as_each_of_them_does(hidden_sizes: tuple[int, ...]) -> None:
    trunk = npnets.Net(3, hidden_sizes=hidden_sizes, activation="tanh")
    actor = npnets.Actor(trunk, 2, max_action=(2.0, 0.5))
    members = [actor.init(np.random.default_rng(seed)) for seed in range(4)]
    observations = np.random.default_rng(9).normal(size=(4, 7, 3)).astype(np.float32)
    actions = evolution_strategies.ensemble_policy(actor, members)(observations)
    for member, seen, acted in zip(members, observations, actions, strict=True):
        np.testing.assert_allclose(acted, actor.forward(member, seen)[0], rtol=1e-5, atol=1e-6)


def test_every_layer_of_a_shard_is_one_product_of_the_ensemble(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    layer = npnets.EnsembleLinear
    monkeypatch.setattr(npnets, "EnsembleLinear", lambda *sizes: made.append(sizes) or layer(*sizes))
    actor = npnets.Actor(npnets.Net(3, hidden_sizes=(8, 6), activation="tanh"), 2)
    evolution_strategies.ensemble_policy(actor, [actor.init(np.random.default_rng(seed)) for seed in range(4)])
    assert set(made) == {(4, 3, 8), (4, 8, 6), (4, 6, 2)}


def test_the_driver_draws_the_noise_of_every_task_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    draw = evolution_strategies.draw_noise

    def recorded(*arguments: Any) -> Any:
        drawn.append(draw(*arguments))
        return drawn[-1]

    monkeypatch.setattr(evolution_strategies, "draw_noise", recorded)
    after(2, search())
    first, second = drawn[:6], drawn[6:]
    for generation in (first, second):
        assert bits(generation[:3]) == bits(generation[3:])  # three tasks, then the driver
    assert len({noise.tobytes() for noise in drawn}) == 6


def test_a_return_is_the_mean_over_a_members_own_episodes() -> None:
    searching = search()
    state = searching.init()
    theta, unravel = tree.ravel(state.params)
    shared = {**searching.saved(state), "seeds": [3, 11]}
    returns, (mean, var, count) = evolution_strategies.play_shard(
        searching.actor, SMALL, 1, rng=parallel.generator(5, 1), shared=shared
    )
    noise, seen = SMALL.sigma * evolution_strategies.draw_noise(parallel.generator(5, 1), 2, theta.size), []
    for row, sign in enumerate((1, -1)):
        for pair in range(2):
            policy = {"actor": unravel(theta + sign * noise[pair]), "moments": state.moments}
            earned = []
            for seed in (3, 11):
                env = gymnasium.make("Line-v0")
                (observation, _), ended = env.reset(seed=seed), False
                earned.append(0.0)
                while not ended:
                    seen.append(observation)
                    action = evolution_strategies.act(searching.actor, policy, observation[None])[0]
                    observation, reward, ended, _, _ = env.step(action)
                    earned[-1] += float(reward)
            assert returns[row, pair] == pytest.approx(np.mean(earned), rel=1e-5)
    assert count == len(seen)
    np.testing.assert_allclose([mean, var], [np.mean(seen, 0), np.var(seen, 0)], rtol=1e-5)


def test_observations_are_normalized_by_all_that_were_seen_before() -> None:
    rng = np.random.default_rng(0)
    parts = [rng.normal([3, -100], [0.5, 40], size=(n, 2)) for n in (1, 30, 7)]
    moments = episodes.NO_MOMENTS
    np.testing.assert_allclose(episodes.normalized(parts[0], moments), np.clip(parts[0], -5, 5), rtol=1e-6)
    for part in parts:
        moments = episodes.merged(moments, (part.mean(0), part.var(0), len(part)))
    rows = np.concatenate(parts)
    np.testing.assert_allclose(moments[0], rows.mean(0), rtol=1e-12)
    np.testing.assert_allclose(moments[1], rows.var(0), rtol=1e-12)
    expected = (rows - rows.mean(0)) / rows.std(0)
    np.testing.assert_allclose(episodes.normalized(rows, moments), expected, rtol=1e-5, atol=1e-6)
    assert episodes.normalized(rows, moments).dtype == np.float32
    np.testing.assert_array_equal(episodes.normalized(np.array([[1e6, -1e9]]), moments), [[5, -5]])


# -- workers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_shards_may_end_in_any_order(seed: int) -> None:
    shuffled = ShuffledExecutor(window=3, tasks=6, rng=np.random.default_rng(seed))
    assert bits(after(2, search(executor=shuffled))) == bits(after(2, search()))


@pytest.mark.slow
def test_the_number_of_workers_does_not_change_a_bit() -> None:
    settings = Settings(pairs=6, shard=2, episodes=1, hidden_sizes=(4,))
    states = [after(2, search(settings))]
    for workers in (1, 2):
        with parallel.ProcessExecutor(workers) as executor:
            states.append(after(2, search(settings, executor)))
    assert bits(states[0]) == bits(states[1]) == bits(states[2])
    assert bits(states[0]) != bits(after(2, search(settings, seed=1)))


# -- faults -----------------------------------------------------------------------------------------------------------


def test_an_episode_that_comes_to_a_nan_ends_with_the_return_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Line, "largest", 0.5)
    actions = np.array([[0.1], [0.9], [0.1]], np.float32)
    returns, moments = episodes.play("Line-v0", lambda observations: actions, [0, 1, 2])
    assert np.isnan(returns).tolist() == [False, True, False]
    assert np.isfinite(moments[0]).all() and np.isfinite(moments[1]).all()
    lengths = [int(gymnasium.make("Line-v0").reset(seed=seed)[0][0]) for seed in range(3)]
    assert moments[2] == lengths[0] + 1 + lengths[2]


def without(pairs: list[tuple[int, int]], searching: EvolutionStrategies) -> Any:
    """Return the parameters after one generation from whose estimate some pairs, by shard and place, are missing."""
    state = searching.init()
    returns, moments = searching.play_population(state)
    theta, unravel = tree.ravel(state.params)
    order = sorted(returns[s, k, p] for s in range(3) for k in range(2) for p in range(2) if (s, p) not in pairs)
    gradient = np.zeros(theta.size)
    for shard in range(3):
        noise = evolution_strategies.draw_noise(parallel.generator((0, 0), shard), 2, theta.size)
        for pair in range(2):
            if (shard, pair) not in pairs:
                up, down = (order.index(earned) / (len(order) - 1) - 0.5 for earned in returns[shard, :, pair])
                gradient += (up - down) * noise[pair] / (len(order) * searching.settings.sigma)
    return searching.optimizer.update(state.params, unravel(-gradient.astype(np.float32)), state.optimizer)[0]


def test_a_pair_with_a_return_of_nan_is_left_out_and_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expected, play_shard = without([(1, 0)], search()), evolution_strategies.play_shard

    def diverging(actor: Any, settings: Any, shard: int, **given: Any) -> Any:
        returns, moments = play_shard(actor, settings, shard, **given)
        if shard == 1:
            returns[1, 0] = np.nan
        return returns, moments

    monkeypatch.setattr(evolution_strategies, "play_shard", diverging)
    with caplog.at_level(logging.WARNING, "npnets"):
        found = after(1, search())
    np.testing.assert_allclose(tree.ravel(found.params)[0], tree.ravel(expected)[0], atol=1e-5)
    assert [record.getMessage() for record in caplog.records] == ["generation 0: 1 of 6 pairs are left out"]


def test_the_pairs_of_a_failed_task_are_left_out_and_the_task_is_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expected, play_shard = without([(2, 0), (2, 1)], search()), evolution_strategies.play_shard

    def failing(actor: Any, settings: Any, shard: int, **given: Any) -> Any:
        if shard == 2:
            raise ArithmeticError("the simulator diverged")
        return play_shard(actor, settings, shard, **given)

    monkeypatch.setattr(evolution_strategies, "play_shard", failing)
    with caplog.at_level(logging.WARNING, "npnets"):
        found = after(1, search())
    np.testing.assert_allclose(tree.ravel(found.params)[0], tree.ravel(expected)[0], atol=1e-5)
    first, second = (record.getMessage() for record in caplog.records)
    assert "member 2 of 3" in first and "the simulator diverged" in first
    assert second == "generation 0: 2 of 6 pairs are left out"
    assert np.isfinite(found.moments[0]).all()


def test_a_generation_without_any_returns_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Line, "largest", 0.0)
    with pytest.raises(RuntimeError, match="generation 0: no pair has returns"):
        after(1, search())
