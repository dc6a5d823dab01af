"""An Optuna study in one SQLite file, on which processes of one machine work at once, now or later.

Every process runs `work` until the study has its number of finished trials. A lock lets one process at a time start a
trial, so that the processes together run exactly this number. A trial whose process has died or stands still is run
again with the same settings, by any process.

SQLite does not work on a network file system, and this lock is one of SQLite's. For several machines, Optuna has
`RDBStorage` with a database server, which can hold the lock too, and `JournalStorage`, whose file may lie on a network
file system, but which does not notice that a process has died.
"""

from __future__ import annotations

import contextlib
import math
import sqlite3
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback, fail_stale_trials
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

DATABASE, LOCK = "trials.sqlite", "lock.sqlite"
STUDY, STATEMENT, ERROR = "npnets search", "statement", "error"
"""Names of the study and of its attributes."""
PATIENCE = 60.0
"""Seconds that a process waits for another one's write to the database."""
RETRIES = 3
"""How often a trial is run again whose process died, before it has failed."""

CORRUPT = "it is corrupt or of another program; choose another folder with --out"
ELSEWHERE = (
    "SQLite needs a disk of this machine, and does not work on a network file system; for several machines, use "
    "Optuna's JournalStorage or a database server"
)

REMEDIES = {
    "locked": f"another process uses it, or was stopped while it did: wait for it or end it; or else {ELSEWHERE}",
    "full": "free some space; the same command continues the search",
    "readonly": "allow this program to write there, or choose another folder with --out",
}
"""Remedies by a word of SQLite's error."""

Report = Callable[[int, float], None]


@dataclass(frozen=True)
class Search:
    """What is searched; every process of a study must state the same.

    Attributes
    ----------
    folder : Path
        Where the database is.
    space : mapping
        Lowest and highest value of each setting; two integers for an integer. Values are drawn on a logarithmic scale.
    train : callable
        `train(settings, seed, report)` returns what is to be maximized. `report(step, value)` stops it where trials
        before had better values at that step.
    statement : dict
        Further facts of JSON that must be equal, as the seed.
    lost_after : int
        Seconds without a sign of life after which another process runs a trial again.
    """

    folder: Path
    space: Mapping[str, tuple[float, float]]
    train: Callable[[dict[str, Any], int, Report], float]
    statement: dict[str, Any]
    lost_after: int


# -- the database -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time into a block; SQLite releases the lock of a process that is killed."""
    with contextlib.closing(sqlite3.connect(folder / LOCK, timeout=PATIENCE, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raise errors of the database as an `OSError` with the remedy, and hide Optuna's logs and notes on its API."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    except (sqlite3.Error, SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        cause = error.__cause__ or error
        cause = getattr(cause, "orig", None) or cause
        said = str(cause).splitlines()[0]
        unknown = ELSEWHERE if isinstance(cause, sqlite3.OperationalError) else CORRUPT
        remedy = next((known for word, known in REMEDIES.items() if word in said), unknown)
        raise OSError(f"{path}: {said}: {remedy}") from error


def open_study(search: Search) -> optuna.Study:
    """Return the study of a search, which the first process makes.

    Raises
    ------
    ValueError
        If the file has another search, or is a database of another program.
    OSError
        If it cannot be read or written.
    """
    path = search.folder / DATABASE
    with locked(search.folder):
        with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if tables and "studies" not in tables:
                raise ValueError(f"{path} is a database of another program; choose another folder with --out")
            connection.execute("PRAGMA journal_mode = WAL")  # readers and a writer do not wait for each other
        # A transaction that reads before it writes fails at once if another process has written meanwhile, unless it is
        # immediate.
        arguments = {"timeout": PATIENCE, "isolation_level": "IMMEDIATE"}
        storage = RDBStorage(
            f"sqlite:///{path}",
            engine_kwargs={"connect_args": arguments},
            heartbeat_interval=max(1, search.lost_after // 5),
            grace_period=search.lost_after,
            heartbeat_stale_trial_callback=run_again,
        )
        pruner = optuna.pruners.MedianPruner(n_startup_trials=5)
        names = optuna.get_all_study_names(storage)
        study = optuna.create_study(
            storage=storage, study_name=STUDY, direction="maximize", pruner=pruner, load_if_exists=True
        )
        stated = {**search.statement, "space": {name: list(limits) for name, limits in search.space.items()}}
        if names in ([], [STUDY]) and not study.user_attrs:  # it is new, or its first process died just now
            study.set_user_attr(STATEMENT, stated)
        check_statement(path, study.user_attrs.get(STATEMENT), stated)
    return study


def check_statement(path: Path, found: Any, stated: dict[str, Any]) -> None:
    """Raise a `ValueError` if a study was made for another search."""
    if not isinstance(found, dict):
        raise ValueError(f"{path} has a study of another program; choose another folder with --out")
    for name in {**stated, **found}:
        if found.get(name) != stated.get(name):
            raise ValueError(
                f"{path} has a search whose {name} is {found.get(name)}, but here it is {stated.get(name)}; "
                "continue it with its own options, or choose another folder with --out"
            )


def last_attempts(study: optuna.Study) -> list[FrozenTrial]:
    """Return all trials but those that are run again."""
    trials = study.get_trials(deepcopy=False)
    again = {number for trial in trials for number in retried(trial)}
    return [trial for trial in trials if trial.number not in again]


def finished_trials(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that are complete, were stopped early or have failed."""
    return [trial for trial in last_attempts(study) if trial.state.is_finished()]


def rows(study: optuna.Study) -> list[dict[str, Any]]:
    """Return the finished trials as values of JSON, in the order of their numbers."""
    found = [
        {
            "number": place_of(study, trial.number),
            "state": trial.state.name.lower(),
            "return": trial.value,
            "step": trial.last_step if trial.state == TrialState.PRUNED else None,
            "error": trial.user_attrs.get(ERROR),
            "seconds": trial.duration.total_seconds() if trial.duration else None,
            "settings": dict(trial.params),
        }
        for trial in finished_trials(study)
    ]
    return sorted(found, key=lambda row: row["number"])


# -- trials -----------------------------------------------------------------------------------------------------------


def work(worker: int, *, search: Search, trials: int) -> None:
    """Run trials until the study has a number of finished ones, also those of other processes: a task for each worker.

    Parameters
    ----------
    worker : int
        The index of the process, which makes no difference.
    search : Search
    trials : int
        The number of finished trials.
    """
    with explained(search.folder / DATABASE):
        study = open_study(search)
        while len(finished_trials(study)) < trials:
            if not run_next(study, search, trials):
                time.sleep(1)  # until a trial of another process ends, or is lost


def run_next(study: optuna.Study, search: Search, trials: int) -> bool:
    """Run a trial, unless enough are finished or running; return whether there was one to run."""
    with contextlib.ExitStack() as lock:
        lock.enter_context(locked(search.folder))
        fail_stale_trials(study)
        for trial in study.get_trials(states=(TrialState.RUNNING,)):
            if not trial.params:  # its process died when it had the lock, before there was a sign of life
                study.tell(trial.number, state=TrialState.FAIL)
                run_again(study, trial)
        # One look at all of them: between two, a trial that runs might be finished and counted in neither.
        if sum(trial.state != TrialState.WAITING for trial in last_attempts(study)) >= trials:
            return False

        def objective(trial: optuna.Trial) -> float:
            settings = suggest(trial, search.space)
            lock.close()  # whoever looks now finds this trial with its settings
            return value_of(trial, settings, seed, search)

        waiting = study.get_trials(states=(TrialState.WAITING,))
        seed = seed_of(search, place_of(study, waiting[0].number if waiting else len(study.trials)))
        study.sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        try:
            study.optimize(objective, n_trials=1, catch=Exception, callbacks=[print_trial])
        except (ValueError, AssertionError):  # Optuna's, for a trial that is no longer running
            print("a result comes too late: this process stood still, and its trial was given to another", flush=True)
    return True


def run_again(study: optuna.Study, trial: FrozenTrial) -> None:
    """Let any process run a trial again whose process died, with the settings that it had, unless it died too often."""
    RetryHeartbeatStaleTrialCallback(max_retry=RETRIES)(study, trial)


def seed_of(search: Search, place: int) -> int:
    """Return the seed of a trial, which depends on its place and not on the process that runs it."""
    return int(np.random.SeedSequence((search.statement["seed"], place)).generate_state(1)[0])


def suggest(trial: optuna.Trial, space: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    """Return the settings of a trial, which are those of the first attempt if it is run again."""
    settings: dict[str, Any] = {}
    for name, (low, high) in space.items():
        draw: Any = trial.suggest_int if isinstance(low, int) else trial.suggest_float
        settings[name] = draw(name, low, high, log=True)
    return settings


def value_of(trial: optuna.Trial, settings: dict[str, Any], seed: int, search: Search) -> float:
    """Train, and return the value; the reason of a failure is stored with the trial."""

    def report(step: int, value: float) -> None:
        trial.report(value, step)
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        value = search.train(settings, seed, report)
        if not math.isfinite(value):
            raise ArithmeticError(f"its value is {value}")
    except optuna.TrialPruned:
        raise
    except Exception as error:
        trial.set_user_attr(ERROR, f"{type(error).__name__}: {error}".splitlines()[0])
        raise
    return value


def place_of(study: optuna.Study, number: int) -> int:
    """Return the place of a trial, or of the next one; a trial that is run again has that of its first attempt."""
    trials = study.get_trials(deepcopy=False)
    first = min([number, *(retried(trials[number]) if number < len(trials) else ())])
    return sum(not retried(trial) for trial in trials[:first])


def retried(trial: FrozenTrial) -> list[int]:
    """Return the numbers of a trial's earlier attempts."""
    numbers: list[int] = RetryHeartbeatStaleTrialCallback.retry_history(trial)
    return numbers


def print_trial(study: optuna.Study, trial: FrozenTrial) -> None:
    """Print one line about a finished trial."""
    settings = ", ".join(f"{name} {value:.3g}" for name, value in trial.params.items())
    outcome = {
        TrialState.COMPLETE: lambda: f"return {trial.value:.1f}",
        TrialState.PRUNED: lambda: f"stopped at step {trial.last_step} with return {trial.value:.1f}",
        TrialState.FAIL: lambda: f"failed, {trial.user_attrs.get(ERROR, 'for no known reason')}",
    }[trial.state]()
    print(f"trial {place_of(study, trial.number)}: {outcome} ({settings})", flush=True)
