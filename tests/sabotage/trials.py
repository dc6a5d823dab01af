"""Runs of pytest in a child process: one to learn which tests reach which line, and one for each fault.

A child is forked from a process that has NumPy, SciPy, autograd, hypothesis and pytest imported but not npnets, so that
a run costs little more than its tests: this needs a system that can fork. Faults lie in a copy of the checkout, and
never in the checkout itself.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import autograd  # noqa: F401
import hypothesis.extra.numpy  # noqa: F401
import pytest
import scipy.optimize  # noqa: F401
import scipy.stats  # noqa: F401
from coverage import CoverageData
from mutants import Mutant

FAILED = 1
"""The exit status of pytest when a test failed; higher ones mean that it could not run the tests."""


class _Chosen:
    """A plugin that runs the chosen tests only; without a choice, all."""

    def __init__(self, tests: Collection[str]) -> None:
        self.tests = set(tests)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if not self.tests or item.nodeid in self.tests]


class _Timed:
    """A plugin that saves the duration of each test, in seconds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration

    def pytest_sessionfinish(self) -> None:
        self.path.write_text(json.dumps(self.seconds))


class Reach:
    """The tests that reach each line, and the duration of each test."""

    def __init__(self, coverage: Path, seconds: Path) -> None:
        self._data = CoverageData(str(coverage))
        self._data.read()
        self._files = {Path(name).as_posix(): name for name in self._data.measured_files()}
        self._seconds: dict[str, float] = json.loads(seconds.read_text())
        self._unreaching = self._seconds.keys() - _tests(self._data.measured_contexts())

    def tests(self, mutant: Mutant, most_seconds: float) -> list[str]:
        """Return the tests that reach a fault, the quickest first, as many as fit; at least one, if any reaches it.

        Code at import time belongs to no test: its faults are tested by all tests that reach any line of its file, and
        by those that reach no line, because they read signatures or sources.
        """
        (name,) = [full for posix, full in self._files.items() if posix.endswith(f"/{mutant.path}")]
        by_line = self._data.contexts_by_lineno(name)
        found = _tests(context for line in mutant.lines for context in by_line.get(line, []))
        found = found or self._unreaching | _tests(context for contexts in by_line.values() for context in contexts)
        chosen: list[str] = []
        spent = 0.0
        for test in sorted(found & self._seconds.keys(), key=self._seconds.__getitem__):
            spent += self._seconds[test]
            if chosen and spent > most_seconds:
                break
            chosen.append(test)
        return chosen

    def expected_seconds(self, tests: Collection[str]) -> float:
        """Return the total duration of tests."""
        return sum(self._seconds[test] for test in tests)


def _tests(contexts: Iterable[str]) -> set[str]:
    return {context.rpartition("|")[0] for context in contexts if context}


def measure(copy: Path, files: Sequence[str], kept: Path) -> Reach:
    """Run test files and folders in a copy without a fault, and return what they reach; or read it, if it is kept.

    Raises
    ------
    RuntimeError
        If a test fails where no fault is.
    """
    coverage, seconds = kept / "coverage", kept / "seconds.json"
    if not seconds.exists():
        kept.mkdir(parents=True, exist_ok=True)
        os.environ["COVERAGE_FILE"] = str(coverage)
        options = ["--cov=npnets", "--cov-context=test", "--cov-report="]
        status = _pytest(copy, [*files, *options], [_Timed(seconds)], kept / "log", None)
        if status:
            seconds.unlink(missing_ok=True)
            raise RuntimeError(f"tests must pass before faults are planted: pytest exited with {status}, {kept}/log")
    return Reach(coverage, seconds)


def try_fault(copy: Path, mutant: Mutant, tests: list[str], most_seconds: float, log: Path) -> str:
    """Run tests on a planted fault, and return `survived`, `caught`, `caught at import` or `caught by time`."""
    files = sorted({test.partition("::")[0] for test in tests})
    with _planted(copy, mutant):
        status = _pytest(copy, [*files, "-x", "-p", "no:cov"], [_Chosen(tests)], log, most_seconds)
    if status is None:
        return "caught by time"
    return {0: "survived", FAILED: "caught"}.get(status, "caught at import")


@contextlib.contextmanager
def _planted(copy: Path, mutant: Mutant) -> Iterator[None]:
    """Plant a fault, and delete the bytecode, which Python considers new if size and second are equal."""
    path = copy / mutant.path
    compiled = Path(importlib.util.cache_from_source(str(path)))
    compiled.unlink(missing_ok=True)
    path.write_text(mutant.source)
    try:
        yield
    finally:
        path.write_text(mutant.original)
        compiled.unlink(missing_ok=True)


def _pytest(copy: Path, args: list[str], plugins: list[object], log: Path, most_seconds: float | None) -> int | None:
    """Run pytest in a child, in a copy of the checkout; return its exit status, or `None` if it took too long."""
    child = os.fork()
    if not child:
        os._exit(_in_child(copy, args, plugins, log))
    ends = None if most_seconds is None else time.monotonic() + most_seconds
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if ends is not None and time.monotonic() > ends:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(0.02)


def _in_child(copy: Path, args: list[str], plugins: list[object], log: Path) -> int:
    os.setsid()
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    # Pytest cannot rewrite the asserts of what was imported before it; hypothesis's plugin has none that matter here.
    options = [
        "-q",
        "--backend",
        "all",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore:Module already imported:pytest.PytestAssertRewriteWarning",
    ]
    status = int(pytest.main([*options, *args], plugins=plugins))
    sys.stdout.flush()
    return status
