"""The process of `deploy_policy.py` that runs npnets; PyTorch cannot be imported in it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

from examples.deploy.deployed_run import run

sys.modules["torch"] = None  # type: ignore[assignment]  # `import torch` now raises an error


def load(path: str) -> Callable[[Any], Any]:
    """Load a policy, a function from an observation `(3,)` to a torque `(1,)`, from a checkpoint."""
    import npnets
    from npnets.interop import tianshou, torch_file

    actor = npnets.Actor(npnets.Net(3, hidden_sizes=(64, 64)), action_shape=1, max_action=2.0)
    params = tianshou.from_state_dict(actor, torch_file.load(path), prefix="actor")
    return lambda observation: actor.forward(params, observation[None])[0][0]


if __name__ == "__main__":
    run("npnets", ["npnets", "npnets.interop"], load)
