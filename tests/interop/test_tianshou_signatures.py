"""The arguments of every network, in order and with their defaults, and its warnings: those of Tianshou 1.0.0.

`Critic` has an argument more, as in Tianshou 1.1 and 1.2. Arguments that Tianshou has not are taken by keyword alone.
"""

import inspect
import warnings
from pathlib import Path
from typing import Any

import pytest
from golden.fixtures import load
from golden.npnets_side import CLASSES, FAMILIES, VOCABULARY, make

import npnets

pytestmark = pytest.mark.numpy_alone("reads signatures and warnings")

SIGNATURES: dict[str, dict[str, list[list[str]]]] = {
    name: methods for family in FAMILIES for name, methods in family["signatures"].items()
}
"""By class: of several families the last's, whose Tianshou is the newest."""

WARNINGS = [case for family in FAMILIES for case in family["warnings"]]

# PyTorch's Linear also takes `device` and `dtype`: here the network's device and `init`'s dtype say both.
LEFT_OUT = {("Linear", "device"), ("Linear", "dtype")}

# `low` and `high` may take the place of a bound that Tianshou requires.
OPTIONAL = {("Perturbation", "max_action"), ("VAE", "max_action")}

# PyTorch's Linear calls its input `input`. Arguments beside Tianshou's are random numbers, which it draws from global
# state, and what it has not got for sequences.
FORWARD_NAMES = {"input": "x"}
SEQUENCES = ["lengths", "resets", "all_steps"]
KEYWORDS = {
    ("VAE", "forward"): ["rng", "noise"],
    ("VAE", "decode"): ["rng"],
    ("Recurrent", "forward"): SEQUENCES,
    ("RecurrentActorProb", "forward"): SEQUENCES,
    ("RecurrentCritic", "forward"): ["state", *SEQUENCES, "return_state"],
    ("ImplicitQuantileNetwork", "forward"): ["state", "rng", "taus"],
    ("FullQuantileFunction", "forward"): ["state", "training"],  # which is a module's mode there
    ("DiscreteCritic", "forward"): ["state"],  # one of Tianshou's `**kwargs`
}

# Parameters follow the network that they belong to.
PARAMS_OF = {"propose_model": "propose_params"}

# A shape of no actions: a list as a default would be shared by all who call.
DEFAULTS = {"[0]": "0"}


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
    arguments = [part for part in SIGNATURES[name]["__init__"] if (name, part[0]) not in LEFT_OUT]
    expected = [
        [argument, "None" if (name, argument) in OPTIONAL else DEFAULTS.get(default, default)]
        for argument, default in arguments
    ]
    assert _arguments(CLASSES[name]) == expected


@pytest.mark.parametrize("name", SIGNATURES)
def test_methods_take_parameters_and_then_the_arguments_of_tianshou(name: str) -> None:
    methods = {method: args for method, args in SIGNATURES[name].items() if method != "__init__"}
    assert methods
    for method, args in methods.items():
        ours = getattr(CLASSES[name], method)
        expected = [[FORWARD_NAMES.get(argument, argument), default] for argument, default in args]
        for model, params in PARAMS_OF.items():
            if [model, "required"] in expected:
                expected.insert(expected.index([model, "required"]) + 1, [params, "required"])
        assert _arguments(ours) == [["params", "required"], *expected]
        keywords = [p.name for p in _parameters(ours, inspect.Parameter.KEYWORD_ONLY)]
        assert keywords == KEYWORDS.get((name, method), [])


def test_the_arguments_that_came_with_tianshou_1_1_are_those_of_1_2_and_follow_the_earlier() -> None:
    before, now, newest = (load(name)["signatures"]["Critic"] for name in ("networks", "trunks_1_1", "trunks_1_2"))
    assert now == newest and now["forward"] == before["forward"]
    assert now["__init__"][:-1] == before["__init__"]


def test_every_network_is_compared() -> None:
    assert set(SIGNATURES) == set(CLASSES)


@pytest.mark.parametrize("case", WARNINGS, ids=lambda case: case["call"])
def test_an_unbounded_actor_warns_of_a_bound_where_tianshou_does(case: dict[str, Any]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make(case["call"])
    assert bool(caught) == case["warns"]
    for warning in caught:
        assert warning.category is UserWarning
        assert "max_action" in str(warning.message) and "unbounded" in str(warning.message)
        package = Path(npnets.__file__).parent
        assert package not in Path(warning.filename).parents, "it must point at the line that made the actor"
