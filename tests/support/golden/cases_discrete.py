"""The cases of networks for discrete actions; `DiscreteActor` and `DiscreteCritic` are those of `npnets.discrete`."""

from cases_common import Case, obs_of

_TRUNK = "Net(5, hidden_sizes=(7,))"
_RECURRENT = "Recurrent(2, 5, 6, hidden_layer_size=4)"
_STATE = {"hidden": (3, 2, 4), "cell": (3, 2, 4)}

ACTORS = [
    Case("a discrete actor", f"DiscreteActor({_TRUNK}, 3)", obs_of(4, 5)),
    Case("a discrete actor, batch of one", f"DiscreteActor({_TRUNK}, 3)", obs_of(1, 5)),
    Case("a discrete actor with hidden layers", f"DiscreteActor({_TRUNK}, 3, (6, 4))", obs_of(4, 5)),
    Case("a discrete actor's logits", f"DiscreteActor({_TRUNK}, 3, softmax_output=False)", obs_of(4, 5)),
    Case("a discrete actor's logits, by position", f"DiscreteActor({_TRUNK}, 3, (6,), False)", obs_of(4, 5)),
    Case("a discrete actor of shapes", "DiscreteActor(Net((5, 2), hidden_sizes=[7]), (2, 3), [4])", obs_of(4, 5, 2)),
    Case(
        "a discrete actor of single numbers",
        "DiscreteActor(Net(1, hidden_sizes=(1,), activation=elu), 1, (1,), False)",
        obs_of(4, 1),
    ),
    Case(
        "a discrete actor sure of its action",
        f"DiscreteActor({_TRUNK}, 3)",
        obs_of(40, 5),
        {"obs": 2.0},
        {"last.linear_0.weight": 100.0},
        attains={0: (0.0, 1.0)},
    ),
    Case(
        "a discrete actor told its number of features",
        "DiscreteActor(Net(5, 4), 3, preprocess_net_output_dim=4)",
        obs_of(4, 5),
    ),
    Case("a discrete actor on atoms", "DiscreteActor(Net(5, 3, (7,), num_atoms=4), 2)", obs_of(4, 5)),
    Case(
        "a discrete actor on a net that duels",
        "DiscreteActor(Net(5, 4, (7,), dueling_param=({'hidden_sizes': (6,)}, {})), 3)",
        obs_of(4, 5),
    ),
    Case("a discrete actor on a recurrent net", f"DiscreteActor({_RECURRENT}, 3)", obs_of(3, 4, 5)),
    Case(
        "a discrete actor on a recurrent net, from a state",
        f"DiscreteActor({_RECURRENT}, 3, (4,), False)",
        obs_of(3, 5) | _STATE,
    ),
]

CRITICS = [
    Case("a discrete critic", f"DiscreteCritic({_TRUNK})", obs_of(4, 5)),
    Case("a discrete critic, batch of one", f"DiscreteCritic({_TRUNK})", obs_of(1, 5)),
    Case("a discrete critic with hidden layers", f"DiscreteCritic({_TRUNK}, (6, 4))", obs_of(4, 5)),
    Case("a discrete critic of each action", f"DiscreteCritic({_TRUNK}, last_size=3)", obs_of(4, 5)),
    Case("a discrete critic of each action, by position", f"DiscreteCritic({_TRUNK}, (6,), 4)", obs_of(4, 5)),
    Case("a discrete critic of shapes", "DiscreteCritic(Net((5, 2), hidden_sizes=[7]), [4])", obs_of(4, 5, 2)),
    Case(
        "a discrete critic of single numbers",
        "DiscreteCritic(Net(1, hidden_sizes=(1,), activation=elu), (1,))",
        obs_of(4, 1),
    ),
    Case(
        "a discrete critic told its number of features",
        "DiscreteCritic(Net(5, 4), preprocess_net_output_dim=4)",
        obs_of(4, 5),
    ),
    Case("a discrete critic on atoms", "DiscreteCritic(Net(5, 3, (7,), num_atoms=4), (6,), 2)", obs_of(4, 5)),
    Case("a discrete critic on a recurrent net", f"DiscreteCritic({_RECURRENT})", obs_of(3, 4, 5)),
    Case(
        "a discrete critic on a recurrent net, from a state",
        f"DiscreteCritic({_RECURRENT}, (4,), 3)",
        obs_of(3, 5) | _STATE,
    ),
]

BRANCHES = [
    Case("a branching net", "BranchingNet(5, 3, 2, [7], [6], [4])", obs_of(4, 5)),
    Case("a branching net, batch of one", "BranchingNet(5, 3, 2, [7], [6], [4])", obs_of(1, 5)),
    Case("a branching net without hidden layers in its parts", "BranchingNet(5, 2, 4, [7, 6])", obs_of(4, 5)),
    Case("a branching net of pairs", "BranchingNet(5, 2, common_hidden_sizes=[7])", obs_of(4, 5)),
    Case("a branching net of one branch", "BranchingNet(5, 1, 3, [7], action_hidden_sizes=[4])", obs_of(4, 5)),
    Case("a branching net of shapes", "BranchingNet((5, 2), 3, 2, [7], value_hidden_sizes=[6])", obs_of(4, 5, 2)),
    Case("a branching net of single numbers", "BranchingNet(1, 1, 2, [1], activation=elu)", obs_of(4, 1)),
    Case(
        "a branching net with norms and activations",
        "BranchingNet(5, 2, 3, [7, 6], [8, 5], [4, 6], layer_norm, {'eps': 0.1}, leaky_relu, (0.3,))",
        obs_of(4, 5),
    ),
    Case(
        "a branching net with a norm and an activation for each layer",
        "BranchingNet(5, 2, 3, [7, 6], [8, 5], [4, 6], norm_layer=[layer_norm, None], activation=[tanh, None])",
        obs_of(4, 5),
    ),
]


def _step(batch: int, *obs: int) -> dict[str, tuple[int, ...]]:
    return {"s1": (batch, *obs), "act": (batch,), "s2": (batch, *obs)}


_OF_THREE = {"act": 3}

CURIOSITY = [
    Case(
        "a curiosity module",
        "IntrinsicCuriosityModule(MLP(5, 4, (7,)), 4, 3)",
        _step(6, 5),
        integers=_OF_THREE,
    ),
    Case(
        "a curiosity module, batch of one",
        "IntrinsicCuriosityModule(MLP(5, 4, (7,)), 4, 3, (6,))",
        _step(1, 5),
        integers=_OF_THREE,
    ),
    Case(
        "a curiosity module with hidden layers",
        "IntrinsicCuriosityModule(MLP(5, hidden_sizes=(7, 6), activation=tanh), 6, 3, hidden_sizes=[8, 5])",
        _step(6, 5),
        integers=_OF_THREE,
    ),
    Case(
        "a curiosity module of shapes",
        "IntrinsicCuriosityModule(MLP(10, 4), 4, 2, (6,))",
        _step(6, 5, 2),
        integers={"act": 2},
    ),
    Case(
        "a curiosity module of single numbers",
        "IntrinsicCuriosityModule(MLP(1, 1), 1, 1)",
        _step(4, 1),
        integers={"act": 1},
    ),
    Case(
        "a curiosity module without layers before its models",
        "IntrinsicCuriosityModule(MLP(5), 5, 3, (6,))",
        _step(6, 5),
        integers=_OF_THREE,
    ),
]

NETWORKS = [*ACTORS, *CRITICS, *BRANCHES, *CURIOSITY]
