"""Every algorithm is one file, which runs alone, and is continued bit for bit after it was killed at random moments.

`NPNETS_KILLS=20` kills each more often than by default.
"""

from __future__ import annotations

import ast
import contextlib
import os
import runpy
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import toy_environments

from npnets import checkpoint
from npnets.training.records import read_rows

pytestmark = pytest.mark.numpy_alone("a checkpoint has NumPy's arrays")

toy_environments.register()
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
KILLS = int(os.environ.get("NPNETS_KILLS", "6"))
SHORT = "--evaluate-every 100 --episodes 2 --checkpoint-every 40"
RECORDED = EXAMPLES / "data" / "pendulum_mixed.npz"
OFF_POLICY = f"{SHORT} --steps 500 --warmup 150 --hidden-sizes 8 --batch-size 16 --buffer-size 300"
PROGRAMS = {
    "online/sac.py": f"{OFF_POLICY} --env toy/Line-v0 --learn-temperature --normalize-observations",
    "online/td3.py": f"{OFF_POLICY} --env toy/Line-v0",
    "online/ddpg.py": f"{OFF_POLICY} --env toy/Line-v0 --normalize-observations",
    "online/redq.py": f"{OFF_POLICY} --steps 300 --env toy/Line-v0 --updates-per-step 2",
    "online/ppo.py": f"{SHORT} --steps 300 --env toy/Line-v0 --num-envs 2 --horizon 8 --passes 2 --batch-size 8",
    "offline/bcq.py": f"{SHORT} --steps 300 --hidden-sizes 8 --vae-hidden-sizes 8 --batch-size 16 --data {RECORDED} "
    "--normalize-observations",
    "memory/recurrent_imitation.py": f"{SHORT} --steps 200 --hidden-layer-size 8 --batch-size 4 --buffer-size 9000 "
    "--normalize-observations",
}
"""The options of a short run of each program."""


@contextlib.contextmanager
def process(program: str, *options: str) -> Iterator[int]:
    """Run a program in a copy of this process, which has imported already what it needs; return its number."""
    number = os.fork()
    if number == 0:
        status = 1
        try:
            with (
                open(os.devnull, "w") as silent,
                contextlib.redirect_stdout(silent),
                contextlib.redirect_stderr(silent),
            ):
                sys.argv = [program, *options]
                runpy.run_path(program, run_name="__main__")
        except SystemExit as ended:
            status = int(ended.code or 0)
        finally:
            os._exit(status)
    try:
        yield number
    finally:
        with contextlib.suppress(ChildProcessError, ProcessLookupError):
            os.kill(number, signal.SIGKILL)
            os.waitpid(number, 0)


def finish(program: str, *options: str) -> None:
    with process(program, *options) as number:
        assert os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == 0


def kill_after(seconds: float, program: str, *options: str) -> None:
    with process(program, *options) as number:
        until = time.monotonic() + seconds
        while time.monotonic() < until and os.waitpid(number, os.WNOHANG)[0] == 0:
            time.sleep(0.001)


def same_ends(whole: Path, killed: Path) -> bool:
    """Whether two runs have the same policy, state, generator, transitions and rows, apart from seconds."""
    states = [checkpoint.load(folder / "checkpoint.npz") for folder in (whole, killed)]
    for path, leaf in states[0].params.items():
        np.testing.assert_array_equal(states[1].params[path], leaf, err_msg=path)
    for fact in ("bit_generator", "step", "added"):
        assert states[0].metadata[fact] == states[1].metadata[fact], fact
    rows = [
        [{name: cell for name, cell in row.items() if name != "seconds"} for row in read_rows(folder / "progress.csv")]
        for folder in (whole, killed)
    ]
    assert rows[0] == rows[1]
    transitions = [
        {path.name: path.read_bytes() for path in folder.glob("transitions/*")} for folder in (whole, killed)
    ]
    assert transitions[0] == transitions[1]
    return (whole / "policy.npz").read_bytes() == (killed / "policy.npz").read_bytes()


def imported(source: str) -> set[str]:
    """Return the packages that a file imports."""
    nodes = list(ast.walk(ast.parse(source)))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names = plain | {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_algorithm_is_one_file_of_about_two_hundred_lines_that_needs_npnets_alone(program: str) -> None:
    source = (EXAMPLES / program).read_text(encoding="utf-8")
    assert imported(source) - set(sys.stdlib_module_names) <= {"npnets", "numpy", "gymnasium"}
    assert len(source.splitlines()) <= 280


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_run_that_is_killed_again_and_again_ends_bit_for_bit_as_one_that_is_not(program: str, tmp_path: Path) -> None:
    options = PROGRAMS[program].split()
    program = str(shutil.copy(EXAMPLES / program, tmp_path))
    began = time.monotonic()
    finish(program, *options, "--out", str(tmp_path / "whole"))
    lasted, killed = time.monotonic() - began, str(tmp_path / "killed")
    moments = np.random.default_rng(0).uniform(0.1, 0.9, KILLS)
    for moment in moments * lasted:
        begun = (tmp_path / "killed" / "settings.json").exists()
        kill_after(moment, program, *(["--resume", killed] if begun else [*options, "--out", killed]))
    finish(program, "--resume", killed)
    assert same_ends(tmp_path / "whole", tmp_path / "killed")
