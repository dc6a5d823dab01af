"""Archives that real releases of Stable-Baselines3 wrote act as their own `model.predict` does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from stable_baselines3_archives import EXAMPLE, FIXTURES, NEWEST, RELEASES, close, names, recorded, with_setting

from npnets import ActorProb, Net, Policy, discrete, interop

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

NORMALIZED = {"trained"}
ARCHIVES = [(release, name) for release in RELEASES for name in names(release) if name not in NORMALIZED]
BOX = gymnasium.spaces.Box(np.array([-1.0, -2.0, 0.5], np.float32), np.array([1.0, 3.0, 4.0], np.float32))


def _load(name: str, release: str = "2.9.2") -> Policy:
    return interop.load_policy(FIXTURES / release / f"{name}.zip")


def test_the_fixtures_are_of_several_releases_and_kinds() -> None:
    assert RELEASES == ["1.0", "1.8.0", "2.0.0", "2.9.2"]
    assert len(ARCHIVES) > 30 and all(
        {"sac", "td3", "ppo", "a2c_discrete", "sac_sde"} <= set(names(r)) for r in RELEASES
    )


@pytest.mark.parametrize(("release", "name"), ARCHIVES)
def test_a_policy_acts_as_its_own_library_predicts(release: str, name: str) -> None:
    observations, expected = (recorded(release)[f"{name}.{part}"] for part in ("observations", "actions"))
    policy = _load(name, release)
    assert close(policy.act(observations), expected)
    assert close(policy.act(observations[3]), expected[3])


@pytest.mark.parametrize(
    ("release", "name"), [(release, path.stem) for release in RELEASES for path in (FIXTURES / release).glob("*.pth")]
)
def test_a_policy_that_was_saved_alone_acts_like_its_model(release: str, name: str) -> None:
    observations, expected = (
        recorded(release)[f"{name.removesuffix('_policy')}.{part}"] for part in ("observations", "actions")
    )
    policy = interop.load_policy(FIXTURES / release / f"{name}.pth")
    assert close(policy.act(observations), expected)
    assert policy.network == _load(name.removesuffix("_policy"), release).network


def test_the_recorded_actions_reach_their_bounds_and_leave_them() -> None:
    """Without a clip or a squash, or with other bounds, the test above would fail."""
    for name in ("ppo", "a2c_sde", "sac", "td3"):
        actions = recorded("2.9.2")[f"{name}.actions"]
        assert (np.abs(actions - BOX.low) < 1e-2).any() and (np.abs(actions - BOX.high) < 1e-2).any(), name
        assert (actions > BOX.low + 0.1).any() and (actions < BOX.high - 0.1).any(), name


def test_a_policy_of_normalized_observations_takes_raw_ones_with_the_file_of_vec_normalize() -> None:
    observations, expected = (recorded("2.9.2")[f"trained.{part}"] for part in ("observations", "actions"))
    policy = interop.load_policy(NEWEST / "trained.zip", NEWEST / "trained_normalization.pkl")
    assert close(policy.act(observations), expected)
    assert not close(interop.load_policy(NEWEST / "trained.zip").act(observations), expected)
    state = interop.load_normalization(NEWEST / "trained_normalization.pkl")
    assert close(interop.load_policy(NEWEST / "trained.zip", state).act(observations), expected)
    assert (state.clip, state.epsilon) == (1.5, 1e-6)


def test_the_example_for_pendulum_acts_as_recorded() -> None:
    with np.load(EXAMPLE.with_name("stable_baselines3_sac_actions.npz")) as arrays:
        assert close(interop.load_policy(EXAMPLE).act(arrays["observations"]), arrays["actions"])


def test_networks_are_those_that_a_user_would_write() -> None:
    sac = interop.load_policy(EXAMPLE)
    assert sac.network == ActorProb(
        Net((3,), hidden_sizes=(64, 64)), (1,), unbounded=True, conditioned_sigma=True, low=-2.0, high=2.0
    )
    assert sac.to_action == "squash"
    ppo = _load("ppo")
    assert ppo.network == ActorProb(Net((5,), hidden_sizes=(8, 6), activation="tanh"), (3,), unbounded=True)
    assert (ppo.to_action, ppo.low.tolist(), ppo.high.tolist()) == ("clip", [-1, -2, 0.5], [1, 3, 4])
    a2c = _load("a2c_discrete")
    assert a2c.network == discrete.Actor(Net((5,), hidden_sizes=(8, 6), activation="tanh"), 4, softmax_output=False)


def test_the_standard_deviation_of_ppo_and_sac_is_read_too() -> None:
    observations = recorded("2.9.2")["sac.observations"]
    for name in ("sac", "ppo"):
        policy = _load(name)
        (_, sigma), _ = policy.network.forward(policy.params, observations)
        assert sigma.shape == (16, 3) and np.unique(sigma).size >= 3 and (sigma > 0).all()


def test_arguments_that_agree_with_the_file_are_accepted_and_others_refused() -> None:
    path = NEWEST / "sac.zip"
    interop.load_policy(path, action_space=BOX, activation="relu")
    interop.load_policy(path, action_space=(BOX.low, BOX.high))
    with pytest.raises(ValueError, match=r"its activation is 'relu', but activation='tanh'; leave activation out"):
        interop.load_policy(path, activation="tanh")
    with pytest.raises(ValueError, match=r"have the low \[-1.0, -2.0, 0.5\], but action_space has -1.0; leave"):
        interop.load_policy(path, action_space=(-1, 1))


def test_an_activation_of_ones_own_is_refused_by_name_unless_npnets_is_told_its_name() -> None:
    path = NEWEST / "refused_own_activation.zip"
    with pytest.raises(
        ValueError, match=r"its activation is '__main__.Square', which npnets does not have; pass activ"
    ):
        interop.load_policy(path)
    assert interop.load_policy(path, activation="softplus").network.preprocess_net.activation == "softplus"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("refused_own_extractor", "its features are computed by '__main__.Widths', which npnets does not have"),
        ("refused_places", "its observations are of the space Discrete; only those of a Box"),
        ("refused_switches", "its actions are of the space MultiBinary; those of a Box or a Discrete"),
        (
            "refused_memory",
            "its policy is a 'sb3_contrib.common.recurrent.policies.RecurrentActorCriticPolicy'; the cl",
        ),
        ("refused_images", r"its observations are images of shape \(3, 8, 8\), which npnets does not have"),
        (
            "refused_dict",
            "its policy is a 'stable_baselines3.common.policies.MultiInputActorCriticPolicy'; the classes",
        ),
    ],
)
def test_other_policies_are_refused_by_name(name: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        interop.load_policy(NEWEST / f"{name}.zip")
    assert str(caught.value).startswith(f"{NEWEST / name}.zip cannot be read: ")


@pytest.mark.parametrize(
    "path",
    [
        "stable_baselines3.common.policies.ActorCriticCnnPolicy",
        "stable_baselines3.sac.policies.CnnPolicy",
        "sb3_contrib.crossq.policies.CrossQPolicy",
        "mine.Policy",
    ],
)
def test_the_class_of_a_policy_that_is_not_read_is_named(path: str, tmp_path: Path) -> None:
    module, _, name = path.rpartition(".")
    pickled = b"\x80\x02c" + module.encode() + b"\n" + name.encode() + b"\n."
    changed = with_setting(tmp_path / "changed.zip", NEWEST / "ppo.zip", "policy_class", pickled)
    with pytest.raises(ValueError, match=f"its policy is a '{path}'; the classes of policies that are read are"):
        interop.load_policy(changed)


def test_no_other_library_is_imported() -> None:
    libraries = ("torch", "stable_baselines3", "gymnasium", "gym", "cloudpickle", "pandas")
    code = f"import sys, npnets; npnets.interop.load_policy({str(EXAMPLE)!r}); "
    code += f"print([name for name in {libraries} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert run.stdout.strip() == "[]"
