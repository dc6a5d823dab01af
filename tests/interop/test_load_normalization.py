"""Statistics of observations that other libraries saved normalize as these libraries do."""

from __future__ import annotations

import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden.make_pickles import FOLDER
from stable_baselines3_archives import EXAMPLE
from torch_archives import called, name, text, write_pickle

from npnets import normalization
from npnets.interop import load_normalization

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

OF_VEC_NORMALIZE = FOLDER / "vec_normalize_2.9.2.pkl"


def _value(x: Any) -> bytes:
    """The instructions for a plain value or array, which use no memo."""
    return pickletools.optimize(pickle.dumps(x, 3))[2:-1]


def _object(path: str, state: dict[str, Any]) -> bytes:
    """The instructions for an object with a state of plain values and arrays; bytes are instructions themselves."""
    entries = b"".join(text(key) + (part if type(part) is bytes else _value(part)) for key, part in state.items())
    return name(path) + b")\x81}(" + entries + b"ub"


def _file(folder: Path, pickled: bytes) -> Path:
    path = folder / "vec.pkl"
    path.write_bytes(b"\x80\x02" + pickled + b".")
    return path


def _statistics(**changes: Any) -> dict[str, Any]:
    return {"mean": np.ones(2), "var": np.full(2, 4.0), "count": 5.5, **changes}


RMS = "stable_baselines3.common.running_mean_std.RunningMeanStd"
VEC = "stable_baselines3.common.vec_env.vec_normalize.VecNormalize"


def _vec(**changes: Any) -> bytes:
    state = {"norm_obs": True, "obs_rms": _object(RMS, _statistics()), "clip_obs": 10.0, "epsilon": 1e-8, **changes}
    return _object(VEC, state)


def test_a_file_of_vec_normalize_normalizes_as_stable_baselines3_does() -> None:
    state = load_normalization(OF_VEC_NORMALIZE)
    with np.load(OF_VEC_NORMALIZE.with_suffix(".npz")) as found:
        obs, expected = found["obs"], found["normalized"]
    np.testing.assert_allclose(normalization.normalize(state, obs), expected, rtol=1e-6)
    assert np.abs(expected).max() == 2  # some are clipped
    assert (state.clip, state.epsilon) == (2.0, 1e-6) and 101 < state.count < 102
    assert state.mean.dtype == state.var.dtype == np.float64 and state.mean.shape == (3,)


def test_limits_of_a_file_that_has_none_are_those_of_vec_normalize(tmp_path: Path) -> None:
    path = _file(tmp_path, _object("gymnasium.wrappers.utils.RunningMeanStd", _statistics()))
    state = load_normalization(path)
    assert (state.clip, state.epsilon, state.count) == (10.0, 1e-8, 5.5)
    np.testing.assert_array_equal(state.var, [4, 4])


@pytest.mark.parametrize("clip", [None, 0, 0.0])
def test_tianshou_without_a_limit_has_none(clip: Any, tmp_path: Path) -> None:
    path = _file(tmp_path, _object("tianshou.utils.RunningMeanStd", _statistics(clip_max=clip, eps=1e-3)))
    state = load_normalization(path)
    assert (state.clip, state.epsilon) == (None, 1e-3)


def test_statistics_may_be_numbers_of_numpy_and_an_entry_of_a_dict(tmp_path: Path) -> None:
    numbers = _statistics(mean=np.float64(1), var=np.float32(4), count=np.int64(3))
    entry = b"}" + text("obs_rms") + _object(RMS, numbers) + b"s"
    for path in (_file(tmp_path, entry), write_pickle(tmp_path / "x.pt", b"\x80\x02" + entry + b".")):
        state = load_normalization(path)
        assert state.mean.shape == () and state.var == 4 and state.count == 3


@pytest.mark.parametrize(
    ("pickled", "words"),
    {
        "no observations": (_vec(norm_obs=False), "norm_obs=False: it normalizes rewards alone"),
        "observations of dicts": (_vec(obs_rms={"a": 1, "b": 2}), "its observations are dicts, of 'a', 'b'"),
        "nothing": (_vec(obs_rms=None), "it holds None without 'mean', 'var', 'count', and no statistics"),
        "no count": (_object(RMS, {"mean": 1.0, "var": 1.0}), f"an object of '{RMS}' without 'count'"),
        "text": (_object(RMS, _statistics(mean="x")), "its mean is a str, and must be numbers"),
        "flags": (
            _object(RMS, _statistics(var=np.ones(2, bool))),
            "its var is an array of (bool|complex128), and must be numbers",
        ),
        "complex": (
            _object(RMS, _statistics(var=np.ones(2, complex))),
            "its var is an array of (bool|complex128), and must be numbers",
        ),
        "an object": (_object(RMS, _statistics(mean=called("a.B"))), "its mean is an object of 'a.B'"),
        "many counts": (_object(RMS, _statistics(count=np.ones(2))), r"its count has the shape \(2,\)"),
        "a negative count": (_object(RMS, _statistics(count=-1)), "make no sense: count must be a number of at least"),
        "a negative variance": (
            _object(RMS, _statistics(var=-np.ones(2))),
            "make no sense: mean and var must be finite",
        ),
        "no number": (_object(RMS, _statistics(mean=np.full(2, np.nan))), "make no sense: mean and var must be finite"),
        "shapes": (_object(RMS, _statistics(mean=np.ones(3))), "make no sense: mean and var must have one shape"),
        "a limit of text": (_vec(clip_obs="x"), "its clip is a str, and must be a number"),
        "a huge limit": (_vec(clip_obs=10**400), "make no sense: int too large to convert to float"),
        "an epsilon of text": (_vec(epsilon="x"), "its epsilon is a str, and must be a number"),
        "a negative limit": (_vec(clip_obs=-1.0), "make no sense: clip must be a positive number"),
        "no epsilon": (_vec(epsilon=None), "make no sense: epsilon must be a finite number"),
        "a list": (b"]", "it holds a list, and no statistics of observations. Read are the file of VecNormalize"),
        "another dict": (_value({"model": 1}), "it holds a dict of 'model', and no statistics"),
        "a class": (name(RMS), f"an object of '{RMS}', and no statistics"),
    }.values(),
)
def test_a_file_without_sensible_statistics_is_refused(pickled: bytes, words: str, tmp_path: Path) -> None:
    path = _file(tmp_path, pickled)
    with pytest.raises(ValueError, match=words) as caught:
        load_normalization(path)
    assert str(caught.value).startswith(f"{path} cannot be read: ") and "\n" not in str(caught.value)


def test_statistics_of_rewards_alone_are_refused() -> None:
    with pytest.raises(ValueError, match="normalizes rewards alone, so leave normalization out"):
        load_normalization(FOLDER / "vec_normalize_of_rewards.pkl")


def test_a_dict_that_holds_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one that holds itself"):
        load_normalization(_file(tmp_path, b"}q\x00" + text("obs_rms") + b"h\x00s"))


def test_dicts_within_dicts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it holds a dict of 'obs_rms', and no statistics"):
        load_normalization(_file(tmp_path, _value({"obs_rms": {"obs_rms": 1}})))


@pytest.mark.parametrize("path", [None, 3, b"vec.pkl"])
def test_a_path_that_is_none_is_refused(path: Any) -> None:
    with pytest.raises(TypeError, match="expected a path of a file, as in load_normalization"):
        load_normalization(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"hello", "it begins with b'hello'"),
        (b"\n<HTML>", "it is a web page, perhaps that of a login.*"),
        (b"\x08\x07\x12\x06npnets", r"it begins with b'\\x08\\x07\\x12\\x06npnets'"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_it_is_and_what_is_read(
    content: bytes, words: str, tmp_path: Path
) -> None:
    (tmp_path / "vec\n.pkl").write_bytes(content)
    with pytest.raises(ValueError, match=f"{words}, and holds no statistics of obs.*Read are the file of V") as caught:
        load_normalization(tmp_path / "vec\n.pkl")
    assert str(caught.value).startswith(f"{tmp_path}/vec\\n.pkl cannot be read: ") and "\n" not in str(caught.value)


def test_a_folder_and_a_policy_are_refused_with_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="is a folder, where a file must be"):
        load_normalization(tmp_path)
    with pytest.raises(ValueError, match=r"it is a zip archive of 'data', .*, and holds no statistics of observations"):
        load_normalization(EXAMPLE)


def test_a_missing_or_damaged_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_normalization(tmp_path / "x.pkl")
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(1)[:-1])
    with pytest.raises(ValueError, match=r"x\.pkl cannot be read: its pickle breaks off"):
        load_normalization(tmp_path / "x.pkl")
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(ValueError, match=r"x\.zip cannot be read: it begins as a zip archive, but does not end as one"):
        load_normalization(tmp_path / "x.zip")
