"""Actor and critic networks for reinforcement learning, with no deep-learning framework.

A network is a small frozen description; its parameters are a nested dict of arrays; its forward pass is a pure function
of both. Losses are written with `npnets.numpy` and differentiated with `value_and_grad`.
"""

from npnets import backend, checkpoint, distributions, functional, initializers, numpy, optim, tree
from npnets.autodiff import grad, hvp, jvp, stop_gradient, value_and_grad, vjp
from npnets.common import MLP, EnsembleLinear, LayerNorm, Linear, Net, Recurrent
from npnets.continuous import VAE, Actor, ActorProb, Critic, Perturbation, RecurrentActorProb, RecurrentCritic
from npnets.kernels.sharing import batch_threads
from npnets.summary import summary

__version__ = "0.1.0"

__all__ = [
    "MLP",
    "VAE",
    "Actor",
    "ActorProb",
    "Critic",
    "EnsembleLinear",
    "LayerNorm",
    "Linear",
    "Net",
    "Perturbation",
    "Recurrent",
    "RecurrentActorProb",
    "RecurrentCritic",
    "backend",
    "batch_threads",
    "checkpoint",
    "distributions",
    "functional",
    "grad",
    "hvp",
    "initializers",
    "jvp",
    "numpy",
    "optim",
    "stop_gradient",
    "summary",
    "tree",
    "value_and_grad",
    "vjp",
]
