"""A sabotage run: plant faults in the package, one at a time, and see whether the tests catch them.

    python tests/sabotage/run.py                                 300 faults, drawn with seed 0
    python tests/sabotage/run.py --sample 0                      every fault: takes hours
    python tests/sabotage/run.py --only npnets/kernels/lstm.py:120    every fault in a line, or in a file

A fault is tested by the tests that reach its line, the quickest first, as many as fit into `--seconds`: the caught
fraction is a lower bound for the whole suite. The surviving faults are printed.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import shutil
import tempfile
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ["NPNETS_COMPILED"] = "off"  # the faults are in Python: where a kernel in C computes, no test would see them

from mutants import Mutant, mutants  # noqa: E402
from trials import Reach, measure, try_fault  # noqa: E402

CHECKOUT = Path(__file__).resolve().parents[2]
MODULES = ("kernels", "autodiff", "common", "continuous", "discrete", "distributions", "normalization", "policy")
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "_build", "runs", "*.egg-info")
FOLDERS = (
    *("autodiff", "discrete", "distributions", "kernels", "networks", "normalization", "numpy", "parallel", "policy"),
)
TESTS = [
    *(f"tests/{folder}" for folder in FOLDERS),
    "tests/backend/test_backends_agree.py",
    "tests/interop/test_tianshou_conformance.py",
]
"""The tests of these modules that run no whole examples."""


def main() -> None:
    """Read the command line, draw the faults, try each, and print what survived."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="sabotage-") as folder:
        copy = Path(folder, "checkout")
        shutil.copytree(CHECKOUT, copy, ignore=NOT_COPIED)
        reach = measure(copy, TESTS, options.kept or Path(folder, "kept"))
        survivors = _try_all(copy, reach, _drawn(options), options.seconds, Path(folder, "log"))
    print("\nSurvivors:", *survivors, sep="\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=300, help="how many faults to draw; 0 takes all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=20, help="of tests that a fault meets at most")
    parser.add_argument("--only", help="a file, or file:line, all faults of which are tried")
    parser.add_argument("--kept", type=Path, help="a folder that keeps which tests reach which lines, for the next run")
    return parser.parse_args()


def _drawn(options: argparse.Namespace) -> list[Mutant]:
    paths = sorted(path for module in MODULES for path in (CHECKOUT / "npnets" / module).glob("*.py"))
    found = [mutant for path in paths for mutant in mutants(CHECKOUT, path.relative_to(CHECKOUT).as_posix())]
    print(f"{len(found)} faults can be planted")
    if options.only:
        name, _, line = options.only.partition(":")
        return [mutant for mutant in found if mutant.path == name and (not line or int(line) in mutant.lines)]
    return random.Random(options.seed).sample(found, options.sample) if options.sample else found


def _try_all(copy: Path, reach: Reach, drawn: list[Mutant], most_seconds: float, log: Path) -> list[Mutant]:
    counts: dict[str, collections.Counter[str]] = {module: collections.Counter() for module in MODULES}
    survivors = []
    for number, mutant in enumerate(drawn, 1):
        tests = reach.tests(mutant, most_seconds)
        patience = 60 + 10 * reach.expected_seconds(tests)
        outcome = try_fault(copy, mutant, tests, patience, log) if tests else "survived"
        counts[mutant.path.split("/")[1]][outcome] += 1
        print(f"{number}/{len(drawn)} {outcome}, {len(tests)} tests: {mutant}", flush=True)
        if outcome == "survived":
            survivors.append(mutant)
    for module, outcomes in counts.items():
        print(f"{module}: {outcomes.total() - outcomes['survived']} of {outcomes.total()} caught; {dict(outcomes)}")
    return survivors


if __name__ == "__main__":
    main()
