"""Training with SBX's SAC and TD3 on JAX."""

from __future__ import annotations

from sbx import SAC, TD3

from benchmarks.training import stable_baselines3_side

MODELS = {"sac": SAC, "td3": TD3}


class Training(stable_baselines3_side.Training):
    """A model of SBX."""

    def __init__(self, algorithm: str) -> None:
        super().__init__(algorithm, MODELS)
