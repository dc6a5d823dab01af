"""Every operation in onnxruntime against its definition, computed by NumPy in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx_runs import compute, port, program_of, run
from scipy.special import erf, expit, softmax

from npnets.export.onnx import write
from npnets.export.onnx.operations import SUPPORTED
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
    Repeat,
    Slice,
    Softmax,
    State,
    Transpose,
    Value,
)
from npnets.kernels.activation_formulas import FORMULAS

pytestmark = pytest.mark.numpy_alone("files are written from NumPy's arrays")

X, Y, OUT = Value("x", 6), Value("y", 6), Value("out", 6)
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(3, 6)).astype(np.float32)
OTHER = RNG.normal(size=(3, 6)).astype(np.float32)
WEIGHT, BIAS, SCALE = RNG.normal(size=(6, 4)), RNG.normal(size=4), RNG.uniform(0.5, 2, 6)
LOW, HIGH = np.array([-np.inf, -1, -0.1, 0, -2, -3]), np.array([0.1, np.inf, 0.3, 0.1, -1, 3])


def centered(x: Any) -> Any:
    return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)


CASES: dict[str, tuple[Operation, Callable[[Any, Any], Any]]] = {
    "linear": (Linear(Value("out", 4), X, WEIGHT, BIAS), lambda x, y: x @ WEIGHT + BIAS),
    "linear without bias": (Linear(Value("out", 4), X, WEIGHT, None), lambda x, y: x @ WEIGHT),
    "linear of rows": (
        Linear(Value("out", 8), X, WEIGHT[:3], BIAS, rows=2),
        lambda x, y: (x.reshape(3, 2, 3) @ WEIGHT[:3] + BIAS).reshape(3, 8),
    ),
    "linear of rows without bias": (
        Linear(Value("out", 8), X, WEIGHT[:3], None, rows=2),
        lambda x, y: (x.reshape(3, 2, 3) @ WEIGHT[:3]).reshape(3, 8),
    ),
    "layer norm": (LayerNorm(OUT, X, SCALE, SCALE, 1e-5), lambda x, y: centered(x) * SCALE + SCALE),
    "layer norm without weight and bias": (LayerNorm(OUT, X, None, None, 1e-5), lambda x, y: centered(x)),
    "normalize": (Normalize(OUT, X, SCALE, SCALE, 0.4), lambda x, y: np.clip((x - SCALE) / SCALE, -0.4, 0.4)),
    "normalize without limit": (Normalize(OUT, X, SCALE, SCALE, None), lambda x, y: (x - SCALE) / SCALE),
    "affine": (Affine(OUT, X, SCALE, SCALE + 1), lambda x, y: SCALE * x + SCALE + 1),
    "scale": (Affine(OUT, X, SCALE, np.zeros(6)), lambda x, y: SCALE * x),
    "offset": (Affine(OUT, X, np.ones(6), SCALE), lambda x, y: SCALE + x),
    "neither": (Affine(OUT, X, np.ones(6), np.zeros(6)), lambda x, y: x),
    "clip": (Clip(OUT, X, LOW, HIGH), lambda x, y: np.clip(x, LOW, HIGH)),
    "clip to one interval": (Clip(OUT, X, np.full(6, -0.1), np.full(6, 0.3)), lambda x, y: np.clip(x, -0.1, 0.3)),
    "clip from below": (Clip(OUT, X, LOW, np.full(6, np.inf)), lambda x, y: np.maximum(x, LOW)),
    "clip from above": (Clip(OUT, X, np.full(6, -np.inf), HIGH), lambda x, y: np.minimum(x, HIGH)),
    "add": (Combine(OUT, X, Y, "add"), lambda x, y: x + y),
    "subtract": (Combine(OUT, X, Y, "subtract"), lambda x, y: x - y),
    "multiply": (Combine(OUT, X, Y, "multiply"), lambda x, y: x * y),
    "concatenate": (Concatenate(Value("out", 18), (X, Y, X)), lambda x, y: np.concatenate([x, y, x], 1)),
    "slice": (Slice(Value("out", 3), X, 2), lambda x, y: x[:, 2:5]),
    "repeat": (Repeat(Value("out", 18), X), lambda x, y: np.tile(x, (1, 3))),
    "transpose": (Transpose(OUT, X, 2), lambda x, y: x.reshape(3, 2, 3).swapaxes(1, 2).reshape(3, 6)),
    "group mean": (GroupMean(Value("out", 2), X, 3), lambda x, y: x.reshape(3, 3, 2).mean(1)),
    "softmax": (Softmax(OUT, X), lambda x, y: softmax(x, 1)),
    "softmax of groups": (Softmax(OUT, X, 2), lambda x, y: softmax(x.reshape(3, 2, 3), 2).reshape(3, 6)),
    "cumulative sum": (CumulativeSum(OUT, X), lambda x, y: np.cumsum(x, 1)),
    "argmax": (Argmax(Value("out", 1, "index"), X), lambda x, y: x.argmax(1)[:, None]),
    "argmax of rows": (Argmax(Value("out", 2, "index"), X), lambda x, y: x.reshape(3, 2, 3).argmax(2)),
}


@pytest.mark.parametrize("case", CASES)
def test_an_operation_computes_its_definition(case: str) -> None:
    operation, definition = CASES[case]
    found = compute(operation, ROWS, OTHER)
    expected = definition(ROWS.astype(float), OTHER.astype(float))
    assert found.dtype == (np.int64 if expected.dtype.kind == "i" else np.float32)
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6)


def test_the_cases_hold_every_operation() -> None:
    elsewhere = {Constant, Activate, Lstm}
    assert {type(operation) for operation, _ in CASES.values()} | elsewhere == set(SUPPORTED)


# -- activations ------------------------------------------------------------------------------------------------------

NUMBERS = np.array([[-1e6, -200, -30, -15, -3, -1, -0.3, -1e-3, 0, 1e-3, 0.3, 1, 3, 12, 25]], np.float32)


def softplus(x: Any) -> Any:
    return np.logaddexp(x, 0)


ACTIVATIONS: dict[tuple[str, tuple[float | str, ...]], Callable[[Any], Any]] = {
    ("relu", ()): lambda x: np.maximum(x, 0),
    ("tanh", ()): np.tanh,
    ("sigmoid", ()): expit,
    ("exp", ()): np.exp,
    ("cos", ()): np.cos,
    ("leaky_relu", (0.2,)): lambda x: np.where(x > 0, x, 0.2 * x),
    ("elu", (1.5,)): lambda x: np.where(x > 0, x, 1.5 * np.expm1(np.minimum(x, 0))),
    ("silu", ()): lambda x: x * expit(x),
    ("softplus", (1.0, 20.0)): softplus,
    ("softplus", (0.5, 20.0)): lambda x: softplus(0.5 * x) / 0.5,
    ("softplus", (1.0, 0.5)): lambda x: np.where(x > 0.5, x, softplus(x)),
    ("gelu", ("none",)): lambda x: x * (1 + erf(x / np.sqrt(2))) / 2,
    ("gelu", ("tanh",)): lambda x: x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2,
    ("selu", ()): lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0))),
    ("celu", (0.5,)): lambda x: np.where(x > 0, x, 0.5 * np.expm1(np.minimum(x, 0) / 0.5)),
    ("softsign", ()): lambda x: x / (1 + np.abs(x)),
    ("mish", ()): lambda x: x * np.tanh(softplus(x)),
    ("logsigmoid", ()): lambda x: -softplus(-x),
    ("relu6", ()): lambda x: np.clip(x, 0, 6),
    ("hardtanh", (-0.5, 2.0)): lambda x: np.clip(x, -0.5, 2),
    ("hardsigmoid", ()): lambda x: np.clip(x / 6 + 0.5, 0, 1),
    ("hardswish", ()): lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    ("clipped_exp", (-2.0, 1.5)): lambda x: np.exp(np.clip(x, -2, 1.5)),
}


@pytest.mark.parametrize(("function", "args"), ACTIVATIONS)
def test_an_activation_computes_its_definition_also_in_its_tails(function: str, args: tuple[float | str, ...]) -> None:
    size = NUMBERS.shape[1]
    found = compute(Activate(Value("out", size), Value("x", size), function, args), NUMBERS)
    with np.errstate(over="ignore"):
        expected = ACTIVATIONS[function, args](NUMBERS.astype(float)).astype(np.float32)
    np.testing.assert_allclose(found, expected, rtol=3e-6, atol=3e-7)


def test_every_activation_of_npnets_has_a_case() -> None:
    assert {name for name, _ in ACTIVATIONS} == {*FORMULAS, "exp", "cos"}


# -- precision --------------------------------------------------------------------------------------------------------


def test_a_layer_norm_keeps_its_digits_beside_a_large_mean() -> None:
    x = np.float32(1000) + ROWS
    found = compute(LayerNorm(OUT, X, np.ones(6), None, 1e-5), x)
    np.testing.assert_allclose(found, centered(x.astype(float)), rtol=1e-3, atol=1e-3)


def test_a_normalization_keeps_its_digits_beside_a_large_mean() -> None:
    mean = 1e5 + SCALE
    x = np.float32(1e5) + ROWS
    found = compute(Normalize(OUT, X, mean, SCALE, None), x)
    np.testing.assert_allclose(found, (x.astype(float) - mean) / SCALE, rtol=1e-6)


def test_gelu_of_a_large_number_is_that_number() -> None:
    x = np.array([[3e38, 1e30, -3e38]])
    found = compute(Activate(Value("o", 3), Value("x", 3), "gelu", ("none",)), x)
    np.testing.assert_allclose(found, [[3e38, 1e30, 0]], rtol=1e-6)


def test_bounds_are_rounded_inwards() -> None:
    low, high = np.array([0.1, -0.1, -1e300, 0.1, -7, 0.3]), np.array([0.7, 0.1, 1e300, 0.2, 0.1, 0.4])
    for x, expected in ((-np.inf, low), (np.inf, high)):
        found = compute(Clip(OUT, X, low, high), np.full((1, 6), x))[0].astype(float)
        assert ((low <= found) & (found <= high)).all()
        np.testing.assert_allclose(found, np.clip(expected, -3.4028235e38, 3.4028235e38), rtol=1e-7)


def test_an_action_that_a_tanh_bounds_keeps_within_one() -> None:
    x = np.linspace(5, 10, 200_001)[None]
    size = x.shape[1]
    found = compute(Activate(Value("out", size), Value("x", size), "tanh"), np.concatenate([x, -x]))
    assert (found.min(), found.max()) == (-1, 1)


@pytest.mark.parametrize(
    "operation",
    [
        *(Activate(OUT, X, *arguments) for arguments in ACTIVATIONS),
        Clip(OUT, X, LOW, HIGH),
        Clip(OUT, X, np.full(6, -1.0), np.full(6, 1.0)),
        Normalize(OUT, X, SCALE, SCALE, 1.0),
        Softmax(OUT, X),
    ],
)
def test_what_is_not_a_number_stays_so(operation: Operation) -> None:
    x = np.full((2, 6), np.nan)
    assert np.isnan(compute(operation, x)).all()


# -- constants and states ---------------------------------------------------------------------------------------------


def test_what_depends_on_no_input_has_a_row_for_each_entry_of_the_batch() -> None:
    constant, cosine, joined = Value("constant", 2), Value("cosine", 2), Value("joined", 8)
    operations = [
        Constant(constant, np.array([0.5, 2.0])),
        Activate(cosine, constant, "cos"),
        Concatenate(joined, (cosine, X)),
    ]
    file = write(program_of(operations, [port(X)], [port(joined), port(cosine), port(constant)]))
    for rows in (0, 1, 3):
        found = run(file, {"x": ROWS[:rows]})
        expected = np.tile(np.cos([0.5, 2.0]), (rows, 1))
        np.testing.assert_allclose(found["joined"], np.concatenate([expected, ROWS[:rows]], 1), rtol=1e-6)
        np.testing.assert_allclose(found["cosine"], expected, rtol=1e-6)
        np.testing.assert_array_equal(found["constant"], np.tile(np.float32([0.5, 2.0]), (rows, 1)))


def test_an_lstm_takes_its_state_and_returns_the_next() -> None:
    rng = np.random.default_rng(0)
    size = 2
    weight, hidden_weight, bias = rng.normal(size=(6, 8)), rng.normal(size=(size, 8)), rng.normal(size=8)
    hidden, cell, new_hidden, new_cell = (Value(name, size) for name in ("h", "c", "new_h", "new_c"))
    states = tuple(
        State(port(before, name, (1, size)), port(after, name, (1, size)))
        for name, before, after in (("hidden", hidden, new_hidden), ("cell", cell, new_cell))
    )
    step = Lstm(new_hidden, new_cell, X, hidden, cell, weight, hidden_weight, bias)
    h, c = rng.normal(size=(2, 3, 1, size)).astype(np.float32)
    file = write(program_of([step], [port(X)], [port(new_hidden, "action")], states))
    found = run(file, {"x": ROWS, "hidden": h, "cell": c})

    i, f, g, o = np.split(ROWS @ weight + h[:, 0] @ hidden_weight + bias, 4, 1)
    next_c = expit(f) * c[:, 0] + expit(i) * np.tanh(g)
    next_h = expit(o) * np.tanh(next_c)
    np.testing.assert_allclose(found["action"], next_h, rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(found["next_hidden"], next_h[:, None], rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(found["next_cell"], next_c[:, None], rtol=2e-6, atol=1e-6)
