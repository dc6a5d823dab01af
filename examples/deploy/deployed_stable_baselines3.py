"""The process of `deploy_policy.py` that runs a policy of SAC on Stable-Baselines3 and PyTorch."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

from examples.deploy.deployed_run import Loaded, run


def load(path: str) -> Loaded:
    """Load an archive."""
    import numpy as np
    import torch
    from stable_baselines3 import SAC

    torch.set_num_threads(1)
    model = SAC.load(path, device="cpu")
    return Loaded(lambda observation: model.predict(np.asarray(observation, np.float32), deterministic=True)[0])


if __name__ == "__main__":
    run("PyTorch", ["torch", "stable_baselines3"], load)
