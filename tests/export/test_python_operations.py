"""Every operation of a program computes in plain Python what its definition says."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from python_files import loaded, outcome, program

from npnets.export.program import (
    Activate,
    Affine,
    Argmax,
    Clip,
    Combine,
    Concatenate,
    Constant,
    CumulativeSum,
    GroupMean,
    LayerNorm,
    Linear,
    Lstm,
    Normalize,
    Operation,
    Port,
    Repeat,
    Slice,
    Softmax,
    State,
    Transpose,
    Value,
)
from npnets.kernels.activation_formulas import FORMULAS
from npnets.kernels.activations import parameters_of

pytestmark = pytest.mark.numpy_alone("writes files of Python's numbers")

X, Y = Value("x", 6), Value("y", 6)
A = np.array([0.5, -1.25, 3.0, 0.0, 2.0, -0.75])
B = np.array([2.0, 0.5, -1.0, 4.0, 0.25, 1.5])
STANDARD = (A - A.mean()) / np.sqrt(A.var() + 0.1)
WEIGHT = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
BIAS = np.random.default_rng(1).normal(size=4).astype(np.float32)
LOW, HIGH = np.array([-1.0, -math.inf, 0.0, -1.0, -1.0, 0.0]), np.array([1.0, 0.0, math.inf, 1.0, 1.5, 1.0])


def rows(x: np.ndarray, groups: int) -> np.ndarray:
    return x.reshape(groups, -1)


def softmax(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


CASES: dict[str, tuple[Operation, np.ndarray]] = {
    "linear": (Linear(Value("o", 4), X, WEIGHT, BIAS), A @ WEIGHT.astype(float) + BIAS),
    "linear without a bias": (Linear(Value("o", 4), X, WEIGHT, None), A @ WEIGHT.astype(float)),
    "linear on rows": (
        Linear(Value("o", 8), X, WEIGHT[:3], BIAS, rows=2),
        (A.reshape(2, 3) @ WEIGHT[:3].astype(float) + BIAS).ravel(),
    ),
    "linear on rows without a bias": (
        Linear(Value("o", 12), X, WEIGHT[:2], None, rows=3),
        (A.reshape(3, 2) @ WEIGHT[:2].astype(float)).ravel(),
    ),
    "layer norm": (LayerNorm(Value("o", 6), X, B, A, 0.1), (A - A.mean()) / np.sqrt(A.var() + 0.1) * B + A),
    "layer norm of nothing else": (
        LayerNorm(Value("o", 6), X, None, None, 0.1),
        (A - A.mean()) / np.sqrt(A.var() + 0.1),
    ),
    "normalize": (Normalize(Value("o", 6), X, B, np.full(6, 0.5), None), (A - B) / 0.5),
    "normalize with a limit": (Normalize(Value("o", 6), X, B, np.full(6, 0.5), 2.0), np.clip((A - B) / 0.5, -2, 2)),
    "affine": (Affine(Value("o", 6), X, B, A), B * A + A),
    "clip": (Clip(Value("o", 6), X, LOW, HIGH), np.clip(A, LOW, HIGH)),
    "add": (Combine(Value("o", 6), X, Y, "add"), A + B),
    "subtract": (Combine(Value("o", 6), X, Y, "subtract"), A - B),
    "multiply": (Combine(Value("o", 6), X, Y, "multiply"), A * B),
    "concatenate": (Concatenate(Value("o", 18), (Y, X, Y)), np.concatenate([B, A, B])),
    "slice": (Slice(Value("o", 3), X, 2), A[2:5]),
    "repeat": (Repeat(Value("o", 18), X), np.tile(A, 3)),
    "transpose": (Transpose(Value("o", 6), X, 2), rows(A, 2).T.ravel()),
    "constant": (Constant(Value("o", 6), B), B),
    "mean of groups": (GroupMean(Value("o", 2), X, 3), rows(A, 3).mean(0)),
    "softmax": (Softmax(Value("o", 6), X), softmax(A)),
    "softmax of groups": (Softmax(Value("o", 6), X, 2), softmax(rows(A, 2)).ravel()),
    "cumulative sum": (CumulativeSum(Value("o", 6), X), np.cumsum(A)),
    "argmax": (Argmax(Value("o", 1, "index"), X), np.array([2])),
    "argmax of rows": (Argmax(Value("o", 3, "index"), X), np.array([0, 0, 0])),
}


@pytest.mark.parametrize("name", CASES)
def test_an_operation_computes_its_definition(name: str) -> None:
    operation, expected = CASES[name]
    found = outcome(program([X, Y], [operation]), A.tolist(), B.tolist())
    assert isinstance(found, list) and {type(entry) for entry in found} <= {float, int}
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)


def test_the_first_of_equal_entries_is_the_largest() -> None:
    assert outcome(program([X], [Argmax(Value("o", 2, "index"), X)]), [1.0, 3.0, 3.0, 2.0, 2.0, 2.0]) == [1, 0]


def test_a_softmax_of_large_entries_does_not_overflow() -> None:
    found = outcome(program([X], [Softmax(Value("o", 6), X)]), [1e4, 1e4, 0.0, -1e4, -1e308, 1e4])
    np.testing.assert_allclose(found, [1 / 3, 1 / 3, 0, 0, 0, 1 / 3])


def test_one_step_of_an_lstm_returns_the_new_hidden_and_cell_state() -> None:
    rng = np.random.default_rng(0)
    x, h, c, new_h, new_c = (Value(name, size) for name, size in zip("xhcde", (3, 2, 2, 2, 2), strict=True))
    u, v, b = rng.normal(size=(3, 8)), rng.normal(size=(2, 8)), rng.normal(size=8)
    states = tuple(
        State(Port(name, before, (1, 2)), Port(name, after, (1, 2)))
        for name, before, after in (("hidden", h, new_h), ("cell", c, new_c))
    )
    made = program([x], [Lstm(new_h, new_c, x, h, c, u, v, b)], [new_h], states)
    obs, hidden, cell = (rng.normal(size=size) for size in (3, 2, 2))
    i, f, g, o = np.split(obs @ u + hidden @ v + b, 4)
    new_cell = cell / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
    output, state = outcome(made, obs.tolist(), {"hidden": hidden.tolist(), "cell": cell.tolist()})
    np.testing.assert_allclose(state["cell"], new_cell, rtol=1e-14)
    np.testing.assert_allclose(output, np.tanh(new_cell) / (1 + np.exp(-o)), rtol=1e-14)
    assert output == state["hidden"] and output is not state["hidden"]  # which the caller may change


def test_the_first_state_of_a_recurrent_policy_is_zero() -> None:
    before, after = Value("h", 4), Value("n", 4)
    states = (State(Port("hidden", before, (2, 2)), Port("hidden", after, (2, 2))),)
    file = loaded(program([before], [Combine(after, before, before, "add")], [after], states))
    assert file["reset"]() == {"hidden": [0.0] * 4}


# -- activations ------------------------------------------------------------------------------------------------------

GIVEN: dict[str, list[tuple[float | str, ...]]] = {
    "gelu": [("none",), ("tanh",)],
    "leaky_relu": [(0.2,)],
    "softplus": [(1.0, 20.0), (3.0, 5.0)],
    "elu": [(1.0,), (0.3,)],
    "clipped_exp": [(-20.0, 2.0), (-1.0, 800.0)],
}


def arguments_of(name: str) -> list[tuple[float | str, ...]]:
    """Return some arguments of a named activation, or its defaults."""
    defaults = tuple(parameter.default for parameter in parameters_of(name).parameters.values())
    return GIVEN.get(name, [defaults])


ACTIVATIONS = [(name, args) for name in FORMULAS for args in arguments_of(name)]
ENTRIES = np.concatenate([np.linspace(-45, 45, 181), [-1e-9, 1e-9, -700.0, 700.0, -1e300, 1e300, -math.inf, math.inf]])


@pytest.mark.parametrize(("name", "args"), ACTIVATIONS)
def test_every_named_activation_is_the_same_function_in_plain_python(name: str, args: tuple[float | str, ...]) -> None:
    x = Value("x", ENTRIES.size)
    found = outcome(program([x], [Activate(Value("o", x.size), x, name, args)]), ENTRIES.tolist())
    with np.errstate(all="ignore"):
        expected = FORMULAS[name].composition(ENTRIES.copy(), *args)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize(("name", "args"), ACTIVATIONS)
def test_an_activation_of_nan_is_nan(name: str, args: tuple[float | str, ...]) -> None:
    x = Value("x", 1)
    assert math.isnan(outcome(program([x], [Activate(Value("o", 1), x, name, args)]), [math.nan])[0])


def test_an_exponential_is_infinite_where_pythons_own_raises_an_error() -> None:
    x = Value("x", 3)
    assert outcome(program([x], [Activate(Value("o", 3), x, "exp")]), [1000.0, 0.0, -1000.0]) == [math.inf, 1.0, 0.0]


def test_a_cosine_is_that_of_radians() -> None:
    x = Value("x", 2)
    np.testing.assert_allclose(
        outcome(program([x], [Activate(Value("o", 2), x, "cos")]), [0.5, math.pi]), np.cos([0.5, math.pi])
    )


def test_nan_passes_a_clip_and_a_limit() -> None:
    x = Value("x", 1)
    one = np.ones(1)
    for operation in (Clip(Value("o", 1), x, -one, one), Normalize(Value("o", 1), x, one, one, 1.0)):
        assert math.isnan(outcome(program([x], [operation]), [math.nan])[0])


def test_an_unknown_activation_is_an_error_that_names_it() -> None:
    with pytest.raises(NotImplementedError, match="'sine'"):
        outcome(program([X], [Activate(Value("o", 6), X, "sine")]), A.tolist())


def test_operations_follow_each_other() -> None:
    values = [Value(f"v{k}", 6) for k in range(4)]
    steps: list[Operation] = [Affine(after, before, B, A) for before, after in pairwise([X, *values])]
    expected = A
    for _ in values:
        expected = B * expected + A
    np.testing.assert_allclose(outcome(program([X], steps), A.tolist()), expected)
