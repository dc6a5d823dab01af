"""Tianshou's networks for discrete actions, by the names that the cases have for them."""

from typing import Any

from tianshou.utils.net import discrete

CLASSES: dict[str, Any] = {"DiscreteActor": discrete.Actor, "DiscreteCritic": discrete.Critic}
