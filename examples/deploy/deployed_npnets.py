"""The process of `deploy_policy.py` that runs npnets; PyTorch cannot be imported in it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

from examples.deploy.deployed_run import Loaded, run

sys.modules["torch"] = None  # type: ignore[assignment]  # `import torch` now raises an error


def load(path: str) -> Loaded:
    """Load a policy of any library."""
    from examples.deploy.policies import read

    return Loaded(read(Path(path)).act)


if __name__ == "__main__":
    run("npnets", ["npnets", "npnets.interop"], load)
