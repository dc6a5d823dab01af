"""The time of a whole training step on Pendulum-v1, with npnets, Stable-Baselines3, SBX and RLtools.

    pip install -e '.[training]'          # the three libraries; RLtools needs a C++ compiler
    python -m benchmarks.training         # prints a table, writes training-PROCESSOR.json to runs/benchmarks
    python -m benchmarks.training --quick
    python -m benchmarks.training --again

A step is one in the environment, with its action, and one of learning from a batch of the replay buffer. npnets runs
the algorithms of `examples/online`, the others their own. The times are those of the processor, on one thread and one
core: each side has a process of its own, the sides take turns, and their order is reversed after each round. Random
steps, compilation and the first learning steps are not timed.

Equal are the networks (64-64, ReLU; a critic like the actor, twice), the environment, Adam's learning rate, the batch
size, the discount, the soft updates, the replay buffer, the number of learning steps (one for each step in the
environment), the delay and the noise of TD3, the first temperature and the target entropy of SAC. Not equal are:

- the initial parameters and all random numbers, which are each library's own;
- Adam: all sides add 1e-8 to the root of the second moment, and RLtools also 1e-16 to the second moment itself;
- the rest of a library's step: Stable-Baselines3 and SBX count episodes and log losses, RLtools counts episodes;
- the compiler: RLtools is compiled for this very processor, with sizes known in advance and with `-ffast-math`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from benchmarks.cpu.sides import OURS, kernels_of
from benchmarks.harness.options import parse
from benchmarks.harness.processor import instructions, slug
from benchmarks.harness.record import Record, measure_and_show
from benchmarks.harness.turns import Worker, in_turn
from benchmarks.training.problem import ALGORITHMS, CAPACITY, agent_of, warmup
from benchmarks.training.sides import RIVALS, SIDES, check_installed, start, versions_of
from benchmarks.training.table import Found, summed_up, training_table
from examples.shared.command_line import at_least
from npnets import about

NAME = f"training-{slug(about()['processor'], instructions())}"

UNTIMED = 500
"""Learning steps before the first timed one."""

FULL: dict[str, Any] = {"rounds": 7, "steps": 2000}
QUICK: dict[str, Any] = {"rounds": 3, "steps": 300}


def measure(record: Record, options: argparse.Namespace) -> None:
    """Train with every algorithm on all sides, and write the results after each algorithm."""
    check_installed(options.sides)
    kernels = kernels_of(options.sides)
    sides = [side for side in options.sides if side in kernels or side in RIVALS]
    settings = {"rounds": options.rounds, "steps": options.steps, "kernels": kernels, "libraries": versions_of(sides)}
    found: dict[str, Found] = {}
    for algorithm in options.algorithms:
        found[algorithm] = {"settings": asdict(agent_of(algorithm).settings), **train(algorithm, sides, options)}
        record.write({**settings, "algorithms": found})


def train(algorithm: str, sides: Sequence[str], options: argparse.Namespace) -> Found:
    """Train on all sides in turn, and return the results."""
    times: dict[str, list[float]] = {side: [] for side in sides}
    with ExitStack() as stack:
        workers = [stack.enter_context(start(side)) for side in sides]
        untrained = {worker.name: first_steps(worker, algorithm) for worker in workers}
        for index in range(options.rounds):
            for worker in in_turn(workers, index):
                times[worker.name].append(worker.call(milliseconds={"steps": options.steps}))
        trained = {worker.name: worker.call(returns={}) for worker in workers}
    return summed_up(times, {side: {"untrained": untrained[side], "trained": trained[side]} for side in sides})


def first_steps(worker: Worker, algorithm: str) -> list[float]:
    """Take the steps that are not timed; return the returns of the untrained policy."""
    steps = warmup(algorithm) + UNTIMED
    found: list[float] = worker.call(begin={"side": SIDES[worker.name].module, "algorithm": algorithm, "steps": steps})
    return found


def report(found: dict[str, Any], options: argparse.Namespace) -> None:
    """Print the results."""
    facts = {**found["kernels"], **found["libraries"]}
    print(*(f"{name}: {value}" for name, value in facts.items()), "", *training_table(found["algorithms"]), sep="\n")


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description="Time a whole training step.")
    parser.add_argument("--algorithms", nargs="+", choices=ALGORITHMS, default=list(ALGORITHMS), help="default: all")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES), metavar="SIDE", help="default: all")
    parser.add_argument("--rounds", type=at_least(1), help="default: 7")
    parser.add_argument("--steps", type=at_least(1), help="steps of a side in each round; default: 2000")
    options = parse(parser, FULL, QUICK, arguments)
    steps = options.rounds * options.steps + max(map(warmup, options.algorithms)) + UNTIMED
    if steps > CAPACITY:
        parser.error(f"arguments --rounds and --steps: expected at most {CAPACITY} steps in all, got {steps}")
    if not set(options.sides) & set(OURS):
        parser.error(f"argument --sides: expected one of {', '.join(OURS)} among them")
    return options


def main() -> None:
    """Read the command line and run."""
    measure_and_show(NAME, parse_options(), measure, report)


if __name__ == "__main__":
    main()
