"""Random programs of `npnets.export`, for writers to be tested on: operations of every kind in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

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
    Program,
    Repeat,
    Slice,
    Softmax,
    State,
    Transpose,
    Value,
)

LARGEST = 24
"""The most entries of a vector."""
ACTIVATIONS: tuple[tuple[str, tuple[float | str, ...]], ...] = (
    ("relu", ()),
    ("tanh", ()),
    ("sigmoid", ()),
    ("silu", ()),
    ("cos", ()),
    ("elu", (0.7,)),
    ("leaky_relu", (0.2,)),
    ("softplus", (1.5, 20.0)),
    ("gelu", ("none",)),
    ("gelu", ("tanh",)),
    ("clipped_exp", (-3.0, 1.0)),
)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Draw a program of up to eight operations, whose outputs are some of their results."""
    drawing = _Drawing(draw)
    inputs = [drawing.value(draw(st.integers(1, 6))) for _ in range(draw(st.integers(1, 2)))]
    states = [drawing.lstm()] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 8))):
        drawing.add()
    outputs = draw(st.lists(st.sampled_from(drawing.results), min_size=1, max_size=3))
    return Program(
        "policy",
        "drawn at random",
        0,
        tuple(Port(f"obs_{number}", value, _shape(draw, value.size)) for number, value in enumerate(inputs)),
        tuple(Port(f"out_{number}", value, _shape(draw, value.size)) for number, value in enumerate(outputs)),
        tuple(drawing.operations),
        tuple(state for pair in states for state in pair),
    )


def _shape(draw: st.DrawFn, size: int) -> tuple[int, ...]:
    rows = draw(st.sampled_from([n for n in range(1, size + 1) if size % n == 0]))
    return draw(st.sampled_from([(size,), (rows, size // rows), (rows, 1, size // rows)]))


class _Drawing:
    """A program while it is drawn: its operations, and the vectors that the next may use."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        self.operations: list[Operation] = []
        self.inputs: list[Value] = []
        self.floats: list[Value] = []
        self.indices: list[Value] = []

    @property
    def results(self) -> list[Value]:
        return [*self.floats[::-1], *self.indices]

    def value(self, size: int) -> Value:
        value = Value(f"v{len(self.floats)}", size)
        self.floats.append(value)
        if not self.operations:
            self.inputs.append(value)
        return value

    def any(self) -> Value:
        return self.draw(st.sampled_from(self.floats))

    def normal(self, *shape: int) -> Any:
        return self.rng.normal(size=shape)

    def some(self, *shape: int) -> Any:
        """Draw weights in float32, or none."""
        return self.draw(st.sampled_from([None, self.normal(*shape).astype(np.float32)]))

    def divisor(self, size: int) -> int:
        return self.draw(st.sampled_from([n for n in range(1, size + 1) if size % n == 0]))

    def add(self) -> None:
        kind = self.draw(st.sampled_from(list(_KINDS)))
        self.operations.append(kind(self))

    def lstm(self) -> tuple[State, State]:
        size, x = self.draw(st.integers(1, 4)), self.any()
        hidden, cell, new_hidden, new_cell = (self.value(size) for _ in range(4))
        del self.floats[-2:]  # which nothing may use before the operation
        weights = self.normal(x.size, 4 * size), self.normal(size, 4 * size)
        self.operations.append(Lstm(new_hidden, new_cell, x, hidden, cell, *weights, self.some(4 * size)))
        self.floats += [new_hidden, new_cell]
        ports = [Port(name, value, (1, size)) for name, value in zip(("hidden", "cell"), (hidden, cell), strict=True)]
        after = [port._replace(value=value) for port, value in zip(ports, (new_hidden, new_cell), strict=True)]
        return State(ports[0], after[0]), State(ports[1], after[1])


# -- one operation of each kind ---------------------------------------------------------------------------------------


def _constant(at: _Drawing) -> Operation:
    size = at.draw(st.integers(1, 4))
    return Constant(at.value(size), at.normal(size))


def _linear(at: _Drawing) -> Operation:
    x = at.any()
    rows, width = at.divisor(x.size), at.draw(st.integers(1, 4))
    weight = at.normal(x.size // rows, width) / np.sqrt(x.size // rows)
    return Linear(at.value(rows * width), x, weight.astype(np.float32), at.some(width), rows)


def _activate(at: _Drawing) -> Operation:
    x = at.any()
    return Activate(at.value(x.size), x, *at.draw(st.sampled_from(ACTIVATIONS)))


def _layer_norm(at: _Drawing) -> Operation:
    x = at.any()
    return LayerNorm(at.value(x.size), x, at.some(x.size), at.some(x.size), at.draw(st.sampled_from([1e-2, 1.0])))


def _normalize(at: _Drawing) -> Operation:
    x = at.any()
    mean, deviation = at.normal(x.size), at.rng.uniform(0.5, 2, x.size)
    return Normalize(at.value(x.size), x, mean, deviation, at.draw(st.sampled_from([None, 1.5])))


def _affine(at: _Drawing) -> Operation:
    x = at.any()
    scale = at.draw(st.sampled_from([np.ones(x.size), at.normal(x.size)]))
    return Affine(at.value(x.size), x, scale, at.draw(st.sampled_from([np.zeros(x.size), at.normal(x.size)])))


def _clip(at: _Drawing) -> Operation:
    x = at.any()
    low, width = at.normal(x.size), at.rng.uniform(0, 2, x.size)
    low, high = at.draw(
        st.sampled_from(
            [
                (low, low + width),
                (low, np.full(x.size, np.inf)),
                (np.full(x.size, -np.inf), low),
                (np.full(x.size, -0.1), np.full(x.size, 0.7)),
            ]
        )
    )
    return Clip(at.value(x.size), x, low, high)


def _combine(at: _Drawing) -> Operation:
    x = at.any()
    y = at.draw(st.sampled_from([value for value in at.floats if value.size == x.size]))
    return Combine(at.value(x.size), x, y, at.draw(st.sampled_from(["add", "subtract", "multiply"])))


def _concatenate(at: _Drawing) -> Operation:
    parts = [at.any() for _ in range(at.draw(st.integers(1, 3)))]
    while sum(part.size for part in parts) > LARGEST:
        parts.pop()
    return Concatenate(at.value(sum(part.size for part in parts)), tuple(parts))


def _slice(at: _Drawing) -> Operation:
    x = at.any()
    size = at.draw(st.integers(1, x.size))
    return Slice(at.value(size), x, at.draw(st.integers(0, x.size - size)))


def _repeat(at: _Drawing) -> Operation:
    x = at.any()
    return Repeat(at.value(x.size * at.draw(st.integers(1, LARGEST // x.size))), x)


def _transpose(at: _Drawing) -> Operation:
    x = at.any()
    return Transpose(at.value(x.size), x, at.divisor(x.size))


def _group_mean(at: _Drawing) -> Operation:
    x = at.any()
    groups = at.divisor(x.size)
    return GroupMean(at.value(x.size // groups), x, groups)


def _softmax(at: _Drawing) -> Operation:
    x = at.any()
    return Softmax(at.value(x.size), x, at.divisor(x.size))


def _cumulative_sum(at: _Drawing) -> Operation:
    x = at.any()
    return CumulativeSum(at.value(x.size), x)


def _argmax(at: _Drawing) -> Operation:
    """Draw the largest of inputs alone, which are exact: rounding chooses among computed numbers that are close."""
    x = at.draw(st.sampled_from(at.inputs))
    at.indices.append(Value(f"i{len(at.indices)}", at.divisor(x.size), "index"))
    return Argmax(at.indices[-1], x)


_KINDS: tuple[Callable[[_Drawing], Operation], ...] = (
    _constant,
    _linear,
    _activate,
    _layer_norm,
    _normalize,
    _affine,
    _clip,
    _combine,
    _concatenate,
    _slice,
    _repeat,
    _transpose,
    _group_mean,
    _softmax,
    _cumulative_sum,
    _argmax,
)
