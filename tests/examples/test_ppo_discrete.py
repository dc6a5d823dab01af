"""PPO for discrete actions: draws, and a learning step against a computation by hand in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from backends import as_numpy, device, on_backend
from by_hand import assert_went_down, double, mlp

from examples.discrete.ppo_discrete import DiscretePPO, Hyperparameters
from examples.online import ppo
from npnets import optim, tree

SETTINGS: dict[str, Any] = {"hidden_sizes": (6, 5), "entropy_weight": 0.3, "value_weight": 0.7, "max_grad_norm": 1e9}
ROWS = 33


def logits_and_values(params: Any, obs: Any) -> tuple[Any, Any]:
    """Return the normalized logits of both heads' one trunk, and the values, in NumPy."""
    for index in range(2):
        layer = params["preprocess"]["model"][f"linear_{index}"]
        obs = np.tanh(obs @ layer["weight"] + layer["bias"])
    logits = mlp(params["actor"]["last"], obs)
    return logits - np.log(np.exp(logits).sum(1, keepdims=True)), mlp(params["critic"]["last"], obs)[:, 0]


def loss(params: Any, batch: ppo.Batch, settings: Hyperparameters) -> Any:
    """Return PPO's loss with its three parts, by equations (7) and (9) of the paper."""
    logits, values = logits_and_values(params, batch.obs)
    ratio = np.exp(logits[np.arange(ROWS), batch.draw] - batch.log_prob)
    gain = np.minimum(ratio * batch.advantage, np.clip(ratio, 0.8, 1.2) * batch.advantage).mean()
    entropy = -(np.exp(logits) * logits).sum(1).mean()
    errors = ((values - batch.target) ** 2).mean()
    return -gain + settings.value_weight * errors - settings.entropy_weight * entropy


def test_ppo_descends_its_whole_loss_through_the_one_trunk_of_actor_and_critic() -> None:
    settings = Hyperparameters(**SETTINGS)
    agent = DiscretePPO(settings, 3, 4, device())
    begun, plain, rng = agent.init(np.random.default_rng(0)), optim.sgd(1.0), np.random.default_rng(6)
    params = double(begun.params)
    assert set(params) == {"preprocess", "actor", "critic"}
    seen, drawn = rng.normal(size=(ROWS, 3)), rng.integers(4, size=ROWS)
    batch = ppo.Batch(seen, drawn, *(rng.normal(size=ROWS) - 1 for _ in range(3)))
    state: Any = begun._replace(params=params, adam=plain.init(params))
    learned, _ = agent.improve(state, on_backend(batch), plain)  # type: ignore[arg-type]
    assert_went_down(lambda params: loss(params, batch, settings), params, learned.params)


def test_actions_are_drawn_with_the_probabilities_that_are_stored_and_the_best_one_is_chosen_without_noise() -> None:
    agent = DiscretePPO(Hyperparameters(**SETTINGS), 3, 4, device())
    state = agent.init(np.random.default_rng(0))
    state = state._replace(params=tree.map(lambda leaf: 2 * leaf, state.params))
    observations = np.repeat(np.random.default_rng(1).normal(size=(2, 3)).astype(np.float32), 4000, axis=0)
    draws, log_probs = agent.explore(state, observations, np.random.default_rng(2))
    actions, (logits, _) = agent.action(draws), logits_and_values(as_numpy(double(state.params)), observations)
    np.testing.assert_allclose(log_probs, logits[np.arange(8000), actions], rtol=1e-4)
    for rows in (slice(4000), slice(4000, 8000)):
        drawn = np.bincount(actions[rows], minlength=4) / 4000
        np.testing.assert_allclose(drawn, np.exp(logits[rows][0]), atol=0.03)
    np.testing.assert_array_equal(agent.act(state.params, observations), logits.argmax(1))
