"""Repeating, tiling, rolling and joining in rows and columns: laws, forms of arguments, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from backends import assert_array_equal, on_backend
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import npnets
import npnets.numpy as nnp

ANY = arrays(np.float64, array_shapes(max_dims=3, max_side=4, min_side=0), elements=st.integers(-9, 9))


def _gradient_by_places(fun: Callable[[Any], Any], x: Any) -> Any:
    """Return how often each entry is in the output, weighted by its places there, from NumPy's output of places."""
    places = fun(np.arange(x.size).reshape(x.shape))
    return np.bincount(places.ravel(), np.arange(places.size), x.size).reshape(x.shape)


def _check(name: str, x: Any, *args: Any) -> None:
    ours, numpys = (lambda a, m=module: getattr(m, name)(a, *args) for module in (nnp, np))
    there, expected = on_backend(x), numpys(x)
    output, pullback = npnets.vjp(ours, there)
    assert_array_equal(output, expected)
    assert_array_equal(ours(there), expected)
    weights = np.arange(float(expected.size)).reshape(expected.shape)
    assert_array_equal(pullback(on_backend(weights)), _gradient_by_places(numpys, x))
    assert_array_equal(npnets.jvp(ours, there, there)[1], expected)


@given(ANY, st.data())
def test_each_entry_is_repeated_by_its_own_number(x: Any, data: Any) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    numbers = data.draw(st.lists(st.integers(0, 3), min_size=x.shape[axis], max_size=x.shape[axis]))
    for repeats in (np.array(numbers, int), np.array(numbers, np.uint8), *([numbers] * bool(numbers))):
        _check("repeat", x, repeats, axis)


@given(ANY, st.one_of(st.integers(0, 3), st.lists(st.integers(0, 3), max_size=4)))
def test_tiling_follows_numpy_and_its_gradient_sums_over_the_copies(x: Any, reps: Any) -> None:
    _check("tile", x, reps)


@settings(max_examples=100)
@given(ANY, st.data())
def test_rolling_follows_numpy_and_rolling_back_undoes_it(x: Any, data: Any) -> None:
    axes = data.draw(st.lists(st.integers(-x.ndim, x.ndim - 1), min_size=1, max_size=3).map(tuple))
    shifts = tuple(data.draw(st.lists(st.integers(-9, 9), min_size=len(axes), max_size=len(axes))))
    for shift, axis in ((shifts, axes), (shifts[0], axes), (shifts, axes[0]), (shifts[0], None), (shifts, None)):
        _check("roll", x, shift, axis)
        back = tuple(-one for one in shift) if isinstance(shift, tuple) else -shift
        assert_array_equal(nnp.roll(nnp.roll(on_backend(x), shift, axis), back, axis), x)


def test_no_output_shares_memory_with_its_argument() -> None:
    x = on_backend(np.ones((2, 3)))
    repeated = [nnp.tile(x, 1), nnp.roll(x, 0), nnp.repeat(x, 1, 0), nnp.repeat(x, [1, 1], 0)]
    for output in (*repeated, nnp.vstack([x]), nnp.hstack([x])):
        output[...] = 5
    assert_array_equal(x, np.ones((2, 3)))


def test_rows_and_columns_are_joined_as_in_numpy() -> None:
    x, y = np.arange(3.0), np.arange(6.0).reshape(2, 3)
    a, b = on_backend((x, y))
    assert_array_equal(nnp.vstack([a, b, a]), np.vstack([x, y, x]))
    assert_array_equal(nnp.hstack([b, b[:, :1]]), np.hstack([y, y[:, :1]]))
    assert_array_equal(nnp.hstack([a, a[0], 2.0]), np.hstack([x, x[0], 2.0]))
    assert_array_equal(nnp.vstack(part for part in (a, a)), np.vstack([x, x]))
    narrow = on_backend(np.ones(2, np.float32))
    assert nnp.hstack([narrow, 0.5]).dtype == nnp.vstack([narrow, [0.5, 2]]).dtype == np.float32


def test_methods_and_numpys_own_functions_on_traced_arrays_are_these() -> None:
    x = on_backend(np.array([1.0, 2.0]))

    def loss(a: Any) -> Any:
        parts = [a.repeat([1, 2]), np.repeat(a, [1, 2]), np.tile(a, 2), np.roll(a, 1), np.hstack([a, a])]
        return sum(nnp.sum(part * part) for part in parts) + nnp.sum(np.vstack([a, a])[0])

    assert_array_equal(npnets.grad(loss)(x), [2 * (1 + 1 + 2 + 1 + 2) + 1, 4 * (2 + 2 + 2 + 1 + 2) + 1])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda x: nnp.repeat(x, [1, 2], 1),
            ValueError,
            r"one integer, or 3 for the .* axis 1 .* shape \(2,\)",
        ),
        (lambda x: nnp.repeat(x, [1.0, 2.0], 0), TypeError, "repeats as integers, but got .* float64"),
        (lambda x: nnp.repeat(x, 1.5, 0), TypeError, "repeats as integers, but got 1.5 of float64"),
        (lambda x: nnp.repeat(x, [-1, 2], 0), ValueError, "negative"),
        (lambda x: nnp.repeat(x, 2, 2), np.exceptions.AxisError, "axis 2 is out of bounds"),
        (lambda x: nnp.tile(x, (1, -1)), ValueError, r"reps as zero or more, but got \(1, -1\)"),
        (lambda x: nnp.tile(x, 1.5), TypeError, "float"),
        (lambda x: nnp.roll(x, 1.5), TypeError, "cannot be interpreted as an integer"),
        (lambda x: nnp.roll(x, 1, 2), np.exceptions.AxisError, "axis 2 is out of bounds"),
        (lambda x: nnp.hstack([]), ValueError, "at least one array to concatenate"),
        (lambda x: nnp.vstack([x, None]), TypeError, "but got None; was a return forgotten"),
    ],
)
def test_calls_without_a_right_result_are_refused(
    call: Callable[[Any], Any], error: type[Exception], words: str
) -> None:
    x = on_backend(np.ones((2, 3)))
    for fun in (call, npnets.grad(lambda a: nnp.sum(call(a)))):
        with pytest.raises(error, match=words):
            fun(x)
