"""Observations normalized by a state: values, dtypes, derivatives, and shapes that are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, on_backend
from hypothesis import given
from hypothesis import strategies as st

import npnets
import npnets.numpy as nnp
from npnets import normalization
from npnets.normalization import Normalization

MEAN, VAR = np.array([1.0, -2.0, 0.0]), np.array([4.0, 0.25, 0.0])
STATE = Normalization(MEAN, VAR, 10.0, 3.0, 1e-2)


def test_entries_are_centred_scaled_and_clipped() -> None:
    obs = on_backend(np.array([[3.0, -2.0, 0.1], [-99.0, -1.5, 99.0]]))
    expected = [[2 / np.sqrt(4.01), 0, 0.1 / 0.1], [-3, 0.5 / np.sqrt(0.26), 3]]
    assert_allclose(normalization.normalize(STATE, obs), expected, rtol=1e-14)


def test_without_a_clip_entries_are_as_large_as_they_come() -> None:
    obs = on_backend(np.array([201.0, -2.0, 0.0]))
    assert_allclose(normalization.normalize(STATE._replace(clip=None), obs), [200 / np.sqrt(4.01), 0, 0])


def test_a_state_that_has_seen_nothing_leaves_observations_within_its_clip_as_they_are() -> None:
    obs = np.random.default_rng(0).normal(size=(4, 3))
    assert_allclose(normalization.normalize(normalization.init(3), on_backend(obs)), obs, rtol=1e-8)


@given(st.integers(0, 999))
@pytest.mark.numpy_alone("draws many arrays")
def test_no_entry_is_larger_than_the_clip_and_the_rest_invert(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mean, var = rng.normal(0, 10, 3), rng.uniform(0, 4, 3)
    state = Normalization(mean, var, 1.0, float(rng.uniform(0.5, 3)), 1e-8)
    obs = rng.normal(mean, 3, (5, 3))
    found = normalization.normalize(state, obs)
    assert np.all(abs(found) <= state.clip)
    inside = abs(found) < state.clip
    np.testing.assert_allclose((found * np.sqrt(var + 1e-8) + mean)[inside], obs[inside], rtol=1e-9, atol=1e-9)


def test_the_formula_is_that_of_vec_normalize_to_the_bit() -> None:
    """`VecNormalize.normalize_obs` of Stable-Baselines3 2.9, float32 in and out."""
    obs = np.random.default_rng(1).normal(0, 9, (50, 3)).astype(np.float32)
    expected = np.clip((obs - MEAN) / np.sqrt(VAR + 1e-2), -3.0, 3.0).astype(np.float32)
    found = as_numpy(normalization.normalize(STATE, on_backend(obs)))
    assert (found.tobytes(), found.dtype) == (expected.tobytes(), np.float32)


def test_computation_is_in_float64_where_float32_would_lose_the_difference() -> None:
    mean = np.array([1e6 + 0.3])
    state = Normalization(mean, np.array([1e-4]), 5.0, None, 0.0)
    obs = np.array([[1e6 + 0.3125]], np.float32)
    assert_allclose(normalization.normalize(state, on_backend(obs)), [[1.25]], rtol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("f4", "f4"), ("f8", "f8"), ("i8", "f4"), ("u1", "f4"), ("?", "f4"), ("f2", "f4")],
)
def test_the_dtype_is_kept_if_networks_compute_in_it_else_it_is_float32(dtype: str, expected: str) -> None:
    found = normalization.normalize(STATE, on_backend(np.ones((2, 3), dtype)))
    assert found.dtype == np.dtype(expected)
    assert_allclose(found[0], [0, 3, 3])


@pytest.mark.numpy_alone("a list lies nowhere")
def test_a_list_of_numbers_gives_float32() -> None:
    found = normalization.normalize(STATE, [3.0, -2.0, 0.0])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [2 / np.sqrt(4.01), 0, 0], rtol=1e-6)


@pytest.mark.parametrize("rows", [(), (4,), (2, 4)])
def test_any_axes_may_stand_before_those_of_an_observation(rows: tuple[int, ...]) -> None:
    state = normalization.update(normalization.init((2, 3)), np.random.default_rng(0).normal(5, 2, (9, 2, 3)))
    obs = np.random.default_rng(1).normal(5, 2, (*rows, 2, 3))
    found = as_numpy(normalization.normalize(state, on_backend(obs)))
    assert found.shape == obs.shape
    for index in np.ndindex(*rows):
        assert found[index].tobytes() == as_numpy(normalization.normalize(state, on_backend(obs[index]))).tobytes()


@pytest.mark.numpy_alone("is about shapes")
@pytest.mark.parametrize("shape", [(2,), (4, 2), (3, 4), (4, 1), (1,), ()])
def test_observations_of_another_shape_are_refused_and_never_broadcast(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"obs must have the shape of the observations seen, \(\.\.\., 3\)"):
        normalization.normalize(STATE, np.zeros(shape))


def test_the_derivative_is_one_over_the_deviation_and_zero_where_it_is_clipped() -> None:
    obs = on_backend(np.array([3.0, -2.0, 99.0]))
    found = npnets.grad(lambda x: nnp.sum(normalization.normalize(STATE, x)))(obs)
    assert_allclose(found, [1 / np.sqrt(4.01), 1 / np.sqrt(0.26), 0])


def test_the_derivative_of_float32_observations_is_float32() -> None:
    obs = on_backend(np.array([[3.0, -2.0, 0.0]], np.float32))
    found = npnets.grad(lambda x: nnp.sum(normalization.normalize(STATE, x)))(obs)
    assert found.dtype == np.float32
    assert_allclose(found, [[1 / np.sqrt(4.01), 1 / np.sqrt(0.26), 10]], rtol=1e-6)


def test_not_a_number_is_passed_on() -> None:
    found = as_numpy(normalization.normalize(STATE, on_backend(np.array([np.nan, -2.0, 0.0]))))
    assert_array_equal(on_backend(np.isnan(found)), [True, False, False])


@pytest.mark.numpy_alone("is about errors")
@pytest.mark.parametrize("obs", [{"a": np.zeros(3)}, "text", np.array([1j, 0, 0])])
def test_observations_that_are_no_array_are_refused(obs: Any) -> None:
    with pytest.raises(TypeError, match="obs must be an array of real numbers|obs must be an array of numbers"):
        normalization.normalize(STATE, obs)
