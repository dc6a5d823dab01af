"""The program around a search by generations: its options, and its table and files."""

from __future__ import annotations

import argparse
import functools
import logging
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from typing import Any

from examples.parallel.progress import Progress
from examples.shared.command_line import at_least, new_parser, run_and_explain
from examples.shared.engine import add_engine_options, engine
from examples.shared.results import Run, write_results
from examples.shared.results_folder import prepare_folder, save_policy

PROGRAM, NAME, FILE = "evolution_strategies", "ES", "checkpoint.npz"

MakeSearch = Callable[[Any, int, Any], Any]


def main(settings: Any, make_search: MakeSearch) -> int:
    """Read the command line and run; print an error in one line.

    Parameters
    ----------
    settings : dataclass
        Default settings; an option with the name of a field replaces it.
    make_search : callable
        `make_search(settings, seed, executor)`. A search has `init()`, `next(state)`, `evaluate(state)`, all as pure
        functions, and `policy(state)`, the parameters to save, and `actor`.

    Returns
    -------
    int
        The exit status.
    """
    parser = new_parser(PROGRAM, "Train a policy with evolution strategies.")
    parser.add_argument("--env", default=settings.env, help="Gymnasium's id of the environment (%(default)s)")
    parser.add_argument("--generations", type=at_least(1), default=150, help="steps of the search (%(default)s)")
    numbers = {"pairs": "pairs of policies in a generation", "shard": "pairs in a task", "episodes": "of each policy"}
    for name, text in numbers.items():
        default = getattr(settings, name)
        parser.add_argument(f"--{name}", type=at_least(1), default=default, help=f"{text} (%(default)s)")
    for name, text in {"sigma": "size of the perturbations", "learning_rate": "Adam's"}.items():
        option, default = f"--{name.replace('_', '-')}", getattr(settings, name)
        parser.add_argument(option, type=float, default=default, help=f"{text} (%(default)s)")
    parser.add_argument("--resume", action="store_true", help=f"continue from {FILE} in the folder, if it is there")
    add_engine_options(parser)
    run_it = functools.partial(run, defaults=settings, make_search=make_search)
    return run_and_explain(run_it, parser.parse_args(), PROGRAM)


def run(options: argparse.Namespace, defaults: Any, make_search: MakeSearch) -> int:
    """Search, evaluate and save; return the exit status."""
    logging.basicConfig(format="%(message)s")  # of failed tasks
    given = {field.name: getattr(options, field.name) for field in fields(defaults) if hasattr(options, field.name)}
    settings = replace(defaults, **given)
    prepare_folder(options.out)
    with engine(options) as executor:
        search = make_search(settings, options.seed, executor)
        progress = Progress(search, options.out / FILE, {"seed": options.seed, **asdict(settings)})
        if options.resume:
            progress.resume()
        finished = progress.continue_to(options.generations)
    state = progress.state
    found = Run(
        title=f"{NAME} on {settings.env}",
        unit="generations",
        seed=options.seed,
        steps=state.generation,
        seconds=progress.seconds(),
        settings=asdict(settings),
        curves={NAME: progress.curve},
        more={"environment_steps": int(state.moments[2])},
    )
    save_policy(options.out / "policy.npz", search.policy(state), search.actor)
    write_results(options.out, found, libraries=("mujoco",))
    return 0 if finished else 130
