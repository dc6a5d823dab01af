"""Gaussian and SquashedGaussian against SciPy, against integrals of their densities, and against the laws they keep."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
import scipy
from backends import as_numpy, assert_allclose, assert_array_equal, bits, on_backend
from distribution_cases import HIGH, LOW, both, boxed, normals, parameters

import npnets.numpy as nnp
from npnets.distributions import Gaussian, SquashedGaussian

SHARP = {
    "bell": (0.3, 0.4, -1.0, 1.0),
    "two peaks": (0.0, 2.0, -2.0, 2.0),
    "leaning on the upper bound": (2.5, 0.7, 0.1, 0.3),
    "saturated at a bound of zero": (-15.0, 2.0, 0.0, 5.0),
    "needle": (0.1, 1e-4, -4.0, 1.0),
}
each_sharp = pytest.mark.parametrize(("mu", "sigma", "low", "high"), SHARP.values(), ids=SHARP)


def _on_points(x: Any, mu: float, sigma: float, low: float, high: float) -> Any:
    """The log-density of one squashed dimension at many points."""
    ones = np.ones((len(x), 1))
    distribution = SquashedGaussian(on_backend(mu * ones), on_backend(sigma * ones), low, high)
    return as_numpy(distribution.log_prob(on_backend(x[:, None])))


def _squash(u: Any, low: float, high: float) -> Any:
    """The squashed value of a number, precise near the lower bound where that is zero."""
    return low + (high - low) * scipy.special.expit(2 * u)


# -- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5, 3), (1, 1), (4,), (2, 3, 2)])
def test_a_gaussians_log_density_and_entropy_are_scipys(shape: tuple[int, ...]) -> None:
    mu, sigma = parameters(*shape)
    x = normals(*shape)
    expected = scipy.stats.norm(as_numpy(mu), as_numpy(sigma))
    assert_allclose(Gaussian(mu, sigma).log_prob(on_backend(x)), expected.logpdf(x).sum(-1), rtol=1e-12)
    assert_allclose(Gaussian(mu, sigma).entropy(), expected.entropy().sum(-1), rtol=1e-12, atol=1e-13)
    one = tuple(0 for _ in shape[:-1])
    joint = scipy.stats.multivariate_normal(as_numpy(mu)[one], np.diag(as_numpy(sigma)[one] ** 2))
    np.testing.assert_allclose(as_numpy(Gaussian(mu, sigma).log_prob(x))[one], joint.logpdf(x[one]), rtol=1e-12)


def test_a_gaussians_divergence_is_the_integral_that_defines_it() -> None:
    (mu, sigma), (other_mu, other_sigma) = parameters(4, 1), parameters(4, 1, seed=5)
    actual = as_numpy(Gaussian(mu, sigma).kl(Gaussian(other_mu, other_sigma)))
    numbers = np.concatenate([as_numpy(part) for part in (mu, sigma, other_mu, other_sigma)], 1)
    for divergence, (m, s, other_m, other_s) in zip(actual, numbers, strict=True):
        p, q = scipy.stats.norm(m, s), scipy.stats.norm(other_m, other_s)
        expected = scipy.integrate.quad(
            lambda x, p=p, q=q: p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), m - 12 * s, m + 12 * s, epsabs=1e-12
        )[0]
        np.testing.assert_allclose(divergence, expected, rtol=1e-8)


def test_divergences_add_up_over_dimensions_are_zero_from_itself_and_never_negative() -> None:
    p, q = Gaussian(*parameters(6, 3)), Gaussian(*parameters(6, 3, seed=5))
    single = [Gaussian(p.mu[:, i : i + 1], p.sigma[:, i : i + 1]) for i in range(3)]
    others = [Gaussian(q.mu[:, i : i + 1], q.sigma[:, i : i + 1]) for i in range(3)]
    assert_allclose(p.kl(q), sum(a.kl(b) for a, b in zip(single, others, strict=True)), rtol=1e-12)
    assert_array_equal(p.kl(p), np.zeros(6))
    assert as_numpy(p.kl(q)).min() > 0
    near = Gaussian(*parameters(200, 1, dtype=np.float32))
    nudged = Gaussian(near.mu, near.sigma * on_backend(np.float32(1) + normals(200, 1).astype("f") * np.float32(3e-7)))
    assert as_numpy(near.kl(nudged)).min() >= 0


@each_sharp
def test_a_squashed_density_integrates_to_its_distribution_function_piece_by_piece_and_to_one(
    mu: float, sigma: float, low: float, high: float
) -> None:
    quantiles = np.linspace(-8, 8, 65)
    ends = _squash(mu + sigma * quantiles, low, high)
    nodes, weights = np.polynomial.legendre.leggauss(30)
    middle, half = (ends[1:] + ends[:-1]) / 2, (ends[1:] - ends[:-1]) / 2
    density = np.exp(_on_points((middle[:, None] + half[:, None] * nodes).ravel(), mu, sigma, low, high))
    pieces = (density.reshape(64, 30) * weights).sum(1) * half
    np.testing.assert_allclose(pieces, np.diff(scipy.stats.norm.cdf(quantiles)), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(pieces.sum(), 1, rtol=1e-9)


@pytest.mark.numpy_alone("asks for one point at a time")
def test_a_squashed_density_integrates_to_one_between_its_bounds_by_scipys_quadrature() -> None:
    for mu, sigma, low, high in (SHARP["bell"], SHARP["two peaks"]):
        density = lambda x, c=(mu, sigma, low, high): math.exp(_on_points(np.array([x]), *c)[0])  # noqa: E731
        total = scipy.integrate.quad(density, low, high, limit=200)[0]
        np.testing.assert_allclose(total, 1, rtol=1e-7)


def test_a_squashed_density_in_several_dimensions_is_the_product_of_those_of_each() -> None:
    mu, sigma = parameters(5, 3)
    x = on_backend(LOW + (HIGH - LOW) * np.random.default_rng(2).uniform(0.01, 0.99, (5, 3)))
    single = [
        SquashedGaussian(mu[:, i : i + 1], sigma[:, i : i + 1], LOW[i], HIGH[i]).log_prob(x[:, i : i + 1])
        for i in range(3)
    ]
    assert_allclose(boxed(mu, sigma).log_prob(x), sum(single), rtol=1e-11)


def test_divergence_of_squashed_gaussians_is_the_integral_over_their_actions() -> None:
    p, q = (0.5, 0.6, -1.0, 3.0), (-0.2, 1.1, -1.0, 3.0)
    x = _squash(np.linspace(-6.0, 7.0, 4001), -1.0, 3.0)
    log_p, log_q = _on_points(x, *p), _on_points(x, *q)
    expected = scipy.integrate.simpson(np.exp(log_p) * (log_p - log_q), x=x)
    first, second = (SquashedGaussian(*on_backend([np.array([[a]]), np.array([[s]])]), *b) for a, s, *b in (p, q))
    np.testing.assert_allclose(as_numpy(first.kl(second))[0], expected, rtol=1e-6)
    assert_array_equal(first.kl(second), Gaussian(first.mu, first.sigma).kl(Gaussian(second.mu, second.sigma)))


# -- draws ------------------------------------------------------------------------------------------------------------


@each_sharp
def test_squashed_samples_have_the_distribution_that_the_density_says(
    mu: float, sigma: float, low: float, high: float
) -> None:
    ones = np.ones((4000, 1))
    distribution = SquashedGaussian(on_backend(mu * ones), on_backend(sigma * ones), low, high)
    drawn = as_numpy(distribution.sample(np.random.default_rng(3)))[:, 0]
    edges = _squash(mu + sigma * np.linspace(-2, 2, 21), low, high)
    below = (drawn[:, None] <= edges).mean(0)
    assert np.abs(below - scipy.stats.norm.cdf(np.linspace(-2, 2, 21))).max() < 1.95 / 4000**0.5  # 0.1% by chance


def test_gaussian_samples_have_their_mean_and_standard_deviation() -> None:
    ones = np.ones((4000, 1))
    drawn = as_numpy(Gaussian(on_backend(3 * ones), on_backend(0.2 * ones)).sample(np.random.default_rng(4)))[:, 0]
    assert scipy.stats.kstest(drawn, scipy.stats.norm(3, 0.2).cdf).pvalue > 1e-3


def test_a_draw_is_what_the_generator_gives_in_double_precision_and_nothing_else() -> None:
    for dtype in (np.float32, np.float64):
        mu, sigma = parameters(5, 3, dtype=dtype)
        before = bits([mu, sigma])
        noise = np.random.default_rng(7).standard_normal((5, 3))
        for distribution in both(mu, sigma):
            rng = np.random.default_rng(7)
            drawn = distribution.sample(rng)
            assert bits(drawn) == bits(distribution.sample(noise=noise))
            assert rng.random() == _after_one_draw(noise.shape).random()
            again, log_prob = distribution.sample_and_log_prob(np.random.default_rng(7))
            assert_allclose(again, drawn, rtol=1e-5, atol=1e-6)
            assert bits(log_prob) == bits(distribution.sample_and_log_prob(noise=noise)[1])
            assert drawn.dtype == again.dtype == log_prob.dtype == dtype
        assert bits([mu, sigma]) == before
        assert bits(Gaussian(mu, sigma).sample(noise=noise)) == bits(mu + sigma * on_backend(noise.astype(dtype)))


def _after_one_draw(shape: tuple[int, ...]) -> np.random.Generator:
    rng = np.random.default_rng(7)
    rng.standard_normal(shape)
    return rng


def test_without_noise_an_action_is_the_squashed_mean_and_half_of_all_draws_lie_below_it() -> None:
    mu, sigma = parameters(5, 3)
    gaussian, squashed = both(mu, sigma)
    assert_array_equal(gaussian.mode(), mu)
    assert_allclose(squashed.mode(), LOW + (HIGH - LOW) * scipy.special.expit(2 * as_numpy(mu)), rtol=1e-12, atol=1e-14)
    for distribution in (gaussian, squashed):
        assert bits(distribution.mode()) == bits(distribution.sample(noise=np.zeros((5, 3))))
        below = distribution.sample(noise=-np.abs(normals(5, 3)))
        assert (as_numpy(below) < as_numpy(distribution.mode())).all()


def test_squashing_into_the_unit_interval_is_tanh_itself() -> None:
    mu, sigma = parameters(50, 2, dtype=np.float32)
    noise = normals(50, 2).astype("f")
    drawn = SquashedGaussian(mu, sigma, -1, 1).sample(noise=noise)
    assert_array_equal(drawn, nnp.tanh(mu + sigma * on_backend(noise)))


def test_the_log_density_of_a_draw_is_that_of_its_action() -> None:
    for distribution in both(*parameters(200, 3)):
        action, log_prob = distribution.sample_and_log_prob(np.random.default_rng(8))
        assert_allclose(distribution.log_prob(action), log_prob, rtol=1e-6, atol=1e-6)


def test_each_row_is_drawn_and_scored_by_itself() -> None:
    mu, sigma = parameters(4, 2, 3)
    noise = normals(4, 2, 3)
    for make in (Gaussian, boxed):
        whole, rows = make(mu, sigma), [make(m, s) for m, s in zip(mu, sigma, strict=True)]
        actions, log_probs = whole.sample_and_log_prob(noise=noise)
        for row, row_noise, action, log_prob in zip(rows, noise, actions, log_probs, strict=True):
            assert_allclose(row.sample_and_log_prob(noise=row_noise)[0], action, rtol=1e-12)
            assert_allclose(row.log_prob(action), log_prob, rtol=1e-9)


def test_an_empty_batch_gives_empty_outputs() -> None:
    mu, sigma = parameters(0, 3)
    for distribution in both(mu, sigma):
        action, log_prob = distribution.sample_and_log_prob(np.random.default_rng(0))
        assert (action.shape, log_prob.shape, distribution.log_prob(action).shape) == ((0, 3), (0,), (0,))


def test_the_outputs_have_the_dtype_of_the_mean() -> None:
    mu, sigma = parameters(4, 3, dtype=np.float32)
    other = parameters(4, 3, seed=5, dtype=np.float32)
    x = np.full((4, 3), 0.25)
    for distribution, second in zip(both(mu, sigma), both(*other), strict=True):
        outputs = (distribution.mode(), distribution.log_prob(x), distribution.kl(second), distribution.sample(noise=x))
        assert {output.dtype for output in as_numpy(list(outputs))} == {np.dtype(np.float32)}
    assert as_numpy(Gaussian(mu, sigma).entropy()).dtype == np.float32
    wide = [part.astype(np.float64) for part in (mu, sigma)]
    for narrow, exact in zip(both(mu, sigma), both(*wide), strict=True):
        assert_allclose(narrow.log_prob(x), exact.log_prob(x), rtol=1e-5, atol=1e-5)


# -- as values --------------------------------------------------------------------------------------------------------


def test_a_distribution_cannot_be_changed_and_tells_what_it_is() -> None:
    gaussian, squashed = both(*parameters(4, 3, dtype=np.float32))
    assert repr(gaussian) == "Gaussian(<float32 (4, 3)>, <float32 (4, 3)>)"
    bounds = "low=(-1.0, 0.0, -3.0), high=(1.0, 0.5, 7.0)"
    assert repr(squashed) == f"SquashedGaussian(<float32 (4, 3)>, <float32 (4, 3)>, {bounds})"
    for distribution in (gaussian, squashed):
        with pytest.raises(AttributeError, match="cannot assign"):
            distribution.mu = distribution.sigma
    edges = squashed._interval
    if isinstance(edges.low, np.ndarray):
        with pytest.raises(ValueError, match="read-only"):
            edges.low[0] = 3


@pytest.mark.numpy_alone("pickles NumPy's arrays")
def test_a_distribution_survives_pickling() -> None:
    for distribution in both(*parameters(4, 3)):
        again = pickle.loads(pickle.dumps(distribution))
        assert bits(again.log_prob(distribution.mode())) == bits(distribution.log_prob(distribution.mode()))
        assert repr(again) == repr(distribution)


def test_bounds_may_be_numbers_or_one_for_each_dimension() -> None:
    mu, sigma = parameters(4, 3)
    one = SquashedGaussian(mu, sigma, -2, np.float32(0.5))
    each = SquashedGaussian(mu, sigma, [-2.0] * 3, np.full(3, 0.5, np.float32))
    assert (one.low, one.high) == (each.low, each.high) == (-2.0, 0.5)
    assert_array_equal(one.mode(), as_numpy(each.mode()))
    assert_array_equal(one.kl(each), np.zeros(4))
