"""Between tensors and arrays: layouts as npnets has them, float32 throughout."""

from typing import Any

import numpy as np
import torch

WEIGHTS = ("weight", "weight_ih", "weight_hh")


def numpy_of(value: torch.Tensor, path: str = "") -> np.ndarray:
    """Return a tensor in npnets' layout for its path: weights `(in, out)`, log sigma `(actions,)`."""
    array = value.detach().numpy().copy()
    if path.endswith("log_sigma"):
        return array[:, 0]
    return array.T if path.endswith(WEIGHTS) and array.ndim == 2 else array


def tensor(values: Any) -> torch.Tensor:
    """Return numbers as a float32 tensor."""
    return torch.as_tensor(np.asarray(values), dtype=torch.float32).clone()
