"""Traced arrays behave as the arrays in them: operators, methods, indexing, NumPy's own functions, and their limits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from backends import NUMPY, assert_allclose, assert_array_equal, on_backend
from finite_differences import check_first_order, check_second_order

import npnets
import npnets.numpy as nnp

A = np.array([[0.5, -1.5, 2.0], [1.25, 0.75, -0.25]])
"""The NumPy array that everything here is called with, brought to the running backend."""


def b() -> Any:
    """A constant vector on the running backend."""
    return on_backend(np.array([1.5, 0.5, -2.0]))


def m() -> Any:
    """A constant matrix on the running backend."""
    return on_backend(np.arange(6.0).reshape(3, 2) - 2)


def constant(numbers: Any) -> Any:
    """Any constant array on the running backend."""
    return on_backend(np.array(numbers))


OPERATORS: dict[str, Callable[[Any], Any]] = {
    "add": lambda x: x + b() + 2 + (3 + x) + (b() + x),
    "sub": lambda x: (x - b()) * (x - 2) * (3 - x) * (b() - x),
    "mul": lambda x: x * b() * 2 * (3 * x) * (b() * x),
    "truediv": lambda x: x / b() + x / 2 + 3 / x + b() / x,
    "pow": lambda x: abs(x) ** 2.5 + abs(x) ** abs(b()) + 3**x + np.abs(b()) ** x + x**2 + x**3 + x**-1,
    "matmul": lambda x: (x @ m()) + (constant([[1.0, 1.0], [1.0, 1.0]]) @ x)[:, :2] + (b() @ (x * 2).T)[None],
    "neg and abs": lambda x: -x * abs(x),
    "scalars of numpy": lambda x: np.float64(2) * x + x * np.float32(3) - np.int64(1) / x,
    "zero dimensions": lambda x: constant(2.0) * x + x / constant(3.0),
    "one's own": lambda x: x * x / x - x @ x.T @ x,
    "in place by name": lambda x: _accumulated(x),
}
METHODS: dict[str, Callable[[Any], Any]] = {
    "sum": lambda x: x.sum() + x.sum(0) + x.sum(axis=-1, keepdims=True),
    "mean": lambda x: x.mean() + x.mean(1)[:, None] + x.mean(axis=0, keepdims=True),
    "var and std": lambda x: x.var(axis=1) + x.std(1) + x.var(ddof=1),
    "max and min": lambda x: x.max(axis=0) * x.min() + x.max(),
    "clip": lambda x: x.clip(-0.3, 1.3) * x.clip(None, 0.9),
    "ravel": lambda x: x.ravel() * x.flatten() * x.reshape(-1),
    "reshape": lambda x: x.reshape(3, 2) @ x.reshape((2, -1)),
    "transpose": lambda x: x.T @ x + x.transpose(1, 0) @ x + x.transpose((1, 0)) @ x + x.swapaxes(0, 1) @ x,
    "squeeze": lambda x: x[:, None].squeeze() * x[None].squeeze(0),
    "repeat": lambda x: x.repeat(2, axis=0).sum(1) * x[:, :2].repeat(1),
    "astype": lambda x: x.astype(np.float64) * x,
}
INDEXING: dict[str, Callable[[Any], Any]] = {
    "rows": lambda x: x[0] * x[-1] * x[1, :],
    "loop": lambda x: sum((row * row[0] for row in x), 0.0),
    "unpacked": lambda x: [*x][0] * [*x][1],
    "mask": lambda x: x[x > 0] * 3,
    "masked rows": lambda x: x[np.array([True, False])] ** 2,
    "twice the same": lambda x: x[[1, 1, 0]] * constant([[1.0], [2.0], [3.0]]),
    "by argmax": lambda x: x[np.arange(2), x.argmax(1)] * x[0, x[0].argmin()],
    "new axes": lambda x: x[:, None, ::-1] * x[None, ..., 1:2],
}
NUMPYS_OWN: dict[str, Callable[[Any], Any]] = {
    "ufuncs": lambda x: np.exp(x) + np.tanh(x) * np.square(x) - np.maximum(x, 0.1) + np.negative(x),
    "two arguments": lambda x: np.multiply(b(), x) + np.add(x, b()) / np.divide(x, b()) + np.power(x, 2),
    "reductions": lambda x: np.sum(x, axis=0) * np.mean(x) + np.max(x) + np.std(x) * np.var(x, axis=0),
    "joining": lambda x: np.concatenate([x, x * x], axis=1) * np.stack([x[0], b()], axis=0).sum(),
    "shapes": lambda x: np.reshape(np.transpose(x), (-1,)) * np.ravel(x) * np.expand_dims(x.ravel(), 0),
    "choices": lambda x: np.where(x > 0, x * x, np.clip(x, -1, 0.9)) + np.abs(x),
    "products": lambda x: np.matmul(x, m()) * (x @ m()),
}


def _accumulated(x: Any) -> Any:
    total = 1 * x
    total += b()
    total *= x
    total -= 1
    total /= 2
    return total


ALL = [
    pytest.param(fun, id=name) for group in (OPERATORS, METHODS, INDEXING, NUMPYS_OWN) for name, fun in group.items()
]


@pytest.mark.parametrize("fun", ALL)
def test_values_are_those_that_bare_arrays_give(fun: Callable[[Any], Any]) -> None:
    x = on_backend(A)
    value, _ = npnets.vjp(fun, x)
    assert_allclose(value, fun(x.copy()), rtol=1e-13)


@pytest.mark.parametrize("fun", ALL)
def test_derivatives_of_both_orders_agree_with_central_differences(fun: Callable[[Any], Any]) -> None:
    rng = np.random.default_rng(0)
    check_first_order(fun, on_backend(A.copy()), rng)
    check_second_order(fun, on_backend(A.copy()), rng)


@pytest.mark.parametrize("fun", [OPERATORS[name] for name in ("neg and abs", "one's own")])
def test_operators_keep_float32(fun: Callable[[Any], Any]) -> None:
    value, pullback = npnets.vjp(lambda x: fun(x * 2 + 0.5 - 1 / (x * x + 1.0)), on_backend(A.astype(np.float32)))
    assert value.dtype == np.float32
    assert pullback(value)[0].dtype == np.float32


def test_attributes_are_those_of_the_array_inside() -> None:
    def loss(x: Any) -> Any:
        assert (x.shape, x.ndim, x.size, x.dtype, len(x)) == ((2, 3), 2, 6, np.float64, 2)
        assert (x.T.shape, nnp.shape(x), np.ndim(x)) == ((3, 2), (2, 3), 2)
        assert "0.75" in repr(x) and "Traced" in repr(x)
        assert {x: 1}[x] == 1
        return x.sum()

    assert_array_equal(npnets.grad(loss)(on_backend(A)), np.ones_like(A))


def test_comparisons_give_plain_arrays_to_branch_and_index_by() -> None:
    def loss(x: Any) -> Any:
        for output in (x < b(), x <= b(), x > b(), x >= b(), x == b(), x != b(), b() < x):
            assert type(output) is type(b()) and output.dtype == bool
        bare = npnets.stop_gradient(x)
        assert_array_equal(b() < x, b() < bare)
        assert_array_equal(x == bare, np.ones_like(A, bool))
        assert (x > -9).all() and x.any()
        return x.sum() if x.sum() > 0 else -x.sum()

    assert_array_equal(npnets.grad(loss)(on_backend(A)), np.ones_like(A))
    assert_array_equal(npnets.grad(loss)(on_backend(A - 3)), -np.ones_like(A))


def _assign(x: Any) -> Any:
    x[0] = 1.0
    return x.sum()


def _add_into_an_array(x: Any) -> Any:
    total = np.zeros((2, 3))
    total += x
    return total.sum()


def _store_in_an_array(x: Any) -> Any:
    stored = np.zeros(2)
    stored[:] = x[:, 0]
    return stored.sum()


def _add_where_it_lies(x: Any) -> Any:
    total = on_backend(np.zeros((2, 3)))
    total += x
    return total.sum()


def _store_where_it_lies(x: Any) -> Any:
    stored = on_backend(np.zeros(2))
    stored[:] = x[:1, 0]
    return stored.sum()


NO_OUT = r"numpy\.add with out has no derivative .* write x = x \+ y for x \+= y"
NO_NUMBER = "being differentiated is no plain number or NumPy array; .*stop_gradient.* has_aux=True"


@pytest.mark.parametrize(
    ("fun", "words"),
    [
        (_assign, "being differentiated cannot be assigned to; build the output with npnets.numpy.where, concatenate"),
        (_add_into_an_array, NO_OUT),
        (_store_in_an_array, NO_NUMBER),
        (lambda x: np.add.reduce(x).sum(), r"numpy\.add\.reduce with"),
        (lambda x: float(x[0, 0]), NO_NUMBER),
        (lambda x: int(x[0, 0]), NO_NUMBER),
        (lambda x: math.exp(x[0, 0]), NO_NUMBER),
        (lambda x: x[0, 0].item(), NO_NUMBER),
        (lambda x: sum(x.tolist()[0]), NO_NUMBER),
        (lambda x: np.asarray(x).sum(), NO_NUMBER),
        (lambda x: np.array([x[0, 0], x[0, 1]]).sum(), NO_NUMBER),
        (lambda x: np.zeros(3)[x[0, 0]], NO_NUMBER),
        (
            lambda x: np.linalg.inv(x @ x.T).sum(),
            r"numpy\.linalg\.inv has no derivative here; write it with .*npnets\.numpy",
        ),
        (lambda x: np.median(x).sum(), r"numpy\.median has no derivative here"),
        (lambda x: np.hypot(x, x).sum(), r"numpy\.hypot has no derivative here"),
        (lambda x: np.linspace(0, x[0, 0], 3).sum(), r"numpy\.linspace has no derivative here"),
        (lambda x: np.sum(x, dtype=np.float32), "unexpected keyword argument 'dtype'"),
        (lambda x: (x // 2).sum(), r"has no //; use npnets\.numpy\.floor\(x / y\)"),
        (lambda x: (2 // x).sum(), r"has no //; use npnets\.numpy\.floor\(x / y\)"),
    ],
)
def test_what_cannot_be_differentiated_says_so(fun: Callable[[Any], Any], words: str) -> None:
    _is_refused(fun, words)


@pytest.mark.parametrize(("fun", "words"), [(_add_where_it_lies, NO_OUT), (_store_where_it_lies, NO_NUMBER)])
def test_it_cannot_be_written_into_an_array_of_its_own_backend(
    fun: Callable[[Any], Any], words: str, backend: str
) -> None:
    _is_refused(fun, words if backend == NUMPY else "Unsupported type .*Traced")  # CuPy refuses before it asks us


def _is_refused(fun: Callable[[Any], Any], words: str) -> None:
    """Fail unless differentiating a function is refused in these words, and leaves nothing changed or undone."""
    x = on_backend(A.copy())
    with pytest.raises(TypeError, match=words):
        npnets.grad(fun)(x)
    assert_array_equal(x, A)
    assert_array_equal(npnets.grad(lambda a: nnp.sum(a * a))(x), 2 * A)
