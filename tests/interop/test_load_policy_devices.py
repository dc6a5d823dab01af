"""`load_policy` places parameters on the device of your choice, and the policy acts there."""

from __future__ import annotations

import numpy as np
import pytest
from backends import assert_allclose, device
from stable_baselines3_archives import NEWEST, recorded

from npnets import interop, tree
from npnets.backend import device_of


@pytest.mark.parametrize("name", ["sac", "sac_sde", "td3", "ppo", "ppo_axes", "a2c_sde"])
def test_a_policy_acts_on_the_device_on_which_it_is_placed(name: str) -> None:
    policy = interop.load_policy(NEWEST / f"{name}.zip", device=device())
    assert {device_of(leaf) for leaf in tree.leaves(policy.params)} == {device()}
    observations, expected = (recorded("2.9.2")[f"{name}.{part}"] for part in ("observations", "actions"))
    assert_allclose(policy.act(observations), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["dqn", "a2c_discrete"])
def test_discrete_actions_are_chosen_on_the_device_too(name: str) -> None:
    policy = interop.load_policy(NEWEST / f"{name}.zip", device=device())
    observations, expected = (recorded("2.9.2")[f"{name}.{part}"] for part in ("observations", "actions"))
    actions = policy.act(observations)
    assert device_of(actions) == device() and np.array_equal(tree.to_numpy(actions), expected)
