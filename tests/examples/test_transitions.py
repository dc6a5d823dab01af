"""`examples/shared/transitions.py`: the files that it reads, its errors, and the shipped data set."""

from __future__ import annotations

import builtins
import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SHIPPED = EXAMPLES / "data" / "pendulum_mixed.npz"

Arrays = dict[str, Any]

transitions = importlib.import_module("examples.shared.transitions")


def _arrays(rows: int = 6) -> Arrays:
    """Return two episodes of three steps, with different numbers everywhere, which show a mix-up of keys or rows."""
    seen = np.arange(rows * 2, dtype=np.float32).reshape(rows, 2)
    following = np.roll(seen, -1, axis=0)
    following[rows // 2 - 1] = following[-1] = -1.0
    return {
        "observations": seen,
        "actions": 100 + np.arange(rows, dtype=np.float32)[:, None],
        "rewards": 10.0 ** np.arange(rows, dtype=np.float32),
        "next_observations": following,
        "terminals": np.zeros(rows, bool),
    }


def _npz(folder: Path, arrays: Arrays) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def _hdf5(folder: Path, groups: dict[str, Arrays]) -> Path:
    """An HDF5 file; the group named "" is the root."""
    h5py = pytest.importorskip("h5py")
    path = folder / "data.hdf5"
    with h5py.File(path, "w") as file:
        for name, arrays in groups.items():
            group = file.require_group(name) if name else file
            for key, values in arrays.items():
                group[key] = values
    return path


def _minari_episode(start: float, steps: int) -> Arrays:
    return {
        "observations": start + np.arange(steps + 1, dtype=np.float64)[:, None],
        "actions": start + 50 + np.arange(steps, dtype=np.float32)[:, None],
        "rewards": np.full(steps, start),
        "terminations": np.arange(steps) == steps - 1,
        "truncations": np.zeros(steps, bool),
    }


def _assert_holds(loaded: Any, arrays: Arrays) -> None:
    for key, values in arrays.items():
        got = getattr(loaded, key)
        assert got.dtype == np.float32, key
        np.testing.assert_array_equal(got, np.asarray(values, np.float32), err_msg=key)


def _refusal(path: Path, error: type[Exception] = ValueError) -> str:
    with pytest.raises(error) as caught:
        transitions.load(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message
    return message


def test_an_npz_file_loads_with_every_number_under_its_own_key(tmp_path: Path) -> None:
    loaded = transitions.load(_npz(tmp_path, _arrays() | {"timeouts": np.zeros(6, bool)}))
    _assert_holds(loaded, _arrays())
    assert len(loaded) == 6


def test_a_flat_hdf5_file_loads_like_the_npz_file_of_the_same_arrays(tmp_path: Path) -> None:
    _assert_holds(transitions.load(_hdf5(tmp_path, {"": _arrays()})), _arrays())


def test_the_content_and_not_the_ending_decides_the_format_of_a_file(tmp_path: Path) -> None:
    hdf5, npz = _hdf5(tmp_path, {"": _arrays()}), _npz(tmp_path, _arrays())
    _assert_holds(transitions.load(hdf5.rename(tmp_path / "wrong.npz")), _arrays())
    _assert_holds(transitions.load(npz.rename(tmp_path / "wrong.h5")), _arrays())


def test_minari_episodes_are_joined_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    groups = {f"episode_{index}": _minari_episode(1000.0 * index, 2) for index in (0, 2, 10)}
    loaded = transitions.load(_hdf5(tmp_path, groups))
    _assert_holds(
        loaded,
        {
            "observations": [[0], [1], [2000], [2001], [10000], [10001]],
            "actions": [[50], [51], [2050], [2051], [10050], [10051]],
            "rewards": [0, 0, 2000, 2000, 10000, 10000],
            "next_observations": [[1], [2], [2001], [2002], [10001], [10002]],
            "terminals": [0, 1, 0, 1, 0, 1],
        },
    )


def test_a_minari_episode_without_its_last_observation_is_an_error(tmp_path: Path) -> None:
    episode = _minari_episode(0.0, 3)
    episode["observations"] = episode["observations"][:-1]
    message = _refusal(_hdf5(tmp_path, {"episode_0": episode}))
    assert "one observation more" in message and "3 observations and 3 rewards" in message


def test_the_error_for_dictionary_observations_names_their_keys(tmp_path: Path) -> None:
    episode = _minari_episode(0.0, 3)
    del episode["observations"]
    file = {"episode_0": episode, "episode_0/observations": {"goal": np.zeros(4), "place": np.zeros(4)}}
    message = _refusal(_hdf5(tmp_path, file))
    assert "['goal', 'place']" in message and "flatten" in message


def test_whole_numbers_and_booleans_become_float32(tmp_path: Path) -> None:
    arrays = _arrays() | {"actions": np.arange(-2, 4)[:, None], "rewards": np.arange(6, dtype=np.uint8)}
    arrays["terminals"] = np.array([False, True] * 3)
    _assert_holds(transitions.load(_npz(tmp_path, arrays)), arrays)


def test_the_error_for_a_missing_file_names_it(tmp_path: Path) -> None:
    assert "does not exist" in _refusal(tmp_path / "nowhere.npz", FileNotFoundError)


@pytest.mark.parametrize("content", [b"", b"obs,act\n1,2\n", b"PK\x03\x04cut short"])
def test_a_file_of_another_format_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    assert "expected an .npz or HDF5 file" in _refusal(path)


def test_a_corrupt_file_is_an_error(tmp_path: Path) -> None:
    npz = _npz(tmp_path, _arrays())
    content = bytearray(npz.read_bytes())
    content[content.index(b"\x93NUMPY") + 130] ^= 0xFF
    npz.write_bytes(content)
    assert "readable .npz" in _refusal(npz)
    hdf5 = _hdf5(tmp_path, {"": _arrays()})
    hdf5.write_bytes(hdf5.read_bytes()[:600])
    assert "corrupt" in _refusal(hdf5)


def test_the_error_for_a_missing_key_names_it_and_the_present_keys(tmp_path: Path) -> None:
    arrays = _arrays()
    arrays["reward"] = arrays.pop("rewards")
    for path in (_npz(tmp_path, arrays), _hdf5(tmp_path, {"": arrays})):
        message = _refusal(path)
        assert "rewards is missing" in message
        assert message.endswith("it has actions, next_observations, observations, reward, terminals")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("key", ["observations", "actions", "rewards", "next_observations"])
def test_the_error_for_entries_that_are_not_finite_has_their_number_and_the_first_row(
    tmp_path: Path, key: str, value: float
) -> None:
    arrays = _arrays()
    arrays[key][[2, 4]] = value
    message = _refusal(_npz(tmp_path, arrays))
    count = 2 * arrays[key][0].size
    assert f"finite numbers in {key}, got {count} NaN or infinite" in message and "row 2;" in message


def test_a_number_too_large_for_float32_is_an_error_and_does_not_become_infinity(tmp_path: Path) -> None:
    arrays = _arrays() | {"rewards": np.array([0, 0, 0, 1e300, 0, 0])}
    assert "1 NaN or infinite as float32, the first in row 3" in _refusal(_npz(tmp_path, arrays))


@pytest.mark.parametrize("key", list(_arrays()))
def test_the_error_for_different_lengths_lists_all_of_them(tmp_path: Path, key: str) -> None:
    arrays = _arrays()
    arrays[key] = arrays[key][:-1]
    message = _refusal(_npz(tmp_path, arrays))
    assert "lengths that disagree" in message and f"{key} {arrays[key].shape}" in message


@pytest.mark.parametrize("key", list(_arrays()))
def test_an_array_with_an_extra_axis_is_an_error(tmp_path: Path, key: str) -> None:
    arrays = _arrays()
    arrays[key] = arrays[key][..., None]
    message = _refusal(_npz(tmp_path, arrays))
    assert f"expected {key} of shape" in message and str(arrays[key].shape) in message


def test_observations_of_two_widths_are_an_error(tmp_path: Path) -> None:
    arrays = _arrays() | {"next_observations": np.zeros((6, 3))}
    assert "observations and next_observations of one shape" in _refusal(_npz(tmp_path, arrays))


def test_a_file_without_transitions_is_an_error(tmp_path: Path) -> None:
    arrays = {key: values[:0] for key, values in _arrays().items()}
    assert "at least one transition" in _refusal(_npz(tmp_path, arrays))


def test_text_and_python_objects_are_an_error(tmp_path: Path) -> None:
    assert "numbers in rewards" in _refusal(_npz(tmp_path, _arrays() | {"rewards": np.array(["1"] * 6)}))
    assert "plain arrays" in _refusal(_npz(tmp_path, _arrays() | {"rewards": np.array([None] * 6)}))


def test_only_an_hdf5_file_needs_h5py(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hdf5, npz = _hdf5(tmp_path, {"": _arrays()}), _npz(tmp_path, _arrays())
    real_import = builtins.__import__

    def without_h5py(name: str, *rest: Any, **named: Any) -> Any:
        if name == "h5py":
            raise ModuleNotFoundError("No module named 'h5py'", name="h5py")
        return real_import(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_h5py)
    _assert_holds(importlib.reload(transitions).load(npz), _arrays())
    assert "pip install h5py" in _refusal(hdf5, ModuleNotFoundError)


def test_an_episode_ends_where_the_next_row_does_not_continue_it(tmp_path: Path) -> None:
    loaded = transitions.load(_npz(tmp_path, _arrays()))
    np.testing.assert_array_equal(transitions.episode_returns(loaded), [111.0, 111000.0])


def test_an_episode_ends_at_a_terminal_even_if_the_observations_continue(tmp_path: Path) -> None:
    arrays = _arrays()
    arrays["terminals"][[0, 5]] = True
    loaded = transitions.load(_npz(tmp_path, arrays))
    np.testing.assert_array_equal(transitions.episode_returns(loaded), [1.0, 110.0, 111000.0])


def test_a_batch_keeps_the_five_entries_of_a_transition_together(tmp_path: Path) -> None:
    loaded = transitions.load(_npz(tmp_path, _arrays() | {"terminals": np.arange(6) % 2 == 1}))
    batch = loaded.batch(np.random.default_rng(0), 50)
    rows = batch[1][:, 0].astype(int) - 100
    assert set(rows) == set(range(6))
    for key, got in zip(_arrays(), batch, strict=True):
        np.testing.assert_array_equal(got, getattr(loaded, key)[rows], err_msg=key)


def test_a_batch_depends_on_the_generator_alone(tmp_path: Path) -> None:
    loaded = transitions.load(_npz(tmp_path, _arrays()))
    first, again, other = (loaded.batch(np.random.default_rng(seed), 20)[2] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_an_empty_batch_is_an_error(tmp_path: Path) -> None:
    loaded = transitions.load(_npz(tmp_path, _arrays()))
    with pytest.raises(ValueError, match="size=0"):
        loaded.batch(np.random.default_rng(0), 0)


def test_the_shipped_data_are_small_mediocre_play_that_never_terminates() -> None:
    assert SHIPPED.stat().st_size < 1_000_000
    data = transitions.load(SHIPPED)
    returns = transitions.episode_returns(data)
    assert (len(data), len(returns)) == (20_000, 100)
    assert -1000 < returns.mean() < -700
    assert np.abs(data.actions).max() == 2.0 and not data.terminals.any()


def test_the_shipped_data_obey_the_equations_of_pendulum_v1() -> None:
    data = transitions.load(SHIPPED)
    (cosine, sine, velocity), torque = data.observations.T.astype(np.float64), data.actions[:, 0]
    angle = np.arctan2(sine, cosine)
    np.testing.assert_allclose(data.rewards, -(angle**2 + 0.1 * velocity**2 + 0.001 * torque**2), atol=1e-4)
    following = np.clip(velocity + 0.05 * (15 * sine + 3 * torque), -8, 8)
    turned = angle + 0.05 * following
    expected = np.stack([np.cos(turned), np.sin(turned), following], axis=1)
    np.testing.assert_allclose(data.next_observations, expected, atol=1e-4)


def test_equal_seeds_record_equal_data_and_different_seeds_different_data(tmp_path: Path) -> None:
    pytest.importorskip("gymnasium")
    collect = importlib.import_module("examples.data.collect_pendulum").collect
    first, again, other = (collect(episodes=2, seed=seed)[0] for seed in (3, 3, 4))
    for key, values in first.items():
        np.testing.assert_array_equal(values, again[key], err_msg=key)
    assert (first["actions"] != other["actions"]).any()


def test_the_collecting_script_records_the_shipped_data() -> None:
    pytest.importorskip("gymnasium")
    recording, _ = importlib.import_module("examples.data.collect_pendulum").collect(episodes=4, seed=0)
    with np.load(SHIPPED) as shipped:
        assert sorted(shipped.files) == sorted(recording)
        for key, values in recording.items():
            assert shipped[key].dtype == values.dtype, key
            # The first steps of each episode alone: over all of it another platform's rounding grows.
            for start in (0, 200, 400, 600):
                rows = slice(start, start + 20)
                np.testing.assert_allclose(values[rows], shipped[key][rows], atol=1e-3, err_msg=key)
        np.testing.assert_array_equal(recording["timeouts"], shipped["timeouts"][:800])
