"""Running sums and products, products over axes and differences: zeros, integers, edges, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from backends import assert_allclose, assert_array_equal, on_backend
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import npnets
import npnets.numpy as nnp

WHOLE = arrays(np.float64, array_shapes(max_dims=3, max_side=5, min_side=0), elements=st.integers(-2, 2))


def _slopes_of_prod(x: Any) -> Any:
    """Return the product of all entries but one, for each."""
    return np.array([np.prod(np.delete(x, index)) for index in range(x.size)])


def _slopes_of_cumprod(x: Any) -> Any:
    """Return the derivative of the sum of running products by each entry."""
    slopes = np.zeros(x.size)
    for end in range(1, x.size + 1):
        slopes[:end] += _slopes_of_prod(x[:end])
    return slopes


@pytest.mark.parametrize("zeros", [(), (0,), (2,), (1, 3), (0, 1, 2, 3, 4)])
def test_derivatives_of_products_are_exact_where_entries_are_zero(zeros: tuple[int, ...]) -> None:
    x = np.array([2.0, -3.0, 0.5, 4.0, 1.5])
    x[list(zeros)] = 0
    there = on_backend(x)
    assert_array_equal(npnets.grad(nnp.prod)(there), _slopes_of_prod(x))
    assert_array_equal(npnets.grad(lambda a: nnp.sum(nnp.cumprod(a)))(there), _slopes_of_cumprod(x))
    v = np.arange(5.0)
    assert_array_equal(npnets.jvp(nnp.prod, there, on_backend(v))[1], _slopes_of_prod(x) @ v)


def test_mixed_derivatives_of_a_product_with_two_zeros_are_the_product_of_the_others() -> None:
    x, v = on_backend((np.array([3.0, 0.0, 5.0, 0.0]), np.array([0.0, 1.0, 0.0, 0.0])))
    assert_array_equal(npnets.hvp(nnp.prod)(x, v), [0, 0, 0, 15])
    of_running = lambda a: nnp.cumprod(a)[-1]  # noqa: E731
    assert_array_equal(npnets.hvp(of_running)(x, v), [0, 0, 0, 15])
    third = npnets.grad(lambda a: npnets.hvp(nnp.prod)(a, v)[3])(x)
    assert_array_equal(third, [5, 0, 3, 0])


@given(WHOLE, st.data())
def test_running_sums_undo_differences_and_products_follow_numpy(x: Any, data: Any) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    there = on_backend(x)
    assert_array_equal(nnp.diff(nnp.cumsum(there, axis), axis=axis, prepend=0), x)
    assert_array_equal(nnp.cumsum(there, axis), np.cumsum(x, axis))
    assert_array_equal(nnp.cumprod(there, axis), np.cumprod(x, axis))
    assert_array_equal(nnp.prod(there, axis), np.prod(x, axis))
    assert_array_equal(nnp.prod(there, keepdims=True), np.prod(x, keepdims=True))


@given(WHOLE)
def test_the_gradient_of_a_running_sum_counts_the_sums_that_an_entry_is_in(x: Any) -> None:
    gradient = npnets.grad(lambda a: nnp.sum(nnp.cumsum(a, 0)))(on_backend(x))
    counts = np.arange(x.shape[0], 0, -1).reshape((-1,) + (1,) * (x.ndim - 1))
    assert_array_equal(gradient, np.broadcast_to(counts, x.shape))


def test_discounted_returns_by_running_sums_are_those_of_the_recursion() -> None:
    rewards = np.random.default_rng(0).normal(size=7)
    expected, following = [], 0.0
    for reward in rewards[::-1]:
        following = reward + 0.9 * following
        expected.append(following)
    there, discounts = on_backend((rewards, 0.9 ** np.arange(7)))
    returns = nnp.cumsum((there * discounts)[::-1])[::-1] / discounts
    assert_allclose(returns, expected[::-1], rtol=1e-12)


@pytest.mark.numpy_alone("is about NumPy's own dtypes")
def test_integers_and_booleans_accumulate_as_in_numpy() -> None:
    for x in (np.array([1, 2, 3], np.int8), np.array([True, True, False]), np.array([3, 1], np.uint8)):
        for name in ("cumsum", "cumprod", "prod", "diff"):
            expected, output = getattr(np, name)(x), getattr(nnp, name)(x)
            np.testing.assert_array_equal(output, expected)
            assert output.dtype == expected.dtype
    assert nnp.diff([1, 4, 9], n=2).tolist() == [2]


def test_products_over_nothing_are_one_and_have_empty_gradients() -> None:
    x = on_backend(np.ones((0, 2)))
    value, pullback = npnets.vjp(lambda a: nnp.prod(a, 0), x)
    assert_array_equal(value, [1, 1])
    assert pullback(value).shape == (0, 2)


def test_numbers_beside_float32_do_not_promote() -> None:
    x = on_backend(np.ones(3, np.float32))
    for prepend in (0.5, np.float64(0.5)):
        assert nnp.diff(x, prepend=prepend, append=2).dtype == np.float32


def test_methods_and_numpys_own_functions_on_traced_arrays_are_these() -> None:
    x = on_backend(np.array([[1.0, 2.0], [3.0, 4.0]]))

    def loss(a: Any) -> Any:
        products = a.prod() + np.prod(a, 0)[1] + a.cumprod(1)[0, 1] + np.cumprod(a)[1]
        return products + a.cumsum()[0] + np.diff(a)[1, 0]

    assert_array_equal(npnets.grad(loss)(x), [[24 + 2 + 2 + 1, 12 + 4 + 1 + 1], [8 - 1, 6 + 2 + 1]])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda x: nnp.diff(x, -1),
            ValueError,
            "expected n, how often differences are taken, as zero or more, but got -1",
        ),
        (lambda x: nnp.diff(x, 1.5), TypeError, "cannot be interpreted as an integer"),
        (lambda x: nnp.diff(x[0, 0]), np.exceptions.AxisError, "axis -1 is out of bounds"),
        (lambda x: nnp.cumsum(x, 2), np.exceptions.AxisError, "axis 2 is out of bounds"),
        (lambda x: nnp.cumprod(x, -3), np.exceptions.AxisError, "axis -3 is out of bounds"),
        (lambda x: nnp.prod(x, (0, 2)), np.exceptions.AxisError, "axis 2 is out of bounds"),
        (lambda x: nnp.prod(x, (0, -2)), ValueError, "repeated axis"),
    ],
)
def test_calls_without_a_right_result_are_refused(
    call: Callable[[Any], Any], error: type[Exception], words: str
) -> None:
    x = on_backend(np.ones((2, 3)))
    for fun in (call, npnets.grad(lambda a: nnp.sum(call(a)))):
        with pytest.raises(error, match=words):
            fun(x)
