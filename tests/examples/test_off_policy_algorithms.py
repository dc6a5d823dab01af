"""TD3, DDPG, SAC and REDQ of the examples: every learning step against a computation by hand in NumPy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, bits, device, on_backend
from by_hand import assert_went_down, double
from gymnasium.spaces import Box
from off_policy_by_hand import (
    HALF,
    HIGH,
    LOW,
    OBS,
    ROWS,
    SOFT,
    acting,
    batch,
    begun,
    drawn,
    made,
    valued,
)

from examples.online import ddpg, redq, sac, td3
from npnets import data, tree


def squared_errors(values: Any, target: Any) -> Any:
    """Return the sum over members of the mean over a batch."""
    return ((values - target) ** 2).mean(axis=1).sum()


def assert_moved(found: Any, before: Any, toward: Any, tau: float) -> None:
    moved = tree.map(lambda old, new: (1 - tau) * old + tau * new, before, toward)
    for leaf, expected in zip(tree.leaves(found), tree.leaves(moved), strict=True):
        assert_allclose(leaf, expected, rtol=1e-12, atol=1e-15)


# -- TD3 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [0.3, 1.5])  # the noise is clipped, and with it the action that it blurs
def test_td3s_critics_descend_their_squared_error_from_the_least_target_critic(limit: float) -> None:
    agent, seen = made(td3, target_noise=2.0, target_noise_limit=limit), batch()
    state = begun(agent)
    learned, losses = agent.learn(state, seen, np.random.default_rng(3))
    known = as_numpy(state)
    blur = np.clip(2.0 * np.random.default_rng(3).normal(size=(ROWS, 2)), -limit, limit)
    act = np.clip(acting(known.target_actor, seen.next_obs) + HALF * blur, LOW, HIGH)
    following = valued(known.target_critics, seen.next_obs, act)
    assert following.shape == (2, ROWS)
    target = seen.reward + 0.9 * np.where(seen.terminated, 0, following.min(axis=0))

    def loss(params: Any) -> Any:
        return squared_errors(valued(params, seen.obs, seen.action), target)

    assert float(losses["critics"]) == pytest.approx(loss(known.critics), rel=1e-6)
    assert_went_down(loss, state.critics, learned.critics)


def test_td3s_actor_ascends_the_first_critic_after_its_learning_step() -> None:
    agent, seen = made(td3, policy_delay=1), batch()
    state = begun(agent)
    learned, losses = agent.learn(state, seen, np.random.default_rng(3))
    critics = as_numpy(learned.critics)

    def loss(params: Any) -> Any:
        return -valued(critics, seen.obs, acting(params, seen.obs))[0].mean()

    assert float(losses["actor"]) == pytest.approx(loss(as_numpy(state.actor)), rel=1e-6)
    assert_went_down(loss, state.actor, learned.actor)


def test_td3s_actor_and_targets_are_delayed() -> None:
    agent, seen = made(td3, policy_delay=3, tau=0.2), batch()
    states, rng = [begun(agent)], np.random.default_rng(0)
    for _ in range(3):
        states.append(agent.learn(states[-1], seen, rng)[0])
    waiting = [[bits(part) for part in (s.actor, s.target_actor, s.target_critics)] for s in states]
    assert waiting[0] == waiting[1] == waiting[2]
    assert all(before != after for before, after in zip(waiting[2], waiting[3], strict=True))
    assert all(bits(a.critics) != bits(b.critics) for a, b in itertools.pairwise(states))
    assert_moved(states[3].target_actor, states[0].target_actor, states[3].actor, 0.2)
    assert_moved(states[3].target_critics, states[0].target_critics, states[3].critics, 0.2)


@pytest.mark.parametrize("module", [td3, ddpg])
def test_a_deterministic_actor_explores_around_its_actions_within_the_bounds(module: Any) -> None:
    calm, wild = (made(module, exploration_noise=noise) for noise in (0.01, 3.0))
    state, obs, rng = calm.init(np.random.default_rng(0)), np.float32([0.3, 0.4, 0.5]), np.random.default_rng(1)
    tried = np.array([calm.explore(state, obs, rng) for _ in range(500)])
    chosen = as_numpy(calm.deterministic(state).act(obs[None]))
    np.testing.assert_allclose(chosen, acting(as_numpy(state.actor), obs[None]), rtol=1e-5)
    assert (tried - chosen).mean(axis=0) == pytest.approx([0, 0], abs=0.003)
    assert (tried - chosen).std(axis=0) == pytest.approx(0.01 * HALF, rel=0.1)
    tried = np.array([wild.explore(state, obs, rng) for _ in range(200)])
    np.testing.assert_array_equal([tried.min(axis=0), tried.max(axis=0)], [LOW, HIGH])


# -- DDPG -------------------------------------------------------------------------------------------------------------


def test_ddpgs_critic_descends_its_squared_error_from_its_target() -> None:
    agent, seen = made(ddpg), batch()
    state = begun(agent)
    learned, losses = agent.learn(state, seen)
    known = as_numpy(state)
    following = valued(known.target_critic, seen.next_obs, acting(known.target_actor, seen.next_obs))
    target = seen.reward + 0.9 * np.where(seen.terminated, 0, following)

    def loss(params: Any) -> Any:
        return ((valued(params, seen.obs, seen.action) - target) ** 2).mean()

    assert float(losses["critic"]) == pytest.approx(loss(known.critic), rel=1e-6)
    assert_went_down(loss, state.critic, learned.critic)


def test_ddpgs_actor_ascends_the_critic_in_each_step_and_both_targets_move() -> None:
    agent, seen = made(ddpg, tau=0.2), batch()
    state = begun(agent)
    learned, losses = agent.learn(state, seen)
    critic = as_numpy(learned.critic)

    def loss(params: Any) -> Any:
        return -valued(critic, seen.obs, acting(params, seen.obs)).mean()

    assert float(losses["actor"]) == pytest.approx(loss(as_numpy(state.actor)), rel=1e-6)
    assert_went_down(loss, state.actor, learned.actor)
    assert_moved(learned.target_actor, state.target_actor, learned.actor, 0.2)
    assert_moved(learned.target_critic, state.target_critic, learned.critic, 0.2)


# -- SAC and REDQ -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOFT)
def test_soft_critics_descend_their_squared_error_from_target_critics_and_entropy(name: str) -> None:
    module, settings, believe, _ = SOFT[name]
    agent, seen = made(module, temperature=0.6, **settings), batch()
    state = begun(agent)
    learned, losses = agent.learn(state, seen, np.random.default_rng(3))
    known, rng = as_numpy(state), np.random.default_rng(3)
    act, log_prob = drawn(known.actor, seen.next_obs, rng.standard_normal((ROWS, 2)))
    value = believe(rng)(valued(known.target_critics, seen.next_obs, act))
    target = seen.reward + 0.9 * np.where(seen.terminated, 0, value - 0.6 * log_prob)

    def loss(params: Any) -> Any:
        return squared_errors(valued(params, seen.obs, seen.action), target)

    assert float(losses["critics"]) == pytest.approx(loss(known.critics), rel=1e-6)
    assert_went_down(loss, state.critics, learned.critics)


@pytest.mark.parametrize("name", SOFT)
def test_a_soft_actor_descends_its_log_density_minus_the_value(name: str) -> None:
    module, settings, _, believed = SOFT[name]
    agent, obs = made(module, temperature=0.6, **settings), batch().obs
    state = begun(agent)
    learned, value, log_prob = agent.improve_actor(state, on_backend(obs), np.random.default_rng(3))
    critics, noise = as_numpy(state.critics), np.random.default_rng(3).standard_normal((ROWS, 2))

    def loss(params: Any) -> Any:
        act, log_prob = drawn(params, obs, noise)
        return (0.6 * log_prob - believed(valued(critics, obs, act), axis=0)).mean()

    actor = as_numpy(state.actor)
    assert float(value) == pytest.approx(loss(actor), rel=1e-6)
    assert_allclose(log_prob, drawn(actor, obs, noise)[1], rtol=1e-6)
    assert_went_down(loss, state.actor, learned.actor)


@pytest.mark.parametrize("name", SOFT)
def test_a_learned_temperature_rises_with_the_missing_entropy_and_a_fixed_one_stays(name: str) -> None:
    module, settings, *_ = SOFT[name]
    learning, fixed = (made(module, learn_temperature=flag, temperature=0.6, **settings) for flag in (True, False))
    state, seen = begun(learning), batch()
    log_prob = on_backend(np.random.default_rng(3).normal(size=ROWS))
    moved = learning.improve_temperature(state, log_prob).log_temperature
    assert_allclose(moved, np.log(0.6) - 2 + as_numpy(log_prob).mean(), rtol=1e-5)  # -1 for each entry of an action
    learned, stayed = (agent.learn(state, seen, np.random.default_rng(3)) for agent in (learning, fixed))
    assert bits(learned[0].log_temperature) != bits(state.log_temperature) == bits(stayed[0].log_temperature)
    assert float(stayed[1]["temperature"]) == pytest.approx(0.6)
    assert bits(learned[0].actor) == bits(stayed[0].actor)


@pytest.mark.parametrize("name", SOFT)
def test_soft_target_critics_move_by_tau_toward_the_critics_that_have_just_learned(name: str) -> None:
    module, settings, *_ = SOFT[name]
    agent, seen = made(module, tau=0.2, **settings), batch()
    state = begun(agent)
    learned, _ = agent.learn(state, seen, np.random.default_rng(3))
    assert_moved(learned.target_critics, state.target_critics, learned.critics, 0.2)


def test_redqs_actor_learns_once_after_several_steps_of_its_critics_and_targets() -> None:
    agent, seen = made(redq, updates_per_step=3, learn_temperature=True), batch()
    state, rng, trained = begun(agent), np.random.default_rng(0), []
    for _ in range(6):
        before = state
        state, losses = agent.learn(state, seen, rng)
        trained.append([bits(new) != bits(old) for new, old in zip(state, before, strict=True)][:4])
        assert trained[-1][0] == ("actor" in losses) == ("temperature" in losses)
    assert trained == [[False, True, True, False]] * 2 + [[True] * 4] + [[False, True, True, False]] * 2 + [[True] * 4]


def test_redq_uses_every_pair_of_its_target_critics() -> None:
    agent = made(redq, critics=4)
    targets, seen = begun(agent).target_critics, batch()
    values = valued(as_numpy(targets), seen.obs, seen.action)
    pairs = {(i, j): values[[i, j]].min(axis=0) for i, j in itertools.combinations(range(4), 2)}
    rng, found = np.random.default_rng(0), set()
    for _ in range(60):
        lowest = as_numpy(agent.target_value(targets, *on_backend([seen.obs, seen.action]), rng))
        found.add(tuple(pair for pair, expected in pairs.items() if np.allclose(lowest, expected, rtol=1e-9)))
    told_apart = {tuple(p for p, w in pairs.items() if np.array_equal(w, v)) for v in pairs.values()}
    assert found == told_apart and len(told_apart) > 3


@pytest.mark.numpy_alone("is about an error before there is an array")
def test_a_target_of_more_critics_than_there_are_is_an_error() -> None:
    with pytest.raises(ValueError, match="--subset must be at most the number of critics, 3, but is 4"):
        made(redq, critics=3, subset=4)


@pytest.mark.parametrize("name", SOFT)
def test_a_squashed_actor_explores_at_random_and_acts_deterministically(name: str) -> None:
    agent = made(SOFT[name][0])
    state, obs = agent.init(np.random.default_rng(0)), batch().obs[0].astype(np.float32)
    noise = np.random.default_rng(4).standard_normal((1, 2))
    by_hand = [drawn(double(as_numpy(state.actor)), obs[None], n)[0][0] for n in (noise, 0 * noise)]
    np.testing.assert_allclose(agent.explore(state, obs, np.random.default_rng(4)), by_hand[0], rtol=1e-4, atol=1e-5)
    assert_allclose(agent.deterministic(state).act(obs), by_hand[1], rtol=1e-4, atol=1e-5)


# -- normalized observations ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [td3, ddpg, sac, redq])
def test_networks_see_normalized_observations_in_learning_exploring_and_acting(module: Any) -> None:
    scaling, plain = made(module, normalize_observations=True), made(module)
    seen = np.random.default_rng(1).normal([3, -5, 0], [0.1, 2, 7], (50, 3)).astype(np.float32)
    state = scaling.init(np.random.default_rng(0))
    for obs in seen:
        state = module.observed(state, obs)
    assert state.statistics.count == 50
    scaled = ((seen - seen.mean(0)) / seen.std(0)).astype(np.float32)
    np.testing.assert_allclose(module.normalized(state, seen), scaled, rtol=1e-3, atol=1e-4)
    bare, rngs = state._replace(statistics=None), [np.random.default_rng(2) for _ in range(4)]
    assert module.observed(bare, seen[0]) is bare
    obs = module.normalized(state, seen[7])
    np.testing.assert_allclose(scaling.explore(state, seen[7], rngs[0]), plain.explore(bare, obs, rngs[1]), rtol=1e-5)
    acts = scaling.deterministic(state).act(seen), plain.deterministic(bare).act(module.normalized(state, seen))
    assert_allclose(*acts, rtol=1e-5)
    rows = batch()._replace(obs=seen[:ROWS], next_obs=seen[ROWS : 2 * ROWS])
    known = rows._replace(obs=module.normalized(state, rows.obs), next_obs=module.normalized(state, rows.next_obs))
    with_rng = [[rng] if module is not ddpg else [] for rng in rngs[2:]]
    learned, expected = scaling.learn(state, rows, *with_rng[0])[0], plain.learn(bare, known, *with_rng[1])[0]
    assert bits(learned._replace(statistics=None)) == bits(expected)


@pytest.mark.parametrize("module", [td3, ddpg, sac, redq])
def test_actions_of_two_axes_are_explored_and_learned_from(module: Any) -> None:
    name = module.__name__.rpartition(".")[2].upper()
    settings = module.Settings(hidden_sizes=(6,), device=device(), batch_size=4)
    agent = getattr(module, name)(settings, OBS, Box(LOW[:, None], HIGH[:, None]))
    state, rng = agent.init(np.random.default_rng(0)), np.random.default_rng(1)
    seen = batch()
    action = agent.explore(state, seen.obs[0].astype(np.float32), rng)
    assert action.shape == (2, 1)
    learn = [rng] if module is not ddpg else []
    whole = agent.learn(state, seen._replace(action=seen.action[:, :, None]), *learn)[0]
    assert bits(whole) != bits(state)
    assert agent.deterministic(state).act(seen.obs).shape == (ROWS, 2, 1)


@pytest.mark.parametrize("module", [td3, ddpg, sac, redq])
def test_a_learning_step_in_float32_computes_nothing_in_float64(module: Any) -> None:
    agent, rng = made(module), np.random.default_rng(1)
    seen = data.Transitions(*(column.astype(np.float32) for column in batch()[:4]), batch().terminated)
    _, losses = agent.learn(agent.init(rng), seen, *([rng] if module is not ddpg else []))
    assert {loss.dtype for loss in losses.values()} == {np.dtype(np.float32)}
