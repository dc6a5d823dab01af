"""The layers and networks that actors and critics are built from: Tianshou's `tianshou.utils.net.common`."""

from npnets.common.actor_critic import ActorCritic
from npnets.common.branching_net import BranchingNet
from npnets.common.layer_norm import LayerNorm
from npnets.common.linear import EnsembleLinear, Linear
from npnets.common.lstm import LSTM
from npnets.common.mlp import MLP
from npnets.common.net import Net
from npnets.common.protocols import Layer, PreprocessNet
from npnets.common.recurrent import Recurrent
from npnets.common.spec import Parameter, Spec
from npnets.public import listing

__all__ = [
    "LSTM",
    "MLP",
    "ActorCritic",
    "BranchingNet",
    "EnsembleLinear",
    "Layer",
    "LayerNorm",
    "Linear",
    "Net",
    "Parameter",
    "PreprocessNet",
    "Recurrent",
    "Spec",
]

__dir__ = listing(__all__)
