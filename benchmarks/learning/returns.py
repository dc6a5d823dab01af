"""Runs every example whose returns are published, once for each seed, and stores the result files.

    python -m benchmarks.learning.returns                            # about 14 hours, writes docs/results
    python -m benchmarks.learning.returns --only '^sac-' --seeds 0   # two minutes

Each run is a separate process, `python examples/PROGRAM --seed SEED`, on one BLAS thread, and those of `parallel/` on
all cores; its files and its output are in `runs/published`. An interrupted sequence can be continued: a run whose
result file exists is skipped, and one that `npnets.training` had begun goes on where it was. To begin one anew, delete
its result file and its folder.
"""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import ROOT
from examples.shared.command_line import at_least
from examples.shared.results_folder import prepare_folder, write
from npnets.training.folder import SETTINGS, begun_by

PROGRAMS = {
    "sac": "online/sac.py",
    "td3": "online/td3.py",
    "ddpg": "online/ddpg.py",
    "redq": "online/redq.py",
    "ppo": "online/ppo.py",
    "ppo_discrete": "discrete/ppo_discrete.py",
    "ppo_discrete_acrobot": "discrete/ppo_discrete.py --env Acrobot-v1",
    "quantile_dqn": "discrete/quantile_dqn.py",
    "quantile_dqn_acrobot": "discrete/quantile_dqn.py --env Acrobot-v1",
    "sac_halfcheetah": "online/sac.py --env HalfCheetah-v5",
    "td3_halfcheetah": "online/td3.py --env HalfCheetah-v5 --steps 300000",
    "ppo_halfcheetah": "online/ppo.py --env HalfCheetah-v5 --steps 1013760",
    "sac_hopper": "online/sac.py --env Hopper-v5 --steps 300000",
    "td3_hopper": "online/td3.py --env Hopper-v5 --steps 300000",
    "offline_bcq": "offline/offline_bcq.py",
    "memory_pendulum": "memory/memory_pendulum.py",
    "memory_pendulum_velocity": "memory/memory_pendulum.py --show-velocity",
    "lbfgs_cloning": "own_optimizer/lbfgs_cloning.py",
    "lion_cloning": "own_optimizer/lion_cloning.py",
    "cma_es_policy": "own_optimizer/cma_es_policy.py",
    "natural_gradient": "own_optimizer/natural_gradient.py",
    "ppo_rollouts": "parallel/ppo_rollouts.py",
    "evolution_strategies": "parallel/evolution_strategies.py",
    "evolution_strategies_cheetah": (
        "parallel/evolution_strategies.py --env HalfCheetah-v5 --episodes 1 --sigma 0.1 --learning-rate 0.05 "
        "--generations 100"
    ),
}
"""The program and the options of each published name."""

RUNS = Path("runs/published")


class Run(NamedTuple):
    """One program with one seed, and the name of its result file."""

    name: str
    command: list[str]


def runs(only: str, seeds: list[int]) -> Iterator[Run]:
    """Yield the runs whose names contain a pattern."""
    for seed in seeds:
        for program, text in PROGRAMS.items():
            script, *options = text.split()
            name = f"{program}-seed-{seed}"
            if re.search(only, name):
                yield Run(name, [f"examples/{script}", *options, "--seed", str(seed)])


def execute(run: Run, results: Path) -> None:
    """Run a program in a folder of its own, or continue the run there, and store its result file.

    Raises
    ------
    RuntimeError
        If the program fails; its output, beside the folder, has the reason. Also if another run is there, or a finished
        one, which would be stored with the date of today.
    """
    folder = ROOT / RUNS / run.name
    folder.parent.mkdir(parents=True, exist_ok=True)
    where = "--resume" if is_begun(folder, run) else "--out"
    with open(folder.with_suffix(".txt"), "w", encoding="utf-8") as output:
        command = [sys.executable, *run.command, where, str(RUNS / run.name)]
        status = subprocess.run(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT).returncode
    if status:
        raise RuntimeError(f"{' '.join(run.command)} ended with status {status}; {output.name} has its output")
    write(results / f"{run.name}.json", lambda unfinished: shutil.copyfile(folder / "results.json", unfinished))


def is_begun(folder: Path, run: Run) -> bool:
    """Return whether a folder has a run of `npnets.training`, or raise an error if it is not this one, or finished."""
    if not (folder / SETTINGS).exists():
        return False
    found, expected = begun_by(folder), shlex.join(["python", *run.command])
    if found != expected or (folder / "results.json").exists():
        state = "the finished run of" if found == expected else "a run of"
        raise RuntimeError(f"{folder} has {state} {found}; delete it to begin {expected}")
    return True


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, by default that of the process, and run."""
    parser = argparse.ArgumentParser(description="Run the examples whose returns are published.")
    parser.add_argument("--only", default="", metavar="PATTERN", help="runs whose names contain PATTERN; default: all")
    parser.add_argument("--seeds", type=at_least(0), nargs="+", default=[0, 1, 2], help="default: 0 1 2")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results", help="folder; default: docs/results")
    options = parser.parse_args(arguments)
    prepare_folder(options.out)
    for run in runs(options.only, options.seeds):
        if not (options.out / f"{run.name}.json").exists():
            print(run.name, flush=True)
            execute(run, options.out)


if __name__ == "__main__":
    main()
