"""SAC and TD3 learn Pendulum-v1 on npnets and on Tianshou 1.0.0 with PyTorch, side by side: returns and seconds.

    pip install -e '.[benchmarks]' && pip install --no-deps tianshou==1.0.0
    python -m benchmarks.learning.side_by_side              # table, learning_side_by_side.png, into runs/learning
    python -m benchmarks.learning.side_by_side --quick
    python -m benchmarks.learning.side_by_side --again      # print and draw what is in runs/learning

Equal settings, first parameters, environment seeds, first random steps and evaluation; every run in a process of its
own, the libraries in turn, the order turned round after each pair. `results.json` is whole after every run.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from benchmarks.gpu.side_by_side import machine
from benchmarks.harness.turns import FORCED
from benchmarks.learning.picture import figure_of
from benchmarks.learning.problem import AGENTS, EPISODES, least_steps
from benchmarks.learning.table import LIBRARIES, Run, learning_table, pairs
from examples.shared.command_line import at_least
from examples.shared.pendulum_evaluation import EVALUATION_SEED, evaluate
from examples.shared.results_folder import make_ready, write
from examples.shared.swing_up_teacher import teacher_policy

ONE_SIDE = "benchmarks.learning.one_side"

FULL: dict[str, Any] = {"seeds": [0, 1, 2], "steps": 20_000}
QUICK: dict[str, Any] = {"seeds": [0], "steps": 2000}

VERSION = "1.0.0"
"""Of Tianshou, whose other versions name and do things differently."""

INSTALL = f"pip install -e '.[benchmarks]' && pip install --no-deps tianshou=={VERSION}"


def require_rival() -> None:
    """End with a clear line unless Tianshou can be run."""
    missing = [name for name in ("torch", "tianshou") if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f"error: {sys.executable} has no {' and no '.join(missing)}; to install: {INSTALL}")
    if (found := importlib.metadata.version("tianshou")) != VERSION:
        sys.exit(f"error: expected Tianshou {VERSION}, found {found}; to install: {INSTALL}")


def facts() -> dict[str, Any]:
    """The machine and the versions of what runs on it."""
    names = ("numpy", "autograd", "gymnasium", "torch", "tianshou")
    load = f"{os.getloadavg()[1]:.1f}"
    return {**machine(), **{name: importlib.metadata.version(name) for name in names}, "load at the start": load}


def order(options: argparse.Namespace) -> Iterator[tuple[str, int, str]]:
    """Yield algorithm, seed and library of every run: the libraries in turn, turned round after each pair."""
    cases = [(algorithm, seed) for seed in options.seeds for algorithm in options.algorithms]
    for index, case in enumerate(cases):
        for library in LIBRARIES[:: -1 if index % 2 else 1]:
            yield *case, library


def run(algorithm: str, seed: int, library: str, options: argparse.Namespace) -> Run:
    """Learn once in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "curve.json"
        command = [sys.executable, "-m", ONE_SIDE, library, algorithm, "--seed", str(seed), "--json", str(answer)]
        command += ["--steps", str(options.steps), "--threads", str(options.threads)]
        environment = {key: value for key, value in os.environ.items() if key not in FORCED}
        status = subprocess.run(command, env=environment, cwd=ROOT).returncode
        if status:
            sys.exit(f"error: {algorithm} on {library}, seed {seed}, ended with status {status}; its reason is above")
        return json.loads(answer.read_text(encoding="utf-8"))


def learn_all(options: argparse.Namespace) -> None:
    """Learn all that is asked for, and write down what there is after every run."""
    found = {"facts": facts(), "controller": float(evaluate(teacher_policy, EPISODES, EVALUATION_SEED).mean())}
    runs: list[Run] = []
    for case in order(options):
        runs.append(run(*case, options))
        shown = json.dumps({**found, "runs": runs}) + "\n"
        write(options.out / "results.json", lambda path, text=shown: path.write_text(text, encoding="utf-8"))


def report(out: Path) -> None:
    """Print and draw what was written down."""
    file = out / "results.json"
    if not file.exists():
        sys.exit(f"error: there is no {file} to print and draw; run without --again first, or choose --out")
    found = json.loads(file.read_text(encoding="utf-8"))
    print("\n".join(f"{name}: {value}" for name, value in found["facts"].items()))
    if not pairs(found["runs"]):
        sys.exit(f"error: {file} has no algorithm and seed that both libraries have finished")
    print("", *learning_table(found["runs"]), "", sep="\n")
    picture = figure_of(found["runs"], found["controller"])
    write(out / "learning_side_by_side.png", lambda path: picture.savefig(path))


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Compare learning with npnets and with Tianshou on Pendulum-v1.")
    parser.add_argument("--algorithms", nargs="+", choices=tuple(AGENTS), default=list(AGENTS), help="default: all")
    parser.add_argument("--seeds", type=at_least(0), nargs="+", help="default: 0 1 2")
    parser.add_argument("--steps", type=at_least(1), help="in the environment; default: 20000")
    parser.add_argument("--threads", type=at_least(1), default=1, help="of each library; default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="seed 0 and 2000 steps, where nothing else is asked for")
    parser.add_argument("--again", action="store_true", help="print and draw what was found last, and learn nothing")
    parser.add_argument("--out", type=Path, default=Path("runs/learning"), help="folder; default: %(default)s")
    options = parser.parse_args(arguments)
    for name, value in (QUICK if options.quick else FULL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    for name in ("algorithms", "seeds"):
        if len(set(getattr(options, name))) < len(getattr(options, name)):
            parser.error(f"argument --{name}: expected each once, got {getattr(options, name)}")
    if options.steps < (least := max(least_steps(algorithm) for algorithm in options.algorithms)):
        parser.error(f"argument --steps: expected at least {least}, got {options.steps}: the steps before are random")
    return options


def main() -> None:
    """Do as the command line says."""
    options = parse_options()
    try:
        if not options.again:
            require_rival()
            make_ready(options.out)
            learn_all(options)
        report(options.out)
    except OSError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print(f"\ninterrupted; --again shows the runs that {options.out} holds", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
