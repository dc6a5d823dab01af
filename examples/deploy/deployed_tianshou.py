"""The process of `deploy_policy.py` that runs a policy of TD3 on Tianshou 1.0.0 and PyTorch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

from examples.deploy.deployed_run import Loaded, run


def load(path: str) -> Loaded:
    """Load the actor of a checkpoint."""
    import numpy as np
    import torch
    from tianshou.utils.net.common import Net
    from tianshou.utils.net.continuous import Actor

    torch.set_num_threads(1)
    actor = Actor(Net(3, hidden_sizes=(64, 64)), action_shape=1, max_action=2.0)
    saved = torch.load(path, weights_only=True)
    actor.load_state_dict({k.removeprefix("actor."): v for k, v in saved.items() if k.startswith("actor.")})

    def act(observation: Any) -> Any:
        with torch.no_grad():
            return actor(np.asarray([observation], np.float32))[0][0].numpy()

    return Loaded(act)


if __name__ == "__main__":
    run("PyTorch", ["torch", "tianshou.utils.net.continuous"], load)
