"""The cases of quantile networks and noisy layers of `npnets.discrete`.

Inputs named `taus` and `tau_hats` are fractions between zero and one; those of an implicit quantile network take the
place of what it draws. `propose_weight` and `propose_bias` are the parameters of the network that proposes fractions to
a fully parameterized quantile function; with `taus` and `tau_hats` it is given fractions instead.
"""

from cases_common import Case, obs_of

_TRUNK = "Net(5, hidden_sizes=(7,))"
_RECURRENT = "Recurrent(2, 5, 6, hidden_layer_size=4)"


def _with_taus(rows: int, samples: int, *obs: int) -> dict[str, tuple[int, ...]]:
    return {"obs": (rows, *obs), "taus": (rows, samples)}


def _proposed(rows: int, features: int, fractions: int, *obs: int) -> dict[str, tuple[int, ...]]:
    return {"obs": (rows, *obs), "propose_weight": (features, fractions), "propose_bias": (fractions,)}


def _given(rows: int, fractions: int, *obs: int) -> dict[str, tuple[int, ...]]:
    return {"obs": (rows, *obs), "taus": (rows, fractions + 1), "tau_hats": (rows, fractions)}


EMBEDDINGS = [
    Case("a cosine embedding", "CosineEmbeddingNetwork(6, 4)", {"taus": (3, 5)}),
    Case("a cosine embedding, batch of one", "CosineEmbeddingNetwork(64, 8)", {"taus": (1, 5)}),
    Case("a cosine embedding of single numbers", "CosineEmbeddingNetwork(1, 1)", {"taus": (4, 1)}),
]

IMPLICIT = [
    Case("an implicit quantile network", f"ImplicitQuantileNetwork({_TRUNK}, 3)", _with_taus(4, 6, 5)),
    Case("an implicit quantile network, batch of one", f"ImplicitQuantileNetwork({_TRUNK}, 3)", _with_taus(1, 6, 5)),
    Case("an implicit quantile network, one sample", f"ImplicitQuantileNetwork({_TRUNK}, 3)", _with_taus(4, 1, 5)),
    Case(
        "an implicit quantile network with hidden layers and few cosines",
        f"ImplicitQuantileNetwork({_TRUNK}, 3, (6, 4), num_cosines=5)",
        _with_taus(4, 6, 5),
    ),
    Case(
        "an implicit quantile network of shapes, by position",
        "ImplicitQuantileNetwork(Net((5, 2), hidden_sizes=[7]), (2, 3), [4], 16)",
        _with_taus(4, 6, 5, 2),
    ),
    Case(
        "an implicit quantile network of single numbers",
        "ImplicitQuantileNetwork(Net(1, hidden_sizes=(1,), activation=elu), 1, (1,), 2)",
        _with_taus(4, 3, 1),
    ),
    Case(
        "an implicit quantile network told its number of features",
        "ImplicitQuantileNetwork(Net(5, 4), 3, preprocess_net_output_dim=4)",
        _with_taus(4, 6, 5),
    ),
    Case(
        "an implicit quantile network on noisy layers",
        "ImplicitQuantileNetwork(Net(5, hidden_sizes=(7,), linear_layer=NoisyLinear), 3)",
        _with_taus(4, 6, 5),
    ),
    Case(
        "an implicit quantile network on a recurrent net",
        f"ImplicitQuantileNetwork({_RECURRENT}, 3, num_cosines=8)",
        {"obs": (3, 4, 5), "taus": (3, 6)},
    ),
    Case(
        "an implicit quantile network on a recurrent net, from a state",
        f"ImplicitQuantileNetwork({_RECURRENT}, 3, (4,), 8)",
        {"obs": (3, 5), "taus": (3, 6), "hidden": (3, 2, 4), "cell": (3, 2, 4)},
    ),
]

PROPOSALS = [
    Case("proposed fractions", "FractionProposalNetwork(6, 5)", obs_of(4, 5)),
    Case("proposed fractions, batch of one", "FractionProposalNetwork(32, 5)", obs_of(1, 5)),
    Case("proposed fractions of single numbers", "FractionProposalNetwork(2, 1)", obs_of(4, 1)),
    Case("proposed fractions far from even", "FractionProposalNetwork(6, 5)", obs_of(4, 5), {"obs": 20.0}),
]

FULL = [
    Case("a full quantile function given its fractions", f"FullQuantileFunction({_TRUNK}, 3)", _given(4, 6, 5)),
    Case("a full quantile function", f"FullQuantileFunction({_TRUNK}, 3, num_cosines=8)", _proposed(4, 7, 6, 5)),
    Case(
        "a full quantile function, batch of one",
        f"FullQuantileFunction({_TRUNK}, 3, num_cosines=4)",
        _proposed(1, 7, 6, 5),
    ),
    Case(
        "a full quantile function with hidden layers",
        f"FullQuantileFunction({_TRUNK}, 3, (6, 4), num_cosines=5)",
        _proposed(4, 7, 6, 5),
    ),
    Case(
        "a full quantile function of shapes, by position",
        "FullQuantileFunction(Net((5, 2), hidden_sizes=[7]), (2, 3), [4], 6)",
        _proposed(4, 7, 6, 5, 2),
    ),
    Case(
        "a full quantile function of single numbers",
        "FullQuantileFunction(Net(1, hidden_sizes=(1,), activation=elu), 1, (1,), 2)",
        _proposed(4, 1, 3, 1),
    ),
    Case(
        "a full quantile function told its number of features",
        "FullQuantileFunction(Net(5, 4), 3, num_cosines=4, preprocess_net_output_dim=4)",
        _proposed(4, 4, 6, 5),
    ),
]
"""Few cosines where fractions are proposed: a cosine of 64 pi tau multiplies the rounding of tau by two hundred."""

NOISY = [
    Case("a noisy layer", "NoisyLinear(5, 3)", obs_of(4, 5)),
    Case("a noisy layer, batch of one", "NoisyLinear(5, 3)", obs_of(1, 5)),
    Case("a noisy layer of single numbers", "NoisyLinear(1, 1)", obs_of(6, 1)),
    Case("a noisy layer on three axes", "NoisyLinear(5, 3)", obs_of(2, 4, 5)),
    Case("an MLP of noisy layers", "MLP(5, 3, (7, 6), layer_norm, linear_layer=NoisyLinear)", obs_of(4, 5)),
    Case(
        "a net that duels with noisy layers",
        "Net(5, 3, (7,), dueling_param=({'linear_layer': NoisyLinear}, {'linear_layer': NoisyLinear}), num_atoms=4)",
        obs_of(4, 5),
    ),
]

NETWORKS = [*EMBEDDINGS, *IMPLICIT, *PROPOSALS, *FULL, *NOISY]
