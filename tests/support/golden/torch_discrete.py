"""Tianshou's networks for discrete actions, by the names that the cases have for them."""

from typing import Any

from tianshou.utils.net import common, discrete

CLASSES: dict[str, Any] = {
    **{f"Discrete{name}": getattr(discrete, name, None) for name in ("Actor", "Critic")},
    "BranchingNet": common.BranchingNet,
    "IntrinsicCuriosityModule": discrete.IntrinsicCuriosityModule,
}
"""2.x has other names for the first two, and `make_trunks.py` needs none of the two."""
