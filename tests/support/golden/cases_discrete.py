"""The cases of `npnets.discrete`: its actor and critic are `DiscreteActor` and `DiscreteCritic` here."""

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

NETWORKS = [*ACTORS, *CRITICS]
