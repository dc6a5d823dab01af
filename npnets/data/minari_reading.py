"""Minari's layout: a group of an HDF5 file for each episode, whose observations have one row more than there are steps.

Beside the file lies `metadata.json`, in which the shapes of the spaces are.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnets.data import d4rl
from npnets.data.recording import Arrays, flags_of_steps
from npnets.files.fault import DAMAGED, Fault
from npnets.files.quoting import listed, plain

MAIN, METADATA, EPISODE = "main_data.hdf5", "metadata.json", "episode_"
EPISODE_NAME = re.compile(rf"{EPISODE}\d+")
NAMES = {
    **d4rl.NAMES,
    "next_obs": "observations",
    "terminated": "terminations",
    "truncated": "truncations",
}
_KEYS = ("observations", "actions", "rewards", "terminations")
_SPACES = {"observations": "observation_space", "actions": "action_space"}


def columns_of(path: Path, file: Any, episodes: Iterable[str], array_of: Callable[..., NDArray[Any]]) -> Arrays:
    """Return the columns of a recording from all groups of a file."""
    shapes = _shapes_of_spaces(path)
    parts = []
    for name in sorted(episodes, key=lambda name: (len(name), name)):
        where = f" in {plain(name)}"
        if not isinstance(file[name], Mapping):
            raise Fault(f"expected a group of arrays{where}, got something else")
        d4rl.check_keys(list(file[name]), _KEYS, where)
        keys = [key for key in (*_KEYS, "truncations") if key in file[name]]
        parts.append(_episode({key: array_of(file[name], key, where) for key in keys}, shapes, where))
    return {name: _joined(NAMES[name], [part[name] for part in parts]) for name in NAMES}


def _episode(arrays: Arrays, shapes: Mapping[str, tuple[int, ...]], where: str) -> Arrays:
    """Return the columns of one episode, whose recording stops with its last step."""
    steps = len(arrays["rewards"]) if arrays["rewards"].ndim else 0
    arrays.setdefault("truncations", np.zeros(steps, np.bool_))
    for key, array in arrays.items():
        rows = steps + 1 if key == "observations" else steps
        if array.shape[:1] != (rows,):
            raise Fault(
                f"expected as many rows as rewards in every array{where}, and one more of observations, got "
                f"{', '.join(f'{key} {array.shape}' for key, array in arrays.items())}"
            )
        if array.shape[1:] != shapes.get(key, array.shape[1:]):
            raise Fault(
                f"expected rows of {key} of shape {shapes[key]}{where}, that of the space in {METADATA}, got "
                f"{array.shape[1:]}; images that Minari stores as JPEG are not read here, but by minari itself"
            )
    terminal, stops = (flags_of_steps(f"{key}{where}", arrays[key]) for key in ("terminations", "truncations"))
    stops[-1:] |= ~terminal[-1:]
    columns = {name: arrays[key] for name, key in NAMES.items()}
    obs = arrays["observations"]
    return {**columns, "obs": obs[:-1], "next_obs": obs[1:], "terminated": terminal, "truncated": stops}


def _joined(key: str, columns: list[NDArray[Any]]) -> NDArray[Any]:
    rows = sorted({column.shape[1:] for column in columns})
    if len(rows) > 1:
        raise Fault(f"expected {key} of one shape in every episode, got rows of shapes {listed(rows)}")
    return np.concatenate(columns)


def _shapes_of_spaces(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of observations and actions by the file beside this one, as far as there are any."""
    beside = path.parent / METADATA
    if path.name != MAIN or not beside.is_file():
        return {}
    try:
        metadata = json.loads(beside.read_text(encoding="utf-8"))
        spaces = {key: json.loads(metadata[name]) for key, name in _SPACES.items() if name in metadata}
        return {key: tuple(space["shape"]) for key, space in spaces.items() if space["type"] == "Box"}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Fault(f"expected {METADATA} beside it as Minari writes it, but {plain(error)}; {DAMAGED}") from error
