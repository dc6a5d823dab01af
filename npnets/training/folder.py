"""The folder of a run: begun empty, continued only by its own program with its own settings, used by one process.

`settings.json` says which program runs there, by which command it was begun, and with which settings.
"""

import contextlib
import dataclasses
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from npnets.files.atomic_write import lock, replace_text
from npnets.training.provenance import command
from npnets.training.records import BOARD
from npnets.training.saved_state import CHECKPOINT, check_rows, read_saved
from npnets.training.setting_files import changeable, check_same, digests, files_of, located, mark_of
from npnets.training.settings import Settings, check_order, check_values, typed

Chosen = TypeVar("Chosen", bound=Settings)
SETTINGS, LOCK = "settings.json", ".lock"


def begin(folder: Path, program: str, settings: Settings) -> None:
    """Make the folder of a new run, with its settings.

    Raises
    ------
    ValueError
        If something is there, or another process runs there. A hidden file does not count.
    FileNotFoundError, IsADirectoryError
        If a setting that is a file names none.
    """
    _check_empty(folder)
    facts = {"program": program, "command": command(sys.argv), "files": digests(settings)}
    folder.mkdir(parents=True, exist_ok=True)
    with owned(folder):  # of two processes that begin at once, one finds the other's settings
        _check_empty(folder)
        _write(folder / SETTINGS, facts, settings)


def _check_empty(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file, and a run needs a folder; choose another with --out")
    if folder.exists() and _content(folder):
        resume = f"continue the run there with --resume {folder}, or " if (folder / SETTINGS).exists() else ""
        raise ValueError(f"{folder} is not empty, and nothing is overwritten: {resume}choose another folder with --out")


def _content(folder: Path) -> list[Path]:
    """Return what is in a folder and not hidden."""
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def reopen(folder: Path, program: str, kind: type[Chosen], given: Mapping[str, Any]) -> Chosen:
    """Return the settings of the run in a folder, with those given ones that a continued run may change.

    Raises
    ------
    ValueError
        If it has no run of this program, a given setting contradicts the run's, another process runs there, or a
        setting changes where the checkpoint or the rows are damaged, or the checkpoint is of more steps.
    FileNotFoundError, IsADirectoryError
        If a setting that is a file names none.
    """
    facts, settings = _read(folder, kind, program)
    free = changeable(settings, given)
    for name, value in given.items():
        if name not in free and value != getattr(settings, name):
            raise ValueError(
                f"{folder} was begun with {typed(name, getattr(settings, name))}, and a run is continued with its own "
                "settings; leave the option out, or begin a new run in another folder"
            )
    changes = {name: given[name] for name in free if name in given}
    changed = located(dataclasses.replace(settings, **changes))
    check_order(changed)
    check_same(folder, changed, facts["files"])
    if changed.steps != settings.steps:
        facts["command"] += f", continued by {command(sys.argv)}"
    if changed != settings:
        _check_continues(folder, mark_of(settings), changed.steps if changed.steps < settings.steps else None)
        with owned(folder):  # a process that runs there keeps its settings
            _write(folder / SETTINGS, facts, changed)
    return changed


def begun_by(folder: Path) -> str:
    """Return the command by which the run in a folder was begun."""
    return str(json.loads((folder / SETTINGS).read_text(encoding="utf-8"))["command"])


@contextlib.contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Return a context that holds a lock on the folder, which the operating system releases when a process ends.

    Raises
    ------
    ValueError
        If another process holds it. Without file locks, as on Windows and some network disks, none is held.
    """
    with open(folder / LOCK, "a") as file:
        if lock(file.fileno(), waits=False) is False:
            raise ValueError(f"another process runs in {folder}; wait for its end, or choose another folder")
        yield


@contextlib.contextmanager
def tidied(folder: Path, settings: Settings) -> Iterator[None]:
    """Return a context that takes the folder of a new run away again, if an error leaves nothing that was learned."""
    try:
        yield
    except Exception:
        if folder.is_dir() and _is_untouched(folder, mark_of(settings)):
            shutil.rmtree(folder / BOARD, ignore_errors=True)
            for name in (SETTINGS, CHECKPOINT):
                (folder / name).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # Windows keeps a file that is open
                (folder / LOCK).unlink()
                folder.rmdir()
        raise


def _is_untouched(folder: Path, mark: str) -> bool:
    """Return whether there are no more than the settings and the first checkpoint, before any step."""
    if not {path.name for path in _content(folder)} <= {SETTINGS, CHECKPOINT, BOARD}:
        return False
    saved = read_saved(folder / CHECKPOINT, mark)
    return saved is None or saved.step == 0


def _read(folder: Path, kind: type[Chosen], program: str) -> tuple[dict[str, Any], Chosen]:
    path = folder / SETTINGS
    if not path.is_file():
        raise ValueError(f"expected the folder of a run, but {folder} has no {SETTINGS}; check the path")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        facts = {name: found[name] for name in ("program", "command", "files")}
        saved: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in found["settings"].items()
        }
        settings = kind(**saved) if facts["program"] == program else None
        if settings is not None:
            check_values(settings)
            _check_files(facts["files"], kind)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is damaged, or was written by another program or version than this {program}: {error}"
        ) from None
    if settings is None:
        raise ValueError(f"{folder} has a run of {facts['program']}: continue it with that program, not {program}")
    return facts, settings


def _check_files(found: object, kind: type[Settings]) -> None:
    if not isinstance(found, dict) or not found.keys() <= set(files_of(kind)):
        raise ValueError(f"files is {found!r:.80}, but must have the digests of {files_of(kind)}")


def _check_continues(folder: Path, mark: str, fewer: int | None) -> None:
    """Raise an error if a run cannot be continued, up to `fewer` steps if it is given fewer than before."""
    saved = read_saved(folder / CHECKPOINT, mark)
    check_rows(folder, saved)
    if fewer is not None and saved is not None and saved.step > fewer:
        raise ValueError(
            f"{folder} has a checkpoint after {saved.step} steps, more than --steps {fewer}; leave the option out, or "
            "begin a new run in another folder"
        )


def _write(path: Path, facts: Mapping[str, Any], settings: Settings) -> None:
    text = json.dumps({**facts, "settings": dataclasses.asdict(settings)}, indent=2) + "\n"
    replace_text(path, text)
