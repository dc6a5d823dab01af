"""The cases of `Actor`, `ActorProb`, `Critic`, `Perturbation` and `VAE`."""

from cases_common import Case, obs_of

_TRUNK = "Net(5, hidden_sizes=(7,))"

ACTORS = [
    Case("an actor", f"Actor({_TRUNK}, 2)", obs_of(4, 5)),
    Case("an actor, batch of one", f"Actor({_TRUNK}, 2)", obs_of(1, 5)),
    Case("an actor with one action", f"Actor({_TRUNK}, (1,))", obs_of(4, 5)),
    Case("an actor with hidden layers", f"Actor({_TRUNK}, 2, (6, 4))", obs_of(4, 5)),
    Case("an actor with a bound", f"Actor({_TRUNK}, 2, max_action=2.5)", obs_of(4, 5)),
    Case("an actor of shapes", "Actor(Net((5, 2), hidden_sizes=[7]), (2, 3), [4], 0.3)", obs_of(4, 5, 2)),
    Case("an actor on a net with tanh", "Actor(Net(5, hidden_sizes=(7,), activation=tanh), 2, (4,))", obs_of(4, 5)),
    Case(
        "an actor at its bound",
        f"Actor({_TRUNK}, 2, max_action=2.5)",
        obs_of(40, 5),
        {"obs": 2.0},
        {"last.linear_0.weight": 100.0},
        attains={0: (-2.5, 2.5)},
    ),
    Case("an actor of single numbers", "Actor(Net(1, hidden_sizes=(1,), activation=elu), 1, (1,))", obs_of(4, 1)),
    Case("an actor told its number of features", "Actor(Net(5, 4), 3, preprocess_net_output_dim=4)", obs_of(4, 5)),
    Case("a probabilistic actor", f"ActorProb({_TRUNK}, 2)", obs_of(4, 5)),
    Case("a probabilistic actor, batch of one", f"ActorProb({_TRUNK}, 2)", obs_of(1, 5)),
    Case("a probabilistic actor with hidden layers", f"ActorProb({_TRUNK}, 2, (6, 4))", obs_of(4, 5)),
    Case("a probabilistic actor with a bound", f"ActorProb({_TRUNK}, 2, max_action=2.5)", obs_of(4, 5)),
    Case("a probabilistic actor of shapes", "ActorProb(Net((5, 2), hidden_sizes=[7]), (2, 3))", obs_of(4, 5, 2)),
    Case(
        "a probabilistic actor at its bound",
        f"ActorProb({_TRUNK}, 2, max_action=2.5)",
        obs_of(40, 5),
        {"obs": 5.0},
        {"mu.linear_0.weight": 20.0},
        attains={0: (-2.5, 2.5)},
    ),
    Case(
        "a probabilistic actor of single numbers",
        "ActorProb(Net(1, hidden_sizes=(1,), activation=elu), 1, (1,), conditioned_sigma=True)",
        obs_of(4, 1),
    ),
    Case(
        "a probabilistic actor told its number of features",
        "ActorProb(Net(5, 4), 3, preprocess_net_output_dim=4)",
        obs_of(4, 5),
    ),
    Case("an unbounded actor", f"ActorProb({_TRUNK}, 2, unbounded=True)", obs_of(4, 5), {"obs": 10.0}),
    Case("an actor with conditioned sigma", f"ActorProb({_TRUNK}, 2, conditioned_sigma=True)", obs_of(4, 5)),
    Case(
        "an actor with conditioned sigma, hidden layers and a bound",
        f"ActorProb({_TRUNK}, (3, 1), (6,), 0.5, conditioned_sigma=True)",
        obs_of(1, 5),
    ),
    Case(
        "an unbounded actor with conditioned sigma",
        f"ActorProb({_TRUNK}, 2, unbounded=True, conditioned_sigma=True)",
        obs_of(4, 5),
    ),
    Case(
        "log sigma clamped at both ends",
        "ActorProb(Net(5, hidden_sizes=(7,), activation=tanh), 3, (6,), conditioned_sigma=True)",
        obs_of(9, 5),
        {"obs": 3.0},
        {"sigma.linear_1.weight": 40.0},
        attains={1: (2.0611536e-9, 7.3890562)},
    ),
    Case(
        "log sigma clamped above and an unbounded mean",
        f"ActorProb({_TRUNK}, 3, unbounded=True, conditioned_sigma=True)",
        obs_of(9, 5),
        scale={"sigma": 10.0},
        attains={1: (7.3890562,)},
    ),
    Case("a parameter log sigma is not clamped", f"ActorProb({_TRUNK}, 4)", obs_of(4, 5), scale={"log_sigma": 30.0}),
]

_MEMBERS = "linear_layer=partial(EnsembleLinear, 3)"

CRITICS = [
    Case("a critic of observations", f"Critic({_TRUNK})", obs_of(4, 5)),
    Case("a critic of observations, batch of one", f"Critic({_TRUNK})", obs_of(1, 5)),
    Case("a critic of observations of a shape", "Critic(Net((2, 3), hidden_sizes=(7,)), (4,))", obs_of(4, 2, 3)),
    Case("a critic with hidden layers", f"Critic({_TRUNK}, (6, 4))", obs_of(4, 5)),
    Case("a critic of actions", "Critic(Net(5, 2, (7,), concat=True))", {"obs": (4, 5), "act": (4, 2)}),
    Case("a critic of actions, batch of one", "Critic(Net(5, 2, (7,), concat=True))", {"obs": (1, 5), "act": (1, 2)}),
    Case(
        "a critic of observations and actions of shapes",
        "Critic(Net((2, 3), (3, 1), (7,), concat=True), hidden_sizes=[4])",
        {"obs": (4, 2, 3), "act": (4, 3, 1)},
    ),
    Case(
        "a critic of single numbers",
        "Critic(Net(1, 1, (1,), concat=True, activation=elu))",
        {"obs": (4, 1), "act": (4, 1)},
    ),
    Case("a critic told its number of features", "Critic(Net(5, 4), preprocess_net_output_dim=4)", obs_of(4, 5)),
    Case("a critic that does not flatten", f"Critic({_TRUNK}, (6,), flatten_input=False)", obs_of(4, 5)),
    Case(
        "an ensemble of critics",
        f"Critic(Net(5, 2, (7,), concat=True, {_MEMBERS}), {_MEMBERS}, flatten_input=False)",
        {"obs": (4, 5), "act": (4, 2)},
    ),
    Case(
        "an ensemble of critics with hidden layers, batch of one",
        f"Critic(Net(5, 2, (7,), layer_norm, concat=True, {_MEMBERS}), (6,), {_MEMBERS}, flatten_input=False)",
        {"obs": (1, 5), "act": (1, 2)},
    ),
    Case("an ensemble behind one net", f"Critic({_TRUNK}, (6,), {_MEMBERS})", obs_of(4, 5)),
    Case(
        "a single critic behind an ensemble",
        f"Critic(Net(5, hidden_sizes=(7,), {_MEMBERS}), flatten_input=False)",
        obs_of(4, 5),
    ),
]

_PAIR = {"state": (7, 5), "action": (7, 2)}

BCQ = [
    Case("a perturbation", "Perturbation(Net(7, 2, (6,)), 1.0)", _PAIR, {"action": 0.2}),
    Case("a perturbation, batch of one", "Perturbation(Net(7, 2, (6,)), 1.0)", {"state": (1, 5), "action": (1, 2)}),
    Case("a perturbation with phi", "Perturbation(Net(7, 2, (6,)), 1.0, phi=0.4)", _PAIR, {"action": 0.2}),
    Case("a perturbation with a bound", "Perturbation(Net(7, 2, (6,)), 2.5, 'cpu', 0.4)", _PAIR, {"action": 0.4}),
    Case(
        "a clipped perturbation",
        "Perturbation(Net(7, 2, (6,)), 0.5, phi=0.7)",
        _PAIR,
        {"action": 0.9},
        attains={0: (-0.5, 0.5)},
    ),
    Case(
        "a perturbation as large as it may be",
        "Perturbation(Net(7, 2, (6,)), 1.5, phi=0.3)",
        {"state": (40, 5), "action": (40, 2)},
        {"state": 6.0, "action": 0.2},
        {"preprocess.model.linear_1.weight": 20.0},
    ),
    Case(
        "a perturbation of single numbers",
        "Perturbation(Net(2, 1, (1,), activation=elu), 1.0, phi=0.3)",
        {"state": (4, 1), "action": (4, 1)},
        {"action": 0.2},
    ),
    Case("a perturbation of a concat net", "Perturbation(Net(5, 2, (2,), concat=True), 1.0, phi=0.2)", _PAIR),
    Case(
        "actions on the bound itself",
        "Perturbation(Net(7, 2, (6,)), 0.25, phi=0.0)",
        {"state": (20, 5), "action": (20, 2)},
        {"action": 0.4},
        attains={0: (-0.25, 0.25)},
        grid={"action": 0.25},
    ),
]

_VAE = "VAE(MLP(7, 8, (6,)), MLP(8, 2, (9,)), hidden_dim=8, latent_dim=3, max_action=1.0)"
_VAE_BOUND = "VAE(MLP(7, 0, (6, 8)), MLP(8, 2, (9,), activation=tanh), 8, 3, 2.5)"
_NOISY = {**_PAIR, "noise": (7, 3)}

VAES = [
    Case("a VAE", _VAE, _NOISY),
    Case("a VAE, batch of one", _VAE, {"state": (1, 5), "action": (1, 2), "noise": (1, 3)}),
    Case("a VAE with a bound", _VAE_BOUND, _NOISY),
    Case(
        "a VAE of single numbers",
        "VAE(MLP(2, 1), MLP(2, 1), 1, 1, 0.5)",
        {"state": (4, 1), "action": (4, 1), "noise": (4, 1)},
    ),
    Case(
        "a VAE with more latent numbers than features",
        "VAE(MLP(7, 4), MLP(11, 2), 4, 6, 1.0)",
        {"state": (3, 5), "action": (3, 2), "noise": (3, 6)},
    ),
    Case(
        "a VAE with log_std clamped at both ends",
        _VAE,
        {"state": (20, 5), "action": (20, 2), "noise": (20, 3)},
        spread={"state": 4.0, "action": 4.0},
        scale={"log_std.weight": 20.0, "log_std.bias": 0.0},
        attains={2: (0.018315639, 3269017.2)},
    ),
    Case(
        "a VAE at its bound",
        _VAE_BOUND,
        {"state": (20, 5), "action": (20, 2), "noise": (20, 3)},
        {"state": 2.0},
        {"decoder.linear_1": 60.0},
        attains={0: (-2.5, 2.5)},
    ),
    Case("a VAE decodes a latent vector", _VAE, {"state": (7, 5), "latent_z": (7, 3)}, method="decode"),
    Case(
        "a VAE does not clip a given latent vector",
        _VAE_BOUND,
        {"state": (7, 5), "latent_z": (7, 3)},
        spread={"latent_z": 3.0},
        method="decode",
    ),
    Case("a VAE clips a drawn latent vector", _VAE, {"state": (7, 5), "drawn": (7, 3)}, method="decode"),
    Case(
        "a VAE clips a drawn latent vector, batch of one",
        _VAE_BOUND,
        {"state": (1, 5), "drawn": (1, 3)},
        spread={"drawn": 3.0},
        method="decode",
    ),
]
