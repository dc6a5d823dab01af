"""The process of `deploy_policy.py` that runs the policy as plain Python."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

from examples.deploy.deployed_run import Loaded, run


def load(path: str) -> Loaded:
    """Load an exported file."""
    return Loaded(runpy.run_path(path)["act"])


if __name__ == "__main__":
    run("plain Python", [], load)
