"""What a training leaves behind: files that are whole or not there, and the table of its returns."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import npnets
from examples.shared.pendulum_evaluation import mean_and_standard_error
from npnets import checkpoint
from npnets.backend import to_numpy

Returns = Mapping[str, Any]


def make_ready(folder: Path) -> None:
    """Make a folder, and see that something can be written to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise NotADirectoryError(f"{folder} is a file, or lies below one; choose another folder with --out") from None
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"nothing can be written to {folder}; choose another folder with --out")


def write(path: Path, save: Callable[[Path], Any]) -> None:
    """Write a file beside its place and rename it there, so that no half-written one is ever found."""
    unfinished = path.with_name(f".unfinished-{path.name}")
    save(unfinished)
    os.replace(unfinished, path)
    print(f"wrote {path}")


def save_parameters(path: Path, params: Any) -> None:
    """Write every parameter to an `.npz`, by its path such as `critic_1.last.linear_0.weight`."""
    names, leaves = npnets.tree.paths(params), npnets.tree.leaves(params)
    arrays = {name: to_numpy(leaf) for name, leaf in zip(names, leaves, strict=True)}
    write(path, lambda unfinished: np.savez(unfinished, **arrays))


def save_policy(path: Path, params: Any, network: Any) -> None:
    """Write a network's parameters and the network itself, for `npnets.checkpoint.load`."""
    write(path, lambda unfinished: checkpoint.save(unfinished, params, {"network": network}))


def save_results(path: Path, returns: Returns, facts: Mapping[str, Any]) -> None:
    """Write means and standard errors by who earned them, and facts about the run, as JSON."""
    scores = {name: [float(x) for x in mean_and_standard_error(earned)] for name, earned in returns.items()}
    shown = json.dumps({"mean return and standard error": scores, **facts}, indent=2)
    write(path, lambda unfinished: unfinished.write_text(shown + "\n"))


def table(returns: Returns) -> str:
    """Lay returns out by who earned them: mean, standard error, number of episodes."""
    rows = [f"{'return of an episode':<24}{'mean':>9}{'std. error':>12}{'episodes':>10}"]
    for name, earned in returns.items():
        mean, error = mean_and_standard_error(earned)
        rows.append(f"{name:<24}{mean:>9.1f}{error:>12.1f}{len(earned):>10}")
    return "\n".join(rows)
