"""A result that is not floating point ends a derivative, and an index gets no cotangent: in every mode and order."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from backends import assert_allclose, assert_array_equal, on_backend
from finite_differences import check_first_order, check_second_order
from platforms import where_longdouble_is_wider

import npnets
import npnets.numpy as nnp
from npnets.autodiff import Pair, fused, primitive

Fun = Callable[[Any], Any]

X = np.array([0.25, 1.75, 2.3])
"""Away from integers, so that small steps change no cast and no comparison."""

INTEGERS: dict[str, Fun] = {
    "astype": lambda x: x * x.astype(int),
    "astype to another width": lambda x: x * x.astype(np.int16) + x * x.astype("uint8"),
    "astype of a product": lambda x: x * (x * x).astype(int) * 2,
    "asarray": lambda x: x * nnp.asarray(x, int),
    "array of a list": lambda x: x * nnp.array([x[0], x[1], 2.0 * x[2]], int),
    "booleans": lambda x: x * x.astype(bool) + x * (x > 1),
    "a mask as a factor": lambda x: x * x * (x > 1).astype(x.dtype),
    "by position": lambda x: x[x.astype(int)] * x,
    "by position in a tuple": lambda x: x[None][0, x.astype(int)] * x,
    "by position in a list": lambda x: x[[x[0].astype(int), x[1].astype(int)]] * x[:2],
    "by a mask": lambda x: x[x > 1] * x[x.astype(int) == 1],
    "a choice": lambda x: nnp.where(x.astype(int) == 1, x * x, 3 * x),
    "a power": lambda x: (1 + x) ** x.astype(int),
    "arithmetic of integers": lambda x: x * (x.astype(int) + 2 * x.astype(int)),
    "sign and floor": lambda x: x * nnp.sign(x) * nnp.floor(x),
}


@pytest.mark.parametrize("fun", INTEGERS.values(), ids=INTEGERS)
def test_what_is_computed_from_integers_is_a_constant_in_both_modes_and_orders(fun: Fun) -> None:
    rng = np.random.default_rng(0)
    check_first_order(fun, on_backend(X.copy()), rng)
    check_second_order(fun, on_backend(X.copy()), rng)


def test_the_two_smallest_examples_are_right() -> None:
    number = on_backend(np.asarray(1.7))
    assert_array_equal(npnets.grad(lambda x: x * x.astype(int))(number), 1.0)
    assert_array_equal(npnets.grad(lambda x: nnp.sum(x[x.astype(int)]))(on_backend(np.array([0.0, 1.0]))), [1, 1])


def test_a_cast_to_integers_gives_a_plain_array() -> None:
    def loss(x: Any) -> Any:
        for result in (x.astype(int), nnp.asarray(x, bool), x[x.astype(int)].astype(int)):
            assert type(result) is type(on_backend(X))
        return nnp.sum(x)

    assert_array_equal(npnets.grad(loss)(on_backend(X)), np.ones(3))


def test_an_outer_derivative_ends_at_integers_as_the_inner_does() -> None:
    def outer(x: Any) -> Any:
        return nnp.sum(npnets.grad(lambda y: nnp.sum(y * x.astype(int) * y))(x) * x)  # 2 x round(x) x

    assert_allclose(npnets.grad(outer)(on_backend(X)), 4 * X * X.astype(int))


def _rounded(one: Any = None) -> Any:
    vjp = jvp = lambda argnum, g, output, args: g
    return primitive(vjp, jvp)(lambda x: x.astype(int))


def test_an_operation_of_ones_own_that_returns_integers_ends_a_derivative_too() -> None:
    rounded = _rounded()
    assert_array_equal(npnets.grad(lambda x: nnp.sum(x * rounded(x)))(on_backend(X)), X.astype(int))
    assert_array_equal(npnets.hvp(lambda x: nnp.sum(x * x * rounded(x)))(*on_backend((X, X))), 2 * X * X.astype(int))


def test_of_several_results_of_a_fused_operation_the_integers_are_constants() -> None:
    pair = Pair(lambda x: ((x * x, x.astype(int)), None), lambda g, residuals, argnums, x: (2 * x * g[0],))
    both = fused(lambda x: (x * x, x.astype(int)), cpu=pair, gpu=pair)
    gradient = npnets.grad(lambda x: nnp.sum(both(x)[0] * both(x)[1]))(on_backend(X))
    assert_allclose(gradient, 2 * X * X.astype(int))


# -- what is neither a number that is followed nor a constant --------------------------------------------------------


@pytest.mark.numpy_alone("about classes of arrays that CuPy does not have")
@pytest.mark.parametrize(
    ("fun", "words"),
    [
        (lambda x: nnp.sum(x * 1j), "its result has dtype complex128, and npnets has no complex numbers"),
        (lambda x: nnp.sum(x.astype(complex) * x), "no complex numbers; compute with real and imaginary part apart"),
        (lambda x: nnp.sum(nnp.exp(x * np.array([1j, 0, 0]))), "no complex numbers"),
        (lambda x: nnp.sum(x.astype(np.float16)), r"has dtype float16, .* float32 and float64 alone; .*numpy.float32"),
        pytest.param(
            lambda x: nnp.sum(x * np.longdouble(1) * np.ones(3, np.longdouble)),
            r"alone; convert .*numpy\.float64",
            marks=where_longdouble_is_wider,
        ),
        (lambda x: nnp.sum(x * np.ma.masked_array(X, [True, False, False])), "masked array, whose mask would be lost"),
        (lambda x: nnp.sum(np.ma.masked_array(X, [True, False, False]) - x), "is no plain number or NumPy array"),
        (
            lambda x: nnp.sum(nnp.where(np.ma.masked_array(X > 1, X > 2), x, 0)),
            "a condition as a plain array, but it is a masked",
        ),
        (lambda x: nnp.sum(x[np.ma.masked_array([0, 1], [0, 1])]), "an index as a plain array, but it is a masked"),
        (lambda x: nnp.sum(_matrix() * x), r"numpy.*matrix, which may redefine operators such as \*; .*numpy.asarray"),
        (lambda x: nnp.sum(x.astype(object)), "has dtype object"),
        (lambda x: nnp.sum(primitive(None, None)(lambda a: [a, a])(x)), "its result is a list"),
    ],
)
def test_results_that_are_no_plain_floating_point_arrays_are_refused(fun: Fun, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        npnets.grad(fun)(X)
    with pytest.raises(TypeError, match=words):
        npnets.hvp(fun)(X, X)


def _matrix() -> Any:
    return np.ones((3, 3)).view(np.matrix)


# -- staying connected -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda x: x.copy(), np.copy, lambda x: +x])
def test_a_copy_of_a_traced_array_is_differentiated_through(copied: Fun) -> None:
    x = on_backend(X)
    assert_allclose(npnets.grad(lambda a: nnp.sum(copied(a) ** 2))(x), 2 * X)
    assert_allclose(npnets.grad(lambda a: nnp.sum(copy.deepcopy({"a": [a * a]})["a"][0]))(x), 2 * X)


def test_a_traced_array_that_would_lose_its_derivative_on_the_way_to_another_process_is_refused() -> None:
    import pickle

    with pytest.raises(TypeError, match=r"cannot be pickled .* derivative would be lost; send npnets.stop_gradient"):
        npnets.grad(lambda a: nnp.sum(pickle.loads(pickle.dumps(a))))(on_backend(X))
