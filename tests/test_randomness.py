"""Randomness is an argument: a generator or noise, never global state, and never needed where there is none."""

from __future__ import annotations

from typing import Any

import numpy as onp
import pytest
from finite_differences import check_first_order
from numpy.testing import assert_allclose, assert_array_equal

import npnets

VAE = npnets.VAE(npnets.MLP(5, 6, (7,)), npnets.MLP(4, 3, (7,)), 6, 2, (1.0, 3.0, 2.0))
PARAMS = VAE.init(onp.random.default_rng(0), onp.float64)
STATE, ACTION = (onp.random.default_rng(1).normal(size=(6, width)) for width in (2, 3))


def _rng() -> onp.random.Generator:
    return onp.random.default_rng(7)


def test_one_seed_gives_the_same_bits_and_the_generator_goes_on() -> None:
    rng = _rng()
    first, second = (VAE.forward(PARAMS, STATE, ACTION, rng=rng)[0] for _ in range(2))
    assert_array_equal(first, VAE.forward(PARAMS, STATE, ACTION, rng=_rng())[0])
    assert (first != second).any()


def test_a_generator_is_the_same_as_the_noise_that_it_draws() -> None:
    noise = _rng().standard_normal((6, 2))
    for drawn, given in zip(
        VAE.forward(PARAMS, STATE, ACTION, rng=_rng()), VAE.forward(PARAMS, STATE, ACTION, noise=noise), strict=True
    ):
        assert_array_equal(drawn, given)


def test_a_reconstruction_is_the_decoded_mean_plus_noise_times_std() -> None:
    noise = _rng().standard_normal((6, 2))
    reconstruction, mean, std = VAE.forward(PARAMS, STATE, ACTION, noise=noise)
    assert_allclose(reconstruction, VAE.decode(PARAMS, STATE, mean + std * noise), rtol=1e-12)
    features = VAE.encoder.forward(PARAMS["encoder"], onp.concatenate([STATE, ACTION], 1))
    assert_allclose(mean, features @ PARAMS["mean"]["weight"] + PARAMS["mean"]["bias"], rtol=1e-12)
    log_std = features @ PARAMS["log_std"]["weight"] + PARAMS["log_std"]["bias"]
    assert_allclose(std, onp.exp(onp.clip(log_std, -4, 15)), rtol=1e-12)
    check_first_order(lambda p: list(VAE.forward(p, STATE, ACTION, noise=noise)), PARAMS, _rng())


@pytest.mark.parametrize(("shift", "limit"), [(-100.0, -4), (100.0, 15)])
def test_the_standard_deviation_of_the_latent_is_limited(shift: float, limit: int) -> None:
    log_std = {**PARAMS["log_std"], "bias": PARAMS["log_std"]["bias"] + shift}
    std = VAE.forward({**PARAMS, "log_std": log_std}, STATE, ACTION, noise=onp.zeros((6, 2)))[2]
    assert_allclose(std, onp.full((6, 2), onp.exp(limit)))


def test_a_latent_that_is_drawn_is_clipped_to_a_half() -> None:
    latent = onp.clip(_rng().standard_normal((6, 2)), -0.5, 0.5)
    assert (abs(latent) == 0.5).any() and (abs(latent) < 0.5).any()
    assert_array_equal(VAE.decode(PARAMS, STATE, rng=_rng()), VAE.decode(PARAMS, STATE, latent))
    far = VAE.decode(PARAMS, STATE, 10 * latent)
    assert (far != VAE.decode(PARAMS, STATE, latent)).any(), "a latent that is given is not clipped"


def test_nothing_uses_or_changes_numpys_global_generator() -> None:
    before = onp.random.get_state()[1].copy()
    params = VAE.init(_rng())
    VAE.forward(params, STATE, ACTION, rng=_rng())
    VAE.decode(params, STATE, rng=_rng())
    npnets.ActorProb(npnets.Net(2, hidden_sizes=(3,)), 2, conditioned_sigma=True).init(_rng())
    assert_array_equal(onp.random.get_state()[1], before)


@pytest.mark.parametrize("given", [{}, {"rng": _rng(), "noise": onp.zeros((6, 2))}])
def test_forward_needs_exactly_one_of_rng_and_noise(given: Any) -> None:
    with pytest.raises(TypeError, match=r"exactly one of rng \(numpy.random.default_rng\(seed\)\) and noise"):
        VAE.forward(PARAMS, STATE, ACTION, **given)


def test_decode_needs_exactly_one_of_a_latent_and_rng() -> None:
    with pytest.raises(TypeError, match="decode needs latent_z, or rng to draw one with"):
        VAE.decode(PARAMS, STATE)
    with pytest.raises(TypeError, match="latent_z, or rng to draw one with, but not both"):
        VAE.decode(PARAMS, STATE, onp.zeros((6, 2)), rng=_rng())


def test_each_part_of_a_network_is_drawn_with_numbers_of_its_own() -> None:
    params = npnets.ActorProb(npnets.Net(4, hidden_sizes=(4,)), 4, conditioned_sigma=True).init(_rng())
    weights = [part["linear_0"]["weight"] for part in (params["preprocess"]["model"], params["mu"], params["sigma"])]
    assert not any((a == b).any() for a, b in zip(weights, weights[1:], strict=False))
    limit = 0.5
    assert all((abs(weight) <= limit).all() and abs(weight).max() > 0.8 * limit for weight in weights)
