"""The factor of gelu, `y = z Phi(z)`: the normal distribution function, or its approximation by `tanh`.

    Phi(z) = (1 + erf(z / sqrt(2))) / 2,  approximated by (1 + tanh(v / 2)) / 2 = 1 / (1 + p)
    p = exp(-v),  v = a z (1 + b z z),  a = sqrt(8 / pi),  b = 0.044715

Both are exact to a few units in the last place wherever they are normal numbers. Far below zero `1 + erf` and
`1 + tanh` cancel, and the rounding error of a large exponent grows with it. The few entries there are computed a second
time: those of float32 in float64, those of float64 with an exponent in two parts, a number and its rounding error
(`_error`).
"""

import math
from collections.abc import Callable

import numpy as np

import npnets.numpy as nnp
from npnets.backend import Array, namespace, special
from npnets.numpy.elementwise import elementwise

_ROOT_HALF, _DENSITY_AT_ZERO = 0.5**0.5, (0.5 / math.pi) ** 0.5
_A, _A_ERROR = 1.5957691216057308, -9.9693088091109203e-17
_B, _B_ERROR = 0.044715, 2.1960211427085596e-18
_FAR = 2.0
"""From where the rounding errors of the exponents, `z * z / 2` and `v`, show in the result."""
_BEYOND_ALL = 64.0
"""Where both functions have long been zero or one; products of larger numbers might overflow."""


# -- the normal distribution ------------------------------------------------------------------------------------------


@elementwise(lambda y, z: -z * y)
def normal_density(z: Array) -> Array:
    """`exp(-z * z / 2) / sqrt(2 pi)` of each entry."""
    xp, near = namespace(z), _clipped(z)
    density = _DENSITY_AT_ZERO * xp.exp(-0.5 * near * near)
    return _refined(xp.abs(z) > _FAR, density, z, lambda far: _DENSITY_AT_ZERO * _exp_of_half_square(far))


@elementwise(lambda y, z: normal_density(z))
def normal_cdf(z: Array) -> Array:
    """`Phi(z)` of each entry."""
    cdf = special(z).ndtr(z)
    if z.dtype == np.float32:  # for which SciPy and CUDA compute in more digits
        return cdf
    return _refined(z < -_FAR, cdf, z, _normal_tail)


def _normal_tail(z: Array) -> Array:
    """Return `Phi(z)` below zero: `erfc(t) = erfcx(t) exp(-t * t)` with `t = -z / sqrt(2)`."""
    return 0.5 * special(z).erfcx(-_ROOT_HALF * _clipped(z)) * _exp_of_half_square(z)


def _exp_of_half_square(z: Array) -> Array:
    """Return `exp(-z * z / 2)` in float64."""
    xp, wide = namespace(z), _clipped(z).astype(np.float64)
    if z.dtype == np.float32:
        return xp.exp(-0.5 * wide * wide)
    square, error = _product(wide, wide)
    power = xp.exp(-0.5 * square)
    return power - 0.5 * error * power


# -- its approximation by tanh ----------------------------------------------------------------------------------------


def _tanh_cdf_slope(y: Array, z: Array) -> Array:
    return y * (tanh_cdf(-z) * v_slope(z))


@elementwise(_tanh_cdf_slope)
def tanh_cdf(z: Array) -> Array:
    """`1 / (1 + p)` of each entry."""
    return _refined(z < -_FAR, 1 / (1 + _p(z)), z, _tanh_tail)


def tanh_cdf_and_rest(z: Array) -> tuple[Array, Array]:
    """Return `1 / (1 + p)` and `p / (1 + p)`, which add up to one, for bare arrays."""
    far, rest = z < -_FAR, _p(z)
    cdf = 1 / (1 + rest)
    rest *= cdf
    return _refined(far, cdf, z, _tanh_tail), _refined(far, rest, z, lambda far: 1 - _tanh_tail(far))


def v_slope(z: Array) -> Array:
    """Return the derivative of `v` by `z`."""
    near = nnp.clip(z, -_BEYOND_ALL, _BEYOND_ALL)
    return _A * (1 + 3 * _B * near * near)


def _p(z: Array) -> Array:
    """Return `p = exp(-v)`, which is of no use far below zero, where it is large."""
    xp = namespace(z)
    near = xp.clip(z, -_FAR, _BEYOND_ALL)
    minus_v = near * near
    minus_v *= -_A * _B
    minus_v -= _A
    minus_v *= near
    return xp.exp(minus_v)


def _tanh_tail(z: Array) -> Array:
    """Return `exp(v) / (1 + exp(v))` below zero in float64."""
    xp, wide = namespace(z), namespace(z).clip(z, -_BEYOND_ALL, 0).astype(np.float64)
    if z.dtype == np.float32:
        power = xp.exp(_A * wide * (1 + _B * wide * wide))
    else:
        v, error = _v(wide)
        power = xp.exp(v)
        power = power + power * error
    return power / (1 + power)


def _v(z: Array) -> tuple[Array, Array]:
    """Return `v = a z (1 + b z z)` in float64, and its rounding error."""
    square, square_error = _product(z, z)
    cubic, cubic_error = _product(_B, square)
    total = 1 + cubic
    added = total - 1
    total_error = (1 - (total - added)) + (cubic - added) + (cubic_error + _B * square_error + _B_ERROR * square)
    product, product_error = _product(z, total)
    v, v_error = _product(_A, product)
    return v, v_error + _A * (product_error + z * total_error) + _A_ERROR * product


# -- both -------------------------------------------------------------------------------------------------------------


def _clipped(z: Array) -> Array:
    return namespace(z).clip(z, -_BEYOND_ALL, _BEYOND_ALL)


def _refined(far: Array, values: Array, z: Array, compute: Callable[[Array], Array]) -> Array:
    """Return values with those of the entries that lie far out computed again.

    On a GPU all of them are computed: to find those entries, the host would have to wait for it.
    """
    xp = namespace(z)
    if xp is not np:
        return xp.where(far, compute(z), values).astype(z.dtype)
    if far.any():
        values = np.asarray(values)
        values[far] = compute(np.asarray(z)[far])
    return values


def _product(x: float | Array, y: Array) -> tuple[Array, Array]:
    """Return a product in float64, and its rounding error (Dekker 1971)."""
    product = x * y
    (x_high, x_low), (y_high, y_low) = _halves(x), _halves(y)
    return product, ((x_high * y_high - product) + x_high * y_low + x_low * y_high) + x_low * y_low


def _halves(x: float | Array) -> tuple[float | Array, float | Array]:
    """Return two numbers of half as many digits, which add up to the given one."""
    scaled = 134217729.0 * x  # 2**27 + 1
    high = scaled - (scaled - x)
    return high, x - high
