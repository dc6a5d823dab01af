"""Derivatives at special points: zeros of powers, lengths and sums of exponentials; masks over what is not finite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from backends import assert_allclose, assert_array_equal, on_backend

import npnets
import npnets.numpy as nnp

INF, NAN = np.inf, np.nan


def _number(x: float) -> Any:
    return on_backend(np.asarray(x))


# -- powers: d2/dx dy x**y = x**(y-1) (1 + y log x), worked out by hand -----------------------------------------------


@pytest.mark.parametrize("y", [-1.0, 0.0, 1.0, 2.0, 3.0, 0.5])
@pytest.mark.parametrize("x", [2.0, 0.5])
def test_mixed_derivatives_of_powers_are_right_at_whole_exponents(x: float, y: float) -> None:
    expected = x ** (y - 1) * (1 + y * np.log(x))
    by_x_then_y = npnets.grad(lambda b: npnets.grad(lambda a: a**b)(_number(x)))(_number(y))
    by_y_then_x = npnets.grad(lambda a: npnets.grad(lambda b: a**b)(_number(y)))(_number(x))
    assert_allclose([by_x_then_y, by_y_then_x], [expected, expected], rtol=1e-14)
    ones = _number(1.0)
    forward = npnets.jvp(lambda b: npnets.grad(lambda a: nnp.power(a, b))(_number(x)), _number(y), ones)[1]
    assert_allclose(forward, expected, rtol=1e-14)


@pytest.mark.parametrize("y", [0.0, 1.0, 2.0])
def test_third_derivatives_of_powers_are_right_at_whole_exponents(y: float) -> None:
    x = 2.0  # d3/dx2 dy x**y = x**(y-2) (2 y - 1 + y (y - 1) log x)
    twice = lambda b: npnets.grad(npnets.grad(lambda a: nnp.power(a, b)))(_number(x))  # noqa: E731
    assert_allclose(npnets.grad(twice)(_number(y)), x ** (y - 2) * (2 * y - 1 + y * (y - 1) * np.log(x)), rtol=1e-13)


# -- sums of exponentials ---------------------------------------------------------------------------------------------


def test_logsumexp_of_a_row_of_minus_infinity_has_gradient_zero() -> None:
    x = on_backend(np.array([[-INF, -INF], [0.0, 1.0], [-INF, 2.0]]))
    value, pullback = npnets.vjp(lambda a: nnp.logsumexp(a, axis=1), x)
    assert_allclose(value, [-INF, np.log(1 + np.e), 2.0])
    e = np.e
    assert_allclose(pullback(on_backend(np.ones(3))), [[0, 0], [1 / (1 + e), e / (1 + e)], [0, 1]], rtol=1e-14)


def test_logsumexp_over_no_entries_is_minus_infinity() -> None:
    assert_array_equal(nnp.logsumexp(on_backend(np.ones((2, 0))), axis=1), [-INF, -INF])


# -- lengths ----------------------------------------------------------------------------------------------------------


def test_a_length_has_gradient_zero_where_it_is_zero_in_every_mode_and_order() -> None:
    x = on_backend(np.array([[0.0, 0.0], [3.0, 4.0]]))
    rows = lambda a: nnp.sum(nnp.linalg.norm(a, axis=1))  # noqa: E731
    assert_array_equal(nnp.linalg.norm(x, axis=1), [0, 5])
    assert_allclose(npnets.grad(rows)(x), [[0, 0], [0.6, 0.8]], rtol=1e-15)
    assert_allclose(npnets.jvp(rows, x, on_backend(np.ones((2, 2))))[1], 1.4, rtol=1e-15)
    product = npnets.hvp(rows)(x, on_backend(np.ones((2, 2))))  # (I - u u') v / 5 with u = (0.6, 0.8)
    assert_allclose(product, [[0, 0], [0.2 * (1 - 0.6 * 1.4), 0.2 * (1 - 0.8 * 1.4)]], rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize(("dtype", "scale"), [(np.float32, 1e30), (np.float32, 1e-30), (np.float64, 1e300)])
def test_a_length_neither_overflows_nor_vanishes(dtype: Any, scale: float) -> None:
    x = on_backend(np.array([3.0, 4.0], dtype) * dtype(scale))
    value, gradient = npnets.value_and_grad(nnp.linalg.norm)(x)
    assert_allclose(value, 5.0 * scale, rtol=1e-6)
    assert_allclose(gradient, [0.6, 0.8], rtol=1e-6)


@pytest.mark.parametrize(("dtype", "small"), [(np.float32, 3e-36), (np.float32, 3e-39), (np.float64, 1e-309)])
def test_large_tangents_of_vectors_that_are_zero_or_tiny_do_not_overflow(dtype: Any, small: float) -> None:
    large, zeros = on_backend(np.full(3, 1e9, dtype)), on_backend(np.zeros(3, dtype))
    assert_array_equal(npnets.jvp(nnp.linalg.norm, zeros, large)[1], 0)
    assert_array_equal(npnets.hvp(nnp.linalg.norm)(zeros, large), np.zeros(3))
    tiny = on_backend(np.array([small, 0, 0], dtype))
    assert_allclose(npnets.jvp(nnp.linalg.norm, tiny, large)[1], 1e9, rtol=1e-6)


def test_numpys_own_norm_of_a_traced_array_is_this_one() -> None:
    x = on_backend(np.array([[3.0, 0.0], [0.0, 4.0]]))
    for fun in (np.linalg.norm, lambda a: np.linalg.norm(a, "fro"), lambda a: np.linalg.norm(a, axis=(0, 1))):
        assert_allclose(npnets.grad(fun)(x), [[0.6, 0], [0, 0.8]])


@pytest.mark.parametrize(
    ("ord", "axis"), [(2, None), ("nuc", None), (2, (0, 1)), ("fro", 0), (3, 0), (0, 0), ([1], 0), ("1", 0)]
)
def test_a_norm_that_is_not_there_is_refused(ord: Any, axis: Any) -> None:
    x = on_backend(np.array([[3.0, 0.0], [0.0, 4.0]]))
    with pytest.raises(ValueError, match=r"expected ord as None, 1, 2, .*but got ord=.* for [12] axes"):
        nnp.linalg.norm(x, ord, axis)
    with pytest.raises(ValueError, match="expected one axis that makes vectors, or two that make matrices"):
        nnp.linalg.norm(x[None], None, (0, 1, 2))
    with pytest.raises(ValueError, match="but got ord=1 for 3 axes"):
        nnp.linalg.norm(x[None], 1)
    with pytest.raises(np.exceptions.AxisError, match="axis 2 is out of bounds"):
        nnp.linalg.norm(x, axis=2)


@pytest.mark.parametrize(("ord", "expected"), [(1, [1, -1, 0]), (np.inf, [0.5, -0.5, 0]), (-np.inf, [0, 0, 0])])
def test_other_norms_have_the_slopes_of_absolute_values_and_share_ties(ord: float, expected: list[float]) -> None:
    x = on_backend(np.array([2.0, -2.0, 0.0]))
    assert_array_equal(npnets.grad(lambda a: nnp.linalg.norm(a, ord))(x), expected)
    assert_array_equal(npnets.grad(lambda a: nnp.linalg.norm(a, ord))(on_backend(np.zeros(3))), np.zeros(3))


# -- slopes without cancellation --------------------------------------------------------------------------------------


def test_the_slope_of_expm1_is_exact_far_below_zero() -> None:
    x = on_backend(np.array([-20.0, -80.0, -1.0], np.float32))
    exact = np.exp(np.array([-20.0, -80.0, -1.0]))
    assert_allclose(npnets.grad(lambda a: nnp.sum(nnp.expm1(a)))(x), exact, rtol=2e-6)
    assert_allclose(npnets.hvp(lambda a: nnp.sum(nnp.expm1(a)))(x, on_backend(np.ones(3, "f"))), exact, rtol=2e-6)


def test_division_by_the_number_zero_has_a_slope_as_numpy_has_a_value() -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        assert_array_equal(npnets.grad(lambda a: nnp.sum(a / 0))(on_backend(np.ones(2))), [INF, INF])
        assert_array_equal(npnets.grad(lambda a: nnp.sum(a / -0.0))(on_backend(np.ones(2))), [-INF, -INF])
    empty = on_backend(np.ones((0, 2)))
    assert npnets.grad(lambda a: nnp.sum(a / a.size))(empty).shape == (0, 2)


# -- masks over what is not finite ------------------------------------------------------------------------------------

PREDICTION = np.array([1.0, 2.0, 3.0])
TARGET = np.array([0.5, NAN, INF])
MASK = np.array([True, False, False])


@pytest.mark.parametrize(
    "loss",
    [
        lambda p, t, m: nnp.sum(nnp.where(m, p - t, 0) ** 2),
        lambda p, t, m: nnp.masked_sum(nnp.where(m, p - t, 0) ** 2, m),
        lambda p, t, m: nnp.masked_mean(nnp.square(nnp.where(m, p - t, 0)), m),
    ],
)
def test_a_mask_before_the_arithmetic_keeps_what_is_not_finite_out_of_value_and_gradient(loss: Any) -> None:
    p, t, m = on_backend((PREDICTION, TARGET, MASK))
    value, gradient = npnets.value_and_grad(loss)(p, t, m)
    assert_array_equal(value, 0.25)
    assert_array_equal(gradient, [1, 0, 0])


@pytest.mark.numpy_alone("arrays on a GPU are not looked at, because that would wait for them")
@pytest.mark.parametrize("reduction", [nnp.masked_sum, nnp.masked_mean])
def test_a_mask_behind_the_arithmetic_is_refused_where_it_would_give_a_gradient_of_nan(reduction: Any) -> None:
    with pytest.raises(
        FloatingPointError, match="its gradient would be NaN there; mask before the arithmetic: masked_me"
    ):
        npnets.grad(lambda p: reduction((p - TARGET) ** 2, MASK))(PREDICTION)
    assert_array_equal(reduction((PREDICTION - TARGET) ** 2, MASK), 0.25)


def test_masked_sums_and_means_of_nothing_are_zero_with_gradient_zero() -> None:
    x, nothing = on_backend((np.ones((2, 3)), np.zeros((2, 3), bool)))
    for reduction in (nnp.masked_sum, nnp.masked_mean):
        value, pullback = npnets.vjp(lambda a, r=reduction: r(a, nothing, axis=1), x)
        assert_array_equal(value, [0, 0])
        assert_array_equal(pullback(value + 1), np.zeros((2, 3)))


def test_a_mask_broadcasts_and_must_be_boolean() -> None:
    x, mask = on_backend((np.arange(6.0).reshape(2, 3), np.array([True, False, True])))
    assert_array_equal(nnp.masked_mean(x, mask, axis=1), [1, 4])
    assert_array_equal(nnp.masked_mean(x, mask), 2.5)
    with pytest.raises(TypeError, match="expected a mask of dtype bool, but got float64; make one by comparing"):
        nnp.masked_sum(x, x)


# -- small things of traced arrays ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fun", "error", "words"),
    [
        (lambda x: [v for v in nnp.sum(x)], TypeError, "iteration over an array of no dimension"),
        (lambda x: len(nnp.sum(x)), TypeError, "unsized|has no len"),
        (lambda x: nnp.squeeze(x, 3), ValueError, "out of bounds"),
        (lambda x: nnp.squeeze(x, -3), ValueError, "out of bounds"),
        (lambda x: nnp.squeeze(x, (1, 1)), ValueError, "repeated axis"),
        (lambda x: nnp.squeeze(x, 1.0), TypeError, "float"),
        (lambda x: nnp.sum(x, axis=2), ValueError, "out of bounds"),
        (lambda x: nnp.mean(x, axis=2), ValueError, "out of bounds"),
        (lambda x: nnp.transpose(x, (0, 2)), ValueError, "out of bounds|don't match"),
        (lambda x: nnp.softmax(x, axis=2), ValueError, "out of bounds"),
        (lambda x: nnp.repeat(x, 2, axis=2), ValueError, "out of bounds"),
    ],
)
@pytest.mark.parametrize("traced", [True, False])
@pytest.mark.numpy_alone("about NumPy's own errors")
def test_what_numpy_refuses_is_refused_traced_or_not(
    fun: Any, error: type[Exception], words: str, traced: bool
) -> None:
    x = np.ones((3, 1))
    with pytest.raises(error, match=words if traced else "."):
        npnets.grad(lambda a: nnp.sum(fun(a)))(x) if traced else fun(x)


@pytest.mark.numpy_alone("CuPy takes no sequences of numbers")
def test_sequences_formats_and_single_axes_work_on_traced_arrays() -> None:
    shown = []

    def loss(x: Any) -> Any:
        shown.append(f"{x[0]:.3f} {x[1]:>6.2f} {x[0]}")
        assert 4.0 in x and 5.0 not in x
        return nnp.sum(x / [2.0, 4.0] + [1.0, 2.0] * x + x.transpose(0)) + nnp.sum(nnp.concatenate([x, [7.0]]))

    assert_allclose(npnets.grad(loss)(on_backend(np.array([2.0, 4.0]))), [0.5 + 1 + 1 + 1, 0.25 + 2 + 1 + 1])
    assert shown[0].startswith("2.000   4.00 ") and "2.0" in shown[0]


@pytest.mark.parametrize("call", [lambda z: npnets.functional.squash(z, 2.0), npnets.functional.tanh, nnp.tanh])
def test_activations_take_arrays_of_no_dimension(call: Callable[[Any], Any]) -> None:
    factor = 2.0 if "lambda" in call.__name__ else 1.0
    value, gradient = npnets.value_and_grad(call)(_number(0.5))
    assert_allclose([value, gradient], [factor * np.tanh(0.5), factor * (1 - np.tanh(0.5) ** 2)], rtol=1e-14)


@pytest.mark.parametrize(("dtype", "x"), [(np.float64, 1e-310), (np.float32, 1e-40)])
def test_the_zeroth_power_of_the_smallest_numbers_has_slope_zero(dtype: Any, x: float) -> None:
    exponents = on_backend(np.zeros(2, dtype))
    assert_array_equal(npnets.grad(lambda a: nnp.sum(a**exponents))(on_backend(np.array([x, 1.0], dtype))), [0, 0])


@pytest.mark.parametrize(("dtype", "x"), [(np.float64, 5e-324), (np.float32, 1e-45), (np.float64, 1e-309)])
def test_a_length_of_the_smallest_numbers_has_the_slope_of_any_other(dtype: Any, x: float) -> None:
    gradient = npnets.grad(nnp.linalg.norm)(on_backend(np.array([x, x], dtype)))
    assert_allclose(gradient, [0.5**0.5] * 2, rtol=1e-6)


def test_small_integers_neither_wrap_nor_are_computed_in_half_precision() -> None:
    x = on_backend(np.array([-128, 127], np.int8))
    assert_allclose(nnp.logsumexp(x), 127.0, rtol=1e-12)
    assert_allclose(nnp.softmax(on_backend(np.array([1, 2], np.int8))), [1 / (1 + np.e), np.e / (1 + np.e)], rtol=1e-12)
    ones = on_backend(np.ones(300, np.int8))
    with pytest.raises(TypeError, match=r"x as a float32 or float64 array, but it has dtype int8; .*astype"):
        nnp.masked_mean(ones, ones > 0)


def test_a_variance_of_fewer_entries_than_ddof_is_numpys() -> None:
    x = np.array([1.0, 2.0, 4.0])
    with np.errstate(divide="ignore"):
        assert_array_equal(nnp.var(on_backend(x), ddof=4), np.inf)


def test_a_mask_that_does_not_broadcast_to_its_array_is_refused() -> None:
    x, mask = on_backend((np.ones(3), np.ones((3, 1), bool)))
    for reduction in (nnp.masked_sum, nnp.masked_mean):
        with pytest.raises(ValueError, match=r"mask of shape \(3,\), .* one that broadcasts to it, .*\(3, 1\)"):
            reduction(x, mask)


def test_nan_in_the_padding_of_what_is_differentiated_itself_is_no_fault() -> None:
    x, mask = on_backend((np.array([1.0, NAN]), MASK[:2]))
    value, gradient = npnets.value_and_grad(nnp.masked_mean)(x, mask)
    assert_array_equal(value, 1)
    assert_array_equal(gradient, [1, 0])
