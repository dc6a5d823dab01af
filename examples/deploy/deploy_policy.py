"""Runs a policy trained with Tianshou on PyTorch, without either of them.

Reads a checkpoint saved by Tianshou (`data/train_tianshou_policy.py`) and runs the policy on Gymnasium's Pendulum-v1,
in a process that cannot import PyTorch. Prints the return of an episode, the time of an action, the time to import the
libraries and to load the checkpoint, and the memory of the process.

With PyTorch and Tianshou 1.0.0 installed, `--compare` also runs the same episodes with Tianshou, in a separate process,
and prints the largest difference between the two policies' actions on the same observations.

    python examples/deploy/deploy_policy.py
    python examples/deploy/deploy_policy.py --compare

Writes `results.json`, with every printed number, to the folder given by `--out`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import numpy as np

from examples.shared.command_line import at_least, new_parser, run_and_explain
from examples.shared.pendulum_evaluation import EVALUATION_SEED
from examples.shared.results import Results, save, score
from examples.shared.results_folder import prepare_folder

FOLDER = Path(__file__).resolve().parent
SIDES = {"npnets": FOLDER / "deployed_npnets.py", "Tianshou": FOLDER / "deployed_tianshou.py"}
CHECKPOINT = FOLDER.parent / "data" / "tianshou_td3_pendulum.pth"
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}

ROWS: dict[str, Callable[[dict[str, float]], str]] = {
    "return of an episode": lambda side: "{mean:.1f} ± {standard_error:.1f}".format(**score(np.array(side["returns"]))),
    "action, median": lambda side: f"{side['median_us']:.1f} us",
    "action, 99th percentile": lambda side: f"{side['percentile_99_us']:.1f} us",
    "import": lambda side: f"{side['import_ms']:.0f} ms",
    "load the checkpoint": lambda side: f"{side['load_ms']:.0f} ms",
    "resident memory": lambda side: f"{side['resident_mb']:.0f} MB" if side["resident_mb"] else "unknown",
}


def main() -> int:
    """Read the command line and run; print an error in one line."""
    parser = new_parser("deploy_policy", "Run a policy trained with Tianshou, without PyTorch.")
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT, help="of a whole TD3 policy for Pendulum-v1")
    parser.add_argument("--episodes", type=at_least(1), default=20, help="how many (%(default)s)")
    parser.add_argument("--compare", action="store_true", help="run Tianshou on PyTorch as well")
    parser.set_defaults(seed=EVALUATION_SEED)
    return run_and_explain(run, parser.parse_args(), "deploy_policy")


def run(options: argparse.Namespace) -> int:
    """Run npnets, and with `--compare` Tianshou after it; print and save the measurements."""
    if not options.checkpoint.is_file():
        raise FileNotFoundError(f"there is no file {options.checkpoint}")
    prepare_folder(options.out)
    with tempfile.TemporaryDirectory() as folder:
        names = list(SIDES) if options.compare else ["npnets"]
        found = {name: run_side(name, options, Path(folder)) for name in names}
        apart = difference(Path(folder)) if options.compare else None
    print(table(found))
    if apart is not None:
        print(f"largest difference between their actions: {apart:.1e} N m; actions are within 2 N m")
    save(options.out / "results.json", results(options.seed, found, apart), ("torch", "tianshou"))
    return 0


def results(seed: int, found: dict[str, dict[str, Any]], apart: float | None) -> Results:
    """Return the measurements in the form of the result file."""
    costs = {name: {key: side[key] for key in side if key != "returns"} for name, side in found.items()}
    returns = {name: score(np.array(side["returns"])) for name, side in found.items()}
    return {"seed": seed, "returns": returns, "costs": costs, "largest_difference": apart}


def run_side(name: str, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run one library in its own process, which writes its actions on the first library's observations to a folder."""
    command = [sys.executable, str(SIDES[name]), str(options.checkpoint), str(options.episodes), str(options.seed)]
    done = subprocess.run(
        [*command, str(folder)], env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"deploy_policy.py: error: the {name} process failed; its error is printed above")
    return json.loads(done.stdout.splitlines()[-1])


def table(found: dict[str, dict[str, Any]]) -> str:
    """Return the measurements as a table with one column for each library."""
    lines = ["".join([f"{'':<26}", *(f"{name:>18}" for name in found)])]
    lines += ["".join([f"{row:<26}", *(f"{show(side):>18}" for side in found.values())]) for row, show in ROWS.items()]
    return "\n".join(lines)


def difference(folder: Path) -> float:
    """Return the largest difference between the two libraries' actions on the same observations."""
    ours, theirs = (np.load(folder / f"{name}.npy") for name in ("npnets", "tianshou"))
    return float(np.abs(ours - theirs).max())


if __name__ == "__main__":
    sys.exit(main())
