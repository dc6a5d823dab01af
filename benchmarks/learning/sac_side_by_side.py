"""SAC on HalfCheetah-v5 with npnets' example and with Stable-Baselines3: processor time and return.

    pip install -e '.[training,mujoco]'
    python -m benchmarks.learning.sac_side_by_side            # prints a table, writes runs/benchmarks
    python -m benchmarks.learning.sac_side_by_side --quick

Equal are the environment, the networks (256-256, two critics), Adam and its learning rates, the batch size, the
discount, the soft updates, the replay buffer, the fixed temperature, the random first steps, and one learning step for
each later step. Each side has a process of its own on one thread. Both are evaluated in the same ten episodes, without
noise, after the time is taken.
"""

from __future__ import annotations

import argparse
from typing import Any

from benchmarks.harness.options import parse
from benchmarks.harness.record import Record, measure_and_show
from benchmarks.harness.turns import Worker, in_turn
from examples.shared.command_line import at_least

NAME = "sac_side_by_side"
SIDES = {"npnets": "benchmarks.learning.sac_npnets", "Stable-Baselines3": "benchmarks.learning.sac_stable_baselines3"}
FULL = {"seeds": [0], "steps": 100_000, "warmup": 10_000}
QUICK = {"seeds": [0], "steps": 600, "warmup": 300}


def measure(record: Record, options: argparse.Namespace) -> None:
    """Train every seed on both sides, and write the results after each."""
    runs: list[dict[str, Any]] = []
    for seed in options.seeds:
        for side in in_turn(list(SIDES), seed):
            with Worker(SIDES[side], f"SAC of {side}") as worker:
                found = worker.call(run={"seed": seed, "steps": options.steps, "warmup": options.warmup})
                runs.append({"side": side, "seed": seed, **found})
        record.write({"steps": options.steps, "runs": runs, "ratio": ratio(runs)})


def ratio(runs: list[dict[str, Any]]) -> float:
    """Return the processor time of npnets' runs over that of the others."""
    ours, theirs = (sum(run["seconds"] for run in runs if run["side"] == side) for side in SIDES)
    return round(ours / theirs, 4)


def show(found: dict[str, Any], _: argparse.Namespace) -> None:
    """Print a line for each run, and the ratio."""
    for run in found["runs"]:
        score = f"{run['return']:.0f} ± {run['return_std']:.0f}"
        print(f"{run['side']:<18} seed {run['seed']}: {run['seconds']:.0f} s of the processor, return {score}")
    print(f"npnets' time over that of Stable-Baselines3: {found['ratio']:.2f}")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="Compare SAC on npnets and on Stable-Baselines3 on HalfCheetah-v5.")
    parser.add_argument("--seeds", type=at_least(0), nargs="+", help="default: 0")
    parser.add_argument("--steps", type=at_least(1), help="steps in the environment; default: 100,000")
    parser.add_argument("--warmup", type=at_least(1), help="random steps at first; default: 10,000")
    options = parse(parser, FULL, QUICK)
    measure_and_show(NAME, options, measure, show)


if __name__ == "__main__":
    main()
