"""Learning rates and weight decays of zero, that follow a schedule, or that differ between parts of the parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends import as_numpy, bits, on_backend
from golden.fixtures import load, nested
from golden.npnets_side import OUTPUT_TOLERANCE, assert_all_close, by_path
from hypothesis import given
from hypothesis import strategies as st
from ownership import assert_owned

from npnets import optim, tree

CASES: list[dict[str, Any]] = load("optimizer_rates")["cases"]
MAKERS: dict[str, Any] = {
    "sgd": optim.sgd,
    "sgd with momentum": lambda rate, **settings: optim.sgd(rate, momentum=0.9, nesterov=True, **settings),
    "rmsprop": optim.rmsprop,
    "rmsprop with momentum": lambda rate, **settings: optim.rmsprop(rate, momentum=0.5, **settings),
    "adam": optim.adam,
    "adamw": optim.adamw,
}
each_maker = pytest.mark.parametrize("maker", MAKERS)
RATES = st.sampled_from([0.0, 1e-4, 1e-3, 0.03, 0.1, 1.0])
SHAPES: dict[str, tuple[int, ...]] = {"trunk.linear_0.weight": (3, 2), "trunk.linear_0.bias": (2,), "last": (4,)}


def _tree(seed: int, dtype: str = "f4") -> Any:
    rng = np.random.default_rng(seed)
    return on_backend(nested({path: rng.normal(size=shape).astype(dtype) for path, shape in SHAPES.items()}))


def _run(optimizer: optim.Optimizer, updates: int = 3, seed: int = 0, dtype: str = "f4") -> tuple[Any, Any]:
    params = _tree(seed, dtype)
    state = optimizer.init(params)
    for update in range(updates):
        params, state = optimizer.update(params=params, grads=_tree(seed + 1 + update, dtype), state=state)
    return params, state


def _state_bits(state: Any) -> list[bytes]:
    return bits([part for part in state if part is not None])


# -- the numbers of PyTorch -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_rates_by_part_and_by_step_are_pytorchs_parameter_groups_and_lambda_schedules(case: dict[str, Any]) -> None:
    schedules = {path: eval(f"lambda n: {rate}") for path, rate in case["learning rate"].items()}
    decays = {path: float(decay) for path, decay in case["weight decay"].items()}
    make = getattr(optim, case["optimizer"])
    optimizer = make(nested(schedules), weight_decay=nested(decays), **case["settings"])
    params = on_backend(nested(case["start"]))
    state = optimizer.init(params)
    for grads, visited in zip(case["grads"], case["visited"], strict=True):
        params, state = optimizer.update(params, on_backend(nested(grads)), state)
        assert_all_close(by_path(params), visited, OUTPUT_TOLERANCE)


# -- zero -------------------------------------------------------------------------------------------------------------


@each_maker
@pytest.mark.parametrize("spoiled", [0.0, np.inf, np.nan])
def test_a_rate_of_zero_leaves_parameters_bit_for_bit_whatever_the_gradient(maker: str, spoiled: float) -> None:
    params = on_backend({"w": np.float32([-0.0, 0.0, 1e-45, np.inf, np.nan, 1.5])})
    grads = on_backend({"w": np.float32([1.0, -1.0, 1.0, 1.0, 1.0, spoiled])})
    optimizer = MAKERS[maker](0.0, weight_decay=0.1)
    with np.errstate(invalid="ignore"):
        new, state = optimizer.update(params, grads, optimizer.init(params))
    assert bits(new) == bits(params)
    assert state.step == 1
    assert_owned(new, [params, grads])


@each_maker
def test_at_a_rate_of_zero_the_state_goes_on_as_at_any_rate(maker: str) -> None:
    params, grads = _tree(0), _tree(1)
    states = [
        optimizer.update(params, grads, optimizer.init(params))[1]
        for optimizer in (MAKERS[maker](rate, weight_decay=0.1) for rate in (0.0, 0.3))
    ]
    assert _state_bits(states[0]) == _state_bits(states[1])


@each_maker
def test_a_rate_of_zero_freezes_one_part_and_the_others_learn(maker: str) -> None:
    new, _ = _run(MAKERS[maker]({"trunk": 0, "last": 0.1}))
    assert bits(new["trunk"]) == bits(_tree(0)["trunk"])
    assert bits(new["last"]) == bits(_run(MAKERS[maker](0.1))[0]["last"])


@each_maker
def test_a_weight_decay_of_zero_adds_nothing_even_to_a_parameter_that_is_infinite(maker: str) -> None:
    params = on_backend({"a": np.float32([np.inf, 1.0]), "b": np.float32([1.0])})
    grads = on_backend({"a": np.float32([1.0, -0.0]), "b": np.float32([1.0])})
    new = []
    for decay in (0.0, {"a": 0.0, "b": 0.5}):
        optimizer = MAKERS[maker](0.1, weight_decay=decay)
        new.append(optimizer.update(params, grads, optimizer.init(params))[0])
    assert bits(new[0]["a"]) == bits(new[1]["a"]) and bits(new[0]["b"]) != bits(new[1]["b"])


# -- schedules --------------------------------------------------------------------------------------------------------


@each_maker
@given(rate=RATES, decay=st.sampled_from([0.0, 0.1]), dtype=st.sampled_from(["f4", "f8"]))
def test_a_constant_schedule_or_a_dict_of_equal_rates_is_the_number_bit_for_bit(
    maker: str, rate: float, decay: float, dtype: str
) -> None:
    expected = [bits(part) for part in _run(MAKERS[maker](rate, weight_decay=decay), dtype=dtype)]
    for same in (
        optim.linear_schedule(rate, rate, 3),
        {"trunk": rate, "last": rate},
        {"trunk": {"linear_0": {"bias": lambda n: rate, "weight": rate}}, "last": np.float64(rate)},
    ):
        found = _run(MAKERS[maker](same, weight_decay={"last": decay, "trunk": lambda n: decay}), dtype=dtype)
        assert [bits(part) for part in found] == expected


@each_maker
@given(rates=st.lists(RATES, min_size=3, max_size=3))
def test_a_schedule_gives_each_update_the_rate_for_the_updates_before_it(maker: str, rates: list[float]) -> None:
    expected = _tree(0)
    state = MAKERS[maker](0.1).init(expected)
    for update, rate in enumerate(rates):
        expected, state = MAKERS[maker](rate).update(expected, _tree(1 + update), state)
    found, _ = _run(MAKERS[maker](rates.__getitem__))
    assert bits(found) == bits(expected)


@each_maker
def test_each_part_learns_as_it_would_alone_at_its_rate_and_weight_decay(maker: str) -> None:
    rates = {"trunk": optim.linear_schedule(0.1, 0.0, 4), "last": 0.03}
    decays = {"trunk": 0.0, "last": 0.2}
    new, _ = _run(MAKERS[maker](rates, weight_decay=decays))
    for part in rates:
        alone, _ = _run(MAKERS[maker](rates[part], weight_decay=decays[part]))
        assert bits(new[part]) == bits(alone[part])


@st.composite
def _tree_and_rates(draw: st.DrawFn, depth: int = 0) -> tuple[Any, Any, dict[str, float]]:
    """A tree of arrays, rates that name a prefix of it, and the rate of each leaf by its path."""
    one_rate, parts, rates, by_leaf = draw(st.booleans()), {}, {}, {}
    for name in draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)):
        if depth < 2 and draw(st.booleans()):
            parts[name], rates[name], below = draw(_tree_and_rates(depth + 1))
            by_leaf.update({f"{name}.{path}": rate for path, rate in below.items()})
        else:
            parts[name], rates[name] = np.float32([0.5, -1.0]), draw(RATES)
            by_leaf[name] = rates[name]
    if not one_rate:
        return parts, dict(draw(st.permutations(list(rates.items())))), by_leaf
    rate = draw(RATES)
    return parts, rate, dict.fromkeys(by_leaf, rate)


@each_maker
@given(drawn=_tree_and_rates())
def test_a_dict_of_rates_may_end_anywhere_above_the_arrays(
    maker: str, drawn: tuple[Any, Any, dict[str, float]]
) -> None:
    params, rates, by_leaf = on_backend(drawn[0]), *drawn[1:]
    optimizer = MAKERS[maker](rates)
    new, _ = optimizer.update(params, params, optimizer.init(params))
    assert tree.paths(new) == sorted(by_leaf) == tree.paths(params)
    for path, leaf, start in zip(tree.paths(new), tree.leaves(new), tree.leaves(params), strict=True):
        alone = MAKERS[maker](by_leaf[path])
        assert bits(leaf) == bits(alone.update(start, start, alone.init(start))[0])


@each_maker
def test_a_schedule_is_called_once_an_update_with_a_plain_integer_also_from_a_restored_state(maker: str) -> None:
    steps: list[Any] = []
    optimizer = MAKERS[maker]({"trunk": lambda n: steps.append(n) or 0.1, "last": 0.1})
    params, state = _run(optimizer)
    optimizer.update(params, params, state._replace(step=np.int64(7)))
    assert steps == [0, 1, 2, 7] and {type(step) for step in steps} == {int}


@pytest.mark.parametrize("rate", [lambda n: np.float64(0.1), lambda n: np.asarray(0.1), lambda n: np.float32(0.1)])
@each_maker
def test_a_schedule_may_return_a_scalar_of_numpy_and_the_dtype_stays(maker: str, rate: Any) -> None:
    new, state = _run(MAKERS[maker](rate, weight_decay=rate))
    arrays = [leaf for leaf in tree.leaves([new, state]) if hasattr(leaf, "dtype")]
    assert {leaf.dtype for leaf in as_numpy(arrays)} == {np.dtype("f4")}


def test_a_single_array_takes_a_schedule_too() -> None:
    params = on_backend(np.float32([1.0, 2.0]))
    optimizer = optim.sgd(lambda n: 0.5)
    new, _ = optimizer.update(params, params, optimizer.init(params))
    assert as_numpy(new).tolist() == [0.5, 1.0]


SCHEDULES: dict[str, tuple[Any, list[float]]] = {
    "linear, down": (optim.linear_schedule(1.0, 0.0, 4), [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]),
    "linear, up": (optim.linear_schedule(0.0, 0.5, 2), [0.0, 0.25, 0.5, 0.5, 0.5, 0.5]),
    "cosine": (optim.cosine_schedule(1.0, 0.0, 4), [1.0, 0.5 + 0.125**0.5, 0.5, 0.5 - 0.125**0.5, 0.0, 0.0]),
    "cosine, to a value": (optim.cosine_schedule(2.0, 1.0, 2), [2.0, 1.5, 1.0, 1.0, 1.0, 1.0]),
}


@pytest.mark.numpy_alone("about numbers")
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_has_the_values_computed_by_hand(schedule: str) -> None:
    values, expected = SCHEDULES[schedule]
    assert [values(step) for step in range(6)] == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.numpy_alone("about numbers")
@given(
    kind=st.sampled_from([optim.linear_schedule, optim.cosine_schedule]),
    ends=st.tuples(*[st.floats(0, 1e300)] * 2),
    steps=st.integers(1, 1000),
    step=st.integers(0, 2000),
)
def test_a_schedule_begins_and_ends_exactly_and_stays_between(kind: Any, ends: Any, steps: int, step: int) -> None:
    schedule = kind(*ends, steps)
    assert schedule(0) == ends[0] and schedule(steps) == schedule(steps + 5) == ends[1]
    assert kind(ends[0], ends[0], steps)(step) == ends[0]
    slack = 1e-15 * max(ends)
    assert max(0.0, min(ends) - slack) <= schedule(step) <= max(ends) + slack
