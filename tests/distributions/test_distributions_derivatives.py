"""Derivatives of what distributions draw and score, through the draws and with respect to everything handed in."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, on_backend
from distribution_cases import HIGH, LOW, both, boxed, normals, parameters
from finite_differences import check_first_order, check_second_order

import npnets
import npnets.numpy as nnp
from npnets.distributions import Gaussian, SquashedGaussian


def _measures() -> dict[str, Any]:
    noise, inside = normals(4, 3), LOW + (HIGH - LOW) * np.random.default_rng(2).uniform(0.05, 0.95, (4, 3))
    other = parameters(4, 3, seed=6)
    makers = {"gaussian": Gaussian, "squashed": boxed}
    measures: dict[str, Any] = {"entropy": (lambda p: Gaussian(*p).entropy(), [])}
    for name, make in makers.items():
        measures |= {
            f"{name} sample": (lambda p, make=make: make(*p).sample(noise=on_backend(noise)), []),
            f"{name} sample and log_prob": (
                lambda p, make=make: list(make(*p).sample_and_log_prob(noise=on_backend(noise))),
                [],
            ),
            f"{name} mode": (lambda p, make=make: make(*p).mode() + p[1], []),
            f"{name} log_prob": (lambda p, make=make: make(*p[:2]).log_prob(p[2]), [on_backend(inside)]),
            f"{name} kl": (lambda p, make=make: make(*p[:2]).kl(make(*p[2:])), other),
        }
    return measures


@pytest.mark.parametrize("name", _measures())
def test_derivatives_of_both_orders_are_those_of_finite_differences(name: str) -> None:
    fun, more = _measures()[name]
    point = [*parameters(4, 3), *more]
    check_first_order(fun, point, np.random.default_rng(10))
    check_second_order(fun, point, np.random.default_rng(11))


def test_the_gradient_through_a_gaussians_draw_leaves_its_own_log_density_to_sigma_alone() -> None:
    mu, sigma = parameters(4, 3)
    noise = on_backend(normals(4, 3))
    fun = lambda p: nnp.sum(Gaussian(*p).sample_and_log_prob(noise=noise)[1])  # noqa: E731
    of_mu, of_sigma = npnets.grad(fun)([mu, sigma])
    assert_array_equal(of_mu, np.zeros((4, 3)))
    assert_allclose(of_sigma, -1 / sigma, rtol=1e-12)


def test_gradients_of_float32_are_float32() -> None:
    mu, sigma = parameters(4, 3, dtype=np.float32)
    noise = on_backend(normals(4, 3))

    def loss(p: Any) -> Any:
        total = 0.0
        for distribution in both(*p):
            action, log_prob = distribution.sample_and_log_prob(noise=noise)
            scored = distribution.log_prob(npnets.stop_gradient(action))
            total = total + nnp.mean(log_prob) + nnp.mean(scored) + nnp.sum(action)
        return total

    assert {leaf.dtype for leaf in npnets.grad(loss)([mu, sigma])} == {np.dtype(np.float32)}
    assert {leaf.dtype for leaf in npnets.hvp(loss)([mu, sigma], [mu, sigma])} == {np.dtype(np.float32)}


def test_ascent_on_the_entropy_approaches_the_even_distribution_and_never_passes_it() -> None:
    params = {"mu": np.array([[0.8]]), "log_sigma": np.array([[-1.5]])}
    params = on_backend(params)
    low, high = -2.0, 3.0
    adam, rng = npnets.optim.adam(0.05), np.random.default_rng(12)
    state = adam.init(params)

    def negative_entropy(params: Any, noise: Any) -> Any:
        mu, sigma = nnp.broadcast_to(params["mu"], noise.shape), nnp.exp(params["log_sigma"])
        distribution = SquashedGaussian(mu, nnp.broadcast_to(sigma, noise.shape), low, high)
        return nnp.mean(distribution.sample_and_log_prob(noise=noise)[1])

    start = -float(as_numpy(negative_entropy(params, on_backend(rng.standard_normal((20_000, 1))))))
    for _ in range(150):
        _, grads = npnets.value_and_grad(negative_entropy)(params, on_backend(rng.standard_normal((256, 1))))
        params, state = adam.update(params, grads, state)
    end = -float(as_numpy(negative_entropy(params, on_backend(rng.standard_normal((20_000, 1))))))
    assert start < math.log(high - low) - 0.5
    assert math.log(high - low) - 0.02 < end < math.log(high - low) + 0.005
