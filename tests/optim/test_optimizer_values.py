"""Optimizers and schedules are values: frozen, printed as the call that made them, compared, copied and pickled."""

from __future__ import annotations

import copy
import dataclasses
import functools
import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from backends import bits, on_backend

import npnets
from npnets import optim, tree

about_values = pytest.mark.numpy_alone("about settings, which are no arrays")


def halving(step: int, first: float = 0.1) -> float:
    """A schedule that can be pickled."""
    return first * 0.5**step


CALLS = [
    "sgd(0.1)",
    "sgd(0.1, momentum=0.9)",
    "sgd(0.1, momentum=0.9, nesterov=True)",
    "sgd(linear_schedule(0.1, 0.0, 100), weight_decay=0.01)",
    "rmsprop()",
    "rmsprop(learning_rate=0.1, alpha=0.9, eps=0.001, weight_decay=0.5, momentum=0.25)",
    "adam()",
    "adam(learning_rate=0.0003, betas=(0.5, 0.9), eps=1e-05, weight_decay=0.1)",
    "adam(learning_rate={'trunk': cosine_schedule(0.1, 0.001, 10), 'last': {'bias': 0.0, 'weight': 0.1}})",
    "adamw()",
    "adamw(learning_rate=0.1, weight_decay={'trunk': 0.0, 'last': 0.1})",
    "linear_schedule(0.1, 0.0, 100)",
    "cosine_schedule(0.1, 0.0, 100)",
]
each_call = pytest.mark.parametrize("call", CALLS)
each_of_numbers = pytest.mark.parametrize("call", [call for call in CALLS[:11] if "{" not in call])


def _made(call: str) -> Any:
    return eval(call, dict(vars(optim)))


def _tree(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    return on_backend({"w": rng.normal(size=(3, 2)).astype("f"), "b": rng.normal(size=2).astype("f")})


@about_values
@each_call
def test_a_value_prints_as_the_call_that_made_it(call: str) -> None:
    assert repr(_made(call)) == call


@about_values
@each_call
def test_a_value_equals_another_of_the_same_call_and_none_of_another(call: str) -> None:
    assert [other for other in CALLS if _made(other) == _made(call)] == [call]
    assert _made(call) != "adam()"


@about_values
@each_call
def test_equal_values_have_one_hash(call: str) -> None:
    assert hash(_made(call)) == hash(_made(call)) and len({_made(call), _made(call)}) == 1


@about_values
def test_arguments_that_mean_the_same_make_equal_optimizers() -> None:
    one = optim.adam(1, [0.5, np.float32(0.5)], weight_decay=np.asarray(0.25))  # type: ignore[arg-type]
    assert one == optim.adam(learning_rate=np.float64(1), betas=(0.5, 0.5), weight_decay=0.25)
    partials = [optim.sgd(functools.partial(halving, first=0.3)) for _ in range(2)]
    assert partials[0] == partials[1] != optim.sgd(functools.partial(halving, first=0.2))
    assert optim.sgd({"a": 1, "b": 2}) == optim.sgd({"b": 2.0, "a": 1.0})


@about_values
def test_a_dict_of_rates_can_be_changed_once_the_optimizer_is_made() -> None:
    rates: Any = {"trunk": {"linear_0": 0.1}, "last": 0.1}
    optimizer = optim.adam(rates)
    rates["last"] = rates["trunk"]["linear_0"] = 5.0
    assert optimizer == optim.adam({"trunk": {"linear_0": 0.1}, "last": 0.1})


@about_values
def test_the_rates_of_parts_cannot_be_changed() -> None:
    rates: Any = optim.adam({"trunk": {"linear_0": 0.1}, "last": 0.1}).learning_rate
    for part in (rates, rates["trunk"]):
        with pytest.raises(TypeError, match="does not support item assignment"):
            part["linear_0"] = 5.0


@about_values
@each_call
def test_a_value_is_frozen_and_holds_no_arrays(call: str) -> None:
    value = _made(call)
    for field in dataclasses.fields(value):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, field.name, 1)
    assert not [leaf for leaf in tree.leaves(list(vars(value).values())) if hasattr(leaf, "dtype")]


@about_values
@each_call
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_value_survives_pickle_and_copies(call: str, protocol: int) -> None:
    value = _made(call)
    for again in (pickle.loads(pickle.dumps(value, protocol)), copy.deepcopy(value), copy.copy(value)):
        assert again == value and again is not value and repr(again) == call


@each_of_numbers
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_state_survives_pickle_and_goes_on_bit_for_bit(call: str, protocol: int) -> None:
    optimizer, params = _made(call), _tree(0)
    params, state = optimizer.update(params, _tree(1), optimizer.init(params))
    there = pickle.loads(pickle.dumps((optimizer, state, params), protocol))
    assert type(there[1]) is type(state)
    for again in (there, copy.deepcopy((optimizer, state, params))):
        found = again[0].update(params=again[2], grads=_tree(2), state=again[1])[0]
        assert bits(found) == bits(optimizer.update(params, _tree(2), state)[0])


@about_values
def test_optimizers_go_to_other_processes_and_compute_there_what_they_do_here() -> None:
    params, grads = _tree(0), _tree(1)
    optimizers = [optim.adam({"w": optim.linear_schedule(0.1, 0.0, 5), "b": 0.0}), optim.sgd(halving, momentum=0.5)]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for optimizer in optimizers:
            state = pool.apply(optimizer.init, (params,))
            there = pool.apply(optimizer.update, (params, grads, state))
            assert bits(there[0]) == bits(optimizer.update(params, grads, optimizer.init(params))[0])


def test_threads_that_share_an_optimizer_disturb_each_other_nowhere() -> None:
    optimizer = optim.adamw({"w": halving, "b": optim.cosine_schedule(0.1, 0.0, 20)})

    def train(seed: int) -> Any:
        params = _tree(seed)
        state = optimizer.init(params)
        for step in range(20):
            params, state = optimizer.update(params, _tree(100 * seed + step), state)
        return params

    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(train, range(8)))
    assert [bits(params) for params in together] == [bits(train(seed)) for seed in range(8)]


@about_values
@each_call
def test_settings_can_be_replaced(call: str) -> None:
    value = _made(call)
    field = dataclasses.fields(value)[0].name
    assert getattr(dataclasses.replace(value, **{field: 0.75}), field) == 0.75


# -- optimizers of one's own ------------------------------------------------------------------------------------------


def zero_state(params: Any) -> int:
    """The state of an optimizer that counts."""
    return 0


def downhill(params: Any, grads: Any, state: int) -> tuple[Any, int]:
    """Half a step down the gradient."""
    return tree.map(lambda p, g: p - 0.5 * g, params, grads), state + 1


def test_two_functions_make_an_optimizer_that_compares_prints_and_pickles() -> None:
    optimizer = npnets.optim.Optimizer(zero_state, downhill)
    params = _tree(0)
    new, state = optimizer.update(params=params, grads=params, state=optimizer.init(params))
    assert state == 1 and bits(new) == bits(tree.map(lambda p: p * 0.5, params))
    assert optimizer == optim.Optimizer(init=zero_state, update=downhill) != optim.Optimizer(zero_state, zero_state)
    assert len({optimizer, optim.Optimizer(zero_state, downhill)}) == 1
    assert repr(optimizer) == f"Optimizer(init={zero_state!r}, update={downhill!r})"
    assert pickle.loads(pickle.dumps(optimizer)) == copy.deepcopy(optimizer) == optimizer


@about_values
def test_an_optimizer_of_no_functions_is_refused() -> None:
    with pytest.raises(TypeError, match=r"update must be a function, as in Optimizer\(init, update\), but is 0.1"):
        optim.Optimizer(zero_state, 0.1)  # type: ignore[arg-type]


@about_values
def test_a_class_that_lacks_a_method_says_which() -> None:
    class Half(optim.Optimizer):
        def __init__(self) -> None:
            pass

    with pytest.raises(NotImplementedError, match=r"Half has no method update\(params, grads, state\)"):
        Half().update({}, {}, None)
    with pytest.raises(NotImplementedError, match=r"Half has no method init\(params\)"):
        Half().init({})
