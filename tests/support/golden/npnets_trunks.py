"""The preprocess net of `cases_trunks.py` in npnets."""

from dataclasses import dataclass
from typing import Any

import numpy as np

import npnets.numpy as nnp


@dataclass(frozen=True)
class Tokens:
    """Maps each token of an observation, and averages them if `pooled`."""

    inputs: int
    features: int
    output_dim: int | None
    pooled: bool = True

    def init(self, rng: np.random.Generator) -> Any:
        """Return parameters."""
        return {"kernel": rng.normal(size=(self.inputs, self.features))}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        """Return features and the state."""
        z = obs @ params["kernel"]
        rows = z / (1 + nnp.exp(-z))
        return nnp.mean(rows, 1) if self.pooled else rows, state

    def from_state_dict(self, state_dict: Any) -> Any:
        """Return parameters from their names in PyTorch."""
        return {"kernel": state_dict["kernel"]}

    def to_state_dict(self, params: Any) -> Any:
        """Return parameters under their names in PyTorch."""
        return {"kernel": params["kernel"]}
