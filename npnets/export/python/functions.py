"""The functions that an exported file may hold: `writer` copies the source of those it needs, without annotations.

They are plain Python that CPython and MicroPython run alike: nothing but `math`, of which they use `sqrt`, `exp`,
`expm1`, `log`, `tanh`, `erfc` and `cos`. Vectors are lists of floats, constants tuples; `z` is one entry of a vector.
Where C and NumPy return infinity, `math` raises an error: exponents are kept where they cannot overflow.
"""

# ruff: noqa: B905, MicroPython's `zip` has no `strict=`

import math
from collections.abc import Sequence
from typing import TypeAlias

Vector: TypeAlias = Sequence[float]
Rows: TypeAlias = Sequence[Vector]


def numbers(values: Vector, size: int, name: str) -> list[float]:
    """Return an argument as a list of floats; an error if it holds another number of them."""
    if len(values) != size:
        raise ValueError(f"{name} must hold {size} numbers, but holds {len(values)}")
    return [float(value) for value in values]


# -- layers -----------------------------------------------------------------------------------------------------------


def linear(x: Vector, weights: Rows, biases: Vector) -> list[float]:
    """Return the weighted sums of x, plus biases; one row of weights for each output."""
    return [dot(row, x) + bias for row, bias in zip(weights, biases)]


def product(x: Vector, weights: Rows) -> list[float]:
    """Return the weighted sums of x; one row of weights for each output."""
    return [dot(row, x) for row in weights]


def linear_of_rows(x: Vector, rows: int, weights: Rows, biases: Vector) -> list[float]:
    """Return the weighted sums of each row of x, plus biases."""
    return [y for row in rows_of(x, rows) for y in linear(row, weights, biases)]


def product_of_rows(x: Vector, rows: int, weights: Rows) -> list[float]:
    """Return the weighted sums of each row of x."""
    return [y for row in rows_of(x, rows) for y in product(row, weights)]


def dot(row: Vector, x: Vector) -> float:
    """Return the sum of the products of two vectors' entries."""
    total = 0.0
    for i in range(len(x)):  # faster than zip in MicroPython, which makes a tuple for each pair
        total += row[i] * x[i]
    return total


def standardize(x: Vector, epsilon: float) -> list[float]:
    """Return x shifted and scaled to mean zero and variance one."""
    mean = sum(x) / len(x)
    variance = sum([(z - mean) * (z - mean) for z in x]) / len(x)
    return [(z - mean) / math.sqrt(variance + epsilon) for z in x]


def lstm(gates: Vector, cell: Vector) -> tuple[list[float], list[float]]:
    """Return the new hidden state and the new cell state; gates are those of input, forgetting, cell and output."""
    size = len(cell)
    new_cell, hidden = [], []
    for k in range(size):
        i, f, g, o = gates[k], gates[size + k], gates[2 * size + k], gates[3 * size + k]
        new_cell.append(sigmoid(f) * cell[k] + sigmoid(i) * math.tanh(g))
        hidden.append(sigmoid(o) * math.tanh(new_cell[k]))
    return hidden, new_cell


# -- entry by entry ---------------------------------------------------------------------------------------------------


def normalize(x: Vector, mean: Vector, deviation: Vector) -> list[float]:
    """Return x in units of standard deviations from its mean."""
    return [(z - m) / d for z, m, d in zip(x, mean, deviation)]


def scale_and_shift(x: Vector, scale: Vector, offset: Vector) -> list[float]:
    """Return scale * x + offset."""
    return [s * z + o for z, s, o in zip(x, scale, offset)]


def clip(x: Vector, low: Vector, high: Vector) -> list[float]:
    """Return x with its entries kept between low and high."""
    return [a if z < a else b if z > b else z for z, a, b in zip(x, low, high)]


def within(x: Vector, limit: float) -> list[float]:
    """Return x with its entries kept between -limit and limit."""
    return [-limit if z < -limit else limit if z > limit else z for z in x]


def add(x: Vector, y: Vector) -> list[float]:
    """Return x + y."""
    return [a + b for a, b in zip(x, y)]


def subtract(x: Vector, y: Vector) -> list[float]:
    """Return x - y."""
    return [a - b for a, b in zip(x, y)]


def multiply(x: Vector, y: Vector) -> list[float]:
    """Return x * y."""
    return [a * b for a, b in zip(x, y)]


# -- over several entries ---------------------------------------------------------------------------------------------


def rows_of(x: Vector, rows: int) -> list[Vector]:
    """Return x cut into rows of equal length."""
    size = len(x) // rows
    return [x[size * k : size * (k + 1)] for k in range(rows)]


def transposed(x: Vector, rows: int) -> list[float]:
    """Return the columns of x, seen as rows, one behind the other."""
    return [z for column in zip(*rows_of(x, rows)) for z in column]


def softmax(x: Vector) -> list[float]:
    """Return probabilities in proportion to exp(x)."""
    largest = max(x)
    powers = [math.exp(z - largest) for z in x]
    total = sum(powers)
    return [power / total for power in powers]


def softmax_of_rows(x: Vector, rows: int) -> list[float]:
    """Return the probabilities of each row."""
    return [p for row in rows_of(x, rows) for p in softmax(row)]


def argmax(x: Vector) -> int:
    """Return the index of the first largest entry."""
    best = 0
    for index in range(len(x)):
        if x[index] > x[best]:
            best = index
    return best


def argmax_of_rows(x: Vector, rows: int) -> list[int]:
    """Return the index of the first largest entry of each row."""
    return [argmax(row) for row in rows_of(x, rows)]


def mean_of_rows(x: Vector, rows: int) -> list[float]:
    """Return the mean of the rows."""
    return [sum(column) / rows for column in zip(*rows_of(x, rows))]


def cumulative_sum(x: Vector) -> list[float]:
    """Return the sums of the entries up to each of them."""
    total, sums = 0.0, []
    for z in x:
        total += z
        sums.append(total)
    return sums


# -- activations: functions of one entry ------------------------------------------------------------------------------


def exp(z: float) -> float:
    """Exponential, infinite where math.exp raises an error."""
    try:
        return math.exp(z)
    except (OverflowError, ValueError):
        return float("inf")


def relu(z: float) -> float:
    """Rectified linear unit."""
    return 0.0 if z <= 0 else z


def leaky_relu(z: float, negative_slope: float) -> float:
    """Leaky rectified linear unit."""
    return z if z > 0 else negative_slope * z


def sigmoid(z: float) -> float:
    """Logistic function, 1 / (1 + exp(-z))."""
    power = math.exp(-abs(z))
    return (1.0 if z >= 0 else power) / (1.0 + power)


def silu(z: float) -> float:
    """Sigmoid linear unit."""
    return z * sigmoid(z)


def log_one_plus(p: float) -> float:
    """Return log(1 + p), exact also for a small p."""
    one_plus_p = 1.0 + p
    return p if one_plus_p == 1.0 else math.log(one_plus_p) * (p / (one_plus_p - 1.0))


def log_one_plus_exp(z: float) -> float:
    """Return log(1 + exp(z)); exp(-|z|) cannot overflow."""
    return log_one_plus(math.exp(-abs(z))) + (z if z > 0 else 0.0)


def softplus(z: float, beta: float, threshold: float) -> float:
    """Smooth rectifier, log(1 + exp(beta * z)) / beta; z where beta * z is above the threshold."""
    scaled = beta * z
    return z if scaled > threshold else log_one_plus_exp(scaled) / beta


def logsigmoid(z: float) -> float:
    """Logarithm of the logistic function."""
    return -log_one_plus_exp(-z)


def mish(z: float) -> float:
    """Return z * tanh(log(1 + exp(z)))."""
    return z * math.tanh(log_one_plus_exp(z))


def elu(z: float, alpha: float) -> float:
    """Exponential linear unit."""
    return z if z > 0 else alpha * math.expm1(z)


def selu(z: float) -> float:
    """Scaled exponential linear unit."""
    return 1.0507009873554805 * (z if z > 0 else 1.6732632423543772 * math.expm1(z))


def celu(z: float, alpha: float) -> float:
    """Continuously differentiable exponential linear unit."""
    return z if z > 0 else alpha * math.expm1(z / alpha)


def gelu(z: float) -> float:
    """Gaussian error linear unit."""
    return 0.5 * z * math.erfc(-math.sqrt(0.5) * z)


def gelu_tanh(z: float) -> float:
    """Gaussian error linear unit by its approximation with tanh."""
    return z * sigmoid(math.sqrt(8 / math.pi) * z * (1.0 + 0.044715 * z * z))


def softsign(z: float) -> float:
    """Return z / (1 + |z|)."""
    return z / (1.0 + abs(z))


def hardtanh(z: float, low: float, high: float) -> float:
    """Return z kept between low and high."""
    return low if z < low else high if z > high else z


def relu6(z: float) -> float:
    """Return z kept between 0 and 6."""
    return hardtanh(z, 0.0, 6.0)


def hardsigmoid(z: float) -> float:
    """Zero up to -3, one from 3 on, and a line between them."""
    return hardtanh((z + 3.0) / 6.0, 0.0, 1.0)


def hardswish(z: float) -> float:
    """Return z * hardsigmoid(z)."""
    return z * hardsigmoid(z)


def clipped_exp(z: float, low: float, high: float) -> float:
    """Exponential of z kept between low and high."""
    return exp(hardtanh(z, low, high))


# -- self-test --------------------------------------------------------------------------------------------------------


def agree(x: Vector, y: Vector, error: float) -> bool:
    """Return whether the entries of two vectors differ by at most an error."""
    return all([abs(a - b) <= error for a, b in zip(x, y)])
