"""All programs of the examples: each starts from any folder, and is listed in the README."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.numpy_alone("starts programs, and runs no network")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
# Programs that deploy_policy.py starts.
SIDES = {path.name for path in (EXAMPLES / "deploy").glob("deployed_*.py")}
NEED_OTHERS = {"train_stable_baselines3_policy.py", "train_tianshou_policy.py"}
PROGRAMS = sorted(
    path
    for path in EXAMPLES.glob("*/*.py")
    if '__name__ == "__main__"' in path.read_text() and path.name not in SIDES | NEED_OTHERS
)


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_a_program_starts_from_any_folder(program: Path, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, program, "--help"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--seed" in done.stdout


def test_the_readme_of_the_examples_names_every_program_and_no_other() -> None:
    commands = re.findall(r"python (examples/\S+\.py)", (EXAMPLES / "README.md").read_text())
    named = {EXAMPLES.parent / path for path in commands}
    assert named == {*PROGRAMS, *(EXAMPLES / "data" / name for name in NEED_OTHERS)}
