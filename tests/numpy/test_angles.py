"""Angles and remainders at the origin, at infinity and at jumps; NaN and infinities that are replaced."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends import assert_allclose, assert_array_equal, on_backend
from hypothesis import given
from hypothesis import strategies as st

import npnets
import npnets.numpy as nnp

INF, NAN = np.inf, np.nan
FINITE = st.floats(-1e3, 1e3).map(lambda x: np.asarray(x))


def _slopes(fun: Any, *x: Any) -> Any:
    """Return the derivatives of an elementwise function by its arguments."""
    return npnets.grad(lambda *args: nnp.sum(fun(*args)), tuple(range(len(x))))(*on_backend(x))


# -- arctan2 ----------------------------------------------------------------------------------------------------------


def test_an_angle_has_derivative_zero_at_the_origin_in_every_order() -> None:
    x = on_backend((np.array([0.0, -0.0, 2.0]), np.array([0.0, -0.0, 0.0])))
    by_y, by_x = npnets.grad(lambda point: nnp.sum(nnp.arctan2(*point)))(x)
    assert_array_equal(by_y, [0, 0, 0])
    assert_array_equal(by_x, [0, 0, -0.5])
    ones = on_backend((np.ones(3), np.ones(3)))  # by hand: (y**2 - x**2) / (x**2 + y**2)**2 is the mixed derivative
    second = npnets.hvp(lambda point: nnp.sum(nnp.arctan2(*point)))(x, ones)
    assert_allclose(second, ([0, 0, 0.25], [0, 0, 0.25]), atol=1e-16)


@pytest.mark.parametrize(("dtype", "scale"), [(np.float32, 1e30), (np.float32, 1e-30), (np.float64, 1e200)])
def test_the_slopes_of_an_angle_neither_overflow_nor_vanish(dtype: Any, scale: float) -> None:
    y, x = np.array([3.0], dtype) * dtype(scale), np.array([4.0], dtype) * dtype(scale)
    assert_allclose(_slopes(nnp.arctan2, y, x), ([0.16 / scale], [-0.12 / scale]), rtol=1e-6)


def test_an_angle_at_infinity_has_slope_zero_and_at_nan_slope_nan() -> None:
    y, x = np.array([1.0, INF, -INF, NAN]), np.array([INF, 2.0, INF, 1.0])
    assert_allclose(_slopes(nnp.arctan2, y, x), ([0, 0, 0, NAN], [0, 0, 0, NAN]))


@given(st.floats(0.1, 10), st.floats(-3.1, 3.1))
def test_an_angle_is_that_of_sine_and_cosine_and_its_slope_by_it_is_one(radius: float, angle: float) -> None:
    around = lambda a: nnp.arctan2(radius * nnp.sin(a), radius * nnp.cos(a))  # noqa: E731
    value, slope = npnets.value_and_grad(around)(on_backend(np.asarray(angle)))
    assert_allclose([value, slope], [angle, 1.0], rtol=1e-12, atol=1e-12)


# -- mod --------------------------------------------------------------------------------------------------------------


@given(FINITE, FINITE.filter(lambda y: abs(y) > 1e-3))
def test_a_remainder_and_its_slopes_make_the_dividend_again(x: Any, y: Any) -> None:
    value = nnp.mod(*on_backend((x, y)))
    by_x, by_y = _slopes(nnp.mod, x, y)
    assert_array_equal(value, np.mod(x, y))
    assert_array_equal(by_x, 1.0)
    assert_allclose(value - by_y * on_backend(y), x, rtol=1e-12, atol=1e-9)


def test_the_slope_of_a_remainder_at_a_jump_is_that_of_the_upper_side() -> None:
    by_x, by_y = _slopes(nnp.mod, np.array([4.0, -4.0, 0.0]), np.array([2.0, 2.0, 2.0]))
    assert_array_equal(by_x, [1, 1, 1])
    assert_array_equal(by_y, [-2, 2, 0])


def test_the_percent_sign_is_this_remainder_on_both_sides() -> None:
    x = on_backend(np.array([5.5, -1.5]))
    assert_array_equal(npnets.grad(lambda a: nnp.sum(a % 2 + np.remainder(a, 2) + np.mod(a, 2)))(x), [3, 3])
    assert_array_equal(npnets.grad(lambda a: nnp.sum(13 % a))(x), [-2, 9])


@pytest.mark.numpy_alone("is about NumPy's own dtypes")
def test_remainders_of_integers_are_numpys() -> None:
    assert nnp.mod([-3, 7], 5).tolist() == [2, 2]
    assert nnp.mod(np.array([7], np.int8), np.int8(4)).dtype == np.int8
    assert nnp.remainder is nnp.mod


# -- nan_to_num -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_not_finite_becomes_a_number_with_derivative_zero(dtype: Any) -> None:
    x = np.array([1.5, NAN, INF, -INF, 0.0], dtype)
    there = on_backend(x)
    value, pullback = npnets.vjp(nnp.nan_to_num, there)
    assert_array_equal(value, np.nan_to_num(x))
    assert value.dtype == dtype
    assert_array_equal(pullback(on_backend(np.array([2.0, NAN, INF, 5.0, 3.0], dtype))), [2, 0, 0, 0, 3])
    assert_array_equal(npnets.jvp(nnp.nan_to_num, there, on_backend(np.full(5, 7, dtype)))[1], [7, 0, 0, 0, 7])
    chosen = nnp.nan_to_num(there, nan=9, posinf=np.float64(8), neginf=7)
    assert_array_equal(chosen, [1.5, 9, 8, 7, 0])
    assert chosen.dtype == dtype


def test_nan_to_num_keeps_shape_and_dtype_whatever_the_replacements_are() -> None:
    x = np.array([1, np.nan, np.inf], np.float32)
    for replacement in (np.array(5.0), np.array([5, 6, 7]), np.array([5.0, 6.0, 7.0])):
        output, tangent = npnets.jvp(
            lambda a, other=replacement: nnp.nan_to_num(a, nan=on_backend(other), posinf=on_backend(other)),
            on_backend(x),
            on_backend(np.ones(3, np.float32)),
        )
        assert output.dtype == tangent.dtype == np.float32
        assert_array_equal(output, np.nan_to_num(x, nan=replacement, posinf=replacement))
        assert_array_equal(tangent, [1, 0, 0])
    with pytest.raises(ValueError, match=r"broadcast to \(3,\), the shape of x, and not to \(2, 3\)"):
        nnp.nan_to_num(on_backend(x), nan=on_backend(np.zeros((2, 1))))


def test_nan_to_num_changes_no_argument_and_returns_a_new_array() -> None:
    for x in (np.array([NAN, 1.0]), np.array([1, 2])):
        there = on_backend(x)
        output = nnp.nan_to_num(there)
        output[...] = 5
        assert_array_equal(there, x)


def test_numpys_own_nan_to_num_of_a_traced_array_is_this_one() -> None:
    x = on_backend(np.array([NAN, 2.0]))
    assert_array_equal(npnets.grad(lambda a: nnp.sum(np.nan_to_num(a, nan=3.0) ** 2))(x), [0, 4])
