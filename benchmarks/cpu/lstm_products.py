"""The matrix products of the recurrent networks, for the floor.

An LSTM's products, as few as its recurrence allows, with preallocated outputs and every factor in its fastest memory
layout. `rows` are those of all steps; inputs and hidden state are concatenated, so that one product computes both.
"""

from __future__ import annotations

import numpy as np

from benchmarks.cpu.cells import ACT, HIDDEN, OBS, Array, Cell

Product = tuple[np.ufunc, Array, Array, Array]
"""The function that multiplies, the two factors, and the output array."""

INPUTS, GATES = OBS + HIDDEN, 4 * HIDDEN


def evaluation(cell: Cell) -> list[Product]:
    """Return the products of a network's output, and with a gradient those of its weights."""
    return forward(cell) + (backward(cell) if cell.kind == "gradient" else [])


def forward(cell: Cell) -> list[Product]:
    """Return the products for the gates of each step, and that of the head."""
    rows, weight, z = drawn(cell.steps, cell.batch, INPUTS), drawn(INPUTS, GATES), drawn(cell.steps, cell.batch, GATES)
    through_time = [(np.matmul, rows[t], weight, z[t]) for t in range(cell.steps)]
    width, outputs = head(cell)
    return [*through_time, product(drawn(cell.batch, width), drawn(width, outputs))]


def backward(cell: Cell) -> list[Product]:
    """Return the head's products, those for the hidden state's cotangent of each step, and that for all weights."""
    rows, dz = drawn(cell.steps * cell.batch, INPUTS), drawn(cell.steps, cell.batch, GATES)
    transposed, dh = drawn(GATES, HIDDEN), drawn(cell.batch, HIDDEN)
    through_time = [(np.matmul, dz[t], transposed, dh) for t in range(cell.steps)]
    width, outputs = head(cell)
    cotangent = drawn(cell.batch, outputs)
    of_head = [product(cotangent, drawn(outputs, width)), product(drawn(cell.batch, width).T, cotangent)]
    return [*of_head, *through_time, product(rows.T, dz.reshape(-1, GATES))]


def head(cell: Cell) -> tuple[int, int]:
    """Return the numbers of inputs and outputs of the last layer."""
    return (HIDDEN, ACT) if cell.network == "recurrent_actor" else (HIDDEN + ACT, 1)


def product(left: Array, right: Array) -> Product:
    """Return two factors and an array for their product; the product of a column and a row is faster elementwise."""
    multiply = np.multiply if left.shape[-1] == 1 else np.matmul
    return multiply, left, right, np.empty((*left.shape[:-1], right.shape[-1]), np.float32)


def drawn(*shape: int) -> Array:
    """Draw an array of random numbers."""
    return np.random.default_rng(0).standard_normal(shape, np.float32)
