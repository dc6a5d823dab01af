"""Actors and critics for discrete actions: Tianshou's `tianshou.utils.net.discrete`."""

from npnets.discrete.actor import Actor
from npnets.discrete.cosine_embedding_network import CosineEmbeddingNetwork
from npnets.discrete.critic import Critic
from npnets.discrete.fraction_proposal_network import FractionProposalNetwork, Fractions
from npnets.discrete.full_quantile_function import FullQuantileFunction
from npnets.discrete.implicit_quantile_network import ImplicitQuantileNetwork
from npnets.discrete.intrinsic_curiosity_module import IntrinsicCuriosityModule
from npnets.discrete.noisy_linear import NoisyLinear, sample_noise, zero_noise
from npnets.public import listing

__all__ = [
    "Actor",
    "CosineEmbeddingNetwork",
    "Critic",
    "FractionProposalNetwork",
    "Fractions",
    "FullQuantileFunction",
    "ImplicitQuantileNetwork",
    "IntrinsicCuriosityModule",
    "NoisyLinear",
    "sample_noise",
    "zero_noise",
]

__dir__ = listing(__all__)
