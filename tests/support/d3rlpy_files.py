"""Shared by the tests of d3rlpy's files: what recorded ones hold, and files with a part of it changed."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from state_dict_files import torch_bytes

from npnets.interop import torch_file

FOLDER = Path(__file__).with_name("golden") / "d3rlpy"
NEWEST = FOLDER / "2.8.1"
EXPECTED = {folder.name: dict(np.load(folder / "expected.npz")) for folder in FOLDER.iterdir()}
OBSERVATIONS = EXPECTED["2.8.1"]["observations"]

Contents = dict[str, Any]


def contents_of(name: str) -> Contents:
    """What a file of the newest release holds: `config` and `torch` as trees of plain values and arrays."""
    contents = pickle.loads((NEWEST / f"{name}.d3").read_bytes())
    states = torch_file.load(contents["torch"])
    return {**contents, "config": json.loads(contents["config"]), "torch": states}


def written(path: Path, contents: Contents) -> Path:
    """Write contents as d3rlpy does."""
    config = contents["config"]
    contents = {**contents, "config": config if isinstance(config, str) else json.dumps(config)}
    if isinstance(contents["torch"], dict):
        contents["torch"] = torch_bytes(contents["torch"])
    path.write_bytes(pickle.dumps(contents))
    return path


def params_of(contents: Contents) -> dict[str, Any]:
    """The arguments of the algorithm."""
    found: dict[str, Any] = contents["config"]["config"]["params"]
    return found


def encoder_of(contents: Contents) -> dict[str, Any]:
    """The arguments of the actor's encoder."""
    found: dict[str, Any] = params_of(contents)["actor_encoder_factory"]["params"]
    return found
