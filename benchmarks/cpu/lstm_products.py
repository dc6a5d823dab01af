"""The matrix products of the recurrent networks, for the floor, and how a product is described.

What an LSTM must multiply, in as few products as its recurrence allows, into memory that is there already and with
every factor laid out as it multiplies fastest. `rows` are those of all steps; inputs stand beside the hidden state, so
that one product serves both.
"""

from __future__ import annotations

import numpy as np

from benchmarks.cpu.cells import ACT, HIDDEN, OBS, Array, Cell

Product = tuple[np.ufunc, Array, Array, Array]
"""How to multiply, two factors, and where their product goes."""

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
    """Return how many numbers the last layer takes and gives."""
    return (HIDDEN, ACT) if cell.network == "recurrent_actor" else (HIDDEN + ACT, 1)


def product(left: Array, right: Array) -> Product:
    """Return two factors and room for their product; that of a column and a row is quicker one by one."""
    multiply = np.multiply if left.shape[-1] == 1 else np.matmul
    return multiply, left, right, np.empty((*left.shape[:-1], right.shape[-1]), np.float32)


def drawn(*shape: int) -> Array:
    """Return some numbers."""
    return np.random.default_rng(0).standard_normal(shape, np.float32)
