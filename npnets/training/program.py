"""The program around an algorithm: command line, a new or a continued run, errors in one line, results at the end."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from npnets import backend
from npnets.policy import Policy
from npnets.thread_count import threads
from npnets.training.environments import make_env
from npnets.training.evaluation import record_episode
from npnets.training.folder import begin, owned, reopen
from npnets.training.results import write_results
from npnets.training.run import Run
from npnets.training.settings import CommandLine, Settings, Tuned, chosen, read_command_line

Chosen = TypeVar("Chosen", bound=Settings)


def main(
    train: Callable[[Chosen, Run], None],
    kind: type[Chosen],
    description: str | None,
    tuned: Tuned | None = None,
    arguments: Sequence[str] | None = None,
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
            return _trained(train, folder, settings, text.partition(":")[0], line)
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        print(f"{Path(sys.argv[0]).name}: error: {error}", file=sys.stderr)
        return 2


def _run_of(program: str, kind: type[Chosen], tuned: Tuned, line: CommandLine) -> tuple[Path, Chosen]:
    """Return the folder and the settings of a new run, or of one that is continued."""
    if line.resume is not None:
        return line.resume, reopen(line.resume, program, kind, line.given)
    settings = chosen(kind, tuned, line.given)
    make_env(settings.env).close()  # what is wrong with it is an error before there is a folder
    env = settings.env.replace("/", "-").replace(":", "-")
    folder = line.out or Path("runs", f"{program}-{env}-{settings.seed}")
    begin(folder, program, settings)
    return folder, settings


def _trained(train: Callable[[Any, Run], None], folder: Path, settings: Settings, name: str, line: CommandLine) -> int:
    try:
        with owned(folder), Run(folder, settings, line.tensorboard) as run:
            train(settings, run)
            write_results(run, name)
    except KeyboardInterrupt:
        print(f"\ninterrupted; continue with --resume {folder}", file=sys.stderr)
        return 130
    if line.video:
        pictures = record_episode(Policy.load(folder / "policy.npz"), settings.env, folder / "episode.gif")
        print(f"{folder / 'episode.gif'}: {pictures} pictures")
    return 0
