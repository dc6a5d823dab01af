"""The preprocess net of `cases_trunks.py` in PyTorch."""

from typing import Any

import torch
from torch import nn


class Tokens(nn.Module):
    """Maps each token of an observation, and averages them if `pooled`."""

    def __init__(self, inputs: int, features: int, output_dim: int | None, pooled: bool = True) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.zeros(inputs, features))
        self.output_dim, self.pooled = output_dim, pooled

    def get_output_dim(self) -> int | None:
        """Return the number of features, as Tianshou 2 asks for it."""
        return self.output_dim

    def forward(self, obs: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
        """Return features and the state."""
        rows = torch.nn.functional.silu(obs @ self.kernel)
        return rows.mean(1) if self.pooled else rows, state
