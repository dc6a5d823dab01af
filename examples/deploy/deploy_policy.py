"""Runs trained policies without the library that trained them: by npnets, as C, as ONNX and as plain Python.

Reads three policies for Gymnasium's Pendulum-v1: of Stable-Baselines3 and of Tianshou, both trained on PyTorch, and of
npnets (`examples/data` has the programs that trained them). Exports each with `npnets.export`, and runs it in all forms
in separate processes, in which PyTorch cannot be imported. Prints the return of an episode, the time of an action, the
size of the file, and costs of the process.

    python examples/deploy/deploy_policy.py
    python examples/deploy/deploy_policy.py --policy my_policy.zip
    python examples/deploy/deploy_policy.py --compare

Without a C compiler there is no column of C, and without onnxruntime none of ONNX. `--compare` also runs the policies
by the libraries that trained them, where these are installed.

Writes `results.json`, with every printed number, and the exported files to the folder given by `--out`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import numpy as np

from examples.deploy.exported_files import FORMS, missing
from examples.deploy.policies import TOUR, PolicyFile, read
from examples.shared.command_line import at_least, new_parser, run_and_explain
from examples.shared.pendulum_evaluation import EVALUATION_SEED
from examples.shared.results import Results, save, score
from examples.shared.results_folder import prepare_folder

FOLDER = Path(__file__).resolve().parent
PROCESSES = {
    "npnets": "deployed_npnets.py",
    "C": "deployed_c.py",
    "ONNX": "deployed_onnx.py",
    "plain Python": "deployed_python.py",
    "stable_baselines3": "deployed_stable_baselines3.py",
    "tianshou": "deployed_tianshou.py",
}
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
Side = dict[str, Any]


def main() -> int:
    """Read the command line and run; print an error in one line."""
    parser = new_parser("deploy_policy", "Run policies of any library by npnets, as C, ONNX and plain Python.")
    parser.add_argument("--policy", type=Path, help="a file for Pendulum-v1 of your own, in place of the three")
    parser.add_argument("--episodes", type=at_least(1), default=20, help="how many (%(default)s)")
    parser.add_argument("--compare", action="store_true", help="run the libraries that trained the policies as well")
    parser.set_defaults(seed=EVALUATION_SEED)
    return run_and_explain(run, parser.parse_args(), "deploy_policy")


def run(options: argparse.Namespace) -> int:
    """Run every policy in every form; print and save the measurements."""
    files = TOUR if options.policy is None else (PolicyFile(options.policy, options.policy.name),)
    for file in files:
        if not file.path.is_file():
            raise FileNotFoundError(f"there is no file {file.path}")
    prepare_folder(options.out)
    absent = missing() | (not_installed(files) if options.compare else {})
    found = {file.title: run_policy(file, options, absent) for file in files}
    print(table(found))
    for name, why in absent.items():
        print(f"no {name}: {why}")
    libraries = ("onnxruntime", "torch", "tianshou", "stable-baselines3")
    save(options.out / "results.json", results(options.seed, found), libraries)
    return 0


def not_installed(files: tuple[PolicyFile, ...]) -> dict[str, str]:
    """Return the libraries that trained policies and are not installed; an error if none is."""
    libraries = [file.library for file in files if file.library is not None]
    absent = [library for library in libraries if not is_installed(library)]
    if len(absent) == len(libraries):
        raise ImportError(f"--compare needs the library that trained a policy: {' or '.join(absent) or 'npnets did'}")
    return {library: "it is not installed" for library in absent}


def is_installed(library: str) -> bool:
    """Whether a library can be imported; a mere folder of its name on the path is not the library."""
    spec = importlib.util.find_spec(library)
    return spec is not None and spec.origin is not None


def run_policy(file: PolicyFile, options: argparse.Namespace, absent: Mapping[str, str]) -> dict[str, Side]:
    """Run one policy in every form, and return the measurements by the form."""
    policy = read(file.path)
    out = options.out / file.path.stem
    prepare_folder(out)
    with tempfile.TemporaryDirectory() as folder:
        sides = {"npnets": run_process("npnets", file.path, options, Path(folder))}
        sides["npnets"]["bytes"] = file.path.stat().st_size
        for form, write in FORMS.items():
            if form not in absent:
                exported = write(policy, out)
                sides[form] = run_process(form, exported.path, options, Path(folder)) | {"bytes": exported.size}
        if options.compare and file.library and file.library not in absent:
            sides["PyTorch"] = run_process(file.library, file.path, options, Path(folder))
            sides["PyTorch"]["bytes"] = file.path.stat().st_size
        for form, side in sides.items():
            side["difference"] = difference(Path(folder), form)
    return sides


def run_process(name: str, path: Path, options: argparse.Namespace, folder: Path) -> Side:
    """Run a policy in its own process, which writes its actions on the first process's observations to a folder."""
    command = [sys.executable, str(FOLDER / PROCESSES[name]), str(path), str(options.episodes), str(options.seed)]
    done = subprocess.run(
        [*command, str(folder)], env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"deploy_policy: error: the process of {name} failed; its error is printed above")
    return json.loads(done.stdout.splitlines()[-1])


def difference(folder: Path, form: str) -> float:
    """Return the largest difference of a form's actions from those of npnets, on the same observations."""
    ours, theirs = (np.load(folder / f"{name}.npy") for name in ("npnets", form))
    return float(np.abs(ours - theirs).max())


def results(seed: int, found: Mapping[str, Mapping[str, Side]]) -> Results:
    """Return the measurements in the form of the result file."""
    policies = {
        title: {name: side | {"returns": score(np.array(side["returns"]))} for name, side in sides.items()}
        for title, sides in found.items()
    }
    return {"seed": seed, "policies": policies}


# -- the table --------------------------------------------------------------------------------------------------------


def has_process(name: str) -> bool:
    """Return whether costs of the process are those of the form: C is loaded into a Python that it does not need."""
    return name != "C"


ROWS: dict[str, Callable[[str, Side], str]] = {
    "return of an episode": lambda _, side: "{mean:.1f} ± {standard_error:.1f}".format(
        **score(np.array(side["returns"]))
    ),
    "one action": lambda _, side: f"{side['median_us']:.1f} us",
    "file": lambda _, side: f"{side['bytes'] / 1e3:.0f} kB",
    "difference from npnets": lambda _, side: f"{side['difference']:.1e} N m",
    "import": lambda name, side: f"{side['import_ms']:.0f} ms" if has_process(name) else "",
    "load": lambda name, side: f"{side['load_ms']:.0f} ms" if has_process(name) else "",
    "memory": lambda name, side: f"{side['resident_mb']:.0f} MB" if has_process(name) and side["resident_mb"] else "",
}


def table(found: Mapping[str, Mapping[str, Side]]) -> str:
    """Return the measurements as a table: a column for each form, some rows for each policy."""
    forms = list(dict.fromkeys(form for sides in found.values() for form in sides))
    lines = ["".join([f"{'':<26}", *(f"{form:>17}" for form in forms)])]
    for title, sides in found.items():
        lines += ["", title]
        for row, show in ROWS.items():
            cells = [show(form, sides[form]) if form in sides else "" for form in forms]
            lines.append("".join([f"  {row:<24}", *(f"{cell:>17}" for cell in cells)]))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
