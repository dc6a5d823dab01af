"""`load_policy` recognizes a file by what it holds, reads npnets' own checkpoints, and says what it found otherwise."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from stable_baselines3_archives import EXAMPLE, NEWEST, with_setting

from npnets import Actor, ActorProb, Net, Policy, checkpoint, interop, normalization

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

ACTOR = Actor(Net(3, hidden_sizes=(8,)), 2, low=(-1, -2), high=(1, 3))
PARAMS = ACTOR.init(np.random.default_rng(0))
OBSERVATIONS = np.random.default_rng(1).standard_normal((16, 3)).astype(np.float32)
STATE = normalization.update(normalization.init(3), OBSERVATIONS + 2)
READ = (
    "policies are read from checkpoints of npnets, archives of Stable-Baselines3's model.save.*Tianshou.*d3rlpy.*Clean"
)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_a_checkpoint_of_a_policy_is_read_whole(suffix: str, tmp_path: Path) -> None:
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    policy = Policy(ACTOR, PARAMS, normalization=STATE)
    policy.save(tmp_path / f"policy{suffix}")
    loaded = interop.load_policy(tmp_path / f"policy{suffix}")
    assert loaded.network == ACTOR and repr(loaded) == repr(policy)
    assert np.array_equal(loaded.act(OBSERVATIONS), policy.act(OBSERVATIONS))


def test_a_checkpoint_of_a_network_is_read_and_normalization_can_be_added(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "actor.npz", PARAMS, {"network": ACTOR})
    plain, normalized = (interop.load_policy(tmp_path / "actor.npz", state) for state in (None, STATE))
    assert np.array_equal(plain.act(OBSERVATIONS), Policy(ACTOR, PARAMS).act(OBSERVATIONS))
    assert np.array_equal(normalized.act(OBSERVATIONS), Policy(ACTOR, PARAMS, normalization=STATE).act(OBSERVATIONS))


def test_added_normalization_leaves_the_rest_of_a_checkpoint_as_it_is(tmp_path: Path) -> None:
    network = ActorProb(Net(3, hidden_sizes=(8,)), 2, unbounded=True)
    params = network.init(np.random.default_rng(0))
    policy = Policy(network, params, to_action="clip", low=-0.1, high=0.1)
    policy.save(tmp_path / "policy.npz")
    loaded = interop.load_policy(tmp_path / "policy.npz", STATE)
    assert (loaded.to_action, loaded.high.tolist()) == ("clip", [0.1, 0.1])
    assert loaded.normalization is not None and np.array_equal(loaded.normalization.mean, STATE.mean)


def test_the_bounds_of_a_checkpoint_are_held_against_the_space(tmp_path: Path) -> None:
    Policy(ACTOR, PARAMS).save(tmp_path / "policy.npz")
    interop.load_policy(tmp_path / "policy.npz", action_space=([-1, -2], [1, 3]))
    with pytest.raises(ValueError, match=r"its actions have the high \[1.0, 3.0\], but action_space has \[1.0, 2.0\]"):
        interop.load_policy(tmp_path / "policy.npz", action_space=([-1, -2], [1, 2]))


def test_an_activation_beside_a_checkpoint_is_refused(tmp_path: Path) -> None:
    Policy(ACTOR, PARAMS).save(tmp_path / "policy.npz")
    with pytest.raises(ValueError, match=r"policy.npz cannot be read: .* holds the activations .*; leave activation o"):
        interop.load_policy(tmp_path / "policy.npz", activation="tanh")


def test_a_space_beside_actions_without_bounds_is_refused(tmp_path: Path) -> None:
    network = ActorProb(Net(3, hidden_sizes=(8,)), 2, unbounded=True)
    Policy(network, network.init(np.random.default_rng(0))).save(tmp_path / "policy.npz")
    with pytest.raises(ValueError, match="its actions have no bounds, but action_space was passed; leave action_space"):
        interop.load_policy(tmp_path / "policy.npz", action_space=(-1, 1))
    with pytest.raises(
        ValueError, match="its actions are chosen among several, but action_space was passed; leave act"
    ):
        interop.load_policy(NEWEST / "dqn.zip", action_space=(-1, 1))


def test_statistics_beside_a_checkpoint_that_normalizes_in_its_network_are_refused(tmp_path: Path) -> None:
    network = normalization.Normalized(ACTOR, 3)
    Policy(network, network.init(np.random.default_rng(0))).save(tmp_path / "policy.npz")
    with pytest.raises(ValueError, match="policy.npz cannot be read: .*would be normalized twice; leave norm"):
        interop.load_policy(tmp_path / "policy.npz", STATE)


def test_a_checkpoint_under_another_name_is_refused_with_the_suffix_that_it_needs(tmp_path: Path) -> None:
    Policy(ACTOR, PARAMS).save(tmp_path / "policy.npz")
    (tmp_path / "policy.npz").rename(tmp_path / "policy.zip")
    with pytest.raises(
        ValueError, match=r"policy.zip cannot be read: it is a checkpoint of npnets, .* end in .npz; ren"
    ):
        interop.load_policy(tmp_path / "policy.zip")


def test_a_checkpoint_without_a_network_is_refused_with_its_name(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "params.npz", PARAMS)
    with pytest.raises(ValueError, match=r"params.npz: expected a file of Policy.save, or of checkpoint.save"):
        interop.load_policy(tmp_path / "params.npz")


def test_a_policy_can_be_saved_and_read_again(tmp_path: Path) -> None:
    policy = interop.load_policy(EXAMPLE)
    policy.save(tmp_path / "policy.npz")
    assert np.array_equal(interop.load_policy(tmp_path / "policy.npz").act(OBSERVATIONS), policy.act(OBSERVATIONS))


# -- files of other kinds --------------------------------------------------------------------------------------------


def _zip(path: Path, *members: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in members:
            archive.writestr(name, "x")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"\n<!doctype HTML>", "it is a web page, perhaps that of a login or .*"),
        (b"<HTML>", "it is a web page, perhaps that of a login or .*"),
        (b"import gym\n", r"it begins with b'import gym\\n'"),
        (b"\x89HDF\r\n\x1a\n", r"it begins with b'\\x89HDF\\r\\n\\x1a\\n'"),
        (b"\x08\x07\x12\x07pytorch", r"it begins with b'\\x08\\x07\\x12\\x07pytorch'"),
        (pickle.dumps([1, 2]), "it is a pickle that holds a list"),
        (pickle.dumps(Path), "it is a pickle that holds an object of 'pathlib.Path'"),
        (pickle.dumps({"weights": 1, "step": 2}), "it is a pickle that holds a dict of 'weights', 'step'"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_it_is(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "policy.zip").write_bytes(content)
    with pytest.raises(ValueError, match=f"{words}, which is no policy of a known library; {READ}") as caught:
        interop.load_policy(tmp_path / "policy.zip")
    assert str(caught.value).startswith(f"{tmp_path / 'policy.zip'} cannot be read: ")


def test_archives_of_other_kinds_are_refused_with_what_is_in_them(tmp_path: Path) -> None:
    _zip(tmp_path / "other.zip", "config.json", "model.weights.h5")
    with pytest.raises(ValueError, match=r"it is a zip archive of 'config.json', 'model.weights.h5', which is no pol"):
        interop.load_policy(tmp_path / "other.zip")
    np.savez(tmp_path / "arrays.npz", weight=np.ones(3))
    with pytest.raises(ValueError, match=r"it is a zip archive of 'weight.npy', which is no policy"):
        interop.load_policy(tmp_path / "arrays.npz")


def test_statistics_in_the_place_of_a_policy_are_refused_with_where_they_belong() -> None:
    with pytest.raises(ValueError, match=r"an object of '.*\.VecNormalize', and no policy; pass it as normalization="):
        interop.load_policy(NEWEST / "trained_normalization.pkl")


def test_an_error_begins_with_a_path_however_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    box = gymnasium.spaces.Box(-1.0, 1.0, (3,), np.float64)
    box.high = -2 * np.ones(3)
    with_setting(Path("low"), NEWEST / "td3.zip", "action_space", pickle.dumps(box))
    with pytest.raises(ValueError, match="^low cannot be read: low must be below high"):
        interop.load_policy("low")


def test_a_path_that_is_none_or_leads_to_nothing_is_an_error_of_its_kind(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        interop.load_policy(tmp_path / "policy.zip")
    with pytest.raises(OSError, match="is a folder"):
        interop.load_policy(tmp_path)
    with pytest.raises(
        TypeError, match=r"expected a path of a file, as in load_policy\('policy.zip'\), but got a dict"
    ):
        interop.load_policy({})  # type: ignore[arg-type]


class BytesPath:
    """A path of an object that has bytes for it, as those of the operating system are."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> bytes:
        return bytes(self.path)


def test_a_path_may_be_an_object_that_has_bytes_for_it(tmp_path: Path) -> None:
    Policy(ACTOR, PARAMS).save(tmp_path / "policy.npz")
    assert interop.load_policy(BytesPath(tmp_path / "policy.npz")).network == ACTOR  # type: ignore[arg-type]
    (tmp_path / "x.pkl").write_bytes(b"x")
    for load in (interop.torch_file.load, interop.pickle_file.load, interop.load_normalization):
        with pytest.raises(ValueError, match=r"/x\.pkl cannot be read: "):
            load(BytesPath(tmp_path / "x.pkl"))  # type: ignore[operator]


def test_a_path_without_its_suffix_is_an_error_that_names_the_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "policy.zip").write_bytes(EXAMPLE.read_bytes())
    with pytest.raises(FileNotFoundError, match=r"there is no file .*policy; did you mean .*policy.zip\?"):
        interop.load_policy(tmp_path / "policy")


# -- arguments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"activation": "rleu"}, ValueError, "unknown activation 'rleu'.*did you mean 'relu'"),
        ({"activation": np.tanh}, TypeError, "activation must be a name such as 'relu'"),
        ({"action_space": 2.0}, TypeError, r"action_space must be a Box of Gymnasium, or a pair \(low, high\)"),
        (
            {"action_space": gymnasium.spaces.Discrete(2)},
            TypeError,
            "or a pair .*, but is Discrete.*; for discrete actions leave it out",
        ),
        (
            {"action_space": gymnasium.spaces.Box(-1, 1, (1,), np.int32)},
            TypeError,
            r"of integers; to round actions yourself pass action_space=\(box.low, box.high\)",
        ),
        ({"action_space": (1, -1)}, ValueError, "each lower bound below its upper one"),
        ({"action_space": ([1, 2], [3, 4, 5])}, ValueError, "each lower bound below its upper one"),
        ({"action_space": (float("nan"), 1)}, ValueError, "each lower bound below its upper one"),
        ({"device": "gpu"}, ValueError, "device must be 'cpu'"),
        ({"normalization": {"mean": 0}}, TypeError, "normalization must be a Normalization"),
        (
            {"normalization": normalization.init(4)},
            ValueError,
            r"normalization is of observations of shape \(4,\), but",
        ),
    ],
)
def test_arguments_are_checked(arguments: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        interop.load_policy(EXAMPLE, **arguments)


@pytest.mark.parametrize("pair", [np.array([[-1, -2], [1, 3]]), [[-1, -2], [1, 3]], (np.array([-1, -2]), [1, 3])])
def test_bounds_are_a_pair_of_any_sequences(pair: Any, tmp_path: Path) -> None:
    Policy(ACTOR, PARAMS).save(tmp_path / "policy.npz")
    assert interop.load_policy(tmp_path / "policy.npz", action_space=pair).high.tolist() == [1, 3]
    with pytest.raises(ValueError, match="but action_space has"):
        interop.load_policy(tmp_path / "policy.npz", action_space=np.multiply(pair, 2))
    with pytest.raises(TypeError, match=r"or a pair \(low, high\) of numbers or arrays, but is array\(2\.\)"):
        interop.load_policy(tmp_path / "policy.npz", action_space=np.array(2.0))


def test_one_bound_may_be_for_all_entries_and_the_other_for_each() -> None:
    low = np.array([-1.0, -2.0, 0.5])
    with pytest.raises(ValueError, match=r"its actions have the high \[1.0, 3.0, 4.0\], but action_space has \[5.0, 5"):
        interop.load_policy(NEWEST / "sac.zip", action_space=(low, 5))
