"""The options `--workers` and `--ray` of the examples choose the executor, on which no result depends."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import npnets
from examples.parallel import evolution_strategies
from examples.shared.engine import add_engine_options, engine
from npnets import parallel

pytestmark = pytest.mark.numpy_alone("is about processes, whose device is the processor")

PROGRAM = Path(evolution_strategies.__file__)
SHORT = ("--generations", "1", "--pairs", "4", "--shard", "2", "--episodes", "1", "--workers", "1")


def options(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_engine_options(parser)
    return parser.parse_args(given)


class RecordedExecutor:
    """Stands in for Ray's, and keeps its arguments."""

    def __init__(self, address: str, **settings: Any) -> None:
        self.address, self.settings = address, settings


def test_without_ray_the_workers_are_processes_of_this_machine() -> None:
    with engine(options("--workers", "3")) as executor:
        assert isinstance(executor, parallel.ProcessExecutor) and executor.workers == 3


@pytest.mark.parametrize(
    ("given", "address", "cpus"),
    [
        (("--ray",), "local", None),
        (("--ray", "--workers", "3"), "local", 3),
        (("--ray", "auto"), "auto", "absent"),
        (("--ray", "10.0.0.1:6379"), "10.0.0.1:6379", "absent"),
    ],
)
def test_ray_starts_here_or_is_that_of_the_address(
    given: tuple[str, ...], address: str, cpus: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "RayExecutor", RecordedExecutor)
    executor = engine(options(*given))
    assert (executor.address, executor.settings.get("num_cpus", "absent")) == (address, cpus)
    folder = str(PROGRAM.parents[1])
    assert executor.settings["runtime_env"] == {"py_modules": [folder], "working_dir": folder}


def test_a_number_of_workers_for_a_cluster_at_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match="--workers is for this machine: a Ray cluster at an address has its own"):
        engine(options("--ray", "auto", "--workers", "2"))


@pytest.mark.slow
@pytest.mark.needs_package("ray")
def test_an_example_on_ray_whose_workers_lack_its_modules_saves_the_policy_of_a_run_on_processes(
    tmp_path: Path,
) -> None:
    installed = tmp_path / "installed"
    installed.mkdir()
    (installed / "npnets").symlink_to(Path(npnets.__file__).parent)
    environment = {**os.environ, "PYTHONPATH": str(installed), "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}
    for folder, engine_options in (("processes", ()), ("ray", ("--ray",))):
        command = [sys.executable, str(PROGRAM), *SHORT, *engine_options, "--out", folder]
        ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
    policies = [(tmp_path / folder / "policy.npz").read_bytes() for folder in ("processes", "ray")]
    assert policies[0] == policies[1]
