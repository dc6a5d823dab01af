"""The program around an algorithm: command line, a new or a continued run, errors in one line, results at the end."""

import contextlib
import errno
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from npnets import backend
from npnets.policy import Policy
from npnets.thread_count import threads
from npnets.training.environments import make_env
from npnets.training.evaluation import record_episode
from npnets.training.folder import begin, owned, reopen, tidied
from npnets.training.results import write_results
from npnets.training.run import Run
from npnets.training.setting_files import located
from npnets.training.settings import CommandLine, Settings, Tuned, chosen, read_command_line

Chosen = TypeVar("Chosen", bound=Settings)


def main(
    train: Callable[[Chosen, Run], None],
    kind: type[Chosen],
    description: str | None,
    tuned: Tuned | None = None,
    arguments: Sequence[str] | None = None,
    classes: Iterable[type] = (),
) -> int:
    """Run an algorithm as the command line says, in a folder of its own, and print an error in one line.

    Parameters
    ----------
    train : callable
        `train(settings, run)` trains until `run.steps()` ends.
    kind : class
        The dataclass of settings: each field is an option.
    description : str
        What the program does, for `--help`: the docstring of its file, whose first line begins with the algorithm's
        name and a colon.
    tuned : dict, optional
        Settings by the name of an environment, in place of the defaults.
    arguments : sequence of str, optional
        Those of the command line; of the process by default.
    classes : sequence of classes, optional
        Networks of the program's own that its policy has, as `Policy.load` needs them.

    Returns
    -------
    int
        The exit status: 0, 2 after an error, 130 after Ctrl-C.
    """
    text = description or train.__module__
    line = read_command_line(kind, text, arguments)
    try:
        folder, settings = _run_of(Path(sys.argv[0]).stem, kind, tuned or {}, line)
        with threads(settings.threads), backend.using(settings.device):
            status = _trained(train, folder, settings, text.partition(":")[0], line)
            if line.video and not status:
                _record(folder, settings, classes)
            return status
    except (ValueError, OSError, ImportError, RuntimeError, MemoryError, FloatingPointError) as error:
        print(f"{Path(sys.argv[0]).name}: error: {_said(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


def _run_of(program: str, kind: type[Chosen], tuned: Tuned, line: CommandLine) -> tuple[Path, Chosen]:
    """Return the folder and the settings of a new run, or of one that is continued."""
    if line.resume is not None:
        return line.resume, reopen(line.resume, program, kind, line.given)
    settings = located(chosen(kind, tuned, line.given))
    with backend.using(settings.device):  # what is wrong with either is an error before there is a folder
        make_env(settings.env).close()
    env = settings.env.replace("/", "-").replace(":", "-")
    folder = line.out or Path("runs", f"{program}-{env}-{settings.seed}")
    begin(folder, program, settings)
    return folder, settings


def _said(error: Exception) -> str:
    """Return what an error says in one line, with a remedy where the system has none."""
    said = " ".join(str(error).splitlines()) or type(error).__name__
    if isinstance(error, MemoryError):
        return f"not enough memory: {said}; choose a smaller buffer, batch or network"
    if isinstance(error, FloatingPointError):
        return f"the training has diverged; is a learning rate too high, or a reward huge? {said}"
    return said + _REMEDIES.get(getattr(error, "errno", None) or 0, "")


_ELSEWHERE = "; change the permissions, or begin a new run in another folder with --out"
_FULL = "; free some space, and continue the run with --resume, or begin it again if its folder is gone"
_REMEDIES = {
    errno.EACCES: _ELSEWHERE,
    errno.EEXIST: "; begin a new run in another folder with --out",
    errno.EPERM: _ELSEWHERE,
    errno.EROFS: _ELSEWHERE,
    errno.ENOENT: "; is the folder deleted, or the path wrong?",
    errno.ENOTDIR: "; begin a new run in another folder with --out",
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
}


def _trained(train: Callable[[Any, Run], None], folder: Path, settings: Settings, name: str, line: CommandLine) -> int:
    try:
        kept = contextlib.nullcontext() if line.resume is not None else tidied(folder, settings)
        with owned(folder), kept, Run(folder, settings, line.tensorboard) as run:
            train(settings, run)
            write_results(run, name)
    except KeyboardInterrupt:
        print(f"\ninterrupted; continue with --resume {folder}", file=sys.stderr)
        return 130
    return 0


def _record(folder: Path, settings: Settings, classes: Iterable[type]) -> None:
    policy, path = Policy.load(folder / "policy.npz", classes=classes), folder / "episode.gif"
    print(f"{path}: {record_episode(policy, settings.env, path, settings.wrap)} pictures")
