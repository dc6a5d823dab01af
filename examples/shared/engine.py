"""Where an example computes: processes of this machine, or a Ray cluster, as the command line says."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from examples.shared.command_line import at_least
from npnets import parallel


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Add `--workers` and `--ray`."""
    parser.add_argument("--workers", type=at_least(1), help="processes of this machine (one for each core)")
    parser.add_argument(
        "--ray",
        nargs="?",
        const="",
        metavar="ADDRESS",
        help="compute on Ray: 'auto' for the cluster of this machine, an address, or nothing to start Ray here",
    )


def engine(options: argparse.Namespace) -> Any:
    """Return the executor that the options ask for, a context manager. No result depends on it."""
    if options.ray is None:
        return parallel.ProcessExecutor(options.workers)
    if options.workers is not None and options.ray:
        raise ValueError("--workers is for this machine: a Ray cluster at an address has its own number of CPUs")
    # Workers import `examples`, and not what else is in the current folder, such as an npnets that is not installed.
    folder = str(Path(__file__).resolve().parents[1])
    modules = {"py_modules": [folder], "working_dir": folder}
    if options.ray:
        return parallel.RayExecutor(options.ray, runtime_env=modules)
    return parallel.RayExecutor("local", num_cpus=options.workers, runtime_env=modules, include_dashboard=False)
