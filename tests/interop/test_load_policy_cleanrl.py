"""Policies of CleanRL's own networks act as these compute; files of its other scripts are refused by name.

`tests/support/golden/make_cleanrl.py` writes the files. Variants of them are made here.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from state_dict_files import torch_bytes

from npnets.interop import load_policy, torch_file

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

FOLDER = Path(__file__).parents[1] / "support" / "golden" / "cleanrl"
EXPECTED = dict(np.load(FOLDER / "expected.npz"))
OBSERVATIONS, LOW, HIGH = (EXPECTED[name] for name in ("observations", "low", "high"))
CLIPPED, SQUASHED = ("ppo", "rpo"), ("td3", "ddpg", "sac")

State = dict[str, Any]


def path_of(name: str) -> Path:
    """The file of a script."""
    return FOLDER / f"{name}_continuous_action.cleanrl_model"


def state_of(name: str) -> State:
    """The state dict of a script's actor or agent."""
    contents = torch_file.load(path_of(name))
    return dict(contents[0] if isinstance(contents, tuple) else contents)


def written(path: Path, contents: Any) -> Path:
    """Write a file of `torch.save`."""
    path.write_bytes(torch_bytes(contents))
    return path


# -- what is read ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*CLIPPED, *SQUASHED])
def test_a_policy_acts_as_the_network_of_cleanrl(name: str) -> None:
    expected = EXPECTED[name]
    policy = load_policy(path_of(name), action_space=(LOW, HIGH) if name in CLIPPED else None)
    actions = policy.act(OBSERVATIONS[: len(expected)])
    assert actions.dtype == np.float32 and np.ptp(expected, axis=0).min() > 1e-3
    np.testing.assert_allclose(actions, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())
    np.testing.assert_allclose([policy.low, policy.high], [LOW, HIGH], rtol=1e-6)


@pytest.mark.parametrize("name", CLIPPED)
def test_the_deviation_of_a_gaussian_policy_is_kept(name: str) -> None:
    policy = load_policy(path_of(name), action_space=(LOW, HIGH))
    (mean, deviation), _ = policy.network.forward(policy.params, OBSERVATIONS)
    np.testing.assert_allclose(deviation, np.broadcast_to(EXPECTED[f"{name} deviation"], mean.shape), rtol=1e-6)


def test_a_clipped_policy_needs_the_action_space() -> None:
    with pytest.raises(ValueError, match=r"clipped to the action space.*pass action_space=env.action_space"):
        load_policy(path_of("ppo"))


def test_an_action_space_of_one_number_or_several_axes_shapes_the_actions() -> None:
    whole = load_policy(path_of("ppo"), action_space=(-10.0, 10.0))
    assert whole.act(OBSERVATIONS[0]).shape == (2,)
    column = load_policy(path_of("ppo"), action_space=(LOW[:, None], HIGH[:, None]))
    np.testing.assert_allclose(column.act(OBSERVATIONS)[..., 0], EXPECTED["ppo"], rtol=1e-6, atol=1e-6)
    (mean, deviation), _ = column.network.forward(column.params, OBSERVATIONS)
    assert mean.shape == deviation.shape == (len(OBSERVATIONS), 2, 1)
    with pytest.raises(ValueError, match=r"has 2 actions, but action_space is of the shape \(3,\)"):
        load_policy(path_of("ppo"), action_space=(-np.ones(3), np.ones(3)))


def test_a_squashed_policy_refuses_another_action_space() -> None:
    assert load_policy(path_of("td3"), action_space=(LOW, HIGH)).low.shape == (2,)
    with pytest.raises(ValueError, match="action_space"):
        load_policy(path_of("td3"), action_space=(-1.0, 1.0))


def test_statistics_of_gymnasium_s_wrapper_normalize_raw_observations(tmp_path: Path) -> None:
    environment = gymnasium.wrappers.NormalizeObservation(gymnasium.make("Pendulum-v1"))
    environment.reset(seed=0)
    for _ in range(20):
        environment.step(np.zeros(1, np.float32))
    seen = environment.obs_rms
    (tmp_path / "obs_rms.pkl").write_bytes(pickle.dumps(environment.get_wrapper_attr("obs_rms")))
    raw = np.array([[1.0, -200.0, 3.0], [0.5, 0.5, -3.0]])
    by_hand = np.clip((raw - seen.mean) / np.sqrt(seen.var + 1e-8), -10, 10)
    expected = load_policy(path_of("ppo"), action_space=(LOW, HIGH)).act(by_hand)
    actions = load_policy(path_of("ppo"), tmp_path / "obs_rms.pkl", action_space=(LOW, HIGH)).act(raw)
    np.testing.assert_allclose(actions, expected, rtol=1e-5, atol=1e-6)
    assert not np.allclose(actions, load_policy(path_of("ppo"), action_space=(LOW, HIGH)).act(raw))


@pytest.mark.parametrize(
    ("name", "layers", "activation"),
    [
        ("ppo", ("actor_mean.0", "actor_mean.2", "actor_mean.4"), "relu"),
        ("ddpg", ("fc1", "fc2", "fc_mu"), "tanh"),
    ],
)
def test_an_activation_of_ones_own_replaces_the_script_s(name: str, layers: tuple[str, ...], activation: str) -> None:
    state = state_of(name)
    function = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh}[activation]
    x = OBSERVATIONS
    for layer in layers:
        x = (x if layer == layers[0] else function(x)) @ state[f"{layer}.weight"].T + state[f"{layer}.bias"]
    expected = np.clip(x, LOW, HIGH) if name == "ppo" else np.tanh(x) * (HIGH - LOW) / 2 + (HIGH + LOW) / 2
    actions = load_policy(path_of(name), action_space=(LOW, HIGH), activation=activation).act(OBSERVATIONS)
    np.testing.assert_allclose(actions, expected, rtol=1e-5, atol=1e-6)
    assert not np.allclose(actions, EXPECTED[name])


@pytest.mark.parametrize("name", ["ddpg", "sac"])
def test_an_actor_may_have_more_layers_than_the_script(tmp_path: Path, name: str) -> None:
    state = state_of(name)
    state |= {"fc3.weight": np.eye(6, dtype=np.float32), "fc3.bias": np.zeros(6, np.float32)}  # relu of relu is relu
    actions = load_policy(written(tmp_path / "actor.pt", state)).act(OBSERVATIONS)
    np.testing.assert_allclose(actions, EXPECTED[name], rtol=1e-6, atol=1e-6)


def test_a_file_is_recognized_whatever_its_suffix(tmp_path: Path) -> None:
    for name in (*CLIPPED, *SQUASHED):
        path = tmp_path / f"{name}.pt"
        path.write_bytes(path_of(name).read_bytes())
        load_policy(path, action_space=(LOW, HIGH))


# -- what is refused -------------------------------------------------------------------------------------------------

ONES = np.ones((2, 2), np.float32)
OTHERS: dict[str, Any] = {
    "DQN": {"network.0.weight": ONES, "network.0.bias": ONES[0]},
    "C51": {"model_weights": {"network.0.weight": ONES}, "args": {"v_min": -100}},
    "a PPO of discrete actions": {"critic.0.weight": ONES, "actor.0.weight": ONES},
    "nothing": {},
    "a list": [1],
    "an empty tuple": (),
}


@pytest.mark.parametrize("contents", OTHERS.values(), ids=OTHERS)
def test_a_file_of_another_script_is_refused_by_what_it_holds(tmp_path: Path, contents: Any) -> None:
    path = written(tmp_path / "dqn.cleanrl_model", contents)
    with pytest.raises(ValueError, match=r"none of the networks of CleanRL's ppo_.*discrete actions are not"):
        load_policy(path)


def test_a_file_of_a_jax_script_is_refused_with_the_cause(tmp_path: Path) -> None:
    path = tmp_path / "ddpg_continuous_action_jax.cleanrl_model"
    path.write_bytes(b"\x82\xa10\x81\xa6params")  # as flax.serialization begins
    with pytest.raises(ValueError, match="CleanRL's scripts on JAX"):
        load_policy(path)


@pytest.mark.parametrize("size", [0, 1, 3, 100, -1])
def test_a_file_that_was_cut_off_is_no_file_of_a_jax_script(tmp_path: Path, size: int) -> None:
    path = tmp_path / "td3.cleanrl_model"
    path.write_bytes(path_of("td3").read_bytes()[:size])
    with pytest.raises(ValueError, match="cannot be read: (it is empty|it begins|its zip)") as error:
        load_policy(path)
    assert "JAX" not in str(error.value)


def changed(name: str, **changes: Any) -> State:
    """A state dict with other arrays; `None` removes one."""
    state = {**state_of(name), **{key.replace("__", "."): array for key, array in changes.items()}}
    return {key: array for key, array in state.items() if array is not None}


FAULTS: dict[str, tuple[State, str]] = {
    "a norm between layers": (
        changed("ppo", actor_mean__1__weight=ONES[0], actor_mean__1__bias=ONES[0]),
        r"'actor_mean.1' has a weight \(2,\)",
    ),
    "no activation between layers": (
        changed("ppo", actor_mean__1__weight=np.eye(6, dtype=np.float32), actor_mean__1__bias=np.ones(6, np.float32)),
        "no sequence of linear layers with an activation between every two",
    ),
    "a missing layer": (changed("ddpg", fc2__weight=None), "lacks 'fc2.weight'"),
    "layers that do not fit": (
        changed("ddpg", fc2__weight=np.ones((6, 5), np.float32)),
        "a layer of 6 outputs is followed by one of 5 inputs",
    ),
    "bounds of each environment": (
        changed("td3", action_scale=np.array([[1.0, 2.0], [1.0, 3.0]], np.float32)),
        "action_scale differs between environments",
    ),
    "an action space without bounds": (
        changed("ddpg", action_scale=np.full(2, np.inf, np.float32), action_bias=np.full(2, np.nan, np.float32)),
        "was the action space without bounds",
    ),
    "bounds of other actions": (changed("ddpg", action_scale=np.ones(3, np.float32)), "must hold 2 floating-point"),
    "integers": (changed("ddpg", action_scale=np.ones(2, np.int64)), "must hold 2 floating-point"),
    "a deviation of other actions": (changed("ppo", actor_logstd=np.ones((1, 3), np.float32)), "actor_logstd"),
}


@pytest.mark.parametrize(("state", "words"), FAULTS.values(), ids=FAULTS)
def test_a_part_that_does_not_fit_is_named(tmp_path: Path, state: State, words: str) -> None:
    path = written(tmp_path / "x.cleanrl_model", state)
    with pytest.raises(ValueError, match=words) as error:
        load_policy(path, action_space=(LOW, HIGH))
    assert str(error.value).startswith(f"{path} cannot be read: ")
