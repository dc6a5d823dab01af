"""TD3, DDPG, SAC and REDQ of the examples: every learning step against a computation by hand in NumPy."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, bits, device, on_backend
from by_hand import assert_went_down, double, mlp

import npnets
from examples.online import (
    ddpg,
    redq,
    sac,
    td3,
)
from examples.online.critic_ensemble import critics_loss, make_critics, td_target
from examples.shared.learning_state import State
from npnets import optim, tree

SMALL: dict[str, Any] = {"hidden_sizes": (6, 5), "gamma": 0.9}
LIMIT = 2.0
ROWS = 7


def begun(agent: Any, seed: int = 0) -> State:
    """Return the first state, with targets that differ from the networks, and plain gradient steps of length one."""
    agent.optimizers = dict.fromkeys(agent.optimizers, optim.sgd(1.0))
    state, other = (agent.init(np.random.default_rng(s)) for s in (seed, seed + 1))
    params, targets = double(state.params), double(other.targets)
    return State(params, targets, {name: agent.optimizers[name].init(params[name]) for name in agent.optimizers})


def known(state: State) -> State:
    """Return parameters and targets on NumPy."""
    return State(as_numpy(state.params), as_numpy(state.targets), {})


def batch(rows: int = ROWS, act_dim: int = 2) -> Any:
    rng = np.random.default_rng(5)
    terminals = (np.arange(rows) % 3 == 0).astype(float)
    shapes = (rows, 3), (rows, act_dim), (rows,), (rows, 3)
    return *(rng.normal(size=shape) for shape in shapes), terminals


def features(params: Any, x: Any) -> Any:
    return np.maximum(mlp(params["model"], x), 0)


def acting(params: Any, obs: Any) -> Any:
    return LIMIT * np.tanh(mlp(params["last"], features(params["preprocess"], obs)))


def valued(params: Any, obs: Any, act: Any) -> Any:
    """Values `(members, batch)`."""
    return mlp(params["last"], features(params["preprocess"], np.concatenate([obs, act], axis=1)))[..., 0]


def drawn(params: Any, obs: Any, noise: Any) -> Any:
    """Squashed actions and their log-densities, by the change of variables."""
    x = features(params["preprocess"], obs)
    sigma = np.exp(np.clip(mlp(params["sigma"], x), -20, 2))
    u = mlp(params["mu"], x) + sigma * noise
    log_density = -(noise**2) / 2 - np.log(sigma * np.sqrt(2 * np.pi)) - np.log(LIMIT * (1 - np.tanh(u) ** 2))
    return LIMIT * np.tanh(u), log_density.sum(axis=1)


def squared_errors(values: Any, target: Any) -> Any:
    """Return the sum over members of the mean over a batch."""
    return ((values - target) ** 2).mean(axis=1).sum()


# -- critics ----------------------------------------------------------------------------------------------------------


def test_each_critic_of_an_ensemble_learns_as_if_alone() -> None:
    obs, act, target, *_ = batch()
    target = target[:, None]
    together, alone = (make_critics(members, 3, 2, (6, 5), device()) for members in (3, 1))
    params = double(together.init(np.random.default_rng(0)))
    grads = npnets.grad(critics_loss)(params, together, *on_backend([obs, act, target]))
    for member in range(3):
        own = tree.map(lambda leaf, m=member: leaf[m : m + 1], params)
        expected = npnets.grad(critics_loss)(own, alone, *on_backend([obs, act, target]))
        for found, exact in zip(tree.leaves(grads), tree.leaves(expected), strict=True):
            assert_allclose(found[member : member + 1], exact, rtol=1e-10, atol=1e-13)


def test_targets_include_the_next_value_unless_the_state_is_terminal() -> None:
    rewards, terminals, following = on_backend([np.array([1.0, 1.0]), np.array([0.0, 1.0]), np.array([[10.0], [10.0]])])
    assert_allclose(td_target(rewards, terminals, 0.9, following), [[10.0], [1.0]], rtol=1e-12)


# -- TD3 and DDPG -----------------------------------------------------------------------------------------------------


def td3_target(state: State, settings: Any, data: Any, seed: int) -> Any:
    """Return the targets of TD3's critics, by algorithm 1 of the paper."""
    _, _, rewards, next_obs, terminals = data
    most = settings.target_noise_limit
    blur = np.clip(np.random.default_rng(seed).normal(size=(ROWS, 2)) * settings.target_noise, -most, most)
    act = np.clip(acting(state.targets["actor"], next_obs) + LIMIT * blur, -LIMIT, LIMIT)
    return rewards + 0.9 * (1 - terminals) * valued(state.targets["critics"], next_obs, act).min(axis=0)


@pytest.mark.parametrize("most", [0.3, 1.5])  # the noise is clipped, and with it the action that it blurs
def test_td3s_critics_descend_their_squared_error_from_the_least_target_critic(most: float) -> None:
    settings = td3.Hyperparameters(**SMALL, target_noise=2.0, target_noise_limit=most)
    agent, data = td3.TD3(settings, 3, 2, device()), batch()
    state = begun(agent)
    learned, losses = agent.learn(state, data, np.random.default_rng(3))
    target = td3_target(known(state), settings, data, seed=3)

    def loss(params: Any) -> Any:
        return squared_errors(valued(params, *data[:2]), target)

    assert float(losses["critics"]) == pytest.approx(loss(as_numpy(state.params["critics"])), rel=1e-6)
    assert_went_down(loss, state.params["critics"], learned.params["critics"])


def test_ddpgs_critic_descends_its_squared_error_from_its_target_and_its_actor_is_not_delayed() -> None:
    agent, data = td3.TD3(replace(ddpg.DDPG, **SMALL), 3, 2, device()), batch()
    state = begun(agent)
    learned, losses = agent.learn(state, data, np.random.default_rng(3))
    targets, (_, _, rewards, next_obs, terminals) = as_numpy(state.targets), data
    following = valued(targets["critics"], next_obs, acting(targets["actor"], next_obs))
    assert following.shape == (1, ROWS)
    target = rewards + 0.9 * (1 - terminals) * following
    assert_went_down(
        lambda params: ((valued(params, *data[:2]) - target) ** 2).mean(),
        state.params["critics"],
        learned.params["critics"],
    )
    assert "actor" in losses


def test_td3s_actor_ascends_the_first_critic_after_its_learning_step() -> None:
    agent, data = td3.TD3(td3.Hyperparameters(**SMALL, policy_delay=1), 3, 2, device()), batch()
    state = begun(agent)
    learned, _ = agent.learn(state, data, np.random.default_rng(3))
    critics = as_numpy(learned.params["critics"])
    assert_went_down(
        lambda params: -valued(critics, data[0], acting(params, data[0]))[0].mean(),
        state.params["actor"],
        learned.params["actor"],
    )


def test_td3s_actor_and_targets_are_delayed() -> None:
    agent, data = td3.TD3(td3.Hyperparameters(**SMALL, policy_delay=3, tau=0.2), 3, 2, device()), batch()
    states, rng = [begun(agent)], np.random.default_rng(0)
    for _ in range(3):
        states.append(agent.learn(states[-1], data, rng)[0])
    waiting = [[bits(state.params["actor"]), bits(state.targets)] for state in states]
    assert waiting[0] == waiting[1] == waiting[2] != waiting[3]
    assert all(bits(a.params["critics"]) != bits(b.params["critics"]) for a, b in itertools.pairwise(states))
    for name in ("actor", "critics"):
        moved = tree.map(lambda old, new: 0.8 * old + 0.2 * new, states[0].targets[name], states[3].params[name])
        for found, expected in zip(tree.leaves(states[3].targets[name]), tree.leaves(moved), strict=True):
            assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_td3_explores_around_its_actions_within_the_bounds() -> None:
    agent = td3.TD3(td3.Hyperparameters(**SMALL), 3, 2, device())
    params, seen = agent.init(np.random.default_rng(0)).params, np.tile(np.float32([0.3, 0.4, 0.5]), (5000, 1))
    tried, chosen = agent.explore(params, seen, np.random.default_rng(1)), agent.act(params, seen)
    assert (tried - chosen).std(axis=0) == pytest.approx([0.2, 0.2], rel=0.05)
    wild = td3.TD3(td3.Hyperparameters(**SMALL, exploration_noise=3.0), 3, 2, device())
    assert np.abs(wild.explore(params, seen, np.random.default_rng(1))).max() == LIMIT


# -- SAC and REDQ -----------------------------------------------------------------------------------------------------


def soft_target(agent: Any, state: State, data: Any, rng: Any, believed: Any) -> Any:
    """Return the targets of the critics of SAC and REDQ, from the values `(members, batch)` of the target critics."""
    _, _, rewards, next_obs, terminals = data
    act, log_prob = drawn(state.params["actor"], next_obs, rng.standard_normal((ROWS, 2)))
    bonus = -np.exp(state.params["log_temperature"]) * log_prob
    return rewards + 0.9 * (1 - terminals) * (believed(valued(state.targets["critics"], next_obs, act)) + bonus)


def two_drawn(rng: Any) -> Any:
    return lambda values: values[rng.permutation(10)[:2]].min(axis=0)


SOFT = {
    "SAC": (sac.SAC, sac.Hyperparameters(**SMALL), lambda rng: lambda values: values.min(axis=0), np.min),
    "REDQ": (redq.REDQ, redq.Hyperparameters(**SMALL, updates_per_step=1), two_drawn, np.mean),
}


@pytest.mark.parametrize("name", SOFT)
def test_soft_critics_descend_their_squared_error_from_target_critics_and_entropy(name: str) -> None:
    make, settings, believe, _ = SOFT[name]
    agent, data = make(settings, 3, 2, device()), batch()
    state = begun(agent)
    learned, losses = agent.learn(state, data, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    target = soft_target(agent, known(state), data, rng, believe(rng))

    def loss(params: Any) -> Any:
        return squared_errors(valued(params, *data[:2]), target)

    assert float(losses["critics"]) == pytest.approx(loss(as_numpy(state.params["critics"])), rel=1e-6)
    assert_went_down(loss, state.params["critics"], learned.params["critics"])


@pytest.mark.parametrize("name", SOFT)
def test_a_soft_actor_descends_its_log_density_minus_the_value(name: str) -> None:
    make, settings, _, believed = SOFT[name]
    agent, obs = make(settings, 3, 2, device()), batch()[0]
    state = begun(agent)
    state.params["log_temperature"] = on_backend(np.array(-0.5))
    learned, losses = agent.improve_actor(state, on_backend(obs), np.random.default_rng(3))
    critics = as_numpy(state.params["critics"])

    def loss(params: Any) -> Any:
        act, log_prob = drawn(params, obs, np.random.default_rng(3).standard_normal((ROWS, 2)))
        return (np.exp(-0.5) * log_prob - believed(valued(critics, obs, act), axis=0)).mean()

    assert float(losses["actor"]) == pytest.approx(loss(as_numpy(state.params["actor"])), rel=1e-6)
    assert_went_down(loss, state.params["actor"], learned.params["actor"])


def test_the_temperature_rises_with_the_missing_entropy() -> None:
    agent, obs = sac.SAC(sac.Hyperparameters(**SMALL), 3, 2, device()), batch()[0]
    state = begun(agent)
    learned, _ = agent.improve_actor(state, on_backend(obs), np.random.default_rng(3))
    noise = np.random.default_rng(3).standard_normal((ROWS, 2))
    entropy = -drawn(as_numpy(state.params["actor"]), obs, noise)[1].mean()
    target_entropy = 2 * (np.log(LIMIT) - 1)  # -1 for each of two actions within [-1, 1], plus log(2) for the scale
    assert_allclose(learned.params["log_temperature"], target_entropy - entropy, rtol=1e-6)


def test_soft_target_critics_move_by_tau_toward_the_critics_that_have_just_learned() -> None:
    agent, data = sac.SAC(sac.Hyperparameters(**SMALL, tau=0.2), 3, 2, device()), batch()
    state = begun(agent)
    learned, _ = agent.learn(state, data, np.random.default_rng(3))
    moved = tree.map(lambda old, new: 0.8 * old + 0.2 * new, state.targets, {"critics": learned.params["critics"]})
    for found, expected in zip(tree.leaves(learned.targets), tree.leaves(moved), strict=True):
        assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_redqs_actor_learns_once_after_several_steps_of_its_critics() -> None:
    agent, data = redq.REDQ(redq.Hyperparameters(**SMALL, updates_per_step=3), 3, 2, device()), batch()
    state, rng, trained = begun(agent), np.random.default_rng(0), []
    for _ in range(6):
        before = bits([state.params["actor"], state.params["log_temperature"]])
        state, losses = agent.learn(state, data, rng)
        trained.append(bits([state.params["actor"], state.params["log_temperature"]]) != before)
        assert trained[-1] == ("actor" in losses)
    assert trained == [False, False, True] * 2


def test_redq_uses_every_pair_of_its_target_critics() -> None:
    agent = redq.REDQ(redq.Hyperparameters(**SMALL, critics=4), 3, 2, device())
    targets, (obs, act, *_) = begun(agent).targets["critics"], batch()
    values = valued(as_numpy(targets), obs, act)
    pairs = {(i, j): values[[i, j]].min(axis=0) for i, j in itertools.combinations(range(4), 2)}
    rng, asked = np.random.default_rng(0), set()
    for _ in range(60):
        said = as_numpy(agent.target_values(targets, *on_backend([obs, act]), rng))[:, 0]
        asked.add(tuple(pair for pair, expected in pairs.items() if np.allclose(said, expected, rtol=1e-9)))
    told_apart = {tuple(p for p, w in pairs.items() if np.array_equal(w, v)) for v in pairs.values()}
    assert asked == told_apart and len(told_apart) > 3


def test_a_squashed_actor_explores_at_random_and_acts_deterministically() -> None:
    agent = sac.SAC(sac.Hyperparameters(**SMALL), 3, 2, device())
    params, obs = agent.init(np.random.default_rng(0)).params, batch()[0].astype(np.float32)
    noise = np.random.default_rng(4).standard_normal((ROWS, 2))
    by_hand = [drawn(double(as_numpy(params["actor"])), obs, n)[0] for n in (noise, 0 * noise)]
    np.testing.assert_allclose(agent.explore(params, obs, np.random.default_rng(4)), by_hand[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(agent.act(params, obs), by_hand[1], rtol=1e-4, atol=1e-5)
