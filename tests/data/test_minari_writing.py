"""Data sets that npnets writes have the form of Minari's own, and Minari loads them; nothing is overwritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from npnets import data
from npnets.data import Recording, Transitions

h5py = pytest.importorskip("h5py")
gymnasium = pytest.importorskip("gymnasium")
pytestmark = pytest.mark.numpy_alone("writes files, which hold NumPy's arrays")

OF_MINARI = Path(__file__).resolve().parents[1] / "support" / "golden" / "minari"
EDGE = np.array([1, 1, 8], np.float32)
SPACES: dict[str, tuple[Any, Any]] = {
    "pendulum-v0": (gymnasium.spaces.Box(-EDGE, EDGE), gymnasium.spaces.Box(-2, 2, (1,))),
    "cartpole-v0": (None, gymnasium.spaces.Discrete(2)),
}


def recording(lengths: tuple[int, ...] = (3, 2), width: int = 2, seed: int = 0) -> Recording:
    """Return random episodes, of which every second one ends with a terminal state."""
    rng, parts = np.random.default_rng(seed), []
    for number, steps in enumerate(lengths):
        obs = rng.normal(size=(steps + 1, width)).astype(np.float32)
        last = np.arange(steps) == steps - 1
        ends = (last, ~last & False) if number % 2 else (~last & False, last)
        parts.append((obs[:-1], rng.normal(size=(steps, 1)), rng.normal(size=steps), obs[1:], *ends))
    *columns, truncated = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Recording(Transitions(*columns), truncated)


def check_same(found: Recording, expected: Recording) -> None:
    for a, b in zip((*found.transitions, found.truncated), (*expected.transitions, expected.truncated), strict=True):
        assert a.dtype == b.dtype
        assert_array_equal(a, b)


def layout(path: Path) -> dict[str, Any]:
    """Return what is in an HDF5 file beside the numbers: shapes, dtypes, chunks and attributes by names."""
    found: dict[str, Any] = {}

    def visit(name: str, part: Any) -> None:
        attributes = {key: int(value) for key, value in part.attrs.items() if key != "seed"}
        found[name] = attributes or (part.shape, part.maxshape, part.dtype, part.chunks is not None)

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


# -- what is written --------------------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=12), st.integers(1, 3), st.integers(0, 9))
def test_what_is_written_is_read_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], width: int, seed: int
) -> None:
    expected = recording(tuple(lengths), width, seed)
    folder = data.save_minari(tmp_path_factory.mktemp("root"), "a/b/random-v12", expected)
    check_same(data.load(folder), expected)


@pytest.mark.parametrize("name", SPACES)
def test_files_have_the_form_of_those_that_minari_writes(tmp_path: Path, name: str) -> None:
    theirs, (obs, action) = OF_MINARI / name, SPACES[name]
    folder = data.save_minari(tmp_path, name, data.load(theirs), observation_space=obs, action_space=action)
    assert folder == tmp_path / name
    assert layout(folder / "data" / "main_data.hdf5") == layout(theirs / "data" / "main_data.hdf5")
    ours, other = (json.loads((path / "data" / "metadata.json").read_text()) for path in (folder, theirs))
    same = ["total_episodes", "total_steps", "data_format", "action_space", "dataset_id"]
    same += ["observation_space"] * (obs is not None)
    assert {key: ours[key] for key in same} == {key: other[key] for key in same}
    assert not ours.keys() - other.keys()
    by_choice = {"author", "algorithm_name", "description", "env_spec"}
    assert other.keys() - ours.keys() == {*by_choice, "jpeg_encoding"}  # which only readers of images need


@pytest.mark.needs_package("minari")
def test_minari_itself_loads_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import minari

    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    expected, spec = recording((3, 2, 4)), gymnasium.make("Pendulum-v1").spec
    metadata = {"author": {"b", "a"}, "algorithm_name": "random", "env_spec": spec.to_json()}
    data.save_minari(tmp_path, "made/here/random-v3", expected, metadata=metadata)

    assert list(minari.list_local_datasets()) == ["made/here/random-v3"]
    found = minari.load_dataset("made/here/random-v3")
    assert (found.total_episodes, found.total_steps) == (3, 9)
    assert found.spec.env_spec.id == "Pendulum-v1"
    assert found.observation_space == gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float32)
    for one, ours in zip(found.iterate_episodes(), expected.episodes(), strict=True):
        assert_array_equal(one.observations[:-1], ours.obs)
        assert_array_equal(one.observations[1:], ours.next_obs)
        assert_array_equal(one.actions, ours.action)
        assert_array_equal(one.rewards, ours.reward)
        assert_array_equal(one.terminations, ours.terminated)
        assert one.truncations[-1] != one.terminations[-1]
    assert len(found.sample_episodes(2)) == 2


def test_further_metadata_is_written_and_cannot_replace_what_the_recording_says(tmp_path: Path) -> None:
    folder = data.save_minari(tmp_path, "random-v0", recording(), metadata={"author": {"b", "a"}, "total_steps": 99})
    metadata = json.loads((folder / "data" / "metadata.json").read_text())
    assert (metadata["author"], metadata["total_steps"]) == (["a", "b"], 5)
    folder = data.save_minari(tmp_path, "random-v1", recording(), metadata={"author": "Jane", "author_email": "j@x.y"})
    metadata = json.loads((folder / "data" / "metadata.json").read_text())
    assert (metadata["author"], metadata["author_email"]) == (["Jane"], ["j@x.y"])


def test_numbers_that_are_not_finite_are_written(tmp_path: Path) -> None:
    expected = recording()
    expected.transitions.obs[1] = expected.transitions.next_obs[0] = np.nan
    folder = data.save_minari(tmp_path, "random-v0", expected)
    check_same(data.load(folder, check_finite=False), expected)


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    folder = data.save_minari(tmp_path, "random-v0", recording())
    before = (folder / "data" / "main_data.hdf5").read_bytes()
    with pytest.raises(FileExistsError, match="random-v0 exists already, and nothing is overwritten"):
        data.save_minari(tmp_path, "random-v0", recording(seed=1))
    assert (folder / "data" / "main_data.hdf5").read_bytes() == before


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(h5py.Group, "create_dataset", full)
    with pytest.raises(OSError, match="no space left"):
        data.save_minari(tmp_path, "made/random-v0", recording())
    assert [path.name for path in tmp_path.rglob("*")] == ["made"]


@pytest.mark.parametrize(
    "name",
    [
        *("random", "random-v", "../random-v0", "/random-v0", "a//random-v0", "a b-v0", "", 3),
        *("a/random-v0", "data/random-v0", "made/data/random-v0"),  # Minari then lists no data set of the folder
    ],
)
def test_a_name_that_minari_would_not_find_is_refused(tmp_path: Path, name: Any) -> None:
    with pytest.raises(ValueError, match="dataset_id must be names between slashes and a version"):
        data.save_minari(tmp_path, name, recording())
    assert not list(tmp_path.iterdir())


def test_a_recording_that_breaks_off_within_an_episode_is_an_error_that_names_the_row(tmp_path: Path) -> None:
    found = recording((3, 4))
    found.transitions.obs[5] += 1
    with pytest.raises(ValueError, match="the observation of row 5 to be the next one of row 4, .* set truncated"):
        data.save_minari(tmp_path, "random-v0", found)
    found.truncated[4] = True
    assert len(data.load(data.save_minari(tmp_path, "random-v0", found)).episodes()) == 3


@pytest.mark.parametrize(
    ("spaces", "error", "words"),
    [
        (
            {"observation_space": gymnasium.spaces.Box(-1, 1, (3,))},
            ValueError,
            r"has shape \(3,\), but .* shape \(2,\)",
        ),
        ({"action_space": gymnasium.spaces.Discrete(3)}, ValueError, r"action_space has shape \(\), but .* \(1,\)"),
        (
            {"action_space": gymnasium.spaces.Box(-9, 9, (1,), np.float32)},  # and the recording's are float64
            ValueError,
            r"action_space has dtype float32, but the recording has float64, .* astype\(numpy.float32\)",
        ),
        ({"action_space": gymnasium.spaces.MultiBinary(1)}, TypeError, "action_space must be a Box or Discrete"),
        ({"metadata": {"env_spec": object()}}, TypeError, "metadata must hold what JSON can, .* env.spec.to_json()"),
    ],
)
def test_spaces_and_metadata_that_do_not_fit_are_refused(tmp_path: Path, spaces: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        data.save_minari(tmp_path, "random-v0", recording(), **spaces)
    assert not list(tmp_path.iterdir())


def test_a_space_of_a_wider_dtype_than_the_recordings_is_written_as_it_is(tmp_path: Path) -> None:
    wide = gymnasium.spaces.Box(-9, 9, (2,), np.float64)  # as of MuJoCo's environments; Gymnasium's takes float32 too
    folder = data.save_minari(tmp_path, "random-v0", recording(), observation_space=wide)
    space = json.loads(json.loads((folder / "data" / "metadata.json").read_text())["observation_space"])
    assert space["dtype"] == "float64"
    assert data.load(folder).transitions.obs.dtype == "float32"


def test_integers_need_a_space_and_images_are_refused(tmp_path: Path) -> None:
    found = recording()
    discrete = found._replace(transitions=found.transitions._replace(action=np.arange(5)))
    with pytest.raises(TypeError, match=r"action_space must be a Box or Discrete of Gymnasium for int64 of shape \(\)"):
        data.save_minari(tmp_path, "random-v0", discrete)
    images = np.zeros((5, 32, 40, 3), np.uint8)
    seen = found._replace(transitions=found.transitions._replace(obs=images, next_obs=images))
    with pytest.raises(ValueError, match=r"of images \(32, 40, 3\), which Minari takes for JPEG with losses"):
        data.save_minari(tmp_path, "random-v0", seen, observation_space=gymnasium.spaces.Box(0, 255, (32, 40, 3), "u1"))


def test_actions_that_a_space_of_choices_does_not_have_are_refused(tmp_path: Path) -> None:
    found, two = recording(), gymnasium.spaces.Discrete(2)
    for actions, words in [(np.arange(5), "int64 from 0 to 4"), (np.arange(5) % 2.0, "float64 from 0.0 to 1.0")]:
        chosen = found._replace(transitions=found.transitions._replace(action=actions))
        with pytest.raises(ValueError, match=f"has the integers from 0 to 1, but the recording has {words}"):
            data.save_minari(tmp_path, "random-v0", chosen, action_space=two)
    obs, next_obs = np.zeros(5, np.int64), np.array([0, 0, 0, 0, 7])
    last = found._replace(transitions=found.transitions._replace(obs=obs, next_obs=next_obs))
    with pytest.raises(ValueError, match="observation_space has the integers from 0 to 1, .* has int64 from 0 to 7"):
        data.save_minari(tmp_path, "random-v0", last, observation_space=two)


def test_observations_of_two_dtypes_are_refused(tmp_path: Path) -> None:
    found = recording()
    wide = found.transitions.next_obs.astype(np.float64)
    with pytest.raises(ValueError, match="expected obs and next_obs of one dtype, .* are float32 and float64; convert"):
        data.save_minari(tmp_path, "random-v0", found._replace(transitions=found.transitions._replace(next_obs=wide)))


def test_a_recording_whose_arrays_do_not_fit_together_is_refused(tmp_path: Path) -> None:
    found = recording()
    with pytest.raises(ValueError, match=r"one row for each step in every array, .* truncated \(4,\)"):
        data.save_minari(tmp_path, "random-v0", found._replace(truncated=found.truncated[:4]))
    with pytest.raises(TypeError, match="recording must be a Recording, but is a Transitions"):
        data.save_minari(tmp_path, "random-v0", found.transitions)  # type: ignore[arg-type]
