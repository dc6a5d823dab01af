"""Means, standard deviations, bounds and noise for the tests of distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
from backends import on_backend

from npnets.distributions import Gaussian, SquashedGaussian

LOW, HIGH = np.array([-1.0, 0.0, -3.0]), np.array([1.0, 0.5, 7.0])


def parameters(*shape: int, seed: int = 0, dtype: Any = np.float64) -> Any:
    """A mean and a standard deviation."""
    rng = np.random.default_rng(seed)
    return on_backend([a.astype(dtype) for a in (rng.normal(size=shape), np.exp(0.5 * rng.normal(size=shape)))])


def normals(*shape: int, seed: int = 1) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


def boxed(mu: Any, sigma: Any) -> SquashedGaussian:
    return SquashedGaussian(mu, sigma, LOW, HIGH)


def both(mu: Any, sigma: Any) -> list[Any]:
    return [Gaussian(mu, sigma), boxed(mu, sigma)]
