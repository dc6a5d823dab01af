"""The program around an algorithm with tasks on several processes or machines: options, checkpoint, table, files."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from examples.parallel.episodes import Policy
from examples.parallel.progress import Progress
from examples.shared.command_line import new_parser
from examples.shared.engine import add_engine_options, engine
from examples.shared.pendulum_evaluation import SHOWN_SEED, record
from examples.shared.results import Run, write_results
from examples.shared.results_folder import prepare_folder, save_policy

FILE = "checkpoint.npz"


class Algorithm(Protocol):
    """An algorithm in iterations, whose methods are pure functions of its state.

    A state is a named tuple, and its first field is the number of iterations so far.

    Attributes
    ----------
    name, unit
        Its name, and that of its iterations.
    env
        Id of the Gymnasium environment.
    actor
        The network of the policy.
    """

    name: str
    unit: str
    env: str
    actor: Any

    def init(self) -> Any:
        """Return the first state."""
        ...

    def next(self, state: Any) -> Any:
        """Return the state after an iteration."""
        ...

    def evaluate(self, state: Any) -> Any:
        """Return the returns `(episodes,)` of the policy."""
        ...

    def saved(self, state: Any) -> dict[str, Any]:
        """Return the parameters for `policy.npz`."""
        ...

    def policy(self, state: Any) -> Policy:
        """Return the policy as a function from observations `(n, obs_dim)` to actions `(n, act_dim)`."""
        ...

    def environment_steps(self, state: Any) -> int:
        """Return the number of steps in all environments."""
        ...


def training_parser(program: str, description: str, env: str = "Pendulum-v1") -> argparse.ArgumentParser:
    """Return a parser with the options of every such program."""
    parser = new_parser(program, description)
    parser.add_argument("--env", default=env, help="Gymnasium's id of the environment (%(default)s)")
    parser.add_argument("--resume", action="store_true", help=f"continue from {FILE} in the folder, if it is there")
    add_engine_options(parser)
    return parser


def train(
    options: argparse.Namespace, make: Callable[[Any], Algorithm], settings: dict[str, Any], iterations: int
) -> int:
    """Train, evaluate and save; return the exit status.

    Parameters
    ----------
    options : argparse.Namespace
        Of `training_parser`.
    make : callable
        Returns the algorithm on an executor.
    settings : dict
        By their names; a run continues only with the same ones.
    iterations : int
    """
    logging.basicConfig(format="%(message)s")  # of failed tasks
    prepare_folder(options.out)
    with engine(options) as executor:
        algorithm = make(executor)
        progress = Progress(algorithm, options.out / FILE, {"seed": options.seed, **settings})
        if options.resume:
            progress.resume()
        finished = progress.continue_to(iterations)
    save(options.out, algorithm, progress, options.seed, settings)
    return 0 if finished else 130


def save(folder: Path, algorithm: Algorithm, progress: Progress, seed: int, settings: dict[str, Any]) -> None:
    """Write the policy, the results and the figure, and print a table."""
    name, state = algorithm.name, progress.state
    shown = {name: record(algorithm.policy(state), SHOWN_SEED)} if algorithm.env == "Pendulum-v1" else {}
    found = Run(
        title=f"{name} on {algorithm.env}",
        unit=algorithm.unit,
        seed=seed,
        steps=state[0],
        seconds=progress.seconds(),
        settings=settings,
        curves={name: progress.curve},
        episodes=shown,
        more={"environment_steps": algorithm.environment_steps(state)},
    )
    save_policy(folder / "policy.npz", algorithm.saved(state), algorithm.actor)
    write_results(folder, found, libraries=("mujoco",))
