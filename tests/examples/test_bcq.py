"""The BCQ example against Tianshou: `golden/bcq.npz` contains three learning steps of its `BCQPolicy`."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, bits, device, on_backend

from examples.offline.bcq import BCQ
from examples.offline.bcq_settings import Hyperparameters
from npnets import tree

ROOT = Path(__file__).resolve().parents[2]

GOLDEN = np.load(ROOT / "tests" / "support" / "golden" / "bcq.npz")
SETTINGS = Hyperparameters(hidden_sizes=(8, 7), vae_hidden_sizes=(9, 6), latent_dim=2, batch_size=5, steps=3)
NOISE_SEED = 7


@pytest.fixture
def agent() -> BCQ:
    return BCQ(SETTINGS, 3, 2, device())


def golden_params(agent: BCQ, prefix: str) -> Any:
    params = agent.init(np.random.default_rng(0)).params
    named = {n: iter([GOLDEN[f"{prefix}.{n}.{path}"] for path in tree.paths(part)]) for n, part in params.items()}
    vectors = {n: on_backend(np.concatenate([part.reshape(-1) for part in parts])) for n, parts in named.items()}
    return {n: tree.ravel(part)[1](vectors[n]) for n, part in params.items()}


def learn(agent: BCQ) -> Any:
    params = golden_params(agent, "initial")
    state = agent.init(np.random.default_rng(0))
    state = state._replace(params=params, targets={name: params[name] for name in state.targets})
    noise, all_losses = np.random.default_rng(NOISE_SEED), []
    for step in range(SETTINGS.steps):
        state, losses = agent.learn(state, tuple(GOLDEN[f"batch.{step}.{index}"] for index in range(5)), noise)
        all_losses.append(losses)
    return state, all_losses


def test_the_losses_of_three_learning_steps_equal_those_of_tianshou(agent: BCQ) -> None:
    _, losses = learn(agent)
    for step, ours in enumerate(losses):
        assert_allclose(list(ours), GOLDEN[f"losses.{step}"], rtol=2e-5)


def test_the_parameters_after_three_learning_steps_equal_those_of_tianshou(agent: BCQ) -> None:
    state, _ = learn(agent)
    expected = golden_params(agent, "final")
    for path, ours, theirs in zip(tree.paths(expected), tree.leaves(state.params), tree.leaves(expected), strict=True):
        assert_allclose(ours, theirs, rtol=1e-4, atol=2e-6, err_msg=path)
        assert ours.dtype == np.float32


def test_learning_changes_neither_the_given_state_nor_the_given_batch(agent: BCQ) -> None:
    state = agent.init(np.random.default_rng(1))
    before = bits(list(state))
    batch = on_backend([GOLDEN[f"batch.0.{index}"] for index in range(5)])
    copies = bits(batch)
    agent.learn(state, tuple(batch), np.random.default_rng(2))
    assert bits(list(state)) == before
    assert bits(batch) == copies


def test_the_policy_takes_the_sampled_action_with_the_highest_value_of_the_first_critic(agent: BCQ) -> None:
    state = agent.init(np.random.default_rng(3))
    observations = np.random.default_rng(4).normal(size=(6, 3)).astype(np.float32)
    chosen = agent.act(state.params, observations, np.random.default_rng(5))
    perturbation, critic, vae = agent.networks
    repeated = np.repeat(observations, SETTINGS.forward_sampled_times, axis=0)
    sampled = vae.decode(state.params["vae"], repeated, rng=np.random.default_rng(5))
    actions = perturbation.forward(state.params["perturbation"], repeated, sampled)
    values = critic.forward(state.params["critic_1"], repeated, actions)[:, 0]
    actions, values = as_numpy((actions, values))
    for row in range(6):
        of_row = slice(row * SETTINGS.forward_sampled_times, (row + 1) * SETTINGS.forward_sampled_times)
        np.testing.assert_array_equal(chosen[row], actions[of_row][values[of_row].argmax()])
