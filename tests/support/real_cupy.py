"""Runs scripts in a process with the real CuPy, because the process of the tests imports the stand-in by that name."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

INSTALL = "pip install cupy-cuda13x nvidia-cuda-nvrtc, which needs no GPU for this"


def result_of(script: str | Path, question: Any = None) -> Any:
    """Return what a script prints as JSON when it reads a question as JSON, in a process that can import the real CuPy.

    A relative path is one in this folder. Without CuPy the test is skipped, unless the variable NPNETS_REQUIRE_CUPY
    says that it must be there.
    """
    if importlib.util.find_spec("cupy") is None and not os.environ.get("NPNETS_REQUIRE_CUPY"):
        pytest.skip(f"CuPy is not installed: {INSTALL}")
    call = [sys.executable, str(Path(__file__).parent / script)]
    run = subprocess.run(call, input=json.dumps(question), capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, f"{script} failed; {INSTALL}\n{run.stderr}"
    return json.loads(run.stdout)
