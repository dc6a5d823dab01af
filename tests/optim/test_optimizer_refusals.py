"""Errors about rates name the setting, the part of the parameters, the schedule, the step and the value."""

from __future__ import annotations

import re
import traceback
from typing import Any

import numpy as np
import pytest
from backends import on_backend

from npnets import optim

about_numbers = pytest.mark.numpy_alone("about settings, which are no arrays")
PARAMS = {"trunk": {"linear_0": {"bias": np.zeros(2, "f"), "weight": np.zeros((3, 2), "f")}}, "last": np.zeros(4, "f")}
MAKERS = (optim.sgd, optim.rmsprop, optim.adam, optim.adamw)
each_maker = pytest.mark.parametrize("make", MAKERS)


def forgetful(step: int) -> Any:
    """A schedule without a return."""


def below_zero(step: int) -> float:
    """A schedule that goes too far down."""
    return 0.5 - step


MADE: dict[str, tuple[Any, type[Exception], str]] = {
    "text": ("1e-3", TypeError, r"must be a number, but is '1e-3'; it may also be a function of the number of updates"),
    "nothing": (None, TypeError, "must be a number, but is None"),
    "a truth value": ({"last": True}, TypeError, "of 'last' must be a number, but is True"),
    "text for a part": ({"trunk": {"linear_0": "x"}}, TypeError, r"of 'trunk.linear_0' must be a number, but is 'x'"),
    "a list": ([0.1, 0.2], TypeError, r"must be a number, but is \[0.1, 0.2\]"),
    "below zero": ({"trunk": {"linear_0": -1}}, ValueError, r"of 'trunk.linear_0' must be zero or positive, .*is -1"),
    "not finite": ({"last": float("nan")}, ValueError, "of 'last' must be zero or positive, and finite, but is nan"),
    "the parameters": (
        PARAMS,
        TypeError,
        "of 'trunk.linear_0.bias' must be a number, .*an optimizer holds no parameters: give them to its init and",
    ),
}


@about_numbers
@pytest.mark.parametrize("setting", ["learning_rate", "weight_decay"])
@pytest.mark.parametrize("wrong", MADE)
@each_maker
def test_a_rate_of_another_kind_is_refused_when_the_optimizer_is_made(make: Any, wrong: str, setting: str) -> None:
    value, error, message = MADE[wrong]
    with pytest.raises(error, match=f"{setting} {message}"):
        make(**{"learning_rate": 0.1, setting: value})


UPDATED: dict[str, tuple[Any, type[Exception], str]] = {
    "a name is missing": (
        {"last": 1},
        ValueError,
        " must have a rate for each part of the parameters, ['trunk', 'last'], but lacks ['trunk']; a rate of 0 leaves",
    ),
    "a name is left over": ({"trunk": 1, "last": 1, "head": 1}, ValueError, " names ['head'], which they do not have"),
    "names below": (
        {"trunk": {"linear_0": {"bias": 1, "weights": 1}}, "last": 1},
        ValueError,
        " of 'trunk.linear_0' must have a rate for each part of the parameters, ['bias', 'weight'], but lacks "
        "['trunk.linear_0.weight'] and names ['trunk.linear_0.weights'], which they do not have",
    ),
    "deeper than the parameters": (
        {"trunk": 1, "last": {"weight": 1}},
        ValueError,
        " of 'last' is a dict, but the parameters have one array there; give one rate for all of it",
    ),
    "a schedule without a return": (
        forgetful,
        TypeError,
        f", by its schedule {forgetful!r} at step 2, must be a number, but is None; a schedule takes the number of "
        "updates made before, and returns a number",
    ),
    "a schedule below zero": (
        {"trunk": {"linear_0": below_zero}, "last": 0.1},
        ValueError,
        f" of 'trunk.linear_0', by its schedule {below_zero!r} at step 2, must be zero or positive, and finite, but is "
        "-1.5",
    ),
    "a schedule that is not finite": (lambda step: np.inf, ValueError, "at step 2, must be zero or positive, and"),
}


@pytest.mark.parametrize("setting", ["learning_rate", "weight_decay"])
@pytest.mark.parametrize("wrong", UPDATED)
@each_maker
def test_a_rate_that_does_not_fit_the_parameters_or_the_step_is_refused(make: Any, wrong: str, setting: str) -> None:
    value, error, message = UPDATED[wrong]
    params = on_backend(PARAMS)
    optimizer = make(**{"learning_rate": 0.1, setting: value})
    state = optimizer.init(params)._replace(step=2)
    with pytest.raises(error, match=f"^{setting}.*{re.escape(message)}"):
        optimizer.update(params, params, state)


def test_a_list_of_parameters_has_no_names() -> None:
    params = on_backend([np.ones(2, "f"), np.ones(3, "f")])
    optimizer = optim.adam({"a": 1.0})
    with pytest.raises(
        ValueError, match="learning_rate is a dict, but the parameters have a list there; give one rate"
    ):
        optimizer.update(params, params, optimizer.init(params))


@about_numbers
@pytest.mark.parametrize("setting", ["learning_rate", "weight_decay"])
def test_a_dict_of_rates_that_contains_itself_is_refused(setting: str) -> None:
    rates: Any = {"trunk": {"linear_0": 0.1}, "last": 0.1}
    rates["trunk"]["net"] = rates
    with pytest.raises(ValueError, match=f"{setting} of 'trunk.net' is a dict that contains itself; give a rate for"):
        optim.adam(**{"learning_rate": 0.1, setting: rates})


@about_numbers
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, 0, 3), "start must be zero or positive"),
        ((1, np.inf, 3), "end must be zero or positive, and finite"),
        ((1, 0, 0), "steps must be at least 1, but is 0"),
        ((1, 0, 2.5), "steps must be an integer of at least 1, but is 2.5"),
        (("1", 0, 2), "start must be a number, but is '1'"),
    ],
)
@pytest.mark.parametrize("make", [optim.linear_schedule, optim.cosine_schedule])
def test_a_schedule_refuses_arguments_out_of_range(make: Any, arguments: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        make(*arguments)


@about_numbers
def test_nesterov_must_be_a_truth_value() -> None:
    with pytest.raises(TypeError, match="nesterov must be True or False, but is 'no'"):
        optim.sgd(0.1, momentum=0.9, nesterov="no")  # type: ignore[arg-type]


@each_maker
def test_no_function_inside_another_shows_in_a_repr_or_traceback(make: Any) -> None:
    optimizer = make(0.1)
    params = on_backend(PARAMS)
    shown = [repr(optimizer), repr(optimizer.init), repr(optimizer.update)]
    for arguments in ((), (params,), (params, params), (params, params, params), (params, {}, optimizer.init(params))):
        try:
            optimizer.update(*arguments)
        except (TypeError, ValueError):
            shown.append(traceback.format_exc())
    assert len(shown) == 3 + 5
    assert [text for text in shown if "<locals>" in text] == []


@pytest.mark.parametrize("make", [optim.sgd, optim.rmsprop])
@pytest.mark.parametrize("made, used", [(0.0, 0.9), (0.9, 0.0)])
def test_a_state_made_with_another_momentum_is_refused(make: Any, made: float, used: float) -> None:
    params = on_backend({"a": np.ones(2, "float32")})
    state = make(0.1, momentum=made).init(params)
    with pytest.raises(
        ValueError, match=f"the state of {make.__name__}.*, but got one made {'with' if made else 'without'} velocity"
    ):
        make(0.1, momentum=used).update(params, params, state)


@pytest.mark.parametrize("make", [optim.sgd, optim.rmsprop, optim.adam])
@pytest.mark.parametrize("step", [-1, "0", 0.5, True])
def test_a_step_that_counts_nothing_is_refused(make: Any, step: Any) -> None:
    params, optimizer = on_backend({"a": np.ones(2, "float32")}), make(0.1)
    with pytest.raises(ValueError, match="an integer of at least 0, but it is"):
        optimizer.update(params, params, optimizer.init(params)._replace(step=step))


@pytest.mark.numpy_alone("is about numbers")
def test_an_integer_too_large_for_a_float_is_refused() -> None:
    with pytest.raises(ValueError, match="must be finite, but is an integer too large"):
        optim.adam(10**400)


@pytest.mark.numpy_alone("is about classes")
def test_a_class_with_both_methods_is_an_optimizer_and_one_that_lacks_a_method_is_not() -> None:
    class Whole(optim.Optimizer):
        def init(self, params: Any) -> Any:
            return None

        def update(self, params: Any, grads: Any, state: Any) -> Any:
            return params, state

    class Half(optim.Optimizer):
        def init(self, params: Any) -> Any:
            return None

    assert Whole().update(1, 2, 3) == (1, 3)
    with pytest.raises(TypeError, match="update must be a function"):
        Half()
