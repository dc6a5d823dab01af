"""A trunk of the user's own for dicts of a position and an image, and batches of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import npnets.numpy as nnp


@dataclass(frozen=True)
class Camera:
    """Joins features of a position `(batch, 3)` and of an image `(batch, 4, 4)`."""

    output_dim: int = 6

    def init(self, rng: Any) -> Any:
        """Return parameters."""
        return {"position": rng.normal(size=(3, 2)), "image": rng.normal(size=(16, 4))}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        """Return features and the state."""
        assert obs["image"].shape[1:] == (4, 4), "the image must come whole"
        dtype = params["image"].dtype
        position, image = obs["position"].astype(dtype), obs["image"].astype(dtype)
        parts = [position @ params["position"], image.reshape((len(image), 16)) @ params["image"]]
        return nnp.tanh(nnp.concatenate(parts, 1)), state


def scene(rows: int = 4, seed: int = 3) -> Any:
    """Return a batch of observations."""
    rng = np.random.default_rng(seed)
    return {"position": rng.normal(size=(rows, 3)), "image": rng.normal(size=(rows, 4, 4))}
