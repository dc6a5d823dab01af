"""What no policy can be made of, and what none takes: errors that name the cause and a remedy that works."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
import pytest

import npnets
from npnets import Policy, discrete, normalization

pytestmark = pytest.mark.numpy_alone("is about errors")

NET = npnets.Net(3, hidden_sizes=(8,))
ACTOR = npnets.Actor(NET, 2)
UNBOUNDED = npnets.ActorProb(NET, 2, unbounded=True)
CHOOSER = discrete.Actor(NET, 4)
CRITIC = npnets.Critic(NET)
FULL = discrete.FullQuantileFunction(NET, 4)
PROPOSAL = discrete.FractionProposalNetwork(5, 8)
ATOMS = npnets.Net(3, 4, num_atoms=5, softmax=True)
BOTH = npnets.ActorCritic(ACTOR, CRITIC)


def drawn(net: Any) -> Any:
    return net.init(np.random.default_rng(0))


MISTAKES: dict[str, tuple[Any, dict[str, Any], type[Exception], str]] = {
    "a critic": (CRITIC, {}, TypeError, "network must return actions, but is Critic"),
    "an actor and a critic": (BOTH, {}, TypeError, r"network.actor with network.split\(params\)\['actor'\]"),
    "an ensemble": (
        npnets.Net(3, 2, linear_layer=functools.partial(npnets.EnsembleLinear, 4)),
        {},
        TypeError,
        "ensemble",
    ),
    "a class": (npnets.Actor, {}, TypeError, "network must be a network"),
    "a word": ("actor", {}, TypeError, "network must be a network"),
    "a word for the map": (ACTOR, {"to_action": "tanh"}, ValueError, "to_action must be None or one of as_is, squash"),
    "an actor squashed twice": (ACTOR, {"to_action": "squash", "low": 0, "high": 1}, TypeError, "squash by itself"),
    "one bound": (UNBOUNDED, {"to_action": "clip", "low": 1.0}, TypeError, "expected low and high, or neither"),
    "bounds without a map": (UNBOUNDED, {"low": -1, "high": 1}, TypeError, "low and high need to_action"),
    "a map without bounds": (UNBOUNDED, {"to_action": "clip"}, TypeError, "needs low and high"),
    "bounds that cross": (UNBOUNDED, {"to_action": "clip", "low": 1, "high": 0}, ValueError, "low must be below high"),
    "bounds that meet": (UNBOUNDED, {"to_action": "clip", "low": [0, 1], "high": 1}, ValueError, "low must be below"),
    "NaN as a bound": (UNBOUNDED, {"to_action": "clip", "low": np.nan, "high": 1}, ValueError, "low must be below"),
    "three bounds": (
        UNBOUNDED,
        {"to_action": "clip", "low": [0, 0, 0], "high": 1},
        ValueError,
        "low must be one number or of",
    ),
    "a word as a bound": (UNBOUNDED, {"to_action": "clip", "low": "a", "high": 1}, TypeError, "low must be a number"),
    "infinity to scale to": (
        UNBOUNDED,
        {"to_action": "squash", "low": -np.inf, "high": 1},
        ValueError,
        "needs finite bounds",
    ),
    "bounds without a float32 between them": (
        UNBOUNDED,
        {"to_action": "clip", "low": 1 + 1e-12, "high": 1 + 2e-12},
        ValueError,
        "no numbers of float32 lie between",
    ),
    "bounds of indices": (CHOOSER, {"to_action": "clip", "low": 0, "high": 1}, TypeError, "continuous actions"),
    "indices with bounds": (CHOOSER, {"to_action": "greedy", "low": 0, "high": 1}, TypeError, "discrete actions"),
    "an index of real numbers": (ACTOR, {"to_action": "greedy"}, TypeError, "among discrete actions, but network is"),
    "probabilities of atoms": (ATOMS, {"to_action": "greedy"}, TypeError, "probabilities of atoms"),
    "no proposal": (FULL, {}, TypeError, "belongs to a FullQuantileFunction, which needs it"),
    "a proposal too many": (
        ACTOR,
        {"fraction_proposal": (PROPOSAL, drawn(PROPOSAL))},
        TypeError,
        "belongs to a FullQuantileFunction",
    ),
    "a proposal of another kind": (
        FULL,
        {"fraction_proposal": (ACTOR, drawn(ACTOR))},
        TypeError,
        "must begin with a FractionProposalNetwork",
    ),
    "a proposal without parameters": (
        FULL,
        {"fraction_proposal": PROPOSAL},
        TypeError,
        r"fraction_proposal must be a pair \(network, params\)",
    ),
    "statistics beside those of the network": (
        normalization.Normalized(ACTOR, 3),
        {"normalization": normalization.init(3)},
        TypeError,
        r"normalized twice; leave normalization out",
    ),
    "statistics beside those of the trunk": (
        npnets.Actor(normalization.Normalized(NET, 3), 2),
        {"normalization": normalization.init(3)},
        TypeError,
        r"because Normalized\(Net",
    ),
    "statistics of other observations": (
        ACTOR,
        {"normalization": normalization.init(4)},
        ValueError,
        r"normalization is of observations of shape \(4,\), but the network takes those of shape \(3,\)",
    ),
    "statistics that are arrays": (
        ACTOR,
        {"normalization": (np.zeros(3), np.ones(3))},
        TypeError,
        "normalization.init makes one",
    ),
    "a variance that is NaN": (
        ACTOR,
        {"normalization": normalization.init(3)._replace(var=np.full(3, np.nan))},
        ValueError,
        "mean and var must be finite",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_policy_that_could_not_act_is_refused_when_it_is_made(name: str) -> None:
    net, settings, error, words = MISTAKES[name]
    params = drawn(net) if hasattr(net, "init") and not isinstance(net, type) else {}
    with pytest.raises(error, match=words):
        Policy(net, params, **settings)


def test_parameters_of_another_network_are_refused_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="last"):
        Policy(ACTOR, drawn(npnets.Actor(NET, 3)))
    with pytest.raises(ValueError, match=r"bias|weight"):
        Policy(FULL, drawn(FULL), fraction_proposal=(PROPOSAL, drawn(discrete.FractionProposalNetwork(5, 9))))


@pytest.mark.parametrize("shape", [(2,), (5, 2), (2, 5, 3), (3, 1), ()])
def test_observations_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    for state in (None, normalization.init(3)):
        policy = Policy(ACTOR, drawn(ACTOR), normalization=state)
        with pytest.raises(ValueError, match=r"one observation, of shape \(3,\), or a batch of them, \(n, 3\)"):
            policy.act(np.zeros(shape))


def test_a_dict_of_observations_is_refused_with_what_to_make_of_it() -> None:
    with pytest.raises(
        TypeError, match=r"array of shape \(3,\), but is a dict of \['position'\]; make one array of it"
    ):
        Policy(ACTOR, drawn(ACTOR)).act({"position": np.zeros(3)})


def test_what_reset_returns_is_no_observation() -> None:
    with pytest.raises(TypeError, match="gymnasium's reset returns a pair: obs, info = env.reset"):
        Policy(ACTOR, drawn(ACTOR)).act((np.zeros(3), {}))


def test_a_policy_with_a_memory_says_that_act_would_forget_it() -> None:
    for net in (npnets.RecurrentActorProb(1, 3, 2, 4), npnets.Actor(npnets.Recurrent(1, 3, 4), 2)):
        policy = Policy(net, drawn(net))
        with pytest.raises(TypeError, match=r"action, state = policy.step\(obs, state\)"):
            policy.act(np.zeros(3))


def test_networks_that_need_more_than_an_observation_name_the_method_that_takes_it() -> None:
    vae = npnets.VAE(npnets.MLP(5, hidden_sizes=(8,)), npnets.MLP(5, 2, (8,)), 8, 2, max_action=1.0)
    move = npnets.Perturbation(npnets.Net(5, 2, (8,)), max_action=1.0)
    for net, words in ((vae, "use its decode, which takes latent_z"), (move, "use its forward, which takes an action")):
        policy = Policy(net, drawn(net))
        assert policy.high.tolist() == [1, 1]
        with pytest.raises(TypeError, match=words):
            policy.act(np.zeros(3))


def test_a_policy_is_frozen_and_not_called() -> None:
    policy = Policy(ACTOR, drawn(ACTOR))
    with pytest.raises(dataclasses.FrozenInstanceError):
        policy.low = 3  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        policy.low[0] = 3
    with pytest.raises(TypeError, match=r"policy\.act"):
        policy(np.zeros(3))


class Odd:
    """A network of one's own whose forward returns an array alone, or actions of another size."""

    output_dim = 2

    def __init__(self, returned: Any) -> None:
        self.returned = returned

    def init(self, rng: Any) -> Any:
        return {"a": np.ones(1, np.float32)}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return self.returned


def test_a_network_of_ones_own_that_returns_something_else_is_named() -> None:
    for returned, words in (
        (np.zeros((1, 2), np.float32), r"must return a pair \(output, state\), but that of .*Odd"),
        ((np.zeros((1, 3), np.float32), None), r"must return actions of shape \(2,\), but returned \(3,\)"),
    ):
        net = Odd(returned)
        policy = Policy(net, net.init(None), to_action="clip", low=[0, 0], high=1)
        with pytest.raises((TypeError, ValueError), match=words):
            policy.act(np.zeros(3))
