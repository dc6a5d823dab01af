"""A value that is no state dict, no parameters, no network or no prefix is refused with what it is and what to pass."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np
import pytest
from state_dict_refusals import params_of, refusal, state_dict_of

import npnets
from npnets.interop.tianshou import from_state_dict, split, to_state_dict

pytestmark = pytest.mark.numpy_alone("about messages")

ACTOR = npnets.Actor(npnets.Net(5, hidden_sizes=(4,)), 3)
PROB = npnets.ActorProb(npnets.Net(5, hidden_sizes=(4,)), 3)


class Module:
    """What has a state dict, and is none."""

    def state_dict(self) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Module(), "but is a Module; pass module.state_dict()"),
        ([1], "must be a dict from names to arrays, but is a list$"),
        ({1: np.zeros(2)}, "must be strings, but one is 1"),
        ({"model": {"a": np.zeros(2)}, "optim": {}, "step": 3}, r"at 'model', 'optim': .* such as \['model'\]"),
    ],
)
@pytest.mark.parametrize("read", [functools.partial(from_state_dict, ACTOR), split])
def test_a_value_that_is_not_a_state_dict_is_refused_with_a_hint_where_it_is(read: Any, given: Any, words: str) -> None:
    assert re.search(words, refusal(lambda: read(given), TypeError))


@pytest.mark.parametrize("net", [None, npnets.Actor, {}, "Actor"])
def test_a_value_that_is_not_a_network_is_refused(net: Any) -> None:
    for call in (lambda: from_state_dict(net, {}), lambda: to_state_dict(net, {})):
        assert "expected a network such as npnets.Actor, but got" in refusal(call, TypeError)


@pytest.mark.parametrize(
    ("given", "place"),
    [
        (params_of(ACTOR), "preprocess.model.linear_0"),
        (params_of(PROB), "preprocess.model.linear_0"),
        (params_of(npnets.MLP(5, 2, (4,), "layer_norm")), "linear_0"),
        (params_of(npnets.RecurrentCritic(1, 5)), "lstm.layer_0"),
        ({"actor": params_of(ACTOR), "steps": 3}, "actor.preprocess.model.linear_0"),
    ],
)
@pytest.mark.parametrize("read", [functools.partial(from_state_dict, ACTOR), split])
def test_parameters_of_npnets_in_the_place_of_a_state_dict_are_recognized(read: Any, given: Any, place: str) -> None:
    message = refusal(lambda: read(given), TypeError)
    assert f"parameters of npnets already, as init makes them (there is a dict '{place}'): use them as they" in message


@pytest.mark.parametrize("prefix", ["", "actor"])
def test_a_state_dict_in_the_place_of_parameters_is_recognized(prefix: str) -> None:
    given = to_state_dict(ACTOR, params_of(ACTOR), prefix)
    message = refusal(lambda: to_state_dict(ACTOR, given), TypeError)
    assert f"this is a state dict already, with names such as {next(iter(given))!r}: use it as it is" in message


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        (
            {"actor": state_dict_of(ACTOR), "w": np.zeros(2)},
            "dict of that name: pass state_dict['actor'] without prefix",
        ),
        ({"v": np.zeros(2), "w": np.zeros(2)}, "it has no parts, but only 'v', 'w'"),
        ({}, "it is empty"),
        (state_dict_of(ACTOR), "the network fits without one: leave prefix out"),
        ({f"module.{name}": a for name, a in state_dict_of(ACTOR).items()}, "fits without one: leave prefix out"),
        ({f"critic.{name}": a for name, a in state_dict_of(ACTOR).items()}, "it has the parts 'critic'"),
    ],
)
def test_the_error_for_a_prefix_without_names_says_which_to_write(given: Any, advice: str) -> None:
    for prefix in ("actor", "actor."):
        message = refusal(lambda at=prefix: from_state_dict(ACTOR, given, at))  # type: ignore[misc]
        assert message.startswith("no name in the state dict begins with 'actor.'; ") and message.endswith(advice)


def test_the_error_for_a_prefix_inside_the_network_says_to_leave_it_out() -> None:
    message = refusal(lambda: from_state_dict(ACTOR, state_dict_of(ACTOR), "preprocess"))
    assert message.endswith("fits in this state dict without prefix='preprocess': leave prefix out")


def test_parameters_that_are_not_a_dict_are_refused() -> None:
    assert "params must be a dict" in refusal(lambda: to_state_dict(ACTOR, np.zeros(3)), TypeError)


@pytest.mark.parametrize("prefix", [None, 1, b"actor"])
def test_a_prefix_that_is_not_a_string_is_refused(prefix: Any) -> None:
    for call in (
        lambda: from_state_dict(ACTOR, {}, prefix),
        lambda: to_state_dict(ACTOR, params_of(ACTOR), prefix),
    ):
        assert "prefix must be a string such as 'actor'" in refusal(call, TypeError)
