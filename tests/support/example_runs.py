"""Runs an example in the process of the tests, which saves the second that a new process needs to start."""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
from typing import Any, NamedTuple
from unittest import mock


class Run(NamedTuple):
    """The exit status of a run, and its output."""

    returncode: Any
    stdout: str
    stderr: str


def run_here(example: str, *options: Any) -> Run:
    """Run the `main` of a module within `examples`, such as `online.sac`, with options as from the command line."""
    main = importlib.import_module(f"examples.{example}").main
    arguments = [f"{example.rpartition('.')[2]}.py", *map(str, options)]
    out, errors = io.StringIO(), io.StringIO()
    with mock.patch.object(sys, "argv", arguments), contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            status = main()
        except SystemExit as end:
            status = end.code
    return Run(status, out.getvalue(), errors.getvalue())
