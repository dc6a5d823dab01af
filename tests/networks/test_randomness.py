"""Randomness is an argument: a generator or noise, never global state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, bits, device, on_backend
from finite_differences import check_first_order

import npnets

VAE = npnets.VAE(npnets.MLP(5, 6, (7,)), npnets.MLP(4, 3, (7,)), 6, 2, (1.0, 3.0, 2.0))


def _rng() -> np.random.Generator:
    return np.random.default_rng(7)


def _given() -> tuple[Any, Any, Any]:
    """Return parameters of the VAE, observations and actions."""
    state, action = (np.random.default_rng(1).normal(size=(6, width)) for width in (2, 3))
    return on_backend((VAE.init(np.random.default_rng(0), np.float64), state, action))  # type: ignore[no-any-return]


def _noise() -> Any:
    """Return the numbers that `_rng()` draws as noise."""
    return on_backend(_rng().standard_normal((6, 2)))


def test_equal_seeds_give_equal_bits_and_the_generator_advances() -> None:
    given, rng = _given(), _rng()
    first, second = (VAE.forward(*given, rng=rng)[0] for _ in range(2))
    assert_array_equal(first, VAE.forward(*given, rng=_rng())[0])
    assert (as_numpy(first) != as_numpy(second)).any()


def test_a_generator_gives_the_same_as_the_noise_that_it_draws() -> None:
    given = _given()
    for noise in (_noise(), as_numpy(_noise())):
        for drawn, expected in zip(VAE.forward(*given, rng=_rng()), VAE.forward(*given, noise=noise), strict=True):
            assert_array_equal(drawn, expected)


def test_a_reconstruction_is_the_decoded_mean_plus_noise_times_std() -> None:
    (params, state, action), noise = _given(), _noise()
    reconstruction, mean, std = VAE.forward(params, state, action, noise=noise)
    assert_allclose(reconstruction, VAE.decode(params, state, mean + std * noise), rtol=1e-12)
    pairs = on_backend(np.concatenate(as_numpy([state, action]), 1))
    features, host = as_numpy((VAE.encoder.forward(params["encoder"], pairs), params))
    assert_allclose(mean, features @ host["mean"]["weight"] + host["mean"]["bias"], rtol=1e-12)
    log_std = features @ host["log_std"]["weight"] + host["log_std"]["bias"]
    assert_allclose(std, np.exp(np.clip(log_std, -4, 15)), rtol=1e-12)
    check_first_order(lambda p: list(VAE.forward(p, state, action, noise=noise)), params, _rng())


@pytest.mark.parametrize(("shift", "limit"), [(-100.0, -4), (100.0, 15)])
def test_the_standard_deviation_of_the_latent_is_limited(shift: float, limit: int) -> None:
    params, state, action = _given()
    log_std = {**params["log_std"], "bias": params["log_std"]["bias"] + shift}
    noise = on_backend(np.zeros((6, 2)))
    std = VAE.forward({**params, "log_std": log_std}, state, action, noise=noise)[2]
    assert_allclose(std, np.full((6, 2), np.exp(limit)))


def test_a_drawn_latent_is_clipped_to_half_a_unit() -> None:
    params, state, _ = _given()
    latent = np.clip(_rng().standard_normal((6, 2)), -0.5, 0.5)
    assert (abs(latent) == 0.5).any() and (abs(latent) < 0.5).any()
    near, far = (VAE.decode(params, state, z) for z in on_backend((latent, 10 * latent)))
    assert_array_equal(VAE.decode(params, state, rng=_rng()), near)
    assert (as_numpy(far) != as_numpy(near)).any(), "a latent that is given is not clipped"


def test_no_network_uses_or_changes_the_global_generator_of_numpy() -> None:
    given = _given()
    before = np.random.get_state()[1].copy()
    params = on_backend(VAE.init(_rng()))
    VAE.forward(params, *given[1:], rng=_rng())
    VAE.decode(params, given[1], rng=_rng())
    npnets.ActorProb(npnets.Net(2, hidden_sizes=(3,)), 2, device=device(), conditioned_sigma=True).init(_rng())
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("given", [{}, {"rng": _rng(), "noise": np.zeros((6, 2))}])
def test_forward_needs_exactly_one_of_rng_and_noise(given: Any) -> None:
    with pytest.raises(TypeError, match=r"exactly one of rng \(numpy.random.default_rng\(seed\)\) and noise"):
        VAE.forward(*_given(), **given)


def test_decode_needs_exactly_one_of_a_latent_and_rng() -> None:
    params, state, _ = _given()
    with pytest.raises(TypeError, match="decode needs latent_z, or rng to draw one with"):
        VAE.decode(params, state)
    with pytest.raises(TypeError, match="latent_z, or rng to draw one with, but not both"):
        VAE.decode(params, state, on_backend(np.zeros((6, 2))), rng=_rng())


def test_each_part_of_a_network_has_its_own_random_numbers() -> None:
    trunk = npnets.Net(4, hidden_sizes=(4,), device=device())
    params = as_numpy(npnets.ActorProb(trunk, 4, device=device(), conditioned_sigma=True).init(_rng()))
    weights = [part["linear_0"]["weight"] for part in (params["preprocess"]["model"], params["mu"], params["sigma"])]
    assert not any((a == b).any() for a, b in zip(weights, weights[1:], strict=False))
    limit = 0.5
    assert all((abs(weight) <= limit).all() and abs(weight).max() > 0.8 * limit for weight in weights)


def test_noise_that_is_refilled_after_forward_does_not_change_the_gradient_of_the_encoder_alone() -> None:
    net = npnets.VAE(npnets.MLP(7, 6), npnets.MLP(8, 2), 6, 3, 1.0)
    params = on_backend(net.init(np.random.default_rng(0)))
    state, action = on_backend((np.ones((4, 5), np.float32), np.ones((4, 2), np.float32)))

    def loss(encoder: Any, refilled: bool) -> Any:
        noise = on_backend(np.full((4, 3), 0.5, np.float32))
        reconstruction, _, _ = net.forward({**params, "encoder": encoder}, state, action, noise=noise)
        noise[:] = 7.0 if refilled else 0.5
        return npnets.numpy.sum(reconstruction)

    found, expected = (npnets.grad(loss)(params["encoder"], refilled) for refilled in (True, False))
    assert bits(found) == bits(expected)
