"""What gelu multiplies its input by: the normal distribution function, or its approximation by `tanh`.

    Phi(z) = (1 + erf(z / sqrt(2))) / 2,  approximated by (1 + tanh(v / 2)) / 2 = 1 / (1 + exp(-v)),
    v = a z (1 + b z z),  a = sqrt(8 / pi),  b = 0.044715

Both are right to a few units in the last place wherever they are normal numbers. Far below zero `1 + erf` and
`1 + tanh` cancel, and a rounding of the exponent counts as often as the exponent is large. The few entries that lie
there are computed again: those of float32 in float64, those of float64 with an exponent in two parts, the second of
which is what rounding lost.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import npnets.numpy as nnp
from npnets.backend import Array, namespace, special
from npnets.numpy.elementwise import elementwise

_ROOT_HALF, _DENSITY_AT_ZERO = 0.5**0.5, (0.5 / math.pi) ** 0.5
_A, _A_LOST = 1.5957691216057308, -9.9693088091109203e-17
_B, _B_LOST = 0.044715, 2.1960211427085596e-18
_FAR = 2.0
"""Where the exponents, `z * z / 2` and `v`, begin to be so large that their rounding shows."""
_BEYOND_ALL = 64.0
"""Where both functions have long been zero or one; products of larger numbers might overflow."""


@elementwise(lambda answer, z: -z * answer)
def normal_density(z: Array) -> Array:
    """`exp(-z * z / 2) / sqrt(2 pi)` of each entry."""
    xp, near = namespace(z), _near(z)
    density = _DENSITY_AT_ZERO * xp.exp(-0.5 * near * near)
    return _again(xp.abs(z) > _FAR, density, z, lambda far: _DENSITY_AT_ZERO * _bell(far))


@elementwise(lambda answer, z: normal_density(z))
def normal_cdf(z: Array) -> Array:
    """`Phi(z)` of each entry."""
    cdf = special(z).ndtr(z)
    if z.dtype == np.float32:  # which SciPy and CUDA compute in more digits
        return cdf
    return _again(z < -_FAR, cdf, z, lambda far: 0.5 * special(z).erfcx(-_ROOT_HALF * _near(far)) * _bell(far))


def _tanh_cdf_slope(answer: Array, z: Array) -> Array:
    return answer * (tanh_cdf(-z) * tanh_slope(z))


@elementwise(_tanh_cdf_slope)
def tanh_cdf(z: Array) -> Array:
    """`1 / (1 + exp(-v))` of each entry."""
    return _again(z < -_FAR, 1 / (1 + _tanh_power(z)), z, _tanh_tail)


def tanh_cdfs(z: Array) -> tuple[Array, Array]:
    """Return `1 / (1 + exp(-v))` and what it lacks to one, for bare arrays."""
    far, power = z < -_FAR, _tanh_power(z)
    cdf = 1 / (1 + power)
    power *= cdf
    return _again(far, cdf, z, _tanh_tail), _again(far, power, z, lambda far: 1 - _tanh_tail(far))


def _tanh_power(z: Array) -> Array:
    """Return `exp(-v)`, where that is not large."""
    xp = namespace(z)
    near = xp.clip(z, -_FAR, _BEYOND_ALL)
    minus_v = near * near
    minus_v *= -_A * _B
    minus_v -= _A
    minus_v *= near
    return xp.exp(minus_v)


def tanh_slope(z: Array) -> Array:
    """Return the derivative of `v`."""
    near = nnp.clip(z, -_BEYOND_ALL, _BEYOND_ALL)
    return _A * (1 + 3 * _B * near * near)


def _near(z: Array) -> Array:
    return namespace(z).clip(z, -_BEYOND_ALL, _BEYOND_ALL)


def _again(far: Array, values: Array, z: Array, compute: Callable[[Array], Array]) -> Array:
    """Return values, those of the entries that lie far out computed again; on a GPU all, where to look is to wait."""
    xp = namespace(z)
    if xp is not np:
        return xp.where(far, compute(z), values).astype(z.dtype)
    if far.any():
        values = np.asarray(values)
        values[far] = compute(np.asarray(z)[far])
    return values


def _bell(z: Array) -> Array:
    """Return `exp(-z * z / 2)` in float64."""
    xp, wide = namespace(z), _near(z).astype(np.float64)
    if z.dtype == np.float32:
        return xp.exp(-0.5 * wide * wide)
    square, lost = _product(wide, wide)
    bell = xp.exp(-0.5 * square)
    return bell - 0.5 * lost * bell


def _tanh_tail(z: Array) -> Array:
    """Return `exp(v) / (1 + exp(v))` for entries below zero in float64."""
    xp, wide = namespace(z), namespace(z).clip(z, -_BEYOND_ALL, 0).astype(np.float64)
    if z.dtype == np.float32:
        power = xp.exp(_A * wide * (1 + _B * wide * wide))
    else:
        v, lost = _tanh_exponent(wide)
        power = xp.exp(v)
        power = power + power * lost
    return power / (1 + power)


def _tanh_exponent(z: Array) -> tuple[Array, Array]:
    """Return `v` in float64, and what rounding lost of it."""
    square, square_lost = _product(z, z)
    cubic, cubic_lost = _product(_B, square)
    total = 1 + cubic
    back = total - 1
    total_lost = (1 - (total - back)) + (cubic - back) + (cubic_lost + _B * square_lost + _B_LOST * square)
    product, product_lost = _product(z, total)
    v, v_lost = _product(_A, product)
    return v, v_lost + _A * (product_lost + z * total_lost) + _A_LOST * product


def _product(x: Any, y: Array) -> tuple[Array, Array]:
    """Return a product in float64, and what rounding lost of it (Dekker 1971)."""
    product = x * y
    (x_high, x_low), (y_high, y_low) = _halves(x), _halves(y)
    return product, ((x_high * y_high - product) + x_high * y_low + x_low * y_high) + x_low * y_low


def _halves(x: Any) -> tuple[Any, Any]:
    """Return two numbers of half as many digits, which add up to the given one."""
    scaled = 134217729.0 * x  # 2**27 + 1
    high = scaled - (scaled - x)
    return high, x - high
