"""The arguments of every network, in order and with their defaults, and its warnings: those of Tianshou 1.0.0."""

import inspect
import warnings
from typing import Any

import pytest
from golden.fixtures import load
from golden.npnets_side import NETWORKS, VOCABULARY, make

import npnets

GOLDEN = load("networks")
SIGNATURES: dict[str, dict[str, list[list[str]]]] = GOLDEN["signatures"]

# PyTorch's Linear also takes `device` and `dtype`: here the network's device and `init`'s dtype say both.
LEFT_OUT = {("Linear", "device"), ("Linear", "dtype")}

# PyTorch's Linear calls its input `input`; and random numbers, which Tianshou draws from global state, are arguments.
FORWARD_NAMES = {"input": "x"}
EXPLICIT_RANDOMNESS = {("VAE", "forward"): ["rng", "noise"], ("VAE", "decode"): ["rng"]}


def _parameters(function: Any, kind: Any) -> list[inspect.Parameter]:
    return [p for p in inspect.signature(function).parameters.values() if p.kind is kind and p.name != "self"]


def _arguments(function: Any) -> list[list[str]]:
    words = {id(value): word for word, value in VOCABULARY.items() if isinstance(value, type)}
    words |= {id(value): word for word, value in VOCABULARY.items() if isinstance(value, str)}
    return [[p.name, _written(p, words)] for p in _parameters(function, inspect.Parameter.POSITIONAL_OR_KEYWORD)]


def _written(parameter: inspect.Parameter, words: dict[int, str]) -> str:
    """Write a default in the vocabulary of the cases: `relu` is a class there and a name here."""
    default = parameter.default
    if default is parameter.empty:
        return "required"
    return default if isinstance(default, str) and default in VOCABULARY else words.get(id(default), repr(default))


@pytest.mark.parametrize("name", SIGNATURES)
def test_constructor_arguments_their_order_and_defaults_are_those_of_tianshou(name: str) -> None:
    expected = [part for part in SIGNATURES[name]["__init__"] if (name, part[0]) not in LEFT_OUT]
    assert _arguments(getattr(npnets, name)) == expected


@pytest.mark.parametrize("name", SIGNATURES)
def test_methods_take_parameters_and_then_the_arguments_of_tianshou(name: str) -> None:
    methods = {method: args for method, args in SIGNATURES[name].items() if method != "__init__"}
    assert methods
    for method, args in methods.items():
        ours = getattr(getattr(npnets, name), method)
        expected = [[FORWARD_NAMES.get(argument, argument), default] for argument, default in args]
        assert _arguments(ours) == [["params", "required"], *expected]
        keywords = [p.name for p in _parameters(ours, inspect.Parameter.KEYWORD_ONLY)]
        assert keywords == EXPLICIT_RANDOMNESS.get((name, method), [])


def test_every_network_is_compared() -> None:
    assert set(SIGNATURES) == set(NETWORKS)


@pytest.mark.parametrize("case", GOLDEN["warnings"], ids=lambda case: case["call"])
def test_an_unbounded_actor_warns_of_a_bound_where_tianshou_does(case: dict[str, Any]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make(case["call"])
    assert bool(caught) == case["warns"]
    for warning in caught:
        assert warning.category is UserWarning
        assert "max_action" in str(warning.message) and "unbounded" in str(warning.message)
        assert warning.filename != npnets.continuous.actor_prob.__file__, (
            "it must point at the line that made the actor"
        )
