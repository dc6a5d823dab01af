"""The published returns: each run has a result file, and an interrupted sequence of runs goes on where it was."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import ROOT
from benchmarks.learning import returns
from benchmarks.publish.mujoco_blocks import MUJOCO
from benchmarks.publish.records import RESULTS

pytestmark = pytest.mark.numpy_alone("runs programs in processes of their own")

SHORT = "online/sac.py --steps 30 --warmup 20 --episodes 1 --hidden-sizes 4 --evaluate-every 15 --checkpoint-every 1"


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the runs of two programs, of which the second fails."""
    monkeypatch.setattr(returns, "PROGRAMS", {"short": SHORT, "wrong": "online/sac.py --gamma 2"})
    monkeypatch.setattr(returns, "RUNS", tmp_path / "runs")
    return tmp_path / "runs"


def main(tmp_path: Path, only: str, *options: str) -> None:
    returns.main(["--only", only, "--seeds", "3", "--out", str(tmp_path / "results"), *options])


def test_a_run_is_stored_once(tmp_path: Path, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(tmp_path, "short")
    stored = tmp_path / "results" / "short-seed-3.json"
    found = json.loads(stored.read_text(encoding="utf-8"))
    assert found["command"] == f"python examples/{SHORT} --seed 3"
    assert found["results"]["steps"] == 30
    date = stored.stat().st_mtime_ns
    main(tmp_path, "short")
    assert stored.stat().st_mtime_ns == date
    assert capsys.readouterr().out.splitlines().count("short-seed-3") == 1
    stored.unlink()
    with pytest.raises(RuntimeError, match=r"short-seed-3 has the finished run of python examples/online/sac\.py"):
        main(tmp_path, "short")
    assert not stored.exists()


def test_a_run_that_was_begun_is_continued_if_it_is_the_same(tmp_path: Path, runs: Path) -> None:
    begun = [sys.executable, f"examples/{SHORT.split()[0]}", *SHORT.split()[1:], "--seed", "3"]
    subprocess.run([*begun, "--out", str(runs / "short-seed-3")], cwd=ROOT, check=True, capture_output=True)
    (runs / "short-seed-3" / "results.json").unlink()
    checkpoint = (runs / "short-seed-3" / "checkpoint.npz").stat().st_mtime_ns
    main(tmp_path, "short")
    assert (tmp_path / "results" / "short-seed-3.json").exists()
    assert (runs / "short-seed-3" / "checkpoint.npz").stat().st_mtime_ns == checkpoint  # nothing was trained again
    (runs / "short-seed-3").rename(runs / "short-seed-4")
    with pytest.raises(RuntimeError, match=r"short-seed-4 has a run of .* --seed 3; delete it to begin .* --seed 4"):
        returns.main(["--only", "short", "--seeds", "4", "--out", str(tmp_path / "results")])


def test_a_program_that_fails_is_named_and_its_output_has_the_reason(tmp_path: Path, runs: Path) -> None:
    with pytest.raises(RuntimeError, match=re.escape("examples/online/sac.py --gamma 2 --seed 3 ended with status 2")):
        main(tmp_path, "wrong")
    assert "expected at most 1, but got '2'" in (runs / "wrong-seed-3.txt").read_text(encoding="utf-8")


def test_the_results_on_mujoco_are_of_the_commands_that_train_them_again() -> None:
    for name in MUJOCO:
        files = sorted(RESULTS.glob(f"{name}-seed-*.json"))
        assert len(files) > 1
        for seed, file in enumerate(files):
            command = json.loads(file.read_text(encoding="utf-8"))["command"]
            assert command == f"python examples/{returns.PROGRAMS[name]} --seed {seed}"
