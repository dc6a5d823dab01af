"""Learning curves of SAC and TD3 on Pendulum-v1, with npnets and with Tianshou 1.0.0 on PyTorch.

    pip install -e '.[benchmarks]' && pip install --no-deps tianshou==1.0.0
    python -m benchmarks.learning.side_by_side              # prints a table, writes a figure to runs/benchmarks
    python -m benchmarks.learning.side_by_side --quick
    python -m benchmarks.learning.side_by_side --again      # print and draw the last results

Settings, initial parameters, environment seeds, initial random steps and evaluation are equal. Every run has its own
process, the libraries take turns, and their order is reversed after each pair. `learning_side_by_side.json` is written
after every run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.harness.options import parse
from benchmarks.harness.record import Record, measure_and_show
from benchmarks.harness.turns import Worker, in_turn
from benchmarks.learning.picture import draw
from benchmarks.learning.problem import EPISODES, EXAMPLES, least_steps
from benchmarks.learning.rival import LIBRARIES, check_rival
from benchmarks.learning.table import Run, learning_table, pairs, summed_up
from examples.memory.recurrent_imitation import swing_up
from examples.shared.command_line import at_least
from examples.shared.pendulum_evaluation import EVALUATION_SEED, evaluate
from examples.shared.results_folder import write

NAME = "learning_side_by_side"
ONE_SIDE = "benchmarks.learning.one_side"

FULL = {"seeds": [0, 1, 2], "steps": 20_000}
QUICK = {"seeds": [0], "steps": 2000}


def order(options: argparse.Namespace) -> Iterator[tuple[str, int, str]]:
    """Yield algorithm, seed and library of every run; the order of the libraries is reversed after each pair."""
    cases = [(algorithm, seed) for seed in options.seeds for algorithm in options.algorithms]
    for index, case in enumerate(cases):
        for library in in_turn(LIBRARIES, index):
            yield *case, library


def run(algorithm: str, seed: int, library: str, options: argparse.Namespace) -> Run:
    """Train once in a new process."""
    with Worker(ONE_SIDE, f"{algorithm} on {library}, seed {seed},", options.threads) as worker:
        request = {"library": library, "algorithm": algorithm, "seed": seed}
        return {**request, "threads": options.threads, **worker.call(run={**request, "steps": options.steps})}


def learn_all(record: Record, options: argparse.Namespace) -> None:
    """Run all trainings of the options, and write the results after every run."""
    check_rival()
    controller = float(evaluate(swing_up, EPISODES, EVALUATION_SEED).mean())
    runs: list[Run] = []
    for case in order(options):
        runs.append(run(*case, options))
        record.write({"controller": round(controller, 2), **summed_up(runs), "runs": runs})


def report(found: dict[str, Any], options: argparse.Namespace) -> None:
    """Print and draw the results."""
    if not pairs(found["runs"]):
        sys.exit(f"error: {options.out} has no algorithm and seed that both libraries have finished")
    print(*learning_table(found["runs"]), "", sep="\n")
    write(options.out / f"{NAME}.png", lambda path: draw(found, path))


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Compare learning with npnets and with Tianshou on Pendulum-v1.")
    parser.add_argument("--algorithms", nargs="+", choices=tuple(EXAMPLES), default=list(EXAMPLES), help="default: all")
    parser.add_argument("--seeds", type=at_least(0), nargs="+", help="default: 0 1 2")
    parser.add_argument("--steps", type=at_least(1), help="steps in the environment; default: 20000")
    parser.add_argument("--threads", type=at_least(1), default=1, help="threads of each library; default: %(default)s")
    options = parse(parser, FULL, QUICK, arguments)
    for name in ("algorithms", "seeds"):
        if len(set(getattr(options, name))) < len(getattr(options, name)):
            parser.error(f"argument --{name}: expected each once, got {getattr(options, name)}")
    if options.steps < (least := max(least_steps(algorithm) for algorithm in options.algorithms)):
        parser.error(f"argument --steps: expected at least {least}, got {options.steps}: the steps before are random")
    return options


def main() -> None:
    """Read the command line and run."""
    measure_and_show(NAME, parse_options(), learn_all, report)


if __name__ == "__main__":
    main()
