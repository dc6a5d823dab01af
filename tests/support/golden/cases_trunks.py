"""The cases of `Critic` whose preprocess net sees the observation alone, which Tianshou has since its version 1.1.

`Tokens(inputs, features, output_dim, pooled)` is a preprocess net of the user's own: it maps each of the tokens of an
observation, `(batch, tokens, inputs)`, and averages them if `pooled`. The width of a critic's head follows its
`output_dim`, which must count the actions too.
"""

from cases_common import Case, obs_of

_MEMBERS = "linear_layer=partial(EnsembleLinear, 3)"
_NET = "Net((2, 3), hidden_sizes=(7,))"
_ALONE = "apply_preprocess_net_to_obs_only=True"

TRUNKS = [
    Case("a critic of features", f"Critic({_NET}, {_ALONE})", obs_of(4, 2, 3)),
    Case("a critic of features, batch of one", f"Critic(Net(5, 4), (6,), {_ALONE})", obs_of(1, 5)),
    Case("a critic of features of single numbers", f"Critic(Net(1, 1), {_ALONE})", obs_of(4, 1)),
    Case("a critic of tokens", f"Critic(Tokens(5, 4, 4), (6,), {_ALONE})", obs_of(3, 6, 5)),
    Case(
        "a critic of tokens and actions",
        f"Critic(Tokens(5, 4, 6), {_ALONE})",
        {"obs": (3, 6, 5), "act": (3, 2)},
    ),
    Case(
        "a critic of tokens and actions of a shape, batch of one",
        f"Critic(Tokens(5, 4, 10), (6,), {_ALONE})",
        {"obs": (1, 6, 5), "act": (1, 3, 2)},
    ),
    Case(
        "a critic of tokens that are not averaged, and actions",
        f"Critic(Tokens(5, 2, 15, False), (6,), {_ALONE})",
        {"obs": (4, 6, 5), "act": (4, 3)},
    ),
    Case(
        "a critic of tokens and actions that does not flatten",
        f"Critic(Tokens(5, 4, 6), (6,), flatten_input=False, {_ALONE})",
        {"obs": (3, 6, 5), "act": (3, 2)},
    ),
    Case(
        "an ensemble of critics of tokens and actions",
        f"Critic(Tokens(5, 4, 6), (6,), {_MEMBERS}, {_ALONE})",
        {"obs": (4, 6, 5), "act": (4, 2)},
    ),
    Case(
        "a critic given its number of tokens and actions",
        f"Critic(Tokens(5, 4, None), (6,), preprocess_net_output_dim=6, {_ALONE})",
        {"obs": (4, 6, 5), "act": (4, 2)},
    ),
]
