"""`einsum` and `dot`: random subscripts against NumPy, dtypes, and subscripts that do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends import assert_allclose, assert_array_equal, on_backend
from hypothesis import given, settings
from hypothesis import strategies as st

import npnets
import npnets.numpy as nnp

SIZES = {"a": 2, "b": 3, "c": 1, "d": 4}


@st.composite
def contractions(draw: Any) -> tuple[str, list[Any]]:
    """Draw subscripts of one to three operands, and arrays for them; some axes have size one and broadcast."""
    terms = draw(st.lists(st.text("abcd", max_size=3), min_size=1, max_size=3))
    dots = draw(st.lists(st.sampled_from([(), (), (2,), (1, 2)]), min_size=len(terms), max_size=len(terms)))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    arrays = []
    for term, extra in zip(terms, dots, strict=True):
        narrow = [letter for letter in term if term.count(letter) == 1 and rng.random() < 0.2]
        arrays.append(rng.normal(size=(*extra, *[1 if letter in narrow else SIZES[letter] for letter in term])))
    known = sorted(set("".join(terms)))
    output = "".join(draw(st.permutations(known)))[: draw(st.integers(0, len(known)))] if known else ""
    inputs = ",".join(f"...{term}" if extra else term for term, extra in zip(terms, dots, strict=True))
    if not draw(st.booleans()):
        return inputs, arrays
    return f"{inputs}->{'...' if any(dots) else ''}{output}", arrays


@settings(max_examples=200)
@given(contractions())
def test_contractions_follow_numpy_in_value_and_derivative(contraction: tuple[str, list[Any]]) -> None:
    subscripts, arrays = contraction
    expected = np.einsum(subscripts, *arrays)
    there = on_backend(arrays)
    value, pullback = npnets.vjp(lambda x: nnp.einsum(subscripts, *x), there)
    assert_allclose(value, expected, rtol=1e-10, atol=1e-10)
    gradients = npnets.tree.to_numpy(pullback(value))
    for index, (array, gradient) in enumerate(zip(arrays, gradients, strict=True)):  # linear in each operand
        v = np.cos(np.arange(array.size)).reshape(array.shape)
        moved = np.einsum(subscripts, *arrays[:index], v, *arrays[index + 1 :])
        np.testing.assert_allclose((gradient * v).sum(), (expected * moved).sum(), rtol=1e-8, atol=1e-8)


def test_sums_of_products_are_those_written_out() -> None:
    x, y = on_backend((np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)))
    assert_array_equal(nnp.einsum("ij,jk", x, y), x @ y)
    assert_array_equal(nnp.einsum("ij,jk->ki", x, y), (x @ y).T)
    assert_array_equal(nnp.einsum("ij->", x), 15)
    assert_array_equal(nnp.einsum("ba", x), x.T)
    assert_array_equal(nnp.einsum("Ba", x), x)  # capital letters come first


def test_one_operand_twice_has_both_derivatives() -> None:
    x = on_backend(np.array([[1.0, 2.0], [3.0, 5.0]]))
    assert_array_equal(npnets.grad(lambda a: nnp.einsum("ij,ij->", a, a))(x), 2 * x)
    assert_array_equal(npnets.grad(lambda a: nnp.einsum("ii", a))(x), np.eye(2))


@pytest.mark.numpy_alone("is about NumPy's own dtypes")
@pytest.mark.parametrize("subscripts", ["ij,j->i", "ij,kj->ik", "ij,j->ij", "ij,j->", "ij,...j->...ij"])
def test_integers_and_booleans_keep_numpys_dtype(subscripts: str) -> None:
    pairs = [(np.int8, np.int8), (bool, bool), (np.int32, np.int64), (np.float32, np.int8), (np.float32, np.int64)]
    for dtypes in pairs:
        x, y = np.array([[1, 0], [2, 3]]).astype(dtypes[0]), np.array([1, 2]).astype(dtypes[1])
        y = y[None] if "kj" in subscripts else y
        expected, output = np.einsum(subscripts, x, y), nnp.einsum(subscripts, x, y)
        np.testing.assert_array_equal(output, expected)
        assert output.dtype == expected.dtype


def test_products_of_narrow_operands_are_taken_in_the_dtype_of_the_result() -> None:
    large = on_backend(np.full(2, 1e30, np.float32))
    scale = on_backend(np.array([1e-50, 2e-50]))
    product = lambda x: nnp.einsum("i,i,i->", x, x, scale)  # noqa: E731
    assert_allclose(product(large), 3e10, rtol=1e-6)
    gradient = npnets.grad(product)(large)
    assert gradient.dtype == np.float32
    assert_allclose(gradient, np.array([2e-20, 4e-20], np.float32), rtol=1e-6)


def test_numbers_and_lists_beside_float32_do_not_promote() -> None:
    x = on_backend(np.ones((2, 2), np.float32))
    sums = [nnp.einsum("ij,->i", x, 0.5), nnp.einsum("ij,j", x, [0.5, 2])]
    for output in (*sums, nnp.dot(x, np.float64(2)), nnp.dot([1, 2.5], x)):
        assert output.dtype == np.float32


def test_methods_and_numpys_own_functions_on_traced_arrays_are_these() -> None:
    x, y = on_backend((np.array([1.0, 2.0]), np.array([[3.0, 4.0], [5.0, 6.0]])))
    loss = lambda a: nnp.sum(np.einsum("i,ij->j", a, y) + a.dot(y) + np.dot(y, a)) + np.outer(a, a)[0, 1]  # noqa: E731
    assert_array_equal(npnets.grad(loss)(x), [7 + 7 + 8 + 2, 11 + 11 + 10 + 1])


@pytest.mark.parametrize(
    ("subscripts", "words"),
    [
        ("ij", r"expected 1 operands, one for each part between commas, in einsum\('ij', ...\), but got 2|but got 2"),
        ("ij,jk,kl", "expected 3 operands, one for each part between commas.*but got 2"),
        ("ijk,jk", r"an array of 3 axes for 'ijk' .*but got shape \(2, 3\)"),
        ("i,jk", "an array of 1 axes for 'i'"),
        ("ijk...,jk", "an array of 3 axes"),
        ("ij,ik", r"axes of one size for 'i' .*but got shapes \(2, 3\), \(3, 4\)"),
        ("...i,...k", r"axes of one size for '\.\.\.'"),
        ("ij,jk->im", "letters of the operands in the result, each once.*but got 'im'"),
        ("ij,jk->ii", "letters of the operands in the result, each once"),
        ("...j,jk->k", "'...' in the result"),
        ("i1,jk", "letters, commas"),
        ("ij,j.k", "letters, commas"),
        ("...j...,jk->k", "letters, commas"),
        ("ij,jk->ik->", "letters, commas"),
    ],
)
def test_subscripts_that_do_not_fit_say_why(subscripts: str, words: str) -> None:
    x, y = on_backend((np.ones((2, 3)), np.ones((3, 4))))
    with pytest.raises(ValueError, match=words):
        nnp.einsum(subscripts, x, y)
    with pytest.raises(ValueError, match=words):
        npnets.grad(lambda a: nnp.sum(nnp.einsum(subscripts, a, y)))(x)


def test_a_diagonal_has_axes_of_one_size() -> None:
    with pytest.raises(ValueError, match="axes of one size for 'i'"):
        nnp.einsum("ii->i", on_backend(np.ones((1, 3))))


def test_other_calls_without_a_right_result_are_refused() -> None:
    x = on_backend(np.ones((2, 3)))
    with pytest.raises(TypeError, match="subscripts as a string such as 'ij,jk->ik', but got ndarray|but got list"):
        nnp.einsum([0, 1], x)
    with pytest.raises(ValueError, match="expected 1 operands"):
        nnp.einsum("ij")
    with pytest.raises(TypeError, match="but got None; was a return forgotten"):
        nnp.einsum("ij,jk", x, None)
    with pytest.raises(ValueError, match=r"the last axis of x and axis 0 of y, but got \(1, 2, 3\) and \(2,\)"):
        nnp.dot(x[None], x[:, 0])
