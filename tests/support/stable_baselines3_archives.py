"""Shared by the tests of `load_policy`: recorded archives of Stable-Baselines3, and archives changed in a part."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FIXTURES = Path(__file__).parent / "golden" / "stable_baselines3"
RELEASES = sorted(folder.name for folder in FIXTURES.iterdir())
NEWEST = FIXTURES / "2.9.2"
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "data" / "stable_baselines3_sac_pendulum.zip"


@cache
def recorded(release: str) -> dict[str, Any]:
    """Observations and actions of the archives of a release: `"sac.observations"`, `"sac.actions"`, ..."""
    with np.load(FIXTURES / release / "actions.npz") as arrays:
        return dict(arrays)


def names(release: str) -> list[str]:
    """Return the names of a release's archives with recorded actions."""
    return sorted({name.partition(".")[0] for name in recorded(release)})


def members_of(path: Path) -> dict[str, bytes]:
    """Return the members of an archive."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path: Path, members: dict[str, bytes]) -> Path:
    """Write an archive."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def with_settings(path: Path, source: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Write an archive with its settings changed."""
    members = members_of(source)
    settings = json.loads(members["data"])
    change(settings)
    return write(path, {**members, "data": json.dumps(settings).encode()})


def with_setting(path: Path, source: Path, name: str, value: Any) -> Path:
    """Write an archive with one setting of another value; bytes are a pickle."""
    pickled = {":serialized:": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
    return with_settings(path, source, lambda settings: settings.update({name: pickled}))


def pickled(source: Path, name: str) -> bytes:
    """Return the pickle of a setting of an archive."""
    content: bytes = base64.b64decode(json.loads(members_of(source)["data"])[name][":serialized:"])
    return content


def renamed(path: Path, source: Path, old: bytes, new: bytes) -> Path:
    """Write an archive, or a policy alone, with another name of as many letters in its state dict."""

    def change(pickle: bytes) -> bytes:
        if old not in pickle or len(old) != len(new):
            raise ValueError(f"{old!r} is no name in the state dict, or is not as long as {new!r}")
        return pickle.replace(old, new)

    return with_pickle(path, source, change)


def with_pickle(path: Path, source: Path, change: Callable[[bytes], bytes]) -> Path:
    """Write an archive, or a policy alone, with the pickle of its state dict changed."""
    if source.suffix == ".pth":
        path.write_bytes(_with_pickle(source.read_bytes(), change))
        return path
    members = members_of(source)
    return write(path, {**members, "policy.pth": _with_pickle(members["policy.pth"], change)})


def _with_pickle(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(written, "w") as changed:
        for name in archive.namelist():
            record = archive.read(name)
            changed.writestr(name, change(record) if name.endswith("data.pkl") else record)
    return written.getvalue()


def close(actions: Any, expected: Any) -> bool:
    """Return whether actions are equal up to 1e-6 of the largest of them; indices must be equal."""
    if expected.dtype.kind != "f":
        return bool(np.array_equal(actions, expected))
    return actions.shape == expected.shape and bool(np.abs(actions - expected).max() <= 1e-6 * np.abs(expected).max())
