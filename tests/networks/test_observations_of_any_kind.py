"""A trunk of the user's own sees observations untouched: dicts, images, tokens, tuples, words, or none at all."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, on_backend
from camera import Camera, scene
from finite_differences import check_first_order
from gymnasium import spaces
from gymnasium.vector.utils import concatenate, create_empty_array

import npnets
import npnets.numpy as nnp

ALONE: dict[str, Any] = {"apply_preprocess_net_to_obs_only": True}
ENSEMBLE = functools.partial(npnets.EnsembleLinear, 2)


@dataclass(frozen=True)
class Seeing:
    """Returns features of zeros for any observation of two rows, which it hands to `see`."""

    see: Callable[[Any], None]
    output_dim: int = 3

    def init(self, rng: Any) -> Any:
        return {"weight": rng.normal(size=(self.output_dim,))}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        self.see(obs)
        return nnp.broadcast_to(params["weight"], (2, self.output_dim)), state


def _features(params: Any, obs: Any) -> Any:
    image = obs["image"].reshape(-1, 16) @ params["image"]
    return np.tanh(np.concatenate([obs["position"] @ params["position"], image], 1))


def test_actor_and_critic_share_a_trunk_for_dicts() -> None:
    actor = npnets.Actor(Camera(), 2)
    critic = npnets.Critic(Camera(), **ALONE, action_shape=2)
    trunk, action = Camera().init(np.random.default_rng(0)), np.random.default_rng(1).normal(size=(4, 2))
    actor_params = {**actor.init(np.random.default_rng(1), np.float64), "preprocess": trunk}
    params = {**critic.init(np.random.default_rng(2), np.float64), "preprocess": trunk}
    features, head = _features(trunk, scene()), params["last"]["linear_0"]
    expected = np.concatenate([features, action], 1) @ head["weight"] + head["bias"]
    params, actor_params, obs, act = on_backend((params, actor_params, scene(), action))
    assert_allclose(critic.forward(params, obs, act), expected, rtol=1e-12)
    hand = as_numpy(actor_params)["last"]["linear_0"]
    assert_allclose(actor.forward(actor_params, obs)[0], np.tanh(features @ hand["weight"] + hand["bias"]), rtol=1e-12)


def test_the_value_of_features_and_actions_has_derivatives_by_all_of_them() -> None:
    critic = npnets.Critic(Camera(), (5,), **ALONE, action_shape=(2, 1))
    params = critic.init(np.random.default_rng(0), np.float64)
    at = on_backend({"params": params, "obs": scene(), "act": np.random.default_rng(1).normal(size=(4, 2, 1))})
    check_first_order(lambda x: critic.forward(x["params"], x["obs"], x["act"]), at, np.random.default_rng(2))

    def curvature(x: Any) -> Any:
        smooth = npnets.Critic(Camera(), **ALONE, action_shape=(2, 1))
        return npnets.grad(lambda y: nnp.sum(smooth.forward(y["params"], y["obs"], y["act"]) ** 2))(x)

    smooth = npnets.Critic(Camera(), **ALONE, action_shape=(2, 1)).init(np.random.default_rng(0), np.float64)
    check_first_order(curvature, {**at, "params": on_backend(smooth)}, np.random.default_rng(3))


def _gymnasium_batch(space: Any) -> Any:
    space.seed(0)
    empty: Any = create_empty_array(space, 2)
    return concatenate(space, [space.sample(), space.sample()], empty)


_BOX = spaces.Box(-1.0, 1.0, (2, 3))
OBSERVATIONS: dict[str, Callable[[], Any]] = {
    "dict": lambda: _gymnasium_batch(spaces.Dict({"image": _BOX, "kind": spaces.Discrete(3)})),
    "nested dict": lambda: {"inner": {"a": np.ones((2, 3))}, "b": [np.ones((2, 1))]},
    "tuple of equal shapes": lambda: _gymnasium_batch(spaces.Tuple([spaces.Discrete(3), spaces.Discrete(4)])),
    "tuple": lambda: _gymnasium_batch(spaces.Tuple([_BOX, spaces.Discrete(4)])),
    "text": lambda: ["go", "stop"],
    "tokens of two lengths": lambda: [[1, 2, 3], [4]],
    "none": lambda: None,
}
"""Batches of two rows. CuPy has no arrays of text or objects: `ON_NUMPY` are NumPy's on every backend."""

ON_NUMPY: dict[str, Callable[[], Any]] = {
    "array of text": lambda: np.array(["go", "stop"]),
    "object array": lambda: np.array([{"a": 1}, None], object),
}


def _observation(name: str) -> Any:
    return ON_NUMPY[name]() if name in ON_NUMPY else on_backend(OBSERVATIONS[name]())


each_observation = pytest.mark.parametrize("name", [*OBSERVATIONS, *ON_NUMPY])


@each_observation
@pytest.mark.parametrize(
    "network",
    [
        lambda trunk: npnets.Actor(trunk, 2),
        lambda trunk: npnets.ActorProb(trunk, 2),
        lambda trunk: npnets.Critic(trunk),
        lambda trunk: npnets.Critic(trunk, **ALONE),
        lambda trunk: npnets.discrete.Actor(trunk, 2),
        lambda trunk: npnets.discrete.Critic(trunk),
        lambda trunk: npnets.discrete.ImplicitQuantileNetwork(trunk, 2),
    ],
    ids=["Actor", "ActorProb", "Critic", "Critic of features", "discrete.Actor", "discrete.Critic", "quantiles"],
)
def test_an_observation_that_is_no_array_reaches_the_trunk_as_the_same_object(network: Any, name: str) -> None:
    seen: list[Any] = []
    net, obs = network(Seeing(seen.append)), _observation(name)
    options = {"sample_size": 3, "rng": np.random.default_rng(1)} if hasattr(net, "num_cosines") else {}
    net.forward(on_backend(net.init(np.random.default_rng(0))), obs, **options)
    assert len(seen) == 1 and seen[0] is obs


@each_observation
def test_actions_beside_an_observation_that_is_no_array_need_the_flag_that_the_error_names(name: str) -> None:
    seen: list[Any] = []
    critic, obs, act = npnets.Critic(Seeing(seen.append)), _observation(name), on_backend(np.ones((2, 4)))
    params = on_backend(critic.init(np.random.default_rng(0)))
    with pytest.raises(TypeError, match="apply_preprocess_net_to_obs_only=True") as caught:
        critic.forward(params, obs, act)
    assert f"but a {type(obs).__name__}, " in str(caught.value)
    assert not re.search("write|of your own", str(caught.value)), "the user has written the trunk"
    assert not seen
    mended = npnets.Critic(Seeing(seen.append), **ALONE, action_shape=4)
    assert mended.forward(on_backend(mended.init(np.random.default_rng(0))), obs, act).shape == (2, 1)
    assert seen[0] is obs


def test_without_the_flag_arrays_are_flattened_and_joined_before_the_trunk_and_with_it_they_come_whole() -> None:
    seen: list[Any] = []
    trunk, obs, act = Seeing(seen.append), on_backend(np.ones((2, 4, 4))), on_backend(np.zeros((2, 3), np.float32))
    for critic in (npnets.Critic(trunk), npnets.Critic(trunk, **ALONE, action_shape=3)):
        critic.forward(on_backend(critic.init(np.random.default_rng(0))), obs, act)
    assert seen[0].shape == (2, 19)
    assert seen[1] is obs


def test_the_error_for_whole_numbers_in_one_axis_names_the_flag_with_which_the_trunk_sees_them() -> None:
    seen: list[Any] = []
    trunk, obs = Seeing(seen.append), on_backend(np.array([3, 1]))
    critic, mended = npnets.Critic(trunk), npnets.Critic(trunk, **ALONE)
    params = on_backend(critic.init(np.random.default_rng(0)))
    with pytest.raises(ValueError, match=r"shape \(2,\); .* obs\[None\]; .*apply_preprocess_net_to_obs_only=True"):
        critic.forward(params, obs)
    mended.forward(params, obs)
    assert seen[0] is obs


def test_numbers_in_lists_are_an_array_to_a_critic_as_in_tianshou() -> None:
    seen: list[Any] = []
    critic = npnets.Critic(Seeing(seen.append))
    critic.forward(on_backend(critic.init(np.random.default_rng(0))), [[[1, 2], [3, 4]], [[5, 6], [7, 8]]])
    assert_array_equal(seen[0], np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.float32))


def test_a_recurrent_trunk_of_a_critic_gets_whole_sequences() -> None:
    trunk = npnets.Recurrent(1, 3, 4, hidden_layer_size=5)
    critic = npnets.Critic(trunk, preprocess_net_output_dim=4, **ALONE, action_shape=2)
    params = on_backend(critic.init(np.random.default_rng(0)))
    obs, act = on_backend((np.random.default_rng(1).normal(size=(2, 7, 3)), np.ones((2, 2))))
    features, _ = trunk.forward(params["preprocess"], obs)
    head = as_numpy(params)["last"]["linear_0"]
    expected = np.concatenate([as_numpy(features), np.ones((2, 2))], 1) @ head["weight"] + head["bias"]
    assert_allclose(critic.forward(params, obs, act), expected, rtol=1e-5)


@pytest.mark.parametrize("trunk", ["Net", "own"])
def test_each_member_of_an_ensemble_gets_the_actions_beside_its_own_features(trunk: str) -> None:
    net: Any = npnets.Net(3, hidden_sizes=(4,), linear_layer=ENSEMBLE)
    net = _Passed(net) if trunk == "own" else net
    many = npnets.Critic(net, (5, 3), linear_layer=ENSEMBLE, flatten_input=False, **ALONE, action_shape=2)
    one = npnets.Critic(npnets.Net(3, hidden_sizes=(4,)), (5, 3), **ALONE, action_shape=2)
    params = many.init(np.random.default_rng(0))
    obs, act = on_backend((np.random.default_rng(1).normal(size=(4, 3)), np.random.default_rng(2).normal(size=(4, 2))))
    values = many.forward(on_backend(params), obs, act)
    for member in range(2):
        single = npnets.tree.map(lambda leaf, m=member: leaf[m, 0] if leaf.shape[1] == 1 else leaf[m], params)
        assert_allclose(values[member], one.forward(on_backend(single), obs, act), rtol=1e-5)


@pytest.mark.parametrize("actions", [None, 2])
def test_features_of_one_token_are_no_ensemble_to_a_critic_that_does_not_flatten(actions: Any) -> None:
    @dataclass(frozen=True)
    class OneToken(Camera):
        def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
            features, state = super().forward(params, obs, state)
            return features.reshape((len(features), 1, self.output_dim)), state

    flat, whole = (npnets.Critic(trunk, **ALONE, action_shape=actions) for trunk in (Camera(), OneToken()))
    kept = npnets.Critic(OneToken(), **ALONE, action_shape=actions, flatten_input=False)
    params, inputs = on_backend(
        (flat.init(np.random.default_rng(0)), [scene(), np.ones((4, 2))][: 2 if actions else 1])
    )
    expected = flat.forward(params, *inputs)
    for critic in (whole, kept):
        assert_array_equal(critic.forward(params, *inputs), expected)


@dataclass(frozen=True)
class _Passed:
    """A trunk of the user's own around another."""

    net: Any

    @property
    def output_dim(self) -> Any:
        return self.net.output_dim

    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return self.net.init(rng, dtype)

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return self.net.forward(params, obs, state)


def test_an_ensemble_of_features_behind_dicts_is_an_error_where_they_would_be_flattened() -> None:
    @dataclass(frozen=True)
    class Two(Camera):
        def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
            features, state = super().forward(params, obs, state)
            return nnp.broadcast_to(features, (2, *features.shape)), state

    for net in (npnets.Actor(Two(), 2), npnets.Critic(Two()), npnets.Critic(Two(), **ALONE)):
        params = on_backend(net.init(np.random.default_rng(0)))
        with pytest.raises(ValueError, match=r"an ensemble: its features of shape \(2, 1, 6\)"):
            net.forward(params, on_backend(scene(1)))


def test_a_dict_for_a_network_without_a_trunk_of_the_users_own_is_an_error_that_says_what_to_make_of_it() -> None:
    obs = on_backend(scene())
    for net in (
        npnets.Critic(npnets.Net(3)),
        npnets.Critic(npnets.Net(3), **ALONE),
        npnets.Critic(_Passed(npnets.Net(3))),
    ):
        with pytest.raises(
            TypeError, match="if observations are dicts, a preprocess net of your own must make one array"
        ):
            net.forward(on_backend(net.init(np.random.default_rng(0))), obs)
    perturbation = npnets.Perturbation(npnets.Net(5, 2), 1.0)
    with pytest.raises(TypeError, match="state must be an array .* joins another array here, before any network"):
        perturbation.forward(on_backend(perturbation.init(np.random.default_rng(0))), obs, on_backend(np.ones((4, 2))))


def test_features_and_actions_of_a_trunk_without_parameters_have_the_dtype_of_the_head() -> None:
    @dataclass(frozen=True)
    class Position:
        output_dim: int = 3

        def init(self, rng: Any) -> Any:
            return {}

        def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
            return obs["position"], state

    critic = npnets.Critic(Position(), **ALONE, action_shape=2)
    params = on_backend(critic.init(np.random.default_rng(0)))
    value = critic.forward(params, on_backend(scene()), np.ones((4, 2), int))
    assert value.dtype == np.float32
    head, features = as_numpy(params)["last"]["linear_0"], np.concatenate([scene()["position"], np.ones((4, 2))], 1)
    assert_allclose(value, features @ head["weight"] + head["bias"], rtol=1e-5)
