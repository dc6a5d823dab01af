"""Where tanh has rounded to one: actions stay within their bounds, densities and gradients finite and exact."""

from __future__ import annotations

import math
import warnings
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, on_backend
from hypothesis import assume, given
from hypothesis import strategies as st

import npnets
import npnets.numpy as nnp
from npnets.distributions import Gaussian, SquashedGaussian

each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
FAR = [-1e4, -50.0, -9.0, -0.1, 0.0, 1e-6, 3.0, 20.0, 50.0, 1e4]


def _column(values: Any, dtype: Any) -> Any:
    return on_backend(np.array(values, dtype)[:, None])


def _score(mu: Any, sigma: Any, noise: Any, low: Any = -1, high: Any = 1) -> Any:
    return SquashedGaussian(mu, sigma, low, high).sample_and_log_prob(noise=noise)[1]


def _in_many_digits(u: float, noise: float, sigma: float, low: float, high: float) -> float:
    """The log-density of a draw by its definition, in more digits than `1 - tanh(50)^2` has zeros."""
    with localcontext() as context:
        context.prec = 80
        two_u = (Decimal(2) * Decimal(u)).exp()
        t = (two_u - 1) / (two_u + 1)
        slope = (Decimal(high) - Decimal(low)) / 2 * (1 - t * t)
        normal = -(Decimal(noise) ** 2) / 2 - Decimal(sigma).ln() - (2 * Decimal(math.pi)).ln() / 2
        return float(normal - slope.ln())


@each_dtype
def test_the_log_density_of_a_draw_is_exact_however_far_it_lies_outside(dtype: Any) -> None:
    far = [u for u in FAR if abs(u) <= 50]
    mu, ones = _column(far, dtype), _column(np.ones(len(far)), dtype)
    actual = _score(mu, 0.5 * ones, 0 * ones, -2.0, 3.0)
    expected = [_in_many_digits(float(u), 0.0, 0.5, -2.0, 3.0) for u in as_numpy(mu)[:, 0]]
    assert_allclose(actual, expected, rtol=4 * np.finfo(dtype).eps, atol=8 * np.finfo(dtype).eps)


@each_dtype
def test_values_and_gradients_are_finite_and_exact_at_pre_activations_up_to_ten_thousand(dtype: Any) -> None:
    mu, ones = _column(FAR, dtype), _column(np.ones(len(FAR)), dtype)
    noise = 0.25 * ones
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, pullback = npnets.vjp(lambda p: _score(*p, noise), (mu, 0.5 * ones))
        of_mu, of_sigma = pullback(on_backend(np.ones(len(FAR), dtype)))
        second = npnets.hvp(lambda m: nnp.sum(_score(m, 0.5 * ones, noise)))(mu, ones)
    t = np.tanh(as_numpy(mu).astype(np.float64) + 0.125)
    assert np.isfinite(as_numpy(value)).all()
    assert_allclose(of_mu, 2 * t, rtol=1e-6)
    assert_allclose(of_sigma, 2 * t * 0.25 - 2, rtol=1e-6)
    assert_allclose(second, 2 * (1 - t * t), rtol=1e-5, atol=1e-6)
    assert_allclose(value[-1:], [20_000.25 - 0.5 * 0.25**2 - math.log(0.5 * 4 * (2 * math.pi) ** 0.5)], rtol=1e-6)


def test_a_draw_at_exactly_zero_has_its_second_derivative_too() -> None:
    zero, one = on_backend([np.zeros((1, 1)), np.ones((1, 1))])
    assert_allclose(npnets.hvp(lambda mu: nnp.sum(_score(mu, one, zero)))(zero, one), [[2.0]], rtol=1e-12)
    assert_allclose(
        npnets.grad(lambda mu: nnp.sum(npnets.grad(lambda m: nnp.sum(_score(m, one, zero)))(mu)))(zero), [[2.0]]
    )


finite_numbers = st.floats(-1e4, 1e4, width=32)
scales = st.floats(1e-6, 1e3)


@given(mu=finite_numbers, sigma=scales, seed=st.integers(0, 2**32), edges=st.tuples(finite_numbers, finite_numbers))
def test_every_sample_lies_within_the_bounds_and_everything_is_finite(
    mu: float, sigma: float, seed: int, edges: tuple[float, float]
) -> None:
    low, high = min(edges), max(edges)
    assume(high - low > 1e-2)
    mu, sigma = _column([mu] * 5, np.float32), _column([sigma] * 5, np.float32)
    noise = np.random.default_rng(seed).standard_normal((5, 1))

    def loss(p: Any) -> Any:
        action, log_prob = SquashedGaussian(*p, low, high).sample_and_log_prob(noise=on_backend(noise))
        return nnp.mean(log_prob) + nnp.mean(action), action

    (value, action), grads = npnets.value_and_grad(loss, has_aux=True)((mu, sigma))
    numbers = as_numpy(action).astype(np.float64)
    assert (low <= numbers).all() and (numbers <= high).all()
    assert np.isfinite(as_numpy(value)) and all(np.isfinite(as_numpy(g)).all() for g in grads)
    scored, by_x = npnets.value_and_grad(lambda x: nnp.sum(SquashedGaussian(mu, sigma, low, high).log_prob(x)))(action)
    assert np.isfinite(as_numpy(scored)) and not np.isnan(as_numpy(by_x)).any()


@pytest.mark.parametrize("low_and_high", [(0.1, 0.3), (1000.0, 1000.001), (-1e6, 1e-3), (-1e-3, 1e6), (0.0, 1e-30)])
@each_dtype
def test_rounding_carries_no_action_out_of_bounds_that_the_dtype_cannot_hold(
    low_and_high: tuple[float, float], dtype: Any
) -> None:
    low, high = low_and_high
    u = np.concatenate([np.linspace(-25, 25, 4001), [-1e4, 1e4]])
    action = as_numpy(SquashedGaussian(_column(u, dtype), _column(np.ones(4003), dtype), low, high).mode())[:, 0]
    assert action.dtype == dtype
    assert low <= action.min() and action.max() <= high
    assert (np.diff(action[:-2]) >= 0).all()
    assert action.max() - action.min() > 0.9 * (high - low)


@each_dtype
def test_rounding_carries_no_action_out_of_any_of_thousands_of_intervals(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    edges = rng.choice([-1, 1], (2, 4000)) * 10 ** rng.uniform(-6, 6, (2, 4000))
    low, high = edges.min(0), edges.max(0)
    apart = high - low > 1e-5 * np.abs(edges).max(0)
    low, high = low[apart], high[apart]
    for u in (-1e4, 1e4):
        mu = on_backend(np.full((1, len(low)), u, dtype))
        action = as_numpy(SquashedGaussian(mu, on_backend(np.ones((1, len(low)), dtype)), low, high).mode())[0]
        assert (low <= action).all() and (action <= high).all()
        nearest = low if u < 0 else high
        assert (np.abs(action - nearest) <= 2 * np.finfo(dtype).eps * np.abs(edges[:, apart]).max(0)).all()


@each_dtype
def test_an_action_at_a_bound_is_read_as_the_outermost_sample_short_of_it(dtype: Any) -> None:
    ones = _column(np.ones(2), dtype)
    distribution = SquashedGaussian(0.3 * ones, 0.8 * ones, -1, 1)
    bounds, short = _column([-1, 1], dtype), np.nextafter(np.ones(1, dtype), np.zeros(1, dtype))
    value, by_x = npnets.value_and_grad(lambda x: nnp.sum(distribution.log_prob(x)))(bounds)
    assert_array_equal(distribution.log_prob(bounds), distribution.log_prob(_column([-short[0], short[0]], dtype)))
    assert_array_equal(by_x, np.zeros((2, 1)))
    grads = npnets.grad(lambda p: nnp.sum(SquashedGaussian(*p, -1, 1).log_prob(bounds)))((0.3 * ones, 0.8 * ones))
    furthest = 0.5 * math.log(4 / np.finfo(dtype).eps)
    assert_allclose(grads[0], (np.array([[-furthest], [furthest]]) - 0.3) / 0.64, rtol=1e-5)


def test_an_action_at_a_bound_of_zero_is_read_as_one_at_any_other_bound() -> None:
    ones = _column([1.0], np.float32)
    distribution = SquashedGaussian(0 * ones, ones, 0, 1)
    at_low, at_high = (as_numpy(distribution.log_prob(edge * ones)) for edge in (0, 1))
    assert abs(at_low - at_high).max() < 4
    tiny = 1e-20
    u = 0.5 * (math.log(tiny) - math.log1p(-tiny))
    exact = -0.5 * u * u - 0.5 * math.log(2 * math.pi) - math.log(2 * tiny)
    assert_allclose(distribution.log_prob(tiny * ones), [exact], rtol=1e-5)


def test_an_action_outside_of_the_bounds_has_density_zero_and_leaves_the_gradients_of_other_rows_alone() -> None:
    mu, sigma = on_backend([np.full((3, 2), 0.2), np.full((3, 2), 0.7)])
    x = on_backend(np.array([[0.5, 0.0], [0.5, 2.5], [-1.5, 0.0]]))
    score = lambda m, s, x: SquashedGaussian(m, s, -1, [1, 2]).log_prob(x)  # noqa: E731
    value, pullback = npnets.vjp(lambda p: score(*p), (mu, sigma, x))
    assert_array_equal(value[1:], [-np.inf, -np.inf])
    grads = pullback(on_backend(np.ones(3)))
    alone = npnets.grad(lambda p: nnp.sum(score(*p)))((mu[:1], sigma[:1], x[:1]))
    for part, expected in zip(grads, alone, strict=True):
        assert_array_equal(part[:1], expected)
        assert_array_equal(part[1:], np.zeros((2, 2)))


def test_bounds_that_float32_cannot_hold_count_as_the_numbers_nearest_to_them() -> None:
    ones = _column([1.0], np.float32)
    distribution = SquashedGaussian(0 * ones, ones, 0.1, 0.3)
    nearest = np.float32(0.3)
    assert float(nearest) > 0.3
    assert np.isfinite(as_numpy(distribution.log_prob(nearest * ones))).all()
    beyond = np.nextafter(nearest, np.float32(1))
    assert_array_equal(distribution.log_prob(beyond * ones), [-np.inf])


def test_nan_comes_out_as_nan() -> None:
    mu, sigma = on_backend([np.array([[np.nan], [0.0], [0.0]]), np.array([[1.0], [np.nan], [1.0]])])
    x = on_backend(np.array([[0.5], [0.5], [np.nan]]))
    for distribution in (Gaussian(mu, sigma), SquashedGaussian(mu, sigma, -1, 1)):
        assert np.isnan(as_numpy(distribution.log_prob(x))).all()
        action, log_prob = as_numpy(distribution.sample_and_log_prob(noise=x))
        assert np.isnan(action).all() and np.isnan(log_prob[1:]).all()


def test_a_draw_that_rounds_to_its_mean_keeps_the_log_density_of_its_noise() -> None:
    mu, sigma = _column([1e4], np.float32), _column([1e-8], np.float32)
    action, log_prob = Gaussian(mu, sigma).sample_and_log_prob(noise=_column([2.0], np.float32))
    assert_array_equal(action, [[1e4]])
    assert_allclose(log_prob, [-2 - math.log(1e-8) - 0.5 * math.log(2 * math.pi)], rtol=1e-6)
