"""Tianshou's networks for discrete actions, by the names that the cases have for them."""

from typing import Any

from tianshou.utils.net import discrete

CLASSES: dict[str, Any] = {f"Discrete{name}": getattr(discrete, name, None) for name in ("Actor", "Critic")}
"""2.x has other names for them, and `make_trunks.py` needs none of the two."""
