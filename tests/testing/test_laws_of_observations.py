"""`check_network` with a critic whose trunk sees dicts: all laws hold, and a trunk that breaks one is found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from camera import Camera, scene
from hypothesis import strategies as st

import npnets
import npnets.numpy as nnp
from npnets.testing import LAWS, NetworkLawError, check_network

pytestmark = pytest.mark.numpy_alone("the laws draw NumPy arrays; those of other backends are in test_testing_devices")

ALONE: dict[str, Any] = {"apply_preprocess_net_to_obs_only": True}


def _scenes(batch: int) -> Any:
    return st.integers(0, 99).map(lambda seed: scene(batch, seed))


@pytest.mark.parametrize(
    "network",
    [
        npnets.Critic(Camera()),
        npnets.Critic(Camera(), **ALONE),
        npnets.Critic(Camera(), (5,), **ALONE, action_shape=(2, 1)),
        npnets.Actor(Camera(), 2),
        npnets.ActorProb(Camera(), 2),
        npnets.discrete.Actor(Camera(), 3),
    ],
    ids=["critic", "of features", "of features and actions", "actor", "probabilistic actor", "discrete actor"],
)
def test_networks_behind_a_trunk_for_dicts_keep_the_laws(network: Any) -> None:
    check_network(network, obs=_scenes, max_examples=4)


def test_actions_that_the_head_counts_by_hand_are_passed_once_their_shape_is_given() -> None:
    critic = npnets.Critic(Camera(), preprocess_net_output_dim=8, **ALONE)
    check_network(critic, obs=_scenes, action_shape=2, max_examples=2)
    with pytest.raises(NetworkLawError, match="pass act, if 2 of the inputs are an action's"):
        check_network(critic, obs=_scenes)


class Blurred(Camera):
    """Sees the mean of all images of the batch."""

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        mean = np.broadcast_to(obs["image"].mean(0), obs["image"].shape)
        return super().forward(params, {**obs, "image": mean}, state)


class Frozen(Camera):
    """Stops the gradient by its parameters."""

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return super().forward(npnets.stop_gradient(params), obs, state)


class Reused(Camera):
    """Changes the observation that it is passed."""

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        obs["image"] *= 2
        return super().forward(params, obs, state)


class Wide(Camera):
    """Returns a number more than `output_dim`."""

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        features, state = super().forward(params, obs, state)
        return nnp.concatenate([features, features[:, :1]], 1), state


@pytest.mark.parametrize(
    ("trunk", "law"),
    [(Blurred(), "rows"), (Frozen(), "gradients"), (Reused(), "arguments"), (Wide(), "shape")],
    ids=lambda value: type(value).__name__ if isinstance(value, Camera) else value,
)
def test_a_trunk_for_dicts_that_breaks_a_law_is_found_behind_a_critic(trunk: Any, law: str) -> None:
    critic = npnets.Critic(trunk, **ALONE, action_shape=2)
    with pytest.raises(NetworkLawError) as caught:
        check_network(critic, obs=_scenes, skip=[name for name in LAWS if name != law])
    assert caught.value.law == law
