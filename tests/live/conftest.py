"""Tests that need Tianshou and PyTorch run only with `pytest -m live`, and print the largest errors at the end."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent

LARGEST: pytest.StashKey[dict[str, float]] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and make a place for the largest errors."""
    config.addinivalue_line("markers", "live: needs Tianshou and PyTorch, and runs only with -m live")
    config.stash[LARGEST] = {}
    if _are_selected(config):  # their modules import one another by bare names
        sys.path += [str(FOLDER), str(FOLDER.parent / "support" / "golden")]


def _are_selected(config: pytest.Config) -> bool:
    return "live" in str(config.getoption("markexpr"))


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Skip this folder unless it is named on the command line, without importing its modules."""
    return None if _are_selected(config) else True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write the largest errors."""
    if config.stash[LARGEST]:
        terminalreporter.section("largest relative errors")
        for what, error in sorted(config.stash[LARGEST].items()):
            terminalreporter.write_line(f"{error:.1e}  {what}")


@pytest.fixture(scope="session")
def largest(pytestconfig: pytest.Config) -> dict[str, float]:
    """The largest errors so far, by class and kind."""
    return pytestconfig.stash[LARGEST]
