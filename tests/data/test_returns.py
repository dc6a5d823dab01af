"""Returns and advantages are those of their definitions, and end at terminal states but not at time limits."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from backends import on_backend
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import npnets
import npnets.numpy as nnp
from npnets import data

numpy_alone = pytest.mark.numpy_alone("returns and advantages are NumPy's arrays in float64")


def flags(steps: int, *at: int) -> Any:
    """Return `(steps,)` booleans that are true at some steps."""
    return np.isin(np.arange(steps), at)


def slow_return(rewards: Any, next_values: Any, terminated: Any, truncated: Any, gamma: float, t: int) -> float:
    """The definition, step by step from `t` on."""
    total, discount = 0.0, 1.0
    while True:
        total += discount * rewards[t]
        discount *= gamma
        if terminated[t]:
            return total
        if truncated[t] or t == len(rewards) - 1:
            return total + discount * next_values[t]
        t += 1


def slow_advantage(
    r: Any, v: Any, after: Any, terminated: Any, truncated: Any, gamma: float, decay: float, t: int
) -> float:
    """Equation (16) of the paper, the sum of discounted errors to the end of the episode."""
    total, factor = 0.0, 1.0
    for k in range(t, len(r)):
        total += factor * (r[k] + (0.0 if terminated[k] else gamma * after[k]) - v[k])
        factor *= gamma * decay
        if terminated[k] or truncated[k]:
            break
    return total


def drawn(seed: int, shape: tuple[int, ...]) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    names = ("rewards", "values", "next_values")
    return {name: rng.normal(size=shape) for name in names} | {
        name: rng.random(shape) < 0.25 for name in ("terminated", "truncated")
    }


SIZES = st.tuples(st.integers(0, 9)) | st.tuples(st.integers(0, 9), st.integers(1, 3))
FRACTIONS = st.sampled_from([0.0, 0.5, 0.97, 1.0])


def in_columns(found: Any, one: Any, case: dict[str, Any]) -> None:
    """Compare every environment's column with a slow function of one column and a step."""
    steps = len(found)
    if not steps:
        return
    rows = found.reshape(steps, -1)
    apart = {name: x.reshape(steps, -1) for name, x in case.items()}
    for env in range(rows.shape[1]):
        column = {name: x[:, env] for name, x in apart.items()}
        assert_allclose(rows[:, env], [one(column, t) for t in range(steps)], rtol=1e-12, atol=1e-12)


# -- definitions ------------------------------------------------------------------------------------------------------


@numpy_alone
@given(st.integers(0, 99), SIZES, FRACTIONS)
def test_a_return_is_the_discounted_sum_to_the_end_of_the_episode(
    seed: int, shape: tuple[int, ...], gamma: float
) -> None:
    case = drawn(seed, shape)
    del case["values"]
    found = data.discounted_returns(**case, gamma=gamma)
    assert found.shape == shape
    in_columns(found, lambda column, t: slow_return(**column, gamma=gamma, t=t), case)


@numpy_alone
@given(st.integers(0, 99), SIZES, FRACTIONS, FRACTIONS)
def test_an_advantage_is_the_sum_of_decaying_errors_to_the_end_of_the_episode(
    seed: int, shape: tuple[int, ...], gamma: float, gae_lambda: float
) -> None:
    case = drawn(seed, shape)
    found = data.generalized_advantages(**case, gamma=gamma, gae_lambda=gae_lambda)

    def one(c: dict[str, Any], t: int) -> float:
        given = c["rewards"], c["values"], c["next_values"], c["terminated"], c["truncated"]
        return slow_advantage(*given, gamma, gae_lambda, t)

    in_columns(found.advantages, one, case)
    assert_allclose(found.returns, found.advantages + case["values"], rtol=1e-12)


@numpy_alone
@given(st.integers(0, 99), SIZES)
def test_with_lambda_one_the_advantage_is_the_return_minus_the_value_where_values_are_consistent(
    seed: int, shape: tuple[int, ...]
) -> None:
    case = drawn(seed, shape)
    going_on = ~(case["terminated"] | case["truncated"])[:-1]
    case["next_values"][:-1][going_on] = case["values"][1:][going_on]
    found = data.generalized_advantages(**case, gamma=0.9, gae_lambda=1.0)
    del case["values"]
    assert_allclose(found.returns, data.discounted_returns(**case, gamma=0.9), rtol=1e-10, atol=1e-10)


# -- by hand ----------------------------------------------------------------------------------------------------------


def test_a_terminal_state_is_followed_by_nothing_and_a_time_limit_by_its_value() -> None:
    rewards, after = on_backend(np.array([1.0, 2.0, 3.0, 4.0])), on_backend(np.full(4, 100.0))
    ends = {"terminated": on_backend(flags(4, 1)), "truncated": on_backend(flags(4))}
    # 4 + 50 at the end of the record, 3 + 54 / 2, and nothing after the 2
    assert data.discounted_returns(rewards, after, **ends, gamma=0.5).tolist() == [2.0, 2.0, 30.0, 54.0]
    ends = {"terminated": ends["truncated"], "truncated": ends["terminated"]}
    assert data.discounted_returns(rewards, after, **ends, gamma=0.5).tolist() == [27.0, 52.0, 30.0, 54.0]


def test_advantages_by_hand_at_a_terminal_state_and_at_a_time_limit() -> None:
    given = [on_backend(np.array(x)) for x in ([1.0, 1.0, 1.0], [2.0, 4.0, 6.0], [4.0, 8.0, 16.0])]
    none, middle = on_backend(flags(3)), on_backend(flags(3, 1))
    settings = {"gamma": 0.5, "gae_lambda": 0.5}
    # errors: 1 + 2 - 2 = 1; 1 + 4 - 4 = 1, or 1 - 4 = -3 after a terminal state; 1 + 8 - 6 = 3
    limit = data.generalized_advantages(*given, terminated=none, truncated=middle, **settings)
    assert limit.advantages.tolist() == [1.25, 1.0, 3.0]
    assert limit.returns.tolist() == [3.25, 5.0, 9.0]
    terminal = data.generalized_advantages(*given, terminated=middle, truncated=none, **settings)
    assert terminal.advantages.tolist() == [0.25, -3.0, 3.0]
    going_on = data.generalized_advantages(*given, terminated=none, truncated=none, **settings)
    assert going_on.advantages.tolist() == [1.4375, 1.75, 3.0]


@numpy_alone
def test_a_step_that_is_both_terminal_and_at_the_time_limit_is_terminal() -> None:
    both = flags(3, 2)
    found = data.discounted_returns(np.ones(3), np.full(3, 9.0), terminated=both, truncated=both, gamma=1.0)
    assert found.tolist() == [3.0, 2.0, 1.0]


@numpy_alone
def test_without_values_the_rewards_after_the_record_count_for_zero() -> None:
    found = data.discounted_returns(np.ones(4), terminated=flags(4), truncated=flags(4, 1), gamma=0.5)
    assert found.tolist() == [1.5, 1.0, 1.5, 1.0]


@numpy_alone
def test_a_value_after_a_terminal_state_is_not_used_whatever_it_is() -> None:
    after = np.array([1.0, np.nan, 1.0])
    ends = {"terminated": flags(3, 1), "truncated": flags(3)}
    found = data.generalized_advantages(np.ones(3), np.zeros(3), after, **ends, gamma=1.0, gae_lambda=1.0)
    assert found.advantages.tolist() == [3.0, 1.0, 2.0]
    assert data.discounted_returns(np.ones(3), after, **ends, gamma=1.0).tolist() == [2.0, 1.0, 2.0]


@numpy_alone
def test_a_step_after_the_end_of_an_episode_does_not_change_those_before_it() -> None:
    """A vector environment's step after the end only resets it, and its numbers mean nothing."""
    case = drawn(5, (6,)) | {"terminated": flags(6, 2), "truncated": flags(6, 4)}
    settings = {"gamma": 0.9, "gae_lambda": 0.8}
    before = data.generalized_advantages(**case, **settings).advantages
    case["rewards"][3] = case["values"][3] = case["next_values"][3] = 1e6
    after = data.generalized_advantages(**case, **settings).advantages
    assert np.flatnonzero(before != after).tolist() == [3]


# -- dtypes and devices -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "expected"), [("f4", "f4"), ("f8", "f8"), ("i8", "f8")])
def test_results_are_numpy_arrays_in_the_dtype_of_values_or_rewards(dtype: str, expected: str) -> None:
    ones, wide = on_backend(np.ones(3, dtype)), on_backend(np.ones(3))
    ends = {"terminated": on_backend(flags(3)), "truncated": on_backend(flags(3))}
    found = data.generalized_advantages(wide, ones, wide, **ends, gamma=0.9, gae_lambda=0.9)
    returns = data.discounted_returns(ones, wide, **ends, gamma=0.9)
    for array in (*found, returns):
        assert (type(array), array.dtype) == (np.ndarray, np.dtype(expected))


@numpy_alone
def test_long_episodes_are_computed_in_float64() -> None:
    steps = 100_000
    found = data.discounted_returns(
        np.full(steps, 0.1, np.float32), terminated=flags(steps), truncated=flags(steps), gamma=1.0
    )
    assert found[0] == np.float32(steps * float(np.float32(0.1)))


@numpy_alone
def test_arguments_are_not_changed_and_lists_are_taken() -> None:
    case = drawn(1, (5, 2))
    before = {name: x.tobytes() for name, x in case.items()}
    found = data.generalized_advantages(**case, gamma=0.9, gae_lambda=0.9)
    assert before == {name: x.tobytes() for name, x in case.items()}
    again = data.generalized_advantages(
        **{name: x.tolist() for name, x in case.items()}, gamma=np.float64(0.9), gae_lambda=0.9
    )
    assert again.advantages.tolist() == found.advantages.tolist()


@numpy_alone
def test_flags_may_be_ones_and_zeros() -> None:
    found = [
        data.discounted_returns(np.ones(3), terminated=flags(3, 1).astype(kind), truncated=[0, 0, 0], gamma=1.0)
        for kind in (bool, np.float32, np.int64)
    ]
    assert [x.tolist() for x in found] == [[2.0, 1.0, 1.0]] * 3


# -- refusals ---------------------------------------------------------------------------------------------------------


def _advantages(**changed: Any) -> Any:
    case = {name: np.zeros(4) for name in ("rewards", "values", "next_values")}
    case |= {"terminated": flags(4), "truncated": flags(4), "gamma": 0.9, "gae_lambda": 0.9}
    return data.generalized_advantages(**(case | changed))


@numpy_alone
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"values": np.zeros((4, 1))}, "rewards (4,), values (4, 1); pass values[..., 0]"),
        ({"next_values": np.zeros(5)}, "expected arrays of one shape, but have rewards (4,), next_values (5,)"),
        ({"terminated": False}, "rewards (4,), terminated ()"),
        ({"rewards": np.zeros((4, 1, 1))}, "rewards must be (steps,) or (steps, environments), but have shape"),
        ({"rewards": 1.0}, "rewards must be (steps,) or (steps, environments), but have shape ()"),
        ({"rewards": [0.0, np.nan, 0.0, np.inf]}, "rewards[1] is nan, and 2 of 4 are NaN or infinite"),
        ({"values": [0.0, 0.0, 0.0, -np.inf]}, "values[3] is -inf, and 1 of 4"),
        ({"terminated": [0.0, 0.5, 0.0, 1.0]}, "terminated must have True and False, or 1 and 0"),
        ({"truncated": [0.0, np.nan, 0.0, 1.0]}, "truncated must have True and False, or 1 and 0"),
        ({"gamma": 1.5}, "gamma must be in [0, 1], but is 1.5"),
        ({"gae_lambda": -0.1}, "gae_lambda must be in [0, 1], but is -0.1"),
        ({"gamma": np.nan}, "gamma must be in [0, 1], but is nan"),
    ],
)
def test_arguments_that_make_no_sense_are_an_error_that_names_them(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        _advantages(**changed)


@numpy_alone
def test_a_fault_in_a_grid_of_environments_is_named_by_its_place() -> None:
    rewards = np.zeros((4, 3))
    rewards[2, 1] = np.nan
    with pytest.raises(ValueError, match=re.escape("rewards[2, 1] is nan")):
        data.discounted_returns(rewards, terminated=rewards == 1, truncated=rewards == 1, gamma=0.9)


@numpy_alone
def test_arguments_of_another_kind_are_a_type_error() -> None:
    with pytest.raises(TypeError, match="rewards must be an array of real numbers"):
        _advantages(rewards=["a", "b", "c", "d"])
    with pytest.raises(TypeError, match="gamma must be a number in"):
        _advantages(gamma="0.9")


def test_values_that_are_being_differentiated_are_refused() -> None:
    def loss(values: Any) -> Any:
        zeros, none = on_backend(np.zeros(3)), on_backend(flags(3))
        data.generalized_advantages(zeros, values, zeros, terminated=none, truncated=none, gamma=0.9, gae_lambda=0.9)
        return nnp.sum(values)

    with pytest.raises(TypeError, match="values is being differentiated.*call it outside of the function"):
        npnets.grad(loss)(on_backend(np.zeros(3)))
