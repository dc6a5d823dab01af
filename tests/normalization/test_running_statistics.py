"""The running mean and variance of observations: one pass or many, in one state or several merged, stable and pure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import npnets
from npnets import normalization
from npnets.normalization import Normalization

pytestmark = pytest.mark.numpy_alone("statistics are NumPy's arrays in float64")

BATCHES = st.lists(st.integers(0, 6), min_size=1, max_size=6)
SHAPES = st.sampled_from([(), (1,), (3,), (2, 3)])


def state_of(*batches: Any, shape: Any = (3,)) -> Normalization:
    """Return the state after some batches."""
    state = normalization.init(shape)
    for batch in batches:
        state = normalization.update(state, batch)
    return state


def check_same(a: Normalization, b: Normalization, rtol: float = 1e-9) -> None:
    assert a.count == b.count
    assert_allclose(a.mean, b.mean, rtol=rtol, atol=1e-9)
    assert_allclose(a.var, b.var, rtol=rtol, atol=1e-9)


def test_the_first_state_has_mean_zero_variance_one_and_has_seen_nothing() -> None:
    state = normalization.init((2, 3), clip=5.0, epsilon=1e-6)
    assert (state.mean.tolist(), state.var.tolist()) == ([[0] * 3] * 2, [[1] * 3] * 2)
    assert (state.count, state.clip, state.epsilon) == (0.0, 5.0, 1e-6)
    assert state.mean.dtype == state.var.dtype == np.float64


@given(BATCHES, SHAPES, st.integers(0, 99))
def test_the_same_observations_in_one_batch_or_in_many_give_the_mean_and_variance_of_all(
    sizes: list[int], shape: tuple[int, ...], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    batches = [rng.normal(rng.normal(0, 5), 2.0, (size, *shape)) for size in sizes]
    every = np.concatenate(batches)
    state = state_of(*batches, shape=shape)
    check_same(state, state_of(every, shape=shape))
    if len(every):
        assert_allclose(state.mean, every.mean(0), rtol=1e-9, atol=1e-9)
        assert_allclose(state.var, every.var(0), rtol=1e-9, atol=1e-9)


@given(BATCHES, st.integers(0, 99))
def test_merged_states_have_seen_what_both_have_in_either_order(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    batches = [rng.normal(3.0, 2.0, (size, 3)) for size in sizes]
    half = len(batches) // 2
    one, other = state_of(*batches[:half]), state_of(*batches[half:])
    check_same(normalization.merge(one, other), state_of(*batches))
    check_same(normalization.merge(one, other), normalization.merge(other, one))


def test_merging_in_any_grouping_gives_the_same_state() -> None:
    rng = np.random.default_rng(0)
    a, b, c = (state_of(rng.normal(mean, 1.0, (size, 3))) for mean, size in ((0, 4), (9, 7), (-5, 2)))
    check_same(normalization.merge(normalization.merge(a, b), c), normalization.merge(a, normalization.merge(b, c)))


def test_a_state_that_has_seen_nothing_changes_no_bit_of_another() -> None:
    state, nothing = state_of(np.random.default_rng(0).normal(size=(5, 3))), normalization.init(3)
    for merged in (normalization.merge(state, nothing), normalization.merge(nothing, state)):
        assert merged.mean.tobytes() == state.mean.tobytes()
        assert merged.var.tobytes() == state.var.tobytes()
    assert normalization.update(state, np.empty((0, 3))) is state


def test_the_first_batch_replaces_the_variance_of_one_that_a_state_begins_with() -> None:
    batch = np.array([[1.0, 5.0], [3.0, 5.0]])
    state = state_of(batch, shape=2)
    assert (state.mean.tolist(), state.var.tolist(), state.count) == ([2, 5], [1, 0], 2)


def test_a_mean_that_is_large_beside_the_deviation_leaves_the_variance_exact() -> None:
    rng = np.random.default_rng(1)
    near = rng.normal(0.0, 1.0, (2000, 3))
    state = state_of(*(1e8 + near).reshape(-1, 1, 3))  # one by one, as an episode gives them
    assert_allclose(state.mean - 1e8, near.mean(0), atol=1e-6)
    assert_allclose(state.var, near.var(0), rtol=1e-6)


def test_observations_in_float32_are_summed_in_float64() -> None:
    batch = np.full((20_000, 1), 0.1, np.float32)
    batch[::2] += np.float32(1e4)
    state = state_of(batch, shape=1)
    exact = batch.astype(np.float64)
    assert_allclose(state.mean, exact.mean(0), rtol=1e-13)
    assert_allclose(state.var, exact.var(0), rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float16, bool])
def test_observations_of_any_numbers_count(dtype: Any) -> None:
    batch = np.array([[0, 1], [1, 1]]).astype(dtype)
    state = state_of(batch, shape=2)
    assert (state.mean.tolist(), state.var.tolist()) == ([0.5, 1], [0.25, 0])


def test_neither_state_nor_batch_is_changed() -> None:
    rng = np.random.default_rng(0)
    batch, state = rng.normal(size=(4, 3)), state_of(rng.normal(size=(2, 3)))
    before = (batch.tobytes(), state.mean.tobytes(), state.var.tobytes(), state.count)
    after = normalization.update(state, batch)
    normalization.merge(state, after)
    assert (batch.tobytes(), state.mean.tobytes(), state.var.tobytes(), state.count) == before
    assert after.count == 6


def test_updates_are_those_of_vec_normalize_from_its_own_first_state() -> None:
    """`RunningMeanStd.update_from_moments` of Stable-Baselines3 2.9, whose count begins at 1e-4."""
    rng = np.random.default_rng(2)
    mean, var, count = np.zeros(3), np.ones(3), 1e-4
    state = Normalization(mean, var, count, 10.0, 1e-8)
    for size in (1, 8, 3):
        batch = rng.normal(2.0, 3.0, (size, 3)).astype(np.float32).astype(np.float64)
        delta, total = batch.mean(0) - mean, count + size
        var = (var * count + batch.var(0) * size + delta**2 * count * size / total) / total
        mean, count = mean + delta * size / total, total
        state = normalization.update(state, batch)
    assert_allclose(state.mean, mean, rtol=1e-12)
    assert_allclose(state.var, var, rtol=1e-12)
    assert state.count == count


def test_updates_are_those_of_tianshou_from_the_same_first_state() -> None:
    """`RunningMeanStd.update` of Tianshou 1.0.0, which begins with nothing seen."""
    rng = np.random.default_rng(2)
    mean, var, count = np.zeros(3), np.ones(3), 0
    state = normalization.init(3)
    for size in (1, 8, 3):
        batch = rng.normal(2.0, 3.0, (size, 3))
        delta, total = batch.mean(0) - mean, count + size
        m_2 = var * count + batch.var(0) * size + delta**2 * count * size / total
        mean, var, count = mean + delta * size / total, m_2 / total, total
        state = normalization.update(state, batch)
    assert_allclose(state.mean, mean, rtol=1e-12)
    assert_allclose(state.var, var, rtol=1e-12)
    assert state.count == count


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        (np.zeros(3), r"\(n, 3\), but has \(3,\); for a single observation pass obs\[None\]"),
        (np.zeros((2, 4)), r"\(n, 3\), but has \(2, 4\)"),
        (np.zeros((5, 2, 3)), r"obs.reshape\(\(-1, 3\)\)"),
        (np.array([[0.0, np.nan, 0.0]]), "NaN or infinite, and would remain in the mean"),
        (np.array([[0.0, np.inf, 0.0]]), "NaN or infinite"),
    ],
)
def test_a_batch_that_would_spoil_the_state_is_refused(batch: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        normalization.update(normalization.init(3), batch)


def test_a_state_of_ones_own_may_hold_lists_and_float32_and_an_infinite_clip() -> None:
    own = Normalization([1.0, 2.0], np.ones(2, np.float32), 3, np.inf, 0)  # type: ignore[arg-type]
    same = Normalization(np.array([1.0, 2.0]), np.ones(2), 3.0, None, 0.0)
    batch = np.array([[5.0, 6.0]])
    check_same(normalization.update(own, batch), normalization.update(same, batch))
    check_same(normalization.merge(own, same), normalization.merge(same, same))
    assert normalization.normalize(own, batch).tolist() == [[4, 4]]
    wide = own._replace(mean=same.mean, var=same.var)
    check_same(normalization.merge(wide, same), normalization.merge(same, same))


def test_what_is_no_state_is_refused() -> None:
    for call in (normalization.update, normalization.normalize):
        with pytest.raises(TypeError, match="must be a Normalization, but is .*; normalization.init makes one"):
            call((np.zeros(3), np.ones(3)), np.zeros((1, 3)))


@pytest.mark.parametrize(
    ("mean", "var", "words"),
    [
        (np.nan, 1.0, "mean and var must be finite, and var not negative"),
        (np.inf, 1.0, "mean and var must be finite"),
        (0.0, np.inf, "mean and var must be finite"),
        (0.0, -1.0, "var not negative"),
        (0.0, 0.0, "divided by zero"),
    ],
)
def test_statistics_that_cannot_normalize_are_refused_by_a_policy(mean: float, var: float, words: str) -> None:
    net = npnets.Net(1)
    state = Normalization(np.array([mean]), np.array([var]), 1.0, None, 0.0)
    with pytest.raises(ValueError, match=words):
        npnets.Policy(net, net.init(np.random.default_rng(0)), normalization=state)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"var": np.ones(1)}, r"mean and var must have one shape, but have \(2,\) and \(1,\)"),
        ({"mean": "a"}, "mean must be an array of numbers, but is 'a'"),
        ({"mean": [0, 1], "count": "x"}, "count must be a number of at least zero, but is 'x'"),
    ],
)
def test_a_state_of_ones_own_that_is_none_is_refused_by_every_function(changes: dict[str, Any], words: str) -> None:
    state, batch = normalization.init(2)._replace(**changes), np.ones((3, 2))
    calls: list[Any] = [
        normalization.normalize,
        normalization.update,
        lambda state, _: normalization.merge(state, state),
    ]
    for call in calls:
        with pytest.raises((TypeError, ValueError), match=words):
            call(state, batch)


def test_a_first_guess_of_a_mean_is_replaced_by_the_first_batch_without_rounding() -> None:
    guess = Normalization(np.full(1, 1e17), np.ones(1), 0.0, None, 1e-8)
    assert normalization.update(guess, np.array([[0.1]])).mean.tolist() == [0.1]


def test_states_of_other_observations_or_limits_are_not_merged() -> None:
    state = normalization.init(3)
    for other in (normalization.init(2), normalization.init(3, clip=5.0), normalization.init(3, epsilon=1e-2)):
        with pytest.raises(ValueError, match="expected two states of one shape, clip and epsilon"):
            normalization.merge(state, other)


@pytest.mark.parametrize("clip", [0, -1.0, np.nan, "10", True])
def test_a_clip_must_be_positive(clip: Any) -> None:
    with pytest.raises(ValueError, match="clip must be a positive number, or None"):
        normalization.init(3, clip=clip)


def test_nothing_is_divided_by_a_variance_of_zero() -> None:
    state = normalization.update(normalization.init(1, epsilon=0.0), np.array([[2.0]]))
    with pytest.raises(
        ValueError, match="an entry of var is zero and epsilon too, so that observations would be divid"
    ):
        normalization.normalize(state, np.array([3.0]))
    wider = normalization.update(state, np.array([[4.0]]))
    assert normalization.normalize(wider, np.array([4.0])) == 1


@pytest.mark.parametrize("epsilon", [-1e-8, np.nan, np.inf, None])
def test_an_epsilon_must_not_be_negative(epsilon: Any) -> None:
    with pytest.raises(ValueError, match="epsilon must be a finite number of at least zero"):
        normalization.init(3, epsilon=epsilon)


@pytest.mark.parametrize("shape", [0, (3, -1), "3", 2.0, []])
def test_a_shape_must_be_one_of_observations(shape: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="shape"):
        normalization.init(shape)
