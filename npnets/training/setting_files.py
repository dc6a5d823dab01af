"""Settings that are files: their absolute paths, and the digests by which a continued run knows their contents.

The digest of the other settings marks the files of a run, so that those of another are not taken for its own.
"""

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from npnets.training.settings import Settings, named

Chosen = TypeVar("Chosen", bound=Settings)

_CHANGEABLE = ("steps", "threads")


def changeable(settings: Settings, given: Mapping[str, Any]) -> list[str]:
    """Return the names of the settings that a continued run may change.

    They are `steps`, `threads`, files, and with a given number of steps those that must be at least the steps.
    """
    changed = [name for name in _CHANGEABLE if given.get(name, getattr(settings, name)) != getattr(settings, name)]
    return [*_CHANGEABLE, *files_of(settings), *_followers(settings, changed)]


def _followers(settings: Settings, leaders: Sequence[str]) -> list[str]:
    """Return the names of the settings that must be at least one of some others."""
    return [field.name for field in dataclasses.fields(settings) if field.metadata["no_less_than"] in leaders]


def files_of(settings: Settings | type[Settings]) -> list[str]:
    """Return the names of the settings that are files."""
    return [field.name for field in dataclasses.fields(settings) if field.metadata["is_file"]]


def located(settings: Chosen) -> Chosen:
    """Return settings with the absolute paths of their files."""
    paths = {name: getattr(settings, name) for name in files_of(settings)}
    return dataclasses.replace(settings, **{name: os.path.abspath(path) for name, path in paths.items() if path})


def digests(settings: Settings) -> dict[str, str]:
    """Return the SHA-256 of each file of the settings, by the setting's name.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file, or a folder.
    """
    paths = {name: getattr(settings, name) for name in files_of(settings)}
    return {name: _digest(name, Path(path)) for name, path in paths.items() if path}


def check_same(folder: Path, settings: Settings, begun_with: Any) -> None:
    """Raise an error unless the files of a continued run have the contents with which it was begun."""
    found = digests(settings)
    if found != begun_with:
        name = next(name for name in files_of(settings) if found.get(name) != begun_with.get(name))
        path = getattr(settings, name) or "no file"
        raise ValueError(
            f"{folder} was begun with another {named(name)} than what is now {path}: the digests of the "
            "contents differ; name the file that it was begun with, or begin a new run in another folder"
        )


def mark_of(settings: Settings) -> str:
    """Return the digest of the settings that a continued run cannot change; files count by what `check_same` does."""
    unchanged = dataclasses.asdict(settings)
    for name in (*_CHANGEABLE, *_followers(settings, _CHANGEABLE), *files_of(settings)):
        del unchanged[name]
    return hashlib.sha256(json.dumps(unchanged, sort_keys=True).encode()).hexdigest()


def _digest(name: str, path: Path) -> str:
    option = named(name)
    if path.is_dir():
        raise IsADirectoryError(f"expected a file for {option}, but {path} is a folder; name a file in it")
    if not path.is_file():
        raise FileNotFoundError(f"expected a file for {option}, but there is none at {path}; name it with {option}")
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
