"""Sorting and taking along an axis: ties, NaN, inverse laws, and the calls that are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_array_equal, on_backend
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import npnets
import npnets.numpy as nnp

TIED = arrays(np.float64, array_shapes(max_dims=3, max_side=5, min_side=0), elements=st.sampled_from([-1.0, 0.0, 0.5]))


@given(TIED, st.data())
def test_sorting_follows_numpys_stable_order(x: Any, data: Any) -> None:
    axis = data.draw(st.sampled_from([None, *range(-x.ndim, x.ndim)]))
    there = on_backend(x)
    assert_array_equal(nnp.argsort(there, axis), np.argsort(x, axis, kind="stable"))
    assert_array_equal(nnp.sort(there, axis), np.sort(x, axis, kind="stable"))
    assert_array_equal(nnp.argsort(there, axis, kind="stable"), nnp.argsort(there, axis))
    assert_array_equal(nnp.sort(there, axis, kind="stable"), nnp.sort(there, axis))


@given(TIED.filter(lambda x: x.size), st.integers(0, 999))
def test_the_gradient_of_a_sorted_array_goes_back_to_the_entry_that_each_output_is(x: Any, seed: int) -> None:
    g = np.random.default_rng(seed).normal(size=x.shape)
    order = np.argsort(x, -1, kind="stable")
    expected = np.zeros_like(x)
    np.put_along_axis(expected, order, g, -1)
    there, cotangent = on_backend((x, g))
    assert_array_equal(npnets.vjp(nnp.sort, there)[1](cotangent), expected)
    assert_array_equal(npnets.jvp(nnp.sort, there, cotangent)[1], np.take_along_axis(g, order, -1))


def test_sorting_twice_changes_nothing_and_nan_comes_last() -> None:
    x = on_backend(np.array([2.0, np.nan, -np.inf, 1.0, np.nan]))
    assert_array_equal(nnp.sort(x), [-np.inf, 1, 2, np.nan, np.nan])
    assert_array_equal(nnp.sort(nnp.sort(x)), nnp.sort(x))


def test_indices_of_argsort_take_the_sorted_entries() -> None:
    x = on_backend(np.random.default_rng(0).normal(size=(3, 4)))
    for axis in (0, 1):
        assert_array_equal(nnp.take_along_axis(x, nnp.argsort(x, axis), axis), nnp.sort(x, axis))


def test_derivatives_of_an_entry_that_is_taken_twice_add_up() -> None:
    x, indices, weights = on_backend((np.zeros((2, 3)), np.array([[0, 0, 2], [1, 1, 1]]), np.arange(6.0).reshape(2, 3)))
    gradient = npnets.grad(lambda a: nnp.sum(nnp.take_along_axis(a, indices, 1) * weights))(x)
    assert_array_equal(gradient, [[1, 0, 2], [0, 12, 0]])


def test_the_value_of_the_chosen_action_is_taken_by_its_index() -> None:
    values = on_backend(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    actions = on_backend(np.array([1, 0, 1]))
    assert_array_equal(nnp.take_along_axis(values, actions[:, None], axis=1)[:, 0], [2, 3, 6])


def test_indices_that_are_computed_from_a_traced_array_are_constants() -> None:
    x = on_backend(np.array([0.5, 2.5, 1.5]))
    gradient = npnets.grad(lambda a: nnp.sum(nnp.take_along_axis(a, nnp.argsort(a)[:1], 0)))(x)
    assert_array_equal(gradient, [1, 0, 0])


def test_refilling_the_indices_later_changes_no_gradient() -> None:
    x, indices = on_backend((np.zeros(3), np.array([2, 2])))
    output, pullback = npnets.vjp(lambda a: nnp.take_along_axis(a, indices, 0), x)
    indices[...] = 0
    assert_array_equal(pullback(output + 1), [0, 0, 2])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda x: nnp.take_along_axis(x, x, 1),
            TypeError,
            r"integer indices, but got float64; convert .* astype\(int\)",
        ),
        (lambda x: nnp.take_along_axis(x, x > 0, 1), TypeError, "integer indices, but got bool.*select by a mask"),
        (
            lambda x: nnp.take_along_axis(x, nnp.argmax(x, 1), 1),
            ValueError,
            r"expected indices with 2 axes, as many as x \(2, 3\) has, but got shape \(2,\); .*indices\[:, None\]",
        ),
        (lambda x: nnp.take_along_axis(x, nnp.argsort(x), 2), np.exceptions.AxisError, "axis 2 is out of bounds"),
        (lambda x: nnp.take_along_axis(x, nnp.argsort(x)[:, :1] + 3, 1), IndexError, "out of bounds"),
        (lambda x: x * nnp.argsort(x, kind="heapsort"), ValueError, "expected kind='stable', .* but got 'heapsort'"),
        (lambda x: nnp.sort(x, kind="quicksort"), ValueError, "expected kind='stable', .* but got 'quicksort'"),
        (lambda x: nnp.sort(x, 2), np.exceptions.AxisError, "axis 2 is out of bounds"),
    ],
)
def test_calls_without_a_right_result_are_refused(
    call: Callable[[Any], Any], error: type[Exception], words: str
) -> None:
    x = on_backend(np.ones((2, 3)))
    for fun in (call, npnets.grad(lambda a: nnp.sum(call(a)))):
        with pytest.raises(error, match=words):
            fun(x)


@pytest.mark.numpy_alone("is about lists and NumPy's own dtypes")
def test_integers_and_lists_sort_as_in_numpy() -> None:
    assert nnp.sort([3, 1, 2]).tolist() == [1, 2, 3]
    assert nnp.sort(np.array([3, 1], np.int8)).dtype == np.int8
    assert nnp.argsort([3, 1, 2]).tolist() == [1, 2, 0]
    assert nnp.take_along_axis([[5, 6]], [[1]], 1).tolist() == [[6]]


def test_methods_and_numpys_own_functions_on_traced_arrays_are_these() -> None:
    x = np.random.default_rng(1).normal(size=(2, 3))
    there = on_backend(x)

    def loss(a: Any) -> Any:
        assert_array_equal(a.argsort(), np.argsort(x))
        assert_array_equal(np.argsort(a, axis=0), np.argsort(x, 0))
        weights = on_backend(np.arange(6.0).reshape(2, 3))
        return nnp.sum((np.sort(a) + np.take_along_axis(a, a.argsort(), axis=1)) * weights)

    expected = 2.0 * np.argsort(np.argsort(x)) + np.array([[0.0], [6.0]])
    assert_array_equal(npnets.grad(loss)(there), expected)
    assert as_numpy(npnets.grad(loss)(there)).dtype == np.float64
