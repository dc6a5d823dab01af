"""Draws before squashing, which keep densities and gradients exact where actions round; many actions for one row."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy
from backends import as_numpy, assert_allclose, bits, on_backend
from distribution_cases import HIGH, LOW, both, boxed, normals, parameters
from finite_differences import check_first_order, check_second_order
from hypothesis import given
from hypothesis import strategies as st

import npnets
import npnets.numpy as nnp
from npnets.distributions import Gaussian, SquashedGaussian

each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def _column(values: Any, dtype: Any = np.float64) -> Any:
    return on_backend(np.array(values, dtype)[:, None])


# -- draws ------------------------------------------------------------------------------------------------------------


def test_a_draw_is_returned_on_request_beside_the_action_that_it_is_squashed_to() -> None:
    noise, (mu, sigma) = normals(5, 3), parameters(5, 3)
    policy = boxed(mu, sigma)
    action, draw = policy.sample(noise=noise, with_draw=True)
    assert bits(action) == bits(policy.sample(noise=noise))
    assert bits(draw) == bits(mu + sigma * on_backend(noise))
    assert_allclose(action, LOW + (HIGH - LOW) * scipy.special.expit(2 * as_numpy(draw)), rtol=1e-12, atol=1e-14)
    *scored, again = policy.sample_and_log_prob(noise=noise, with_draw=True)
    assert bits(again) == bits(draw)
    assert bits(scored) == bits(list(policy.sample_and_log_prob(noise=noise)))
    one, other = (policy.sample(np.random.default_rng(3), with_draw=with_draw) for with_draw in (True, False))
    assert bits(one[0]) == bits(other)


def test_the_log_density_of_a_draw_is_that_of_its_action() -> None:
    policy = boxed(*parameters(200, 3))
    action, log_prob, draw = policy.sample_and_log_prob(np.random.default_rng(8), with_draw=True)
    assert_allclose(policy.log_prob(draw=draw), log_prob, rtol=1e-12, atol=1e-12)
    assert_allclose(policy.log_prob(draw=draw), policy.log_prob(action), rtol=1e-6, atol=1e-6)


def _in_many_digits(u: float, mu: float, sigma: float, low: float, high: float) -> float:
    """The log-density of a squashed draw by its definition, in more digits than `1 - tanh(u)^2` has zeros."""
    with mpmath.workdps(60 + int(abs(u))):
        z = (mpmath.mpf(u) - mpmath.mpf(mu)) / mpmath.mpf(sigma)
        slope = (mpmath.mpf(high) - mpmath.mpf(low)) / 2 * mpmath.sech(mpmath.mpf(u)) ** 2
        return float(-z * z / 2 - mpmath.log(sigma) - mpmath.log(2 * mpmath.pi) / 2 - mpmath.log(slope))


@each_dtype
def test_the_log_density_of_a_draw_is_exact_however_far_out_it_lies(dtype: Any) -> None:
    draws = np.array([-400.0, -50.0, -9.75, -0.25, 0.0, 1e-5, 3.0, 9.75, 20.0, 400.0], dtype)
    mu = (0.75 * draws + 0.5).astype(dtype)
    sigma = np.full_like(draws, 0.5)
    policy = SquashedGaussian(_column(mu, dtype), _column(sigma, dtype), -2.0, 3.0)
    expected = [_in_many_digits(float(u), float(m), 0.5, -2.0, 3.0) for u, m in zip(draws, mu, strict=True)]
    eps = np.finfo(dtype).eps
    assert_allclose(policy.log_prob(draw=_column(draws, dtype)), expected, rtol=8 * eps, atol=16 * eps)


@each_dtype
def test_at_saturation_the_draw_gives_the_gradient_that_its_action_cannot(dtype: Any) -> None:
    mu, sigma, draw = (_column([value], dtype) for value in (9.5, 0.5, 9.75))
    by_draw = npnets.grad(lambda m: nnp.sum(SquashedGaussian(m, sigma, -1, 1).log_prob(draw=draw)))(mu)
    assert_allclose(by_draw, [[1.0]], rtol=1e-6)  # (draw - mean) / sigma^2
    action = SquashedGaussian(mu, sigma, -1, 1).sample(noise=_column([0.5], dtype))
    by_action = npnets.grad(lambda m: nnp.sum(SquashedGaussian(m, sigma, -1, 1).log_prob(action)))(mu)
    if dtype is np.float32:  # the action rounds to one: it is read as the outermost below, of a draw below the mean
        assert as_numpy(action) >= np.nextafter(np.float32(1), np.float32(0))
        assert_allclose(by_action, [[(0.5 * math.log(4 / np.finfo(dtype).eps) - 9.5) / 0.25]], rtol=1e-3)
        assert as_numpy(by_action) < -1
    else:
        assert_allclose(by_action, [[1.0]], rtol=1e-6)


@given(
    mu=st.floats(-1e3, 1e3, width=32),
    sigma=st.floats(2**-10, 128, width=32),
    seed=st.integers(0, 2**32),
    far=st.floats(0, 30),
)
def test_a_ratio_of_two_policies_is_that_of_their_normal_densities_and_its_gradient_is_finite(
    mu: float, sigma: float, seed: int, far: float
) -> None:
    old = SquashedGaussian(_column([mu] * 4), _column([sigma] * 4), -1, 1)
    _, before, draw = old.sample_and_log_prob(np.random.default_rng(seed), with_draw=True)
    other = _column([mu + far * sigma / 10] * 4)

    def log_ratio(m: Any) -> Any:
        return SquashedGaussian(m, old.sigma, -1, 1).log_prob(draw=draw) - before

    expected = Gaussian(other, old.sigma).log_prob(draw) - Gaussian(old.mu, old.sigma).log_prob(draw)
    assert_allclose(log_ratio(other), as_numpy(expected), rtol=1e-6, atol=1e-6)
    slope = npnets.grad(lambda m: nnp.sum(log_ratio(m)))(other)
    assert_allclose(slope, as_numpy((draw - other) / (old.sigma * old.sigma)), rtol=1e-9, atol=1e-12)


# -- extra axes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leading", [(10,), (2, 5), (1,), (0,)])
def test_many_actions_for_each_row_are_scored_one_by_one(leading: tuple[int, ...]) -> None:
    inside = LOW + (HIGH - LOW) * np.random.default_rng(2).uniform(0.05, 0.95, (*leading, 4, 3))
    x, draws = on_backend(inside), on_backend(normals(*leading, 4, 3))
    gaussian, squashed = both(*parameters(4, 3))
    for score, points in (
        (gaussian.log_prob, x),
        (squashed.log_prob, x),
        (lambda draw: squashed.log_prob(draw=draw), draws),
    ):
        scores = score(points)
        assert scores.shape == (*leading, 4)
        for index in np.ndindex(*leading):
            assert_allclose(scores[index], score(points[index]), rtol=1e-13, atol=1e-14)


def test_a_sample_that_was_not_unpacked_is_an_error_that_says_so() -> None:
    gaussian, squashed = both(*parameters(4, 3))
    pair = squashed.sample(np.random.default_rng(0), with_draw=True)
    for score in (gaussian.log_prob, squashed.log_prob, lambda draw: squashed.log_prob(draw=draw)):
        with pytest.raises(TypeError, match=r"is a tuple of 2 of them; unpack what was drawn: action, draw ="):
            score(pair)
    row = on_backend(np.full(3, 0.1))
    assert_allclose(squashed.log_prob(((0.1, 0.1, 0.1),) * 4), squashed.log_prob(nnp.broadcast_to(row, (4, 3))))


def test_a_distribution_without_rows_scores_a_batch() -> None:
    mu, sigma = parameters(3)
    draws = on_backend(normals(6, 3))
    rows = [nnp.broadcast_to(part, (6, 3)) for part in (mu, sigma)]
    for make in (Gaussian, lambda m, s: SquashedGaussian(m, s, LOW, HIGH)):
        whole = make(*rows)
        assert_allclose(make(mu, sigma).log_prob(0.1 + 0 * draws), whole.log_prob(0.1 + 0 * draws), rtol=1e-13)
    assert_allclose(boxed(mu, sigma).log_prob(draw=draws), boxed(*rows).log_prob(draw=draws), rtol=1e-13)


# -- derivatives ------------------------------------------------------------------------------------------------------

INSIDE = LOW + (HIGH - LOW) * np.random.default_rng(2).uniform(0.05, 0.95, (5, 4, 3))
MEASURES: dict[str, Any] = {
    "a draw": lambda p: boxed(*p[:2]).log_prob(draw=p[2][0]),
    "draws with extra axes": lambda p: boxed(*p[:2]).log_prob(draw=p[2]),
    "actions with extra axes": lambda p: boxed(*p[:2]).log_prob(on_backend(INSIDE) + 0.001 * p[2]),
    "actions of a gaussian with extra axes": lambda p: Gaussian(*p[:2]).log_prob(p[2]),
    "a sample with its draw": lambda p: list(boxed(*p[:2]).sample(noise=p[2][0], with_draw=True)),
    "a scored sample with its draw": lambda p: list(boxed(*p[:2]).sample_and_log_prob(noise=p[2][0], with_draw=True)),
}


@pytest.mark.parametrize("name", MEASURES)
def test_derivatives_of_three_orders_are_those_of_finite_differences(name: str) -> None:
    fun, point = MEASURES[name], [*parameters(4, 3), on_backend(0.3 * normals(5, 4, 3))]
    check_first_order(fun, point, np.random.default_rng(10))
    check_second_order(fun, point, np.random.default_rng(11))

    def total(p: Any) -> Any:
        return sum(nnp.sum(nnp.sin(part)) for part in npnets.tree.leaves(fun(p)))

    check_second_order(npnets.grad(total), point, np.random.default_rng(12))


@each_dtype
def test_values_and_gradients_have_the_dtype_of_the_mean(dtype: Any) -> None:
    point, draws = parameters(4, 3, dtype=dtype), on_backend(normals(10, 4, 3))
    fun = lambda p: nnp.sum(boxed(*p).log_prob(draw=draws)) + nnp.sum(Gaussian(*p).log_prob(draws))  # noqa: E731
    value, grads = npnets.value_and_grad(fun)(point)
    drawn = boxed(*point).sample_and_log_prob(np.random.default_rng(0), with_draw=True)
    assert {leaf.dtype for leaf in as_numpy([value, *grads, *drawn])} == {np.dtype(dtype)}
