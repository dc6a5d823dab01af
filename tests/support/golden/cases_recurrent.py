"""The cases of `Recurrent`, `RecurrentActorProb` and `RecurrentCritic`.

Inputs named `hidden` and `cell` are the state that a sequence begins with, `(batch, layers, hidden)`. Tianshou's critic
takes and returns no state; with these inputs it is its LSTM that does.
"""

from cases_common import Case, obs_of

Inputs = dict[str, tuple[int, ...]]


def state_of(*shape: int) -> Inputs:
    return {"hidden": shape, "cell": shape}


def with_act(obs: tuple[int, ...], act: tuple[int, ...]) -> Inputs:
    return {"obs": obs, "act": act}


_SEQUENCES = obs_of(3, 6, 5)

RECURRENT = [
    Case("a recurrent net", "Recurrent(1, 5, 2, hidden_layer_size=4)", _SEQUENCES),
    Case("a recurrent net, no axis of steps", "Recurrent(1, 5, 2, hidden_layer_size=4)", obs_of(3, 5)),
    Case("a recurrent net, one step", "Recurrent(1, 5, 2, hidden_layer_size=4)", obs_of(3, 1, 5)),
    Case("a recurrent net, batch of one", "Recurrent(1, 5, 2, hidden_layer_size=4)", obs_of(1, 6, 5)),
    Case("a recurrent net, a single observation", "Recurrent(1, 5, 2, hidden_layer_size=4)", obs_of(1, 5)),
    Case("a recurrent net from a state", "Recurrent(1, 5, 2, 'cpu', 4)", _SEQUENCES | state_of(3, 1, 4)),
    Case(
        "a recurrent net from a state, no axis of steps",
        "Recurrent(1, 5, 2, 'cpu', 4)",
        obs_of(3, 5) | state_of(3, 1, 4),
    ),
    Case("a recurrent net of two layers", "Recurrent(2, 5, 2, hidden_layer_size=4)", _SEQUENCES),
    Case(
        "a recurrent net of two layers from a state",
        "Recurrent(2, 5, 2, hidden_layer_size=4)",
        _SEQUENCES | state_of(3, 2, 4),
    ),
    Case(
        "a recurrent net of three layers from a state, a single observation",
        "Recurrent(3, 5, 2, hidden_layer_size=3)",
        obs_of(1, 5) | state_of(1, 3, 3),
    ),
    Case("a recurrent net of shapes", "Recurrent(1, (2, 2), (3, 1), hidden_layer_size=5)", obs_of(2, 4, 4)),
    Case(
        "a recurrent net with one hidden unit",
        "Recurrent(2, 1, 1, hidden_layer_size=1)",
        obs_of(3, 6, 1) | state_of(3, 2, 1),
    ),
    Case("a recurrent net with saturated gates", "Recurrent(1, 5, 2, hidden_layer_size=4)", _SEQUENCES, {"obs": 30.0}),
    Case("a recurrent net, a long sequence", "Recurrent(1, 2, 1, hidden_layer_size=4)", obs_of(2, 40, 2)),
    Case(
        "a recurrent net from a large cell",
        "Recurrent(1, 5, 2, hidden_layer_size=4)",
        obs_of(3, 2, 5) | state_of(3, 1, 4),
        {"cell": 5.0},
    ),
]

_ACTOR = "RecurrentActorProb(1, 5, 2, 4"

ACTORS = [
    Case("a recurrent actor", f"{_ACTOR})", _SEQUENCES),
    Case("a recurrent actor, no axis of steps", f"{_ACTOR})", obs_of(3, 5)),
    Case("a recurrent actor, one step", f"{_ACTOR})", obs_of(3, 1, 5)),
    Case("a recurrent actor, batch of one", f"{_ACTOR})", obs_of(1, 6, 5)),
    Case("a recurrent actor from a state", f"{_ACTOR})", _SEQUENCES | state_of(3, 1, 4)),
    Case("a recurrent actor from a state, a single observation", f"{_ACTOR})", obs_of(1, 5) | state_of(1, 1, 4)),
    Case("a recurrent actor of two layers", "RecurrentActorProb(2, 5, 2, 4)", _SEQUENCES),
    Case(
        "a recurrent actor of three layers from a state",
        "RecurrentActorProb(3, 5, 2, 3)",
        _SEQUENCES | state_of(3, 3, 3),
    ),
    Case("a recurrent actor of shapes", "RecurrentActorProb(1, [2, 3], [2, 2], hidden_layer_size=5)", obs_of(2, 4, 6)),
    Case("a recurrent actor with a bound", f"{_ACTOR}, max_action=2.5)", _SEQUENCES),
    Case(
        "a recurrent actor at its bound",
        f"{_ACTOR}, 2.5)",
        obs_of(40, 2, 5),
        {"obs": 3.0},
        {"mu.weight": 220.0},
        attains={0: (-2.5, 2.5)},
    ),
    Case(
        "a recurrent actor of single numbers",
        "RecurrentActorProb(1, 1, 1, 1)",
        obs_of(3, 6, 1) | state_of(3, 1, 1),
    ),
    Case("an unbounded recurrent actor", f"{_ACTOR}, unbounded=True)", _SEQUENCES, {}, {"mu": 10.0}),
    Case("a recurrent actor with conditioned sigma", f"{_ACTOR}, conditioned_sigma=True)", _SEQUENCES),
    Case(
        "an unbounded recurrent actor of two layers with conditioned sigma, from a state",
        "RecurrentActorProb(2, 5, 2, 4, 1.0, 'cpu', True, True)",
        _SEQUENCES | state_of(3, 2, 4),
    ),
    Case(
        "a recurrent actor with conditioned sigma and a bound, one row without an axis of steps",
        f"{_ACTOR}, max_action=0.3, conditioned_sigma=True)",
        obs_of(1, 5) | state_of(1, 1, 4),
    ),
    Case(
        "a recurrent actor's log sigma clamped at both ends",
        "RecurrentActorProb(1, 5, 3, 4, conditioned_sigma=True)",
        obs_of(9, 3, 5),
        {"obs": 3.0},
        {"sigma": 50.0},
        attains={1: (2.0611536e-9, 7.3890562)},
    ),
    Case("a recurrent actor's parameter log sigma is not clamped", f"{_ACTOR})", _SEQUENCES, scale={"log_sigma": 30.0}),
]

_CRITIC = "RecurrentCritic(1, 5, 2, hidden_layer_size=4)"

CRITICS = [
    Case("a recurrent critic of observations", "RecurrentCritic(1, 5, hidden_layer_size=4)", _SEQUENCES),
    Case(
        "a recurrent critic of observations, one step, batch of one",
        "RecurrentCritic(1, 5, 0, 'cpu', 4)",
        obs_of(1, 1, 5),
    ),
    Case(
        "a recurrent critic of observations from a state",
        "RecurrentCritic(1, 5, 0, 'cpu', 4)",
        _SEQUENCES | state_of(3, 1, 4),
    ),
    Case("a recurrent critic", _CRITIC, with_act((3, 6, 5), (3, 2))),
    Case("a recurrent critic, one step", _CRITIC, with_act((3, 1, 5), (3, 2))),
    Case("a recurrent critic, batch of one", _CRITIC, with_act((1, 6, 5), (1, 2))),
    Case("a recurrent critic from a state", _CRITIC, with_act((3, 6, 5), (3, 2)) | state_of(3, 1, 4)),
    Case(
        "a recurrent critic of two layers", "RecurrentCritic(2, 5, 2, hidden_layer_size=4)", with_act((3, 6, 5), (3, 2))
    ),
    Case(
        "a recurrent critic of three layers from a state, one row and step",
        "RecurrentCritic(3, 5, 2, hidden_layer_size=3)",
        with_act((1, 1, 5), (1, 2)) | state_of(1, 3, 3),
    ),
    Case(
        "a recurrent critic of shapes",
        "RecurrentCritic(1, [2, 3], [3, 1], hidden_layer_size=5)",
        with_act((2, 4, 6), (2, 3)),
    ),
    Case(
        "a recurrent critic of single numbers",
        "RecurrentCritic(1, 1, 1, hidden_layer_size=1)",
        with_act((3, 6, 1), (3, 1)) | state_of(3, 1, 1),
    ),
]
