"""Actor and critic networks for reinforcement learning, with no deep-learning framework.

A network is a small frozen description; its parameters are a nested dict of arrays; its forward pass is a pure function
of both. Losses are written with `npnets.numpy` and differentiated with `value_and_grad`.
"""

from typing import TYPE_CHECKING

from npnets import (
    autodiff,
    backend,
    checkpoint,
    common,
    continuous,
    discrete,
    distributions,
    functional,
    initializers,
    memory,
    numpy,
    optim,
    public,
    tree,
)
from npnets.autodiff import grad, hvp, jvp, stop_gradient, value_and_grad, vjp
from npnets.common import MLP, ActorCritic, BranchingNet, EnsembleLinear, LayerNorm, Linear, Net, Recurrent
from npnets.continuous import VAE, Actor, ActorProb, Critic, Perturbation, RecurrentActorProb, RecurrentCritic
from npnets.summary import summary
from npnets.thread_count import threads

if TYPE_CHECKING:
    from npnets import data, export, interop, losses, normalization, parallel, testing, training, typing
    from npnets.installation import about
    from npnets.policy import Policy
else:  # imported once they are used, for the sake of `import npnets`
    __getattr__ = public.imported_when_used(
        __name__,
        {
            "Policy": "npnets.policy",
            "about": "npnets.installation",
            "data": "npnets.data",
            "export": "npnets.export",
            "interop": "npnets.interop",
            "losses": "npnets.losses",
            "normalization": "npnets.normalization",
            "parallel": "npnets.parallel",
            "testing": "npnets.testing",
            "training": "npnets.training",
            "typing": "npnets.typing",
        },
    )

__version__ = "0.1.0"

__all__ = [
    "MLP",
    "VAE",
    "Actor",
    "ActorCritic",
    "ActorProb",
    "BranchingNet",
    "Critic",
    "EnsembleLinear",
    "LayerNorm",
    "Linear",
    "Net",
    "Perturbation",
    "Policy",
    "Recurrent",
    "RecurrentActorProb",
    "RecurrentCritic",
    "about",
    "autodiff",
    "backend",
    "checkpoint",
    "common",
    "continuous",
    "data",
    "discrete",
    "distributions",
    "export",
    "functional",
    "grad",
    "hvp",
    "initializers",
    "interop",
    "jvp",
    "losses",
    "memory",
    "normalization",
    "numpy",
    "optim",
    "parallel",
    "stop_gradient",
    "summary",
    "testing",
    "threads",
    "training",
    "tree",
    "typing",
    "value_and_grad",
    "vjp",
]

__dir__ = public.listing(__all__)
