"""A policy as a list of operations on vectors: what every writer of a file translates.

A program computes the outputs for one observation. It has no batch axis; a writer whose format has one puts it in
front. Every value in it is a vector with a name of its own. Arrays are NumPy's: weights of the parameters' dtype, all
else float64, so that each writer rounds once. Arrays that are one object are one constant in a file, however often they
are used.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.floating[Any]]
Kind: TypeAlias = Literal["float", "index"]


@dataclass(frozen=True)
class Value:
    """A vector `(size,)` of floats, or of indices, which are integers."""

    name: str
    size: int
    kind: Kind = "float"


# eq=False: arrays do not compare to one truth value.
@dataclass(frozen=True, eq=False)
class Operation:
    """Computes the vector `output`."""

    output: Value


@dataclass(frozen=True, eq=False)
class Constant(Operation):
    """`output = value`, an array `(size,)`."""

    value: Floats


@dataclass(frozen=True, eq=False)
class Linear(Operation):
    """`output = x @ weight + bias`; `weight` is `(in, out)` in C order, `bias` `(out,)` or absent.

    `x` is seen as `(rows, in)`, and `output` as `(rows, out)`: the quantile networks alone have more than one row.
    """

    x: Value
    weight: Floats
    bias: Floats | None
    rows: int = 1


@dataclass(frozen=True, eq=False)
class Activate(Operation):
    """`output = f(x)` entry by entry: one of npnets' named activations with all its arguments, or `"exp"` or `"cos"`.

    `args` are complete, in the order in which the activation's own function has them: `(alpha,)` of `"elu"`,
    `(negative_slope,)` of `"leaky_relu"`, `(beta, threshold)` of `"softplus"`, `("none",)` or `("tanh",)` of `"gelu"`,
    `(low, high)` of `"clipped_exp"`, `(alpha,)` of `"celu"`, `(min_val, max_val)` of `"hardtanh"`.
    """

    x: Value
    function: str
    args: tuple[float | str, ...] = ()


@dataclass(frozen=True, eq=False)
class LayerNorm(Operation):
    """`output = (x - mean(x)) / sqrt(var(x) + epsilon) * weight + bias`, of one vector.

    Weight or bias may be absent.
    """

    x: Value
    weight: Floats | None
    bias: Floats | None
    epsilon: float


@dataclass(frozen=True, eq=False)
class Normalize(Operation):
    """`output = clip((x - mean) / deviation, -limit, limit)`, in float64 until it is rounded; no limit: no clip.

    `mean` and `deviation` are float64 `(size,)`. A mean may be large beside its deviation: a writer in float32
    subtracts it in two parts, its float32 and the rest.
    """

    x: Value
    mean: Floats
    deviation: Floats
    limit: float | None


@dataclass(frozen=True, eq=False)
class Affine(Operation):
    """`output = offset + scale * x` entry by entry; float64 `(size,)` each."""

    x: Value
    scale: Floats
    offset: Floats


@dataclass(frozen=True, eq=False)
class Clip(Operation):
    """`output = min(max(x, low), high)` entry by entry; float64 `(size,)` each, which may hold infinities.

    A writer rounds the bounds inwards, so that no rounded output leaves them.
    """

    x: Value
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class Combine(Operation):
    """`output = x + y`, `x - y` or `x * y`, entry by entry."""

    x: Value
    y: Value
    how: Literal["add", "subtract", "multiply"]


@dataclass(frozen=True, eq=False)
class Concatenate(Operation):
    """`output` is all of `parts`, one behind the other."""

    parts: tuple[Value, ...]


@dataclass(frozen=True, eq=False)
class Slice(Operation):
    """`output = x[start : start + output.size]`."""

    x: Value
    start: int


@dataclass(frozen=True, eq=False)
class Repeat(Operation):
    """`output` is the whole of `x`, `output.size / x.size` times."""

    x: Value


@dataclass(frozen=True, eq=False)
class Transpose(Operation):
    """`output` is `x`, seen as `(rows, columns)`, as `(columns, rows)`."""

    x: Value
    rows: int


@dataclass(frozen=True, eq=False)
class GroupMean(Operation):
    """`output` is the mean over the first axis of `x` seen as `(groups, output.size)`."""

    x: Value
    groups: int


@dataclass(frozen=True, eq=False)
class Softmax(Operation):
    """`output` is the softmax over the last axis of `x` seen as `(groups, size / groups)`."""

    x: Value
    groups: int = 1


@dataclass(frozen=True, eq=False)
class CumulativeSum(Operation):
    """`output[i] = x[0] + ... + x[i]`."""

    x: Value


@dataclass(frozen=True, eq=False)
class Argmax(Operation):
    """`output`, of kind index: the first largest entry of each row of `x` seen as `(output.size, columns)`."""

    x: Value


@dataclass(frozen=True, eq=False)
class Lstm(Operation):
    """One step of one LSTM layer: `output` is the new hidden state, `new_cell` the new cell state.

    With `gates = x @ input_weight + hidden @ hidden_weight + bias`, cut into four equal parts `i, f, g, o`:
    `new_cell = sigmoid(f) * cell + sigmoid(i) * tanh(g)` and `output = sigmoid(o) * tanh(new_cell)`.
    """

    new_cell: Value
    x: Value
    hidden: Value
    cell: Value
    input_weight: Floats
    hidden_weight: Floats
    bias: Floats | None


class Port(NamedTuple):
    """An input or output of the program: its name in the file, its vector, and the shape that the vector stands for.

    The shape has no batch axis: `(size,)`, or several axes in C order, or `()` for one index, such as the action that
    `discrete.Actor` chooses.
    """

    name: str
    value: Value
    shape: tuple[int, ...]


class State(NamedTuple):
    """What a recurrent program carries from step to step, zero before the first: `before` the step and `after` it.

    Both ports have the same name and shape, such as `hidden`, `(layers, hidden)`.
    """

    before: Port
    after: Port


class SelfTest(NamedTuple):
    """Inputs with the outputs that npnets computes for them; arrays have a leading axis of cases.

    `inputs` are those of the ports, then of the states before; `outputs` those of the ports, then of the states after.
    """

    inputs: tuple[NDArray[Any], ...]
    outputs: tuple[NDArray[Any], ...]


@dataclass(frozen=True, eq=False)
class Program:
    """A whole policy.

    `name` is an identifier of C and Python that no file's own words use. `description` is the network as the call that
    made it. `parameters` counts the network's numbers.
    """

    name: str
    description: str
    parameters: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    operations: tuple[Operation, ...]
    states: tuple[State, ...] = ()
    self_test: SelfTest = field(default=SelfTest((), ()))
