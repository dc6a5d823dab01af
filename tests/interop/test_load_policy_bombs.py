"""A small file that would make its reader take much memory or time is refused, or read, within little of both."""

from __future__ import annotations

import json
import pickle
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from d3rlpy_files import contents_of, encoder_of, written
from hostile_pickles import LITTLE_TIME
from stable_baselines3_archives import NEWEST, members_of, with_setting, write
from state_dict_files import torch_bytes
from torch_archives import name

from npnets.interop import load_normalization, load_policy, torch_file

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

MANY_TIMES = ["x" * 10**6] * 1000
"""A text in a thousand places, which a pickle holds once: 1 GB of text where its list is written."""

LITTLE_MEMORY = 60 * 2**20


def _refused(load: Callable[[], object], words: str) -> None:
    """Check that loading is a short error with these words, in little memory and time."""
    tracemalloc.start()
    begin = time.perf_counter()
    try:
        with pytest.raises(ValueError, match=words) as caught:
            load()
        assert tracemalloc.get_traced_memory()[1] < LITTLE_MEMORY
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - begin < LITTLE_TIME
    assert len(str(caught.value)) < 700


# -- one text in many places -----------------------------------------------------------------------------------------


SETTINGS: dict[str, tuple[str, str, object, str]] = {
    "a class": ("ppo", "policy_class", MANY_TIMES, r"its policy_class is \['xxx"),
    "arguments": ("ppo", "policy_kwargs", MANY_TIMES, r"its policy_kwargs are \['xxx"),
    "a tuple": ("ppo", "policy_kwargs", (MANY_TIMES, 1), r"its policy_kwargs are \(\['xxx"),
    "a dict": ("sac_sde", "policy_kwargs", {"use_sde": True, "clip_mean": {1: MANY_TIMES}}, "its clip_mean is {1: "),
    "an array": ("sac_sde", "policy_kwargs", {"use_sde": True, "clip_mean": np.ones(2)}, "clip_mean is <ndarray>, "),
}


@pytest.mark.parametrize(("archive", "setting", "value", "words"), SETTINGS.values(), ids=SETTINGS)
def test_a_setting_that_holds_one_text_in_many_places_is_refused(
    archive: str, setting: str, value: object, words: str, tmp_path: Path
) -> None:
    path = with_setting(tmp_path / "policy.zip", NEWEST / f"{archive}.zip", setting, pickle.dumps(value))
    _refused(lambda: load_policy(path), words)


@pytest.mark.parametrize("part", ["version", "config"])
def test_a_part_of_d3rlpy_that_holds_one_text_in_many_places_is_refused(part: str, tmp_path: Path) -> None:
    (tmp_path / "x.d3").write_bytes(pickle.dumps({"torch": b"", "config": "{}", "version": "2.8", part: MANY_TIMES}))
    _refused(lambda: load_policy(tmp_path / "x.d3"), r"\['xxx")


@pytest.mark.parametrize("limit", ["clip_max", "eps"])
def test_limits_that_hold_one_text_in_many_places_are_refused(limit: str, tmp_path: Path) -> None:
    state = {"mean": np.zeros(2), "var": np.ones(2), "count": 1.0, limit: MANY_TIMES}
    entries = pickle.dumps(state)[:-1]  # which begin with the protocol, and a frame
    program = b"\x80\x04" + name("tianshou.utils.RunningMeanStd") + b")\x81" + entries[entries.index(b"}") :] + b"b."
    (tmp_path / "x.pkl").write_bytes(program)
    _refused(lambda: load_normalization(tmp_path / "x.pkl"), "its (clip|epsilon) is a list, and must be a number")


# -- sizes that a file only names ------------------------------------------------------------------------------------


def test_a_wide_mean_of_few_numbers_is_refused_before_its_limits_are_layers(tmp_path: Path) -> None:
    members = members_of(NEWEST / "sac_sde.zip")
    state = torch_file.load(members["policy.pth"])
    state["actor.mu.0.weight"] = np.zeros((20_000, state["actor.mu.0.weight"].shape[1]), np.float32)
    state["actor.mu.0.bias"] = np.zeros(20_000, np.float32)
    path = write(tmp_path / "policy.zip", {**members, "policy.pth": torch_bytes(state)})
    _refused(lambda: load_policy(path), "further linear layers of the widths 20000, which have 400000000 numbers")


def test_wide_layer_norms_of_few_numbers_are_refused_before_they_are_layers(tmp_path: Path) -> None:
    contents = contents_of("cql_layer_norm")
    encoder_of(contents)["hidden_units"] = [20_000, 1]
    state, wide = contents["torch"]["policy"], np.zeros(20_000, np.float32)
    names = [name for name in state if name.startswith("_encoder.")]
    for name_, array in zip(names, (wide[:, None].repeat(3, 1), *[wide] * 3, wide[None], *[wide[:1]] * 3), strict=True):
        state[name_] = array
    path = written(tmp_path / "x.d3", contents)
    _refused(lambda: load_policy(path), "further linear layers of the widths 20000, 1, which have 400000001 numbers")


@pytest.mark.parametrize("part", ["action_size", "observation_shape"])
def test_a_configuration_with_a_huge_size_is_refused(part: str, tmp_path: Path) -> None:
    contents = contents_of("ddpg")
    contents["config"][part] = 5_000_000_000
    path = written(tmp_path / "x.d3", contents)
    _refused(lambda: load_policy(path), f"its {part} is 5000000000, where a number from 1 to 262144 must be")


def test_a_configuration_that_is_too_long_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    contents = contents_of("ddpg")
    contents["config"] = json.dumps([[]] * 5_000_000)
    path = written(tmp_path / "x.d3", contents)
    _refused(lambda: load_policy(path), "its configuration is 20000000 bytes long, more than the 16777216 that are r")
