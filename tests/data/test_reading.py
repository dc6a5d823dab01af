"""Recordings in `.npz`, D4RL's HDF5 and Minari's data sets: what is read, where episodes end, and the errors."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from npnets import data
from npnets.data import Recording, Transitions

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "examples" / "data" / "pendulum_mixed.npz"
OF_MINARI = ROOT / "tests" / "support" / "golden" / "minari"
Arrays = dict[str, Any]


def arrays(**changed: Any) -> Arrays:
    """Return six steps in two episodes, the first with a terminal state and the second with a time limit.

    All numbers differ, which shows a mix-up of keys or rows.
    """
    obs = np.arange(12, dtype=np.float32).reshape(6, 2)
    following = np.roll(obs, -1, axis=0)
    following[2], following[5] = -1, -2
    found = {
        "observations": obs,
        "actions": 100 + np.arange(6, dtype=np.float32)[:, None],
        "rewards": 10.0 ** np.arange(6, dtype=np.float32),
        "next_observations": following,
        "terminals": np.arange(6) == 2,
        "timeouts": np.arange(6) == 5,
    } | changed
    return {key: value for key, value in found.items() if value is not None}


def npz(folder: Path, content: Arrays) -> Path:
    np.savez(folder / "steps.npz", **content)
    return folder / "steps.npz"


def hdf5(folder: Path, content: Arrays, name: str = "steps.hdf5") -> Path:
    """Write a file of arrays by their keys, in groups where a key has a slash."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / name, "w") as file:
        for key, value in content.items():
            file[key] = value
    return folder / name


def minari(folder: Path, *episodes: Arrays) -> Path:
    content = {f"episode_{i}/{key}": value for i, one in enumerate(episodes) for key, value in one.items()}
    return hdf5(folder, content, "main_data.hdf5")


def episode(start: float, steps: int, **changed: Any) -> Arrays:
    found = {
        "observations": start + np.arange(steps + 1, dtype=np.float64)[:, None],
        "actions": start + 50 + np.arange(steps, dtype=np.float32)[:, None],
        "rewards": np.full(steps, start),
        "terminations": np.zeros(steps, bool),
        "truncations": np.arange(steps) == steps - 1,
    } | changed
    return {key: value for key, value in found.items() if value is not None}


WRITERS = [npz, hdf5]


def check_same(recording: Recording, expected: Arrays) -> None:
    """Compare bit for bit, dtypes included."""
    found = [*recording.transitions, recording.truncated]
    for column, key in zip(found, arrays(), strict=True):
        assert column.dtype == expected[key].dtype, key
        assert_array_equal(column, expected[key], err_msg=key)


# -- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", WRITERS)
def test_arrays_by_the_keys_of_d4rl_are_read_bit_for_bit(tmp_path: Path, write: Any) -> None:
    content = arrays(metadata=np.ones(3))
    check_same(data.load(write(tmp_path, content)), arrays())
    check_same(data.load(str(write(tmp_path, content))), arrays())


@pytest.mark.parametrize("write", WRITERS)
def test_rows_of_any_shape_and_dtype_are_read_as_they_are(tmp_path: Path, write: Any) -> None:
    images = np.arange(6 * 8, dtype=np.uint8).reshape(6, 2, 2, 2)
    content = arrays(observations=images, next_observations=images + 1, actions=np.arange(6), timeouts=None)
    content |= {"rewards": np.arange(6), "terminals": np.arange(6) % 2.0}
    found = data.load(write(tmp_path, content))
    assert [x.dtype.name for x in found.transitions] == ["uint8", "int64", "float64", "uint8", "bool"]
    assert_array_equal(found.transitions.obs, images)
    assert found.transitions.terminated.tolist() == [False, True] * 3
    assert found.truncated.tolist() == [True, False] * 3  # no row goes on from the next observation before it


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("without", ["timeouts", "next_observations", "nothing"])
def test_rewards_and_flags_in_one_column_are_read_as_without_its_axis(tmp_path: Path, write: Any, without: str) -> None:
    content = {key: value for key, value in arrays().items() if key != without}
    expected = data.load(write(tmp_path, content))
    in_columns = {key: content[key][:, None] for key in ("rewards", "terminals", "timeouts") if key in content}
    found = data.load(write(tmp_path, content | in_columns))
    for one, other in zip(
        (*found.transitions, found.truncated), (*expected.transitions, expected.truncated), strict=True
    ):
        assert one.dtype == other.dtype
        assert_array_equal(one, other)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("write", WRITERS)
def test_numbers_in_either_order_of_bytes_are_read_as_this_machines(tmp_path: Path, write: Any, order: str) -> None:
    content = {key: value.astype(value.dtype.newbyteorder(order)) for key, value in arrays().items()}
    found = data.load(write(tmp_path, content))
    check_same(found, arrays())
    assert all(column.dtype.isnative for column in found.transitions)
    data.ReplayBuffer(9).add(*(content[key] for key in list(content)[:5]))


@pytest.mark.parametrize("write", WRITERS)
def test_without_timeouts_episodes_end_where_the_next_row_does_not_go_on(tmp_path: Path, write: Any) -> None:
    found = data.load(write(tmp_path, arrays(timeouts=None, terminals=np.zeros(6, bool))))
    assert found.truncated.tolist() == [False, False, True, False, False, True]
    found = data.load(write(tmp_path, arrays(timeouts=None)))
    assert found.truncated.tolist() == [False] * 5 + [True]


def test_a_recording_stops_at_its_last_step_unless_that_is_terminal(tmp_path: Path) -> None:
    none = np.zeros(6, bool)
    assert data.load(npz(tmp_path, arrays(timeouts=none))).truncated.tolist() == [False] * 5 + [True]
    found = data.load(npz(tmp_path, arrays(timeouts=none, terminals=np.arange(6) == 5)))
    assert found.truncated.tolist() == [False] * 6


@pytest.mark.parametrize("write", WRITERS)
def test_without_next_observations_they_are_those_of_the_next_rows(tmp_path: Path, write: Any) -> None:
    """The last step of the second episode, a time limit, has no next observation and is left out."""
    found = data.load(write(tmp_path, arrays(next_observations=None)))
    obs = arrays()["observations"]
    assert_array_equal(found.transitions.obs, obs[:5])
    assert_array_equal(found.transitions.next_obs, obs[[1, 2, 2, 4, 5]])
    assert found.transitions.reward.tolist() == [1, 10, 100, 1000, 10000]
    assert found.transitions.terminated.tolist() == [False, False, True, False, False]
    assert found.truncated.tolist() == [False, False, False, False, True]


def test_a_time_limit_in_the_middle_of_a_file_without_next_observations_ends_an_episode(tmp_path: Path) -> None:
    content = arrays(next_observations=None, terminals=np.zeros(6, bool), timeouts=np.arange(6) == 2)
    found = data.load(npz(tmp_path, content))
    assert found.transitions.reward.tolist() == [1, 10, 1000, 10000]
    assert_array_equal(found.transitions.next_obs, arrays()["observations"][[1, 2, 4, 5]])
    assert found.truncated.tolist() == [False, True, False, True]
    assert [len(one.reward) for one in found.episodes()] == [2, 2]


def test_a_terminal_step_is_kept_without_a_next_observation(tmp_path: Path) -> None:
    last = np.arange(6) == 5
    for at_the_limit in (last, np.zeros(6, bool)):
        content = arrays(next_observations=None, terminals=last, timeouts=at_the_limit)
        found = data.load(npz(tmp_path, content))
        assert found.transitions.reward.tolist() == arrays()["rewards"].tolist()
        assert_array_equal(found.transitions.next_obs[-1], arrays()["observations"][-1])
        assert not found.truncated.any()


def test_the_shipped_recording_has_as_many_episodes_as_time_limits() -> None:
    found = data.load(SHIPPED)
    with np.load(SHIPPED) as shipped:
        assert len(found.episodes()) == shipped["timeouts"].sum() == 100
        assert_array_equal(found.transitions.reward, shipped["rewards"])
        assert_array_equal(found.truncated, shipped["timeouts"])


def test_episodes_are_views_of_the_transitions_between_their_ends(tmp_path: Path) -> None:
    found = data.load(npz(tmp_path, arrays()))
    first, second = found.episodes()
    assert (first.reward.tolist(), second.reward.tolist()) == ([1, 10, 100], [1000, 10000, 100000])
    assert isinstance(first, Transitions) and first.obs.base is not None
    assert [len(one.reward) for one in found._replace(truncated=np.zeros(6, bool)).episodes()] == [3, 3]


def test_a_recording_fills_a_replay_buffer(tmp_path: Path) -> None:
    found = data.load(npz(tmp_path, arrays()))
    buffer = data.ReplayBuffer(len(found.truncated))
    buffer.add(*found.transitions)
    assert_array_equal(buffer.take(np.arange(6)).next_obs, found.transitions.next_obs)


def test_a_number_that_is_nan_on_both_sides_of_a_step_ends_no_episode(tmp_path: Path) -> None:
    content = arrays(timeouts=None, terminals=np.zeros(6, bool))
    content["next_observations"][0, 1] = content["observations"][1, 1] = np.nan
    found = data.load(npz(tmp_path, content), check_finite=False)
    assert found.truncated.tolist() == [False, False, True, False, False, True]


def test_arrays_of_other_names_that_begin_as_episodes_of_minari_do_are_ignored(tmp_path: Path) -> None:
    check_same(data.load(hdf5(tmp_path, arrays(episode_returns=np.ones(2), episode_terminals=np.ones(6)))), arrays())


# -- Minari -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pendulum-v0", "cartpole-v0"])
def test_a_data_set_of_minari_is_read_as_minari_reads_it(name: str) -> None:
    pytest.importorskip("h5py")
    folder = OF_MINARI / name
    with np.load(OF_MINARI / "expected.npz") as found:
        expected = {key: found[f"{name}/{key}"] for key in (*Transitions._fields, "truncated")}
    if name == "cartpole-v0":
        assert expected["terminated"].any() and not expected["truncated"].any()
        expected["truncated"][-1] = True  # where the recording of the second episode stops
    for path in (folder, folder / "data", folder / "data" / "main_data.hdf5"):
        recording = data.load(path)
        for column, key in zip((*recording.transitions, recording.truncated), expected, strict=True):
            assert column.dtype == expected[key].dtype
            assert_array_equal(column, expected[key], err_msg=key)


def test_episodes_of_minari_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    found = data.load(minari(tmp_path, *[episode(100.0 * i, 1 + i % 2) for i in range(12)]))
    assert [one.reward[0] for one in found.episodes()] == [100.0 * i for i in range(12)]
    assert found.transitions.obs[:3, 0].tolist() == [0, 100, 101]
    assert found.transitions.next_obs[:3, 0].tolist() == [1, 101, 102]


def test_an_episode_of_minari_without_truncations_stops_with_its_last_step(tmp_path: Path) -> None:
    last = np.array([False, True])
    path = minari(tmp_path, episode(0.0, 2, truncations=None), episode(9.0, 2, truncations=None, terminations=last))
    assert data.load(path).truncated.tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"rewards": None}, "expected the keys .* in episode_1, but rewards is missing"),
        ({"observations": np.zeros((3, 1))}, "one more of observations, got observations .3, 1."),
        ({"actions": np.zeros((2, 1))}, "as many rows as rewards in every array in episode_1"),
        ({"actions": np.zeros((3, 2))}, "expected actions of one shape in every episode"),
        ({"rewards": 1.0}, "as many rows as rewards"),
        ({"truncations": np.array([0.5, np.nan, 7.0])}, "truncations in episode_1 must have True and False, or 1"),
        ({"terminations": np.zeros((3, 1), bool)}, r"expected terminations in episode_1 of shape \(n,\)"),
    ],
)
def test_a_faulty_episode_of_minari_is_named(tmp_path: Path, changed: Arrays, words: str) -> None:
    path = minari(tmp_path, episode(0.0, 3), episode(1.0, 3, **changed))
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}: .*{words}"):
        data.load(path)


def test_observations_that_are_dicts_are_refused(tmp_path: Path) -> None:
    content = {f"episode_0/{key}": value for key, value in episode(0.0, 3).items() if key != "observations"}
    path = hdf5(tmp_path, content | {"episode_0/observations/goal": np.zeros(4)}, "main_data.hdf5")
    with pytest.raises(ValueError, match="expected observations to be one array in episode_0, got a group of .'goal'"):
        data.load(path)


def test_images_as_jpeg_are_not_taken_for_vectors(tmp_path: Path) -> None:
    """Minari stores them as rows of bytes, which are an array where all have one length."""
    space = '{"type": "Box", "dtype": "uint8", "shape": [40, 40, 3], "low": 0, "high": 255}'
    (tmp_path / "metadata.json").write_text(json.dumps({"observation_space": space}))
    path = minari(tmp_path, episode(0.0, 3, observations=np.zeros((4, 700), np.uint8)))
    with pytest.raises(ValueError, match=r"rows of observations of shape \(40, 40, 3\) .* JPEG are not read here"):
        data.load(path)


def test_a_damaged_metadata_file_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    shutil.copytree(OF_MINARI / "pendulum-v0", tmp_path / "set")
    beside = tmp_path / "set" / "data" / "metadata.json"
    beside.write_text(beside.read_text()[:-80])
    with pytest.raises(ValueError, match="expected metadata.json beside it as Minari writes it"):
        data.load(tmp_path / "set")


# -- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"rewards": None}, "but rewards is missing; it has 'actions', 'next_observations', 'observations'"),
        ({"timeouts": None, "next_observations": None}, "expected next_observations, or timeouts"),
        ({"rewards": np.zeros(5)}, r"lengths that differ: .*rewards \(5,\)"),
        ({"rewards": np.zeros((6, 2))}, r"expected rewards of shape \(n,\), a number for each step, got \(6, 2\)"),
        ({"rewards": np.zeros((6, 1, 1))}, r"expected rewards of shape \(n,\)"),
        ({"terminals": np.zeros((6, 2))}, r"expected terminals of shape \(n,\)"),
        ({"terminals": np.zeros((6, 2)), "timeouts": None}, r"expected terminals of shape \(n,\)"),
        ({"terminals": np.zeros((6, 2)), "next_observations": None}, r"expected terminals of shape \(n,\)"),
        ({"timeouts": np.arange(6.0), "next_observations": None}, "timeouts must have True and False, or 1 and 0"),
        ({"timeouts": np.full(6, np.nan)}, "timeouts must have True and False, or 1 and 0"),
        ({"timeouts": np.zeros(6, [("a", "i4")]), "next_observations": None}, "expected numbers in timeouts, got"),
        ({"terminals": np.array([b"no"] * 6), "timeouts": None}, "expected numbers in terminals, got dtype"),
        ({"terminals": np.full(6, 0.5)}, "terminals must have True and False, or 1 and 0"),
        ({"next_observations": np.zeros((6, 3))}, "expected observations and next_observations of one shape"),
        ({"next_observations": np.zeros((6, 3)), "timeouts": None}, "observations and next_observations of one shape"),
        ({"next_observations": np.zeros((6, 2)), "timeouts": None}, "of one dtype .* got float32 and float64; save"),
        ({"actions": np.float32(1)}, r"lengths that differ: .*actions \(\)"),
        ({"actions": np.array([b"left"] * 6)}, "expected numbers in actions, got dtype"),
        ({"rewards": np.array([0, 1, np.nan, 3, np.inf, 5])}, "numbers in rewards, but 2 of 6 .* the first in row 2"),
    ],
)
def test_content_that_does_not_fit_is_an_error_that_begins_with_the_path(
    tmp_path: Path, write: Any, changed: Arrays, words: str
) -> None:
    path = write(tmp_path, arrays(**changed))
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}: .*{words}"):
        data.load(path)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("without", ["timeouts", "next_observations", "metadata"])
def test_a_file_without_steps_is_an_error(tmp_path: Path, write: Any, without: str) -> None:
    content = {key: value[:0] for key, value in arrays(**{without: None}).items()}
    with pytest.raises(ValueError, match="expected at least one step, .*; was anything recorded"):
        data.load(write(tmp_path, content))


def test_numbers_that_are_not_finite_are_read_by_choice(tmp_path: Path) -> None:
    path = npz(tmp_path, arrays(rewards=np.array([0, 1, np.nan, 3, np.inf, 5])))
    assert np.isnan(data.load(path, check_finite=False).transitions.reward[2])


def test_files_of_other_kinds_are_refused_with_what_they_are(tmp_path: Path) -> None:
    for content, words in [(b"", "it is empty"), (b"\x80\x04.", r"it begins with b'\\x80\\x04.'")]:
        path = tmp_path / "other"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"other: expected an .npz or HDF5 file, but {words}"):
            data.load(path)
    with pytest.raises(
        FileNotFoundError, match="expected a file of recorded transitions, but .*nothing does not exist"
    ):
        data.load(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match=r"has no data/main_data.hdf5; Minari's other format, Arrow"):
        data.load(tmp_path)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("kept", [30, 200, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_an_error_that_begins_with_the_path(tmp_path: Path, write: Any, kept: float) -> None:
    path = write(tmp_path, arrays())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept if kept > 1 else kept * len(whole))])
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}: "):
        data.load(path)


def test_a_changed_byte_of_an_npz_is_found_by_its_checksums(tmp_path: Path) -> None:
    path = npz(tmp_path, arrays())
    content = bytearray(path.read_bytes())
    at = content.find(arrays()["rewards"].tobytes())
    content[at + 1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="expected a readable .npz of plain arrays"):
        data.load(path)


def test_pickled_objects_in_an_npz_are_not_loaded(tmp_path: Path) -> None:
    path = npz(tmp_path, arrays(actions=np.array([{}] * 6)))
    with pytest.raises(
        ValueError, match="expected a readable .npz of plain arrays, but Object arrays cannot be loaded"
    ):
        data.load(path)


def test_without_h5py_the_error_names_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = hdf5(tmp_path, arrays())
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"need the package h5py: pip install 'npnets\[hdf5\]'"):
        data.load(path)
    with pytest.raises(ImportError, match=r"pip install 'npnets\[hdf5\]'"):
        data.save_minari(tmp_path, "new/set-v0", data.load(SHIPPED))
    assert list(tmp_path.rglob("*")) == [path]
    assert len(data.load(npz(tmp_path, arrays())).truncated) == 6
