"""The example that runs a policy of Tianshou without PyTorch."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from npnets.interop import torch_file

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
CHECKPOINT = EXAMPLES / "data" / "tianshou_td3_pendulum.pth"

pytestmark = pytest.mark.numpy_alone("runs in processes of its own")


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, check=False)


def test_the_deployed_policy_gives_the_actions_that_tianshou_recorded() -> None:
    recorded = EXAMPLES / "data" / "tianshou_td3_actions.npz"
    code = f"""
import numpy
from examples.deploy import deployed_npnets
policy, recorded = deployed_npnets.load({str(CHECKPOINT)!r}), numpy.load({str(recorded)!r})
found = numpy.stack([policy(observation) for observation in recorded["observations"]])
print(numpy.abs(found - recorded["actions"]).max(), numpy.ptp(recorded["actions"]))
"""
    done = _run("-c", code)
    assert done.returncode == 0, done.stderr
    difference, spread = map(float, done.stdout.split())
    assert difference < 2e-5 and spread > 1


def test_the_process_that_runs_the_policy_cannot_import_pytorch() -> None:
    done = _run("-c", "import examples.deploy.deployed_npnets, torch")
    assert done.returncode and "torch" in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_the_example_prints_the_return_and_the_time_of_a_policy_of_tianshou(tmp_path: Path) -> None:
    done = _run(str(EXAMPLES / "deploy" / "deploy_policy.py"), "--episodes", "3", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    rows = dict(re.findall(r"^(\w.*?) {2,}(\S.*)$", done.stdout, re.MULTILINE))
    assert list(rows) == [
        "return of an episode",
        "action, median",
        "action, 99th percentile",
        "import",
        "load the checkpoint",
        "resident memory",
    ]
    assert float(rows["return of an episode"].split(" ")[0]) > -400


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--episodes", "0"], "--episodes: must be at least 1, but is 0"),
        (["--checkpoint", "nowhere.pth"], "there is no file nowhere.pth"),
        (["--checkpoint", __file__], "test_deploy_policy.py"),
    ],
)
def test_the_error_for_a_policy_that_cannot_run_is_one_line(arguments: list[str], message: str) -> None:
    done = _run(str(EXAMPLES / "deploy" / "deploy_policy.py"), *arguments)
    assert done.returncode and message in done.stderr


def test_the_checkpoint_contains_actor_critics_and_targets() -> None:
    parts = {name.split(".")[0] for name in torch_file.load(CHECKPOINT)}
    assert {"actor", "actor_old", "critic", "critic_old", "critic2", "critic2_old"} <= parts
