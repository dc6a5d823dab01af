"""What derivatives are at kinks, ties and edges, what stays finite, what counts as a constant, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special
from backends import as_numpy, assert_allclose, assert_array_equal, on_backend
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays, mutually_broadcastable_shapes

import npnets
import npnets.numpy as nnp
from npnets.autodiff import Pair, fused

Fun = Callable[..., Any]


def _gradient(fun: Fun, x: Any) -> Any:
    """The gradient of the sum of a function's output, at a NumPy array or list that is brought to the backend."""
    return npnets.grad(lambda a: nnp.sum(fun(a)))(on_backend(np.asarray(x, np.float64)))


# -- kinks and ties ---------------------------------------------------------------------------------------------------


def test_clip_passes_the_gradient_on_at_its_bounds_and_stops_it_beyond() -> None:
    x = [-1.1, -1.0, 0.0, 1.0, 1.1]
    assert_array_equal(_gradient(lambda a: nnp.clip(a, -1, 1), x), [0, 1, 1, 1, 0])
    assert_array_equal(_gradient(lambda a: nnp.clip(a, None, 1), x), [1, 1, 1, 1, 0])
    assert_array_equal(_gradient(lambda a: nnp.clip(a, -1, None), x), [0, 1, 1, 1, 1])


def test_abs_has_derivative_zero_at_zero() -> None:
    assert_array_equal(_gradient(nnp.abs, [-2.0, 0.0, 3.0]), [-1, 0, 1])


def test_maximum_and_minimum_share_the_gradient_of_a_tie_evenly() -> None:
    x, y = on_backend((np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0])))
    upper = npnets.grad(lambda a, b: nnp.sum(nnp.maximum(a, b)), (0, 1))(x, y)
    assert_array_equal(upper, [[0, 0.5, 1], [1, 0.5, 0]])
    lower = npnets.grad(lambda a, b: nnp.sum(nnp.minimum(a, b)), (0, 1))(x, y)
    assert_array_equal(lower, [[1, 0.5, 0], [0, 0.5, 1]])


def test_max_and_min_share_the_gradient_of_a_tie_evenly() -> None:
    x = [[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]]
    assert_allclose(_gradient(lambda a: nnp.max(a, 1), x), [[0, 0.5, 0.5], [1 / 3] * 3])
    assert_allclose(_gradient(lambda a: nnp.min(a, 1), x), [[1, 0, 0], [1 / 3] * 3])
    assert_allclose(_gradient(nnp.max, x), [[0, 0.5, 0.5], [0, 0, 0]])


def test_the_tie_of_a_maximum_is_shared_in_forward_mode_too() -> None:
    x, v = on_backend((np.array([3.0, 3.0, 1.0]), np.array([1.0, 5.0, 100.0])))
    assert_array_equal(npnets.jvp(nnp.max, x, v)[1], 3)
    assert_array_equal(npnets.jvp(lambda a: nnp.maximum(a, 3.0), x, v)[1], [0.5, 2.5, 0])


def test_std_has_gradient_zero_where_the_variance_is_zero() -> None:
    x = np.array([[2.0, 2.0, 2.0], [1.0, 2.0, 3.0]])
    value, gradient = npnets.value_and_grad(lambda a: nnp.sum(nnp.std(a, 1)))(on_backend(x))
    assert_allclose(value, np.std(x, 1).sum())
    assert_array_equal(gradient[0], [0, 0, 0])
    assert_allclose(gradient[1], (x[1] - 2) / 3 / np.std(x[1]))
    product = npnets.hvp(lambda a: nnp.sum(nnp.std(a, 1)))(*on_backend((x, np.ones_like(x))))
    assert_array_equal(product, np.zeros_like(x))


@pytest.mark.parametrize(("exponent", "expected"), [(0, 0.0), (1, 1.0), (2, 0.0), (0.0, 0.0), (1.0, 1.0), (3.0, 0.0)])
def test_powers_of_zero_have_finite_gradients(exponent: float, expected: float) -> None:
    assert_array_equal(_gradient(lambda a: a**exponent, [0.0]), [expected])
    exponents = on_backend(np.array([exponent]))
    assert_array_equal(_gradient(lambda a: nnp.power(a, exponents), [0.0]), [expected])


def test_the_gradient_by_the_exponent_is_zero_where_the_base_is_zero() -> None:
    x, y = on_backend((np.array([0.0, np.e]), np.array([2.0, 2.0])))
    by_exponent = npnets.grad(lambda x, y: nnp.sum(nnp.power(x, y)), 1)(x, y)
    assert_allclose(by_exponent, [0, np.e**2], rtol=1e-12)


def test_integer_powers_of_negative_numbers_are_differentiable() -> None:
    assert_array_equal(_gradient(lambda a: a**2 + a**3, [-2.0]), [-4 + 12])


def test_where_keeps_what_is_not_selected_out_of_the_gradient_even_if_it_is_not_finite() -> None:
    x, g = on_backend((np.array([0.0, 4.0]), np.array([np.inf, 1.0])))
    with np.errstate(divide="ignore"):
        gradient = npnets.grad(lambda a: nnp.sum(nnp.where(a > 0, a, 0.0) * 2 + nnp.where(a > 0, 3.0, 0.0)))(x)
        root = npnets.vjp(lambda a: nnp.where(x > 0, a, 1.0), x)[1](g)
    assert_array_equal(gradient, [0, 2])
    assert_array_equal(root, [0, 1])


def test_functions_at_infinity_and_nan_follow_numpy() -> None:
    x = np.array([np.nan, np.inf, -np.inf, 0.0])
    for fun in ("maximum", "minimum"):
        assert_array_equal(getattr(nnp, fun)(on_backend(x), 1.0), getattr(np, fun)(x, 1.0))
    assert_array_equal(_gradient(lambda a: nnp.maximum(a, 1.0), x), [0, 1, 0, 0])


# -- nothing overflows that need not ----------------------------------------------------------------------------------


def test_tanh_has_gradient_zero_and_no_warning_where_it_is_saturated() -> None:
    assert_array_equal(_gradient(nnp.tanh, [-1e4, 1e4]), [0, 0])


def test_logsumexp_and_softmax_are_exact_for_large_entries() -> None:
    x = np.array([[1000.0, 1000.0, -1000.0], [-2000.0, -2001.0, -np.inf]])
    assert_allclose(nnp.logsumexp(on_backend(x), 1), scipy.special.logsumexp(x, 1), rtol=1e-14)
    assert_allclose(_gradient(lambda a: nnp.logsumexp(a, 1), x), scipy.special.softmax(x, 1), atol=1e-14)
    weights = np.array([1.0, 2.0, 3.0])
    p = scipy.special.softmax(x, 1)
    expected = p * (weights - (p @ weights)[:, None])
    there = on_backend(weights)
    assert_allclose(_gradient(lambda a: nnp.softmax(a, 1) * there, x), expected, atol=1e-14)


def test_erf_and_expm1_and_log1p_are_exact_near_zero() -> None:
    x = np.array([1e-12, -1e-12])
    there = on_backend(x)
    assert_allclose(nnp.expm1(there), x, rtol=1e-11)
    assert_allclose(nnp.log1p(there), x, rtol=1e-11)
    assert_allclose(nnp.erf(there), 2 / np.pi**0.5 * x, rtol=1e-11)


# -- broadcasting -----------------------------------------------------------------------------------------------------


@given(mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3, min_side=0), st.integers(0, 999))
def test_the_gradient_of_a_broadcast_product_sums_over_what_was_repeated(shapes: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = (rng.normal(size=shape) for shape in shapes.input_shapes)
    g = rng.normal(size=shapes.result_shape)
    for_x, for_y = as_numpy(npnets.vjp(lambda pair: nnp.multiply(*pair), on_backend((x, y)))[1](on_backend(g)))
    for argument, other, gradient in ((x, y, for_x), (y, x, for_y)):
        v = rng.normal(size=argument.shape)
        assert gradient.shape == argument.shape
        np.testing.assert_allclose((gradient * v).sum(), (g * (v * other)).sum(), atol=1e-12)


@given(arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 3)), elements=st.integers(-2, 2)))
def test_reductions_with_many_ties_still_give_gradients_that_sum_to_the_number_of_outputs(x: Any) -> None:
    for axis, outputs in ((0, x.shape[1]), (1, x.shape[0]), (None, 1)):
        assert_allclose(_gradient(lambda a, axis=axis: nnp.max(a, axis), x).sum(), outputs)
        assert_allclose(_gradient(lambda a, axis=axis: nnp.min(a, axis), x).sum(), outputs)


MIXED: dict[str, Fun] = {
    "add": lambda x, y: x + y,
    "divide": lambda x, y: y / x,
    "power": lambda x, y: x**y,
    "maximum": lambda x, y: nnp.maximum(x, y),
    "where": lambda x, y: nnp.where(y > 1, x, y),
    "matmul": lambda x, y: x @ y,
    "concatenate": lambda x, y: nnp.concatenate([x, y]),
    "clip": lambda x, y: nnp.clip(x, 0.1, y),
    "astype": lambda x, y: x.astype(np.float64),
    "stack": lambda x, y: nnp.stack([y, x]),
}


@pytest.mark.parametrize("fun", MIXED.values(), ids=MIXED)
def test_a_cotangent_goes_on_in_the_dtype_of_what_it_belongs_to(fun: Fun) -> None:
    seen = []

    def backward(g: Any, residuals: Any, argnums: Any, x: Any) -> Any:
        seen.append(g.dtype)
        return (g,)

    pair = Pair(lambda x: (x.copy(), None), backward)
    watched = fused(lambda x: x * 1, cpu=pair, gpu=pair)
    x, y = on_backend((np.full((2, 2), 0.5, np.float32), np.full((2, 2), 2.0)))
    assert npnets.vjp(lambda a: fun(watched(a), y), x)[0].dtype == np.float64
    npnets.grad(lambda a: nnp.sum(fun(watched(a), y)))(x)
    assert seen == [np.float32]


# -- constants --------------------------------------------------------------------------------------------------------

UNARY = "all any argmax argmin argsort ceil floor isfinite isinf isnan logical_not ndim ones_like rint shape sign size"
BINARY = "equal greater greater_equal less less_equal logical_and logical_or not_equal"


@pytest.mark.parametrize("name", [*UNARY.split(), "zeros_like"])
def test_properties_of_a_traced_array_are_those_that_numpy_returns(name: str) -> None:
    x = np.array([0.3, -1.6, 0.0])
    assert_array_equal(_output_inside(lambda a: getattr(nnp, name)(a), x), getattr(np, name)(x))


@pytest.mark.parametrize("name", BINARY.split())
def test_comparisons_of_traced_arrays_return_what_numpy_does(name: str) -> None:
    x = np.array([0.0, -1.0, 2.0])
    assert_array_equal(_output_inside(lambda a: getattr(nnp, name)(a, a * a), x), getattr(np, name)(x, x * x))
    assert_array_equal(_output_inside(lambda a: getattr(nnp, name)(1.0, a), x), getattr(np, name)(1.0, x))


def _output_inside(fun: Fun, x: Any) -> Any:
    """What a function gives while a NumPy array, brought to the backend, is differentiated: no traced array."""
    outputs = []

    def loss(a: Any) -> Any:
        outputs.append(fun(a))
        return nnp.sum(a)

    npnets.grad(loss)(on_backend(x))
    assert "Traced" not in type(outputs[0]).__name__
    return outputs[0]


def test_rounding_stops_the_gradient() -> None:
    assert_array_equal(_gradient(lambda a: a * nnp.floor(a) + nnp.sign(a), [2.5, -1.5]), [2, -2])


def test_full_like_makes_an_array_where_the_other_lies_and_of_its_dtype_unless_told_otherwise() -> None:
    narrow, wide = on_backend((np.ones(2, np.float32), np.ones(2)))
    made = nnp.full_like(narrow, 3)
    assert_array_equal(made, np.full(2, 3))
    assert made.dtype == np.float32
    assert nnp.full_like(wide, 3, dtype=np.float32).dtype == np.float32


@pytest.mark.numpy_alone("what is made from numbers is NumPy's, whatever the backend")
def test_functions_that_make_arrays_are_numpys() -> None:
    assert_array_equal(nnp.linspace(0, 1, 3), [0, 0.5, 1])
    made = nnp.asarray([[1, 2], [3, 4]], np.float32)
    assert_array_equal(made, np.array([[1, 2], [3, 4]]))
    assert made.dtype == np.float32


def test_asarray_leaves_a_traced_array_traced_and_casts_it() -> None:
    x = on_backend(np.array([1.0, 2.0], np.float32))
    value, gradient = npnets.value_and_grad(lambda a: nnp.sum(nnp.asarray(a, np.float64) ** 2))(x)
    assert (value.dtype, gradient.dtype) == (np.float64, np.float32)
    assert_array_equal(gradient, [2, 4])
    assert_array_equal(_gradient(lambda a: nnp.asarray(a) * 3, [1.0, 2.0]), [3, 3])


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fun", "error", "words"),
    [
        (lambda a: nnp.clip(a, a, 1), TypeError, r"bounds for constants; use minimum\(maximum"),
        (lambda a: nnp.full_like(a, a[0, 0]), TypeError, r"constant; use zeros_like\(x\) \+ value"),
        (lambda a: nnp.expand_dims(a, 4), ValueError, r"1 different axes within \[-3, 3\), but got 4"),
        (lambda a: nnp.expand_dims(a, (0, -4)), ValueError, r"2 different axes within \[-4, 4\), but got \(0, -4\)"),
        (lambda a: nnp.squeeze(a, 1), ValueError, r"cannot squeeze axis 1 of shape \(2, 3\)"),
        (lambda a: nnp.concatenate([]), ValueError, "at least one array to concatenate"),
        (lambda a: nnp.stack([a, a[0]]), ValueError, r"arrays of one shape to stack, but got \[\(2, 3\), \(3,\)\]"),
        (lambda a: nnp.matmul(a, a), ValueError, "matmul|Axis dimension mismatch"),  # NumPy's words, or CuPy's
        (lambda a: a[2], IndexError, "out of bounds"),
    ],
)
def test_calls_that_have_no_right_result_are_refused(fun: Fun, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        _gradient(fun, np.ones((2, 3)))


@pytest.mark.parametrize(
    ("by_keyword", "by_position"),
    [
        (lambda a: nnp.multiply(2.0, y=a), lambda a: nnp.multiply(2.0, a)),
        (lambda a: nnp.maximum(a, y=0.5), lambda a: nnp.maximum(a, 0.5)),
        (lambda a: nnp.power(x=a, y=3.0), lambda a: nnp.power(a, 3.0)),
        (lambda a: nnp.sum(x=a, keepdims=True), lambda a: nnp.sum(a, None, True)),
        (lambda a: nnp.reshape(a, shape=(3, 2)), lambda a: nnp.reshape(a, (3, 2))),
        (lambda a: nnp.broadcast_to(a, shape=(4, 2, 3)), lambda a: nnp.broadcast_to(a, (4, 2, 3))),
        (lambda a: nnp.clip(a, min=0.2, max=0.7), lambda a: nnp.clip(a, 0.2, 0.7)),
        (lambda a: nnp.clip(a, 0.2), lambda a: nnp.maximum(a, 0.2)),
        (lambda a: a * nnp.argmax(a=a), lambda a: a * nnp.argmax(a)),
        (lambda a: +a, lambda a: a),
    ],
)
def test_an_argument_by_keyword_is_the_same_as_by_position_in_both_modes(by_keyword: Fun, by_position: Fun) -> None:
    x = np.random.default_rng(0).uniform(0.1, 1, (2, 3))
    assert_array_equal(_gradient(by_keyword, x), _gradient(by_position, x))
    there, ones = on_backend((x, np.ones_like(x)))
    tangents = [npnets.jvp(fun, there, ones)[1] for fun in (by_keyword, by_position)]
    assert_array_equal(*tangents)


def test_array_copies_and_asarray_does_not() -> None:
    x = on_backend(np.zeros(2))
    assert nnp.asarray(x) is x
    nnp.array(x)[0] = 5
    assert_array_equal(x, [0, 0])
