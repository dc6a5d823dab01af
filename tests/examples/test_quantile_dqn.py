"""DQN with quantiles: its loss, and a learning step, against a computation by hand in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, device, on_backend
from by_hand import assert_went_down, double, mlp

import npnets
from examples.discrete import quantile_dqn
from examples.discrete.learning_state import State
from examples.discrete.quantile_dqn import Hyperparameters, QuantileDQN
from examples.discrete.replay_learning import Batch
from npnets import optim, tree

SETTINGS: dict[str, Any] = {
    "hidden_sizes": (6, 5),
    "cosines": 3,
    "quantiles": 4,
    "acting_quantiles": 2,
    "reward_scale": 0.5,
    "tau": 0.25,
}
ROWS, ACTIONS = 7, 3


def small() -> QuantileDQN:
    return QuantileDQN(Hyperparameters(**SETTINGS), 3, ACTIONS, device())


def varied(params: Any) -> Any:
    """Return parameters in float64, so large that the best action differs between observations."""
    return tree.map(lambda leaf: 3 * leaf, double(params))


def quantiles(params: Any, obs: Any, taus: Any) -> Any:
    """Return quantiles `(batch, actions, n)`, by equation (4) of the paper."""
    features = np.maximum(mlp(params["preprocess"]["model"], obs), 0)
    cosines = np.cos(np.pi * np.arange(1, 4) * taus[:, :, None])
    layer = params["embed_model"]["linear"]
    embedded = np.maximum(cosines @ layer["weight"] + layer["bias"], 0)
    return mlp(params["last"], features[:, None] * embedded).swapaxes(1, 2)


def regression(estimates: Any, taus: Any, targets: Any) -> float:
    """Return the loss of quantile regression, pair by pair."""
    total = 0.0
    for row, fractions, draws in zip(estimates, taus, targets, strict=True):
        for estimate, tau in zip(row, fractions, strict=True):
            errors = draws - estimate
            huber = np.where(abs(errors) < 1, errors**2 / 2, abs(errors) - 0.5)
            total += np.mean(abs(tau - (errors < 0)) * huber)
    return total / len(estimates)


def test_the_loss_is_that_of_quantile_regression() -> None:
    rng = np.random.default_rng(0)
    estimates, targets, taus = 2 * rng.normal(size=(5, 4)), 2 * rng.normal(size=(5, 6)), rng.random((5, 4))
    found = quantile_dqn.quantile_loss(*on_backend([estimates, taus, targets]))
    assert_allclose(found, regression(estimates, taus, targets), rtol=1e-12)


def test_the_loss_is_least_at_the_quantiles_of_the_targets() -> None:
    targets = np.random.default_rng(1).exponential(50, size=(1, 20_000))  # so wide that the Huber loss is nearly linear
    taus = np.array([[0.1, 0.5, 0.9]])
    exact = np.quantile(targets[0], taus)

    def slopes(estimates: Any) -> Any:
        grads = npnets.grad(quantile_dqn.quantile_loss)(*on_backend([estimates, taus, targets]))
        return as_numpy(grads)

    assert abs(slopes(exact)).max() < 0.01
    assert (slopes(exact - 5) < -0.005).all() and (slopes(exact + 5) > 0.005).all()


def batch(rng: np.random.Generator) -> Any:
    observations, following = rng.normal(size=(2, ROWS, 3))
    actions = rng.integers(ACTIONS, size=ROWS)
    discounts = np.array([0.9, 0.0, 0.81, 0.9, 0.9, 0.0, 0.9])
    return Batch(observations, actions, rng.normal(size=ROWS), following, discounts)


def test_a_step_descends_the_loss_from_targets_of_the_target_networks_best_action() -> None:
    agent, data = small(), batch(np.random.default_rng(5))
    agent.optimizers = {"actor": optim.sgd(1.0)}
    begun, other = (agent.init(np.random.default_rng(seed)) for seed in (0, 1))
    params, targets = varied(begun.params), varied(other.targets)
    state = State(params, targets, {"actor": agent.optimizers["actor"].init(params["actor"])})
    learned, losses = agent.learn(state, data, np.random.default_rng(3))

    rng = np.random.default_rng(3)
    later_taus, taus = rng.random((ROWS, 4)), rng.random((ROWS, 4))
    observations, actions, returns, following, discounts = data
    later = quantiles(as_numpy(targets["actor"]), following, later_taus)
    best = later[np.arange(ROWS), later.mean(2).argmax(1)]
    assert len(set(later.mean(2).argmax(1))) > 1
    target = 0.5 * returns[:, None] + discounts[:, None] * best

    def loss(params: Any) -> float:
        chosen = quantiles(params, observations, taus)[np.arange(ROWS), actions]
        return regression(chosen, taus, target)

    assert_went_down(loss, params["actor"], learned.params["actor"])
    assert_allclose(losses["loss"], loss(as_numpy(params["actor"])), rtol=1e-10)
    moved = tree.map(lambda old, new: old + 0.25 * (new - old), targets["actor"], learned.params["actor"])
    for found, expected in zip(tree.leaves(learned.targets["actor"]), tree.leaves(moved), strict=True):
        assert_allclose(found, expected, rtol=1e-10)


def test_the_best_action_has_the_highest_mean_over_evenly_spaced_quantiles() -> None:
    agent = small()
    params = varied(agent.init(np.random.default_rng(0)).params)
    observations = np.random.default_rng(1).normal(size=(200, 3))
    taus = np.tile([0.25, 0.75], (200, 1))
    values = quantiles(as_numpy(params["actor"]), observations, taus).mean(2)
    np.testing.assert_array_equal(agent.act(params, observations), values.argmax(1))
    assert len(set(values.argmax(1))) > 1


@pytest.mark.parametrize("epsilon", [0.0, 0.3, 1.0])
def test_an_action_is_random_with_the_probability_epsilon(epsilon: float) -> None:
    agent = small()
    params = agent.init(np.random.default_rng(0)).params
    observations = np.repeat(np.random.default_rng(1).normal(size=(1, 3)).astype(np.float32), 6000, axis=0)
    actions = agent.explore(params, observations, epsilon, np.random.default_rng(2))
    expected = np.full(ACTIONS, epsilon / ACTIONS)
    expected[agent.act(params, observations[:1])] += 1 - epsilon
    np.testing.assert_allclose(np.bincount(actions, minlength=ACTIONS) / 6000, expected, atol=0.025)


@pytest.mark.numpy_alone("is about a schedule")
def test_the_learning_rate_falls_to_zero_with_the_last_learning_step() -> None:
    settings = Hyperparameters(steps=1024, environments=4, horizon=8, updates=5, learning_rate=0.2)
    rate = QuantileDQN(settings, 3, ACTIONS).optimizers["actor"].learning_rate
    assert [rate(step) for step in (0, 80, 160)] == pytest.approx([0.2, 0.1, 0.0])  # 32 rollouts with 5 steps each
