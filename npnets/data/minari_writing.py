"""Writes data sets that Minari 0.5 loads: a folder with `main_data.hdf5` and `metadata.json`.

The folder is written beside its place, under a hidden name that Minari skips, and renamed into it.
"""

import json
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from npnets.data.hdf5 import import_h5py
from npnets.data.minari_reading import EPISODE, MAIN, METADATA
from npnets.data.recording import Recording, recording_of, rows_equal
from npnets.data.transitions import Transitions
from npnets.files.fault import Fault
from npnets.spaces import is_box, is_discrete

_VERSION = "0.5.0"  # the first that has these keys; every later one reads it
_NAME = re.compile(r"(?![\w-]/[^/]*$)(?!(?:.*/)?data/)(?:[\w-]+/)*[\w-]+-v\d+")
"""As Minari's own pattern; and it takes a folder that contains one of the name `data` for a data set."""
_LARGEST_ICON = 32  # pixels of a side, from which on Minari takes arrays of uint8 for JPEG


def save_minari(
    root: str | os.PathLike[str],
    dataset_id: str,
    recording: Recording,
    *,
    observation_space: Any = None,
    action_space: Any = None,
    metadata: Mapping[str, Any] | None = None,
) -> Path:
    """Write a recording as a data set that Minari loads.

    Parameters
    ----------
    root : str or path
        The folder of all data sets; `minari.load_dataset(dataset_id)` looks in the environment variable
        `MINARI_DATASETS_PATH`, and then in `~/.minari/datasets`. It is made if there is none.
    dataset_id : str
        Such as `"pendulum/random-v0"`: names between slashes, and a version at the end.
    recording : Recording
        Within an episode each observation must be the next one of the step before.
    observation_space, action_space : Box or Discrete, optional
        Of Gymnasium, with a dtype that holds the recording's. Floats without one get a `Box` without bounds.
    metadata : dict, optional
        Further entries of `metadata.json`, such as `{"author": ["..."], "env_spec": env.spec.to_json()}`.

    Returns
    -------
    pathlib.Path
        The data set's folder, which `npnets.data.load` reads too.

    Raises
    ------
    FileExistsError
        If there is a data set already; nothing is overwritten.
    ValueError
        If the name has another form, the recording breaks off within an episode, `obs` and `next_obs` have two dtypes,
        a space does not fit, or observations are images, which Minari stores with losses.
    TypeError
        If a space is missing or of another kind, or metadata cannot be written as JSON.
    ImportError
        If h5py is not installed: `pip install 'npnets[hdf5]'`.
    """
    if not isinstance(dataset_id, str) or not _NAME.fullmatch(dataset_id):
        raise ValueError(
            "dataset_id must be names between slashes and a version, such as 'pendulum/random-v0', with more than one "
            f"character before the last slash and none of the names 'data', but is {dataset_id!r:.80}"
        )
    target = Path(root) / dataset_id
    if target.exists():
        raise FileExistsError(
            f"{target} exists already, and nothing is overwritten; choose another version or remove it"
        )
    checked = _checked(recording)
    obs, action, _, next_obs, _ = checked.transitions
    _check_one_dtype(obs.dtype, next_obs.dtype)
    episodes = checked.episodes()
    _check_unbroken(episodes)
    described = {
        **_own_entries(metadata),
        "total_episodes": len(episodes),
        "total_steps": len(checked.truncated),
        "data_format": "hdf5",
        "observation_space": json.dumps(_space("observation_space", observation_space, obs, next_obs)),
        "action_space": json.dumps(_space("action_space", action_space, action)),
        "dataset_id": dataset_id,
        "minari_version": _VERSION,
    }
    _write(target, checked, episodes, described)
    return target


def _checked(recording: Any) -> Recording:
    if not isinstance(recording, Recording):
        raise TypeError(
            f"recording must be a Recording, but is a {type(recording).__name__}; npnets.data.load reads one"
        )
    columns = {**recording.transitions._asdict(), "truncated": recording.truncated}
    try:
        return recording_of({name: np.asarray(column) for name, column in columns.items()}, check_finite=False)
    except Fault as fault:
        raise ValueError(str(fault)) from None


def _check_one_dtype(obs: np.dtype[Any], next_obs: np.dtype[Any]) -> None:
    if obs != next_obs:
        raise ValueError(
            f"expected obs and next_obs of one dtype, because Minari has them in one array, but they are {obs} and "
            f"{next_obs}; convert one of them, as in transitions._replace(next_obs=next_obs.astype(obs.dtype))"
        )


def _check_unbroken(episodes: list[Transitions]) -> None:
    step = 0
    for episode in episodes:
        ahead, after = episode.obs[1:], episode.next_obs[:-1]
        broken = np.flatnonzero(~rows_equal(ahead, after))
        if len(broken):
            row = step + int(broken[0])
            raise ValueError(
                f"expected the observation of row {row + 1} to be the next one of row {row}, because neither "
                "terminated nor truncated ends an episode there; set truncated where a recording breaks off"
            )
        step += len(episode.reward)


# -- metadata ---------------------------------------------------------------------------------------------------------


def _own_entries(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    entries = {
        key: sorted(value) if isinstance(value, (set, frozenset)) else value for key, value in (metadata or {}).items()
    }
    for key in ("author", "author_email"):
        if isinstance(entries.get(key), str):
            entries[key] = [entries[key]]  # Minari would read a text as the set of its letters
    try:
        json.dumps(entries)
    except (TypeError, ValueError) as error:
        raise TypeError(f"metadata must hold what JSON can, but {error}; env_spec is env.spec.to_json()") from error
    return entries


def _space(name: str, space: Any, *columns: Any) -> dict[str, Any]:
    """Return the space of columns of one shape and dtype as Minari describes it."""
    shape, dtype = columns[0].shape[1:], columns[0].dtype
    if dtype == np.uint8 and len(shape) in (2, 3) and min(shape[:2]) >= _LARGEST_ICON:
        raise ValueError(f"{name} is of images {shape}, which Minari takes for JPEG with losses; save them as .npz")
    if space is None and dtype.kind == "f":
        low, high = np.full(shape, -np.inf), np.full(shape, np.inf)
        return {"type": "Box", "dtype": dtype.name, "shape": list(shape), "low": low.tolist(), "high": high.tolist()}
    if is_box(space):
        _check_shape(name, tuple(space.shape), shape)
        _check_dtype(name, space, dtype)
        low, high = (np.asarray(bound).tolist() for bound in (space.low, space.high))
        kind = np.dtype(getattr(space, "dtype", dtype)).name
        return {"type": "Box", "dtype": kind, "shape": list(shape), "low": low, "high": high}
    if is_discrete(space):
        _check_shape(name, (), shape)
        for values in columns:
            _check_choices(name, space, values)
        return {"type": "Discrete", "dtype": "int64", "start": int(space.start), "n": int(space.n)}
    raise TypeError(f"{name} must be a Box or Discrete of Gymnasium for {dtype} of shape {shape}, but is {space!r:.80}")


def _check_shape(name: str, expected: tuple[int, ...], found: tuple[int, ...]) -> None:
    if found != expected:
        raise ValueError(f"{name} has shape {expected}, but the recording has rows of shape {found}")


def _check_dtype(name: str, space: Any, found: np.dtype[Any]) -> None:
    if not np.can_cast(found, expected := np.dtype(getattr(space, "dtype", found))):
        raise ValueError(
            f"{name} has dtype {expected}, but the recording has {found}, in which Minari would find no member of the "
            f"space; convert the arrays of the transitions with astype(numpy.{expected})"
        )


def _check_choices(name: str, space: Any, values: Any) -> None:
    first, last = int(space.start), int(space.start) + int(space.n) - 1
    if values.dtype.kind not in "iu" or values.min() < first or values.max() > last:
        raise ValueError(
            f"{name} has the integers from {first} to {last}, but the recording has {values.dtype} from {values.min()} "
            f"to {values.max()}; another space, or numbers converted by astype(numpy.int64), may fit"
        )


# -- files ------------------------------------------------------------------------------------------------------------


def _write(target: Path, recording: Recording, episodes: list[Transitions], metadata: dict[str, Any]) -> None:
    h5py = import_h5py()
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f".{target.name}.{secrets.token_hex(8)}.tmp"
    data = temporary / "data"
    try:
        data.mkdir(parents=True)
        with h5py.File(data / MAIN, "w", track_order=True) as file:
            step = 0
            for number, episode in enumerate(episodes):
                stop = step + len(episode.reward)
                _add(file.create_group(f"{EPISODE}{number}"), number, episode, recording.truncated[step:stop])
                step = stop
        megabytes = round((data / MAIN).stat().st_size / 1e6, 1)
        (data / METADATA).write_text(json.dumps({**metadata, "dataset_size": megabytes}), encoding="utf-8")
        os.rename(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _add(group: Any, number: int, episode: Transitions, truncated: Any) -> None:
    group.attrs["id"], group.attrs["total_steps"] = number, len(episode.reward)
    arrays = {
        "observations": np.concatenate([episode.obs, episode.next_obs[-1:]]),
        "actions": episode.action,
        "rewards": episode.reward,
        "terminations": episode.terminated,
        "truncations": truncated,
    }
    for key, array in arrays.items():  # in chunks and without a last row, so that Minari can append
        group.create_dataset(key, data=array, chunks=True, maxshape=(None, *array.shape[1:]))
