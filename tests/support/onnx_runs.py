"""ONNX files in onnxruntime: a program's outputs by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from npnets.export.onnx import write
from npnets.export.program import Operation, Port, Program, State, Value

INSTALLED = "needs onnxruntime, which the extra `test` installs"


def session(file: bytes) -> Any:
    """Open a file as onnxruntime does by default, on one thread."""
    onnxruntime = pytest.importorskip("onnxruntime", reason=INSTALLED)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # errors alone: random programs compute what they do not put out
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def run(file: bytes, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the outputs of a file for inputs, which are rounded to float32."""
    opened = session(file)
    names = [output.name for output in opened.get_outputs()]
    with np.errstate(over="ignore"):
        rounded = {name: np.asarray(array, np.float32) for name, array in inputs.items()}
    return dict(zip(names, opened.run(names, rounded), strict=True))


def port(value: Value, name: str = "", shape: tuple[int, ...] = ()) -> Port:
    """Return the port of a value, by default with the value's own name and shape."""
    return Port(name or value.name, value, shape or (value.size,))


def program_of(
    operations: list[Operation], inputs: list[Port], outputs: list[Port], states: tuple[State, ...] = ()
) -> Program:
    """Return a program of given operations."""
    return Program("policy", "by hand", 0, tuple(inputs), tuple(outputs), tuple(operations), states)


def compute(operation: Operation, *inputs: NDArray[Any]) -> NDArray[Any]:
    """Return what a file computes of one operation on the values `x`, `y` and so on, for a batch of each."""
    names = "xyz"[: len(inputs)]
    values = [Value(name, array.shape[1]) for name, array in zip(names, inputs, strict=True)]
    program = program_of([operation], [port(value) for value in values], [port(operation.output)])
    return run(write(program), dict(zip(names, inputs, strict=True)))[operation.output.name]
