"""A damaged or malicious archive is refused with a reason, in little time and memory, and nothing in it runs."""

from __future__ import annotations

import os
import pickle
import time
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stable_baselines3_archives import NEWEST, members_of, pickled, renamed, with_pickle, with_setting, write

from npnets import Policy, interop

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

SETTINGS = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # rewritten each time
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
PICKLED = ["policy_class", "observation_space", "action_space"]
NAMES = [*PICKLED, "policy_kwargs", "use_sde"]
SAC, PPO, TD3 = (NEWEST / f"{name}.zip" for name in ("sac", "ppo", "td3"))


def _refused(path: Path, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        interop.load_policy(path)
    assert str(caught.value).startswith(f"{path} cannot be read: ") and "\n" not in str(caught.value)


def _read_or_refused(path: Path) -> None:
    """Check that a file is a policy, or is refused with its name in one line."""
    try:
        assert isinstance(interop.load_policy(path), Policy)
    except ValueError as error:
        assert str(error).startswith(f"{path} cannot be read: ") and "\n" not in str(error)


# -- damage ----------------------------------------------------------------------------------------------------------


def test_an_archive_cut_off_behind_another_that_is_in_it_is_not_taken_for_that(tmp_path: Path) -> None:
    content = SAC.read_bytes()
    end = content.index(b"PK\x05\x06", content.index(b"policy.pth")) + 22
    (tmp_path / "policy.zip").write_bytes(content[:end])
    with zipfile.ZipFile(tmp_path / "policy.zip") as archive:
        assert any(name.endswith("/data.pkl") for name in archive.namelist()), "Python takes it for the one within"
    _refused(tmp_path / "policy.zip", "it begins as a zip archive, but does not end as one; it was probably cut off")


@SETTINGS
@given(st.data())
def test_an_archive_cut_off_or_changed_anywhere_is_read_or_refused(tmp_path: Path, data: Any) -> None:
    content = bytearray(SAC.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    end = data.draw(st.integers(0, 2 * len(content)))
    (tmp_path / "policy.zip").write_bytes(bytes(content[:end]))
    _read_or_refused(tmp_path / "policy.zip")


@SETTINGS
@given(st.sampled_from([SAC, PPO, TD3]), st.data())
def test_settings_and_state_dicts_that_are_changed_anywhere_are_read_or_refused(
    tmp_path: Path, source: Path, data: Any
) -> None:
    """The checksums are right here, so that what is within is reached."""

    def change(content: bytes) -> bytes:
        changed = bytearray(content)
        for _ in range(data.draw(st.integers(1, 3))):
            changed[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        return bytes(changed)

    members = members_of(source)
    if data.draw(st.booleans()):
        path = write(tmp_path / "policy.zip", {**members, "data": change(members["data"])})
    else:
        path = with_pickle(tmp_path / "policy.zip", source, change)
    _read_or_refused(path)


@pytest.mark.parametrize("name", ["data", "policy.pth"])
def test_an_archive_without_a_part_is_refused(name: str, tmp_path: Path) -> None:
    members = members_of(SAC)
    del members[name]
    _refused(write(tmp_path / "policy.zip", members), f"it lacks '{name}', which model.save writes")


@SETTINGS
@given(st.sampled_from(NAMES), JSON)
def test_settings_of_any_value_are_read_or_refused(tmp_path: Path, name: str, value: Any) -> None:
    _read_or_refused(with_setting(tmp_path / "policy.zip", PPO, name, value))


@SETTINGS
@given(st.sampled_from(PICKLED), st.data())
def test_pickles_in_the_settings_that_are_changed_anywhere_are_read_or_refused(
    tmp_path: Path, name: str, data: Any
) -> None:
    content = bytearray(pickled(PPO, name))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    _read_or_refused(with_setting(tmp_path / "policy.zip", PPO, name, bytes(content)))


# -- settings that make no sense -------------------------------------------------------------------------------------


def _box(low: Any, high: Any) -> bytes:
    """Return a pickle of a Box, as Gymnasium writes it."""
    box = Box(-1.0, 1.0, low.shape, np.float64)
    box.low, box.high = low, high
    return pickle.dumps(box)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        ([-1.0, -1.0], [1.0, 1.0], r"it computes 3 numbers, but its actions have the shape \(2,\)"),
        ([-1.0] * 3, [1.0, -2.0, 1.0], "low must be below high"),
        ([-1.0] * 3, [1.0, np.nan, 1.0], "high must be finite|low must be below high"),
        ([-np.inf] * 3, [1.0] * 3, "low must be finite"),
        ([-1j] * 3, [1.0] * 3, "a Box of complex128 and float64, where real numbers must be"),
        ([False] * 3, [True] * 3, "a Box of bool and bool, where real numbers must be"),
        ([-1.0] * 3, [1.0], "a Box without a low and a high of one shape"),
        ([[-1.0]] * 3, [[-2.0]] * 3, "low must be below high"),
    ],
)
def test_impossible_bounds_are_refused(low: Any, high: Any, words: str, tmp_path: Path) -> None:
    box = _box(np.array(low), np.array(high))
    _refused(with_setting(tmp_path / "policy.zip", TD3, "action_space", box), words)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("policy_class", "PPO", "its policy_class is 'PPO', where a class must be"),
        ("policy_class", None, "its policy_class is None, where a class must be"),
        ("policy_kwargs", [1], r"its policy_kwargs are \[1\], where a dict must be"),
        ("policy_kwargs", {"activation_fn": "relu"}, "its activation is 'str', which npnets does not have"),
        ("observation_space", {}, "its observations are of 'dict', where a space of Gym or Gymnasium must be"),
        ("action_space", None, "its actions are of 'NoneType', where a space of Gym or Gymnasium must be"),
        ("action_space", {":serialized:": "????"}, "its action_space is no base64"),
        ("action_space", {":serialized:": 3}, "in its action_space, the pickle cannot be read|no base64"),
        ("action_space", b"\x80\x04N", "in its action_space, the pickle cannot be read: its pickle breaks off"),
    ],
)
def test_settings_of_another_type_are_refused_by_name(name: str, value: Any, words: str, tmp_path: Path) -> None:
    _refused(with_setting(tmp_path / "policy.zip", PPO, name, value), words)


@pytest.mark.parametrize("limit", [-1.0, 0, float("inf"), float("nan"), 10**400, "2", True, None])
def test_a_limit_of_the_mean_that_is_no_positive_number_is_refused(limit: Any, tmp_path: Path) -> None:
    change = {"net_arch": [8, 6], "use_sde": True, "clip_mean": limit}
    changed = with_setting(tmp_path / "policy.zip", NEWEST / "sac_sde.zip", "policy_kwargs", change)
    _refused(changed, "its clip_mean is .*, where a positive number must be")


def test_the_observations_of_another_policy_are_refused(tmp_path: Path) -> None:
    other = pickled(NEWEST / "ppo_axes.zip", "observation_space")
    changed = with_setting(tmp_path / "policy.zip", PPO, "observation_space", other)
    _refused(changed, r"its first layer takes 5 numbers, but observations have the shape \(2, 3\)")


@pytest.mark.parametrize(
    ("source", "old", "new", "words"),
    [
        (SAC, b"actor.mu.weight", b"actor.mx.weight", "it lacks 'actor.mu.weight', which must be an array"),
        (SAC, b"actor.log_std.bias", b"actor.log_sth.bias", "it lacks 'actor.log_std.bias', which must be an array"),
        (
            SAC,
            b"actor.latent_pi.2.weight",
            b"actor.latent_pi.2.height",
            r"has 'actor.latent_pi.2.height' in 'actor.lat",
        ),
        (SAC, b"actor.latent_pi.0.", b"actor.latent_xi.0.", "its first layer takes 8 numbers, but observations"),
        (PPO, b"log_std", b"log_sth", "it lacks a log_std with a number for each of 3 actions"),
        (TD3, b"actor.mu.4.", b"actor.mx.4.", r"it computes 6 numbers, but its actions have the shape \(3,\)"),
        (TD3, b"actor.mu.2.", b"actor.mx.2.", "a layer of 8 outputs is followed by one of 6 inputs"),
    ],
)
def test_a_state_dict_without_a_layer_is_refused_by_name(
    source: Path, old: bytes, new: bytes, words: str, tmp_path: Path
) -> None:
    _refused(renamed(tmp_path / "policy.zip", source, old, new), words)


@pytest.mark.parametrize(
    ("source", "old", "new", "words"),
    [
        (SAC, b"actor.mu.weight", b"actor.mx.weight", "it lacks 'actor.mu.weight', which must be an array"),
        (PPO, b"action_net.", b"action_nut.", "its state_dict is that of no policy that is read: it holds 'log_std', "),
        (PPO, b"mlp_extractor.policy", b"features_extractor.p", "its features are computed by layers of their own"),
        (PPO, b"state_dict", b"state_dixt", "a file of torch.save that holds a dict of 'state_dixt', 'data', which"),
        (PPO, b"observation_space", b"observation_spice", "dict of 'state_dict', 'data', which is no policy of a k"),
    ],
)
def test_a_policy_that_was_saved_alone_is_refused_without_what_it_needs(
    source: Path, old: bytes, new: bytes, words: str, tmp_path: Path
) -> None:
    _refused(renamed(tmp_path / "policy.pth", source.with_name(f"{source.stem}_policy.pth"), old, new), words)


# -- malice ----------------------------------------------------------------------------------------------------------


class _Trap:
    """Makes a folder once it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["policy_class", "policy_kwargs", "observation_space", "action_space", "lr_schedule"])
def test_nothing_that_is_pickled_runs(name: str, tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(_Trap(tmp_path / "sprung")))
    assert (tmp_path / "sprung").exists(), "the trap does no harm to Python's own unpickler: nothing would be proved"
    trap = pickle.dumps(
        {"clip_mean": _Trap(tmp_path / "again")} if name == "policy_kwargs" else _Trap(tmp_path / "again")
    )
    _read_or_refused(with_setting(tmp_path / "policy.zip", PPO, name, trap))
    assert not (tmp_path / "again").exists()


def test_settings_that_are_nested_without_end_are_refused(tmp_path: Path) -> None:
    deep = b"[" * 200_000 + b"]" * 200_000
    _refused(write(tmp_path / "policy.zip", {**members_of(PPO), "data": deep}), "its settings are no JSON|are a list")


def test_settings_of_huge_numbers_are_refused(tmp_path: Path) -> None:
    huge = b'{"policy_class": ' + b"9" * 1_000_000 + b"}"
    _refused(write(tmp_path / "policy.zip", {**members_of(PPO), "data": huge}), "its settings are no JSON")


@pytest.mark.parametrize("data", [b"[1]", b"\xff\xfe", b"", b"{"])
def test_settings_that_are_no_dict_of_json_are_refused(data: bytes, tmp_path: Path) -> None:
    _refused(write(tmp_path / "policy.zip", {**members_of(PPO), "data": data}), "its settings are (no JSON|a list)")


def test_a_compressed_archive_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "policy.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**members_of(PPO), "data": b" " * 50_000_000}.items():
            archive.writestr(name, content)
    tracemalloc.start()
    try:
        _refused(path, "its record 'data' is compressed, and model.save compresses nothing; was it packed again?")
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_settings_that_are_too_long_are_refused_before_they_are_parsed(tmp_path: Path) -> None:
    path = write(tmp_path / "policy.zip", {**members_of(PPO), "data": b"[" + b"[]," * 6_000_000 + b"1]"})
    start = time.perf_counter()
    _refused(path, "its settings are 18000003 bytes long, more than the 16777216 that are read")
    assert time.perf_counter() - start < 5


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_with_a_part_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "policy.zip", members_of(PPO))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("data", "{}")
    _refused(path, "it has the record 'data' twice")
