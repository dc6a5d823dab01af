"""The process of `deploy_policy.py` that runs the same policy on Tianshou 1.0.0 and PyTorch."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

from examples.deploy.deployed_run import run


def load(path: str) -> Callable[[Any], Any]:
    """Load a policy, a function from an observation `(3,)` to a torque `(1,)`, from a checkpoint."""
    import torch
    from tianshou.utils.net.common import Net
    from tianshou.utils.net.continuous import Actor

    torch.set_num_threads(1)
    actor = Actor(Net(3, hidden_sizes=(64, 64)), action_shape=1, max_action=2.0)
    saved = torch.load(path, weights_only=True)
    actor.load_state_dict({k.removeprefix("actor."): v for k, v in saved.items() if k.startswith("actor.")})

    def act(observation: Any) -> Any:
        with torch.no_grad():
            return actor(observation[None])[0][0].numpy()

    return act


if __name__ == "__main__":
    run("tianshou", ["torch", "tianshou.utils.net.continuous"], load)
