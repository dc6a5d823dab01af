"""The program around an algorithm: command line, a new or a continued run, errors in one line, pictures at the end."""

import contextlib
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import npnets
from npnets import backend
from npnets.files.atomic_write import replace
from npnets.training.evaluation import record_episode
from npnets.training.learning_curve import draw
from npnets.training.run import Run
from npnets.training.settings import CommandLine, Settings, Tuned, chosen, read_command_line

_EXTENDABLE = ("steps", "threads")
"""Settings that a continued run may change."""


def main(
    train: Callable[[Any, Run], None],
    kind: type[Settings],
    description: str,
    tuned: Tuned | None = None,
    arguments: Sequence[str] | None = None,
) -> int:
    """Run an algorithm as the command line says, in a folder of its own.

    Parameters
    ----------
    train : callable
        `train(settings, run)` trains until `run.steps()` ends.
    kind : class
        The dataclass of settings.
    description : str
        What the program does, for `--help`: the docstring of its file.
    tuned : dict, optional
        Settings by the name of an environment, in place of the defaults.
    arguments : sequence of str, optional
        By default those of the process.

    Returns
    -------
    int
        The exit status: 0, 2 after an error, 130 after Ctrl-C.
    """
    line = read_command_line(kind, description, arguments)
    name = Path(train.__globals__["__file__"]).stem if hasattr(train, "__globals__") else "run"
    try:
        folder, settings = _begun(name, kind, tuned or {}, line)
        with npnets.threads(settings.threads), backend.using(settings.device):
            return _trained(train, folder, settings, line)
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        print(f"{name}: error: {error}", file=sys.stderr)
        return 2


def _trained(train: Callable[[Any, Run], None], folder: Path, settings: Settings, line: CommandLine) -> int:
    with _owned(folder), Run(folder, settings, line.tensorboard) as run:
        try:
            train(settings, run)
        except KeyboardInterrupt:
            print(f"\ninterrupted at step {run.step}; continue with --resume {folder}", file=sys.stderr)
            return 130
        rows = run.rows
    draw(folder / "learning.png", rows, f"{folder.name}: {settings.env}")
    print(f"{folder}: return {rows[-1]['return']:.1f} after {rows[-1]['steps']:.0f} steps")
    if line.video:
        policy = npnets.Policy.load(folder / "policy.npz")
        print(f"{folder / 'episode.gif'}: {record_episode(policy, settings.env, folder / 'episode.gif')} pictures")
    return 0


def _begun(name: str, kind: type[Settings], tuned: Tuned, line: CommandLine) -> tuple[Path, Settings]:
    """Return the folder and the settings of a new run, or of one that is continued."""
    if line.resume is not None:
        return line.resume, _continued(name, kind, line)
    settings = chosen(kind, tuned, line.given)
    folder = line.out or Path("runs", f"{name}-{settings.env.replace('/', '-').replace(':', '-')}-{settings.seed}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(
            f"{folder} is not empty, and nothing in it is overwritten: continue the run there with --resume {folder}, "
            "or choose another folder with --out"
        )
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "settings.json", name, settings)
    return folder, settings


def _continued(name: str, kind: type[Settings], line: CommandLine) -> Settings:
    path = Path(line.resume or "") / "settings.json"
    if not path.is_file():
        raise ValueError(f"{line.resume} has no settings.json, so that it is no folder of a run; check the path")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        begun_by, saved = found["program"], found["settings"]
        lists = {key: tuple(value) for key, value in saved.items() if isinstance(value, list)}
        settings = kind(**{**saved, **lists})
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged, or of another version of {name}: {error}") from None
    if begun_by != name:
        raise ValueError(f"{line.resume} is a run of {begun_by}: continue it with that program, and not with {name}")
    for key, value in line.given.items():
        if key not in _EXTENDABLE and value != getattr(settings, key):
            raise ValueError(
                f"{line.resume} was begun with --{key.replace('_', '-')} {getattr(settings, key)}, and a run is "
                f"continued with its own settings; leave the option out, or begin a new run in another folder"
            )
    settings = dataclasses.replace(settings, **{key: line.given[key] for key in _EXTENDABLE if key in line.given})
    _write(path, name, settings)
    return settings


def _write(path: Path, name: str, settings: Settings) -> None:
    content = {"program": name, "npnets": npnets.__version__, "settings": dataclasses.asdict(settings)}
    text = json.dumps(content, indent=2) + "\n"
    replace(str(path), lambda file: file.write(text.encode()))


@contextlib.contextmanager
def _owned(folder: Path) -> Iterator[None]:
    """Hold a lock on the folder, which the operating system releases when the process ends."""
    with open(folder / ".lock", "a") as file:
        try:
            import fcntl
        except ImportError:  # Windows
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(f"another process is running in {folder}; stop it first, or choose another folder") from None
        yield
