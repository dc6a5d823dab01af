"""What a learning step of SAC, TD3, DDPG and REDQ hands to each of its parts, and what a first state has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, bits
from by_hand import assert_went_down
from off_policy_by_hand import ROWS, SOFT, agent_of, batch, begun, drawn, made, valued

from examples.online import ddpg, redq, sac, td3

# Settings with which every learning step improves the actor too.
EACH_STEP: dict[Any, dict[str, Any]] = {sac: {}, td3: {"policy_delay": 1}, ddpg: {}, redq: {"updates_per_step": 1}}


@pytest.mark.parametrize("module", EACH_STEP)
def test_targets_begin_equal_to_the_networks_that_they_follow(module: Any) -> None:
    state = agent_of(module).init(np.random.default_rng(0))
    targets = [name for name in state._fields if name.startswith("target_")]
    assert targets
    for name in targets:
        assert bits(getattr(state, name)) == bits(getattr(state, name.removeprefix("target_")))


@pytest.mark.parametrize(("rate", "stays"), [("actor_lr", "actor"), ("critic_lr", "critic")])
@pytest.mark.parametrize("module", EACH_STEP)
def test_a_learning_rate_of_zero_stops_the_networks_that_it_is_of_and_no_others(
    module: Any, rate: str, stays: str
) -> None:
    agent = agent_of(module, **EACH_STEP[module], **{rate: 0.0})
    state = agent.init(np.random.default_rng(0))
    learned, _ = agent.learn(state, batch(), *([] if module is ddpg else [np.random.default_rng(1)]))
    moved = [name for name in state._fields[:2] if bits(getattr(learned, name)) != bits(getattr(state, name))]
    assert [name.rstrip("s") for name in moved] == [{"actor": "critic", "critic": "actor"}[stays]]


@pytest.mark.parametrize("name", SOFT)
def test_a_soft_actor_learns_from_the_observations_before_the_step_and_the_temperature_from_its_log_densities(
    name: str,
) -> None:
    module, settings, believe, believed = SOFT[name]
    agent, seen = made(module, learn_temperature=True, temperature=0.6, **settings), batch()
    state = begun(agent)
    learned, losses = agent.learn(state, seen, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    rng.standard_normal((ROWS, 2))  # for the actions of the critics' targets
    believe(rng)(np.zeros((10, ROWS)))  # which of them REDQ believes
    noise, critics = rng.standard_normal((ROWS, 2)), as_numpy(learned.critics)

    def loss(params: Any) -> Any:
        act, log_prob = drawn(params, seen.obs, noise)
        return (0.6 * log_prob - believed(valued(critics, seen.obs, act), axis=0)).mean()

    actor = as_numpy(state.actor)
    assert float(losses["actor"]) == pytest.approx(loss(actor), rel=1e-6)
    assert_went_down(loss, state.actor, learned.actor)
    log_probs = drawn(actor, seen.obs, noise)[1]
    assert_allclose(learned.log_temperature, np.log(0.6) - 2 + log_probs.mean(), rtol=1e-5)
