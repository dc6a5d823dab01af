"""The cases for the comparison with Tianshou and PyTorch: plain data, in a vocabulary of both sides."""

from typing import Any, NamedTuple

import cases_discrete
import cases_quantiles
import cases_recurrent
from cases_common import LAYERS, MLPS, NETS, Case, activation_cases
from cases_continuous import ACTORS, BCQ, CRITICS, VAES


class Family(NamedTuple):
    """Networks in one file of results.

    Attributes
    ----------
    networks : list of Case
        Outputs and gradients are compared.
    signatures : list of str
        Classes whose arguments are compared.
    initial : list of str
        Calls that make networks whose first values are compared.
    warnings : list of str
        Calls that may warn.
    """

    networks: list[Case]
    signatures: list[str]
    initial: list[str]
    warnings: list[str]


NETWORKS = [*LAYERS, *MLPS, *activation_cases(), *NETS, *ACTORS, *CRITICS, *BCQ, *VAES]

SIGNATURES = ["Linear", "EnsembleLinear", "MLP", "Net", "Actor", "ActorProb", "Critic", "Perturbation", "VAE"]

INITIAL = [
    "Linear(9, 16)",
    "EnsembleLinear(4, 25, 8)",
    "MLP(4, 6, (16,), layer_norm)",
    "MLP(9, 6, (16,), linear_layer=partial(EnsembleLinear, 3))",
    "Net(9, 4, (16,), dueling_param=({'hidden_sizes': (25,)}, {}))",
    "Actor(Net(9, hidden_sizes=(16,)), 4, (25,))",
    "ActorProb(Net(9, hidden_sizes=(16,)), 4)",
    "ActorProb(Net(9, hidden_sizes=(16,)), 4, conditioned_sigma=True)",
    "Critic(Net(9, 4, (16,), concat=True))",
    "Perturbation(Net(9, 4, (16,)), 1.0)",
    "VAE(MLP(9, 16), MLP(12, 4), 16, 4, 1.0)",
]

WARNINGS = [
    "ActorProb(Net(5), 2, max_action=2.0)",
    "ActorProb(Net(5), 2, unbounded=True)",
    "ActorProb(Net(5), 2, max_action=1.0, unbounded=True)",
    "ActorProb(Net(5), 2, max_action=2.0, unbounded=True)",
    "ActorProb(Net(5), 2, (), 0.5, 'cpu', True, True)",
]

FEED_FORWARD = Family(NETWORKS, SIGNATURES, INITIAL, WARNINGS)

RECURRENT = Family(
    [*cases_recurrent.RECURRENT, *cases_recurrent.ACTORS, *cases_recurrent.CRITICS],
    ["Recurrent", "RecurrentActorProb", "RecurrentCritic"],
    [
        "Recurrent(2, 9, 4, hidden_layer_size=16)",
        "RecurrentActorProb(1, 9, 4, 16)",
        "RecurrentActorProb(2, 9, 4, 16, conditioned_sigma=True)",
        "RecurrentCritic(1, 9, 4, hidden_layer_size=16)",
    ],
    [
        "RecurrentActorProb(1, 5, 2, max_action=2.0)",
        "RecurrentActorProb(1, 5, 2, unbounded=True)",
        "RecurrentActorProb(1, 5, 2, 128, 1.0, unbounded=True)",
        "RecurrentActorProb(1, 5, 2, 128, 2.0, unbounded=True)",
    ],
)

DISCRETE = Family(
    cases_discrete.NETWORKS,
    ["DiscreteActor", "DiscreteCritic", "BranchingNet", "IntrinsicCuriosityModule"],
    [
        "DiscreteActor(Net(9, hidden_sizes=(16,)), 4, (25,))",
        "DiscreteCritic(Net(9, hidden_sizes=(16,)), (25,), 4)",
        "BranchingNet(9, 2, 4, [16], [25], [36])",
        "IntrinsicCuriosityModule(MLP(9, 16), 16, 4, (25,))",
    ],
    [],
)

QUANTILES = Family(
    cases_quantiles.NETWORKS,
    [
        *("CosineEmbeddingNetwork", "ImplicitQuantileNetwork", "FractionProposalNetwork", "FullQuantileFunction"),
        "NoisyLinear",
    ],
    [
        "CosineEmbeddingNetwork(9, 16)",
        "ImplicitQuantileNetwork(Net(9, hidden_sizes=(16,)), 4, (25,), 36)",
        "FractionProposalNetwork(8, 16)",
        "FullQuantileFunction(Net(9, hidden_sizes=(16,)), 4, (25,), 36)",
        "NoisyLinear(9, 16)",
        "Net(9, 4, (16,), linear_layer=partial(NoisyLinear, noisy_std=0.2))",
    ],
    [],
)

FAMILIES = {"networks": FEED_FORWARD, "recurrent": RECURRENT, "discrete": DISCRETE, "quantiles": QUANTILES}
"""By the name of the file that holds its results."""

OPTIMIZERS: dict[str, str] = {
    "gradient descent": "sgd(0.1)",
    "gradient descent with momentum": "sgd(0.1, momentum=0.9)",
    "gradient descent with nesterov": "sgd(0.1, momentum=0.8, nesterov=True)",
    "gradient descent with weight decay": "sgd(0.1, weight_decay=0.3)",
    "gradient descent with everything": "sgd(0.05, momentum=0.7, weight_decay=0.2, nesterov=True)",
    "rmsprop by default": "rmsprop()",
    "rmsprop with another alpha and eps": "rmsprop(0.05, alpha=0.8, eps=1e-2)",
    "rmsprop with momentum": "rmsprop(0.02, momentum=0.9)",
    "rmsprop with weight decay": "rmsprop(0.02, weight_decay=0.3)",
    "rmsprop with everything": "rmsprop(0.02, alpha=0.9, eps=1e-3, weight_decay=0.2, momentum=0.6)",
    "adam by default": "adam()",
    "adam with another learning rate": "adam(0.1)",
    "adam with weight decay": "adam(0.1, weight_decay=0.3)",
    "adam with other betas": "adam(0.1, betas=(0.5, 0.9))",
    "adam without momentum": "adam(0.1, betas=(0.0, 0.9))",
    "adam without memory": "adam(0.1, betas=(0.0, 0.0))",
    "adam with a large eps": "adam(0.1, eps=0.1)",
    "adamw by default": "adamw()",
    "adamw with weight decay": "adamw(0.1, weight_decay=0.5)",
    "adamw without weight decay": "adamw(0.1, weight_decay=0.0)",
    "adamw with other betas and eps": "adamw(0.1, betas=(0.6, 0.95), eps=1e-2)",
}

REFUSED = [
    "sgd(-0.1)",
    "sgd(0.1, momentum=-0.1)",
    "sgd(0.1, weight_decay=-0.1)",
    "sgd(0.1, nesterov=True)",
    "rmsprop(-0.1)",
    "rmsprop(alpha=-0.1)",
    "rmsprop(eps=-1e-8)",
    "rmsprop(momentum=-0.1)",
    "rmsprop(weight_decay=-0.1)",
    *[
        f"{name}({argument})"
        for name in ("adam", "adamw")
        for argument in ("-0.1", "betas=(1.0, 0.9)", "betas=(0.9, 1.0)", "betas=(-0.1, 0.9)", "eps=-1e-8")
    ],
    "adam(weight_decay=-0.1)",
    "adamw(weight_decay=-0.1)",
]
"""Arguments of optimizers for which PyTorch raises an error."""

CLIPPING: dict[str, float] = {"active": 0.75, "barely active": 0.999, "barely inactive": 1.001, "inactive": 50.0}
"""The limit, as a multiple of the gradients' norm."""

TAUS = [0.0, 0.005, 0.5, 1.0]

TREE: dict[str, Any] = {"weight": (3, 4), "nested.bias": (5,), "nested.zero": (4,), "scalar": (), "one": (1, 1)}
"""Paths and shapes of the parameters for the cases of optimizers."""
