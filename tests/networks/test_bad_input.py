"""Parts of a network whose outputs do not fit together raise an error in the user's words when the network is used."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from small_networks import CODER, PLAIN, act, error_cases, forward, fresh_rng, obs

from npnets import MLP, VAE, Actor, ActorProb, Critic, EnsembleLinear, Net, Perturbation

ENSEMBLE = functools.partial(EnsembleLinear, 4)


PAIR = r"must return a pair \(features, state\), but MLP.* returned a ndarray; if it is an MLP, use a Net"
TWO_AND_FOUR = r"the preprocess net is an ensemble: its features of shape \(4, 1, 4\) cannot be flattened; "
TWINS = Net(5, hidden_sizes=(4,), linear_layer=ENSEMBLE)


@error_cases(
    {
        "an MLP of a critic": (lambda: forward(Critic(PLAIN), obs()), TypeError, PAIR),
        "an MLP to perturb": (lambda: forward(Perturbation(MLP(8, 3), 1.0), obs(), act()), TypeError, PAIR),
        "an ensemble to flatten": (
            lambda: forward(Critic(TWINS, linear_layer=ENSEMBLE), obs()[:1]),
            ValueError,
            TWO_AND_FOUR + "make the critic with flatten_input=False",
        ),
        "an ensemble in an actor": (
            lambda: forward(Actor(TWINS, 3), obs()[:1].tolist()),
            ValueError,
            TWO_AND_FOUR + "an actor needs the features of a single network",
        ),
        "an ensemble in a probabilistic actor": (
            lambda: forward(ActorProb(TWINS, 3), obs()[:1]),
            ValueError,
            TWO_AND_FOUR,
        ),
        "ensembles of two sizes": (
            lambda: forward(
                Critic(TWINS, linear_layer=functools.partial(EnsembleLinear, 3), flatten_input=False), obs()
            ),
            ValueError,
            r"expected \(batch, 4\) or \(3, batch, 4\), but got \(4, 2, 4\)",
        ),
        "an encoder that is a Net": (
            lambda: forward(VAE(Net(8, 6), MLP(7, 3), 6, 2, 1.0), obs(), act(), rng=fresh_rng()),
            TypeError,
            "encoder must return an array, as MLP does, but Net.* returned a tuple; if it is a Net, use its .model",
        ),
        "a decoder of another width": (
            lambda: forward(VAE(MLP(8, 6), MLP(7, 1), 6, 2, 1.0), obs(), act(), rng=fresh_rng()),
            ValueError,
            r"decoder must return as many features as an action has entries, \(2, 3\), but returned \(2, 1\)",
        ),
        "a perturbation of another width": (
            lambda: forward(Perturbation(Net(8, 1), 1.0), obs(), act()),
            ValueError,
            r"as many features as an action has entries, \(2, 3\), but returned \(2, 1\)",
        ),
    }
)
def test_parts_that_do_not_fit_together_are_an_error(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_another_kind_of_generator_is_an_error_when_noise_is_drawn() -> None:
    with pytest.raises(TypeError, match="rng must be a numpy.random.Generator, but is 3"):
        forward(CODER, obs(), act(), rng=3)
