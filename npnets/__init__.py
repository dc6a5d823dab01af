"""Actor and critic networks for reinforcement learning, with no deep-learning framework.

A network is a small frozen description; its parameters are a nested dict of arrays; its forward pass is a pure function
of both. Losses are written with `npnets.numpy` and differentiated with `value_and_grad`.
"""

from typing import TYPE_CHECKING, Any

from npnets import backend, checkpoint, distributions, functional, initializers, numpy, optim, tree
from npnets.autodiff import grad, hvp, jvp, stop_gradient, value_and_grad, vjp
from npnets.common import MLP, EnsembleLinear, LayerNorm, Linear, Net, Recurrent
from npnets.continuous import VAE, Actor, ActorProb, Critic, Perturbation, RecurrentActorProb, RecurrentCritic
from npnets.kernels.sharing import batch_threads
from npnets.summary import summary

if TYPE_CHECKING:
    from npnets.installation import about

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
    "about",
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

_LOADED_WHEN_USED = {"about": "npnets.installation"}


def __getattr__(name: str) -> Any:
    if name not in _LOADED_WHEN_USED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LOADED_WHEN_USED[name]), name)
