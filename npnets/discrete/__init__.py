"""Actors and critics for discrete actions: Tianshou's `tianshou.utils.net.discrete`."""

from npnets.discrete.actor import Actor
from npnets.discrete.cosine_embedding_network import CosineEmbeddingNetwork
from npnets.discrete.critic import Critic
from npnets.discrete.implicit_quantile_network import ImplicitQuantileNetwork
from npnets.discrete.intrinsic_curiosity_module import IntrinsicCuriosityModule
from npnets.public import listing

__all__ = ["Actor", "CosineEmbeddingNetwork", "Critic", "ImplicitQuantileNetwork", "IntrinsicCuriosityModule"]

__dir__ = listing(__all__)
