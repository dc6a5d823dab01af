"""Programs for files that hold float32: whether it can hold their numbers, and bounds rounded to it."""

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from npnets.bounds import rounded_down
from npnets.export.program import Clip, Normalize, Operation, Program

_FLOAT32 = np.finfo(np.float32)
_REMEDY = "export.python keeps float64; or has training diverged?"


def in_float32(program: Program) -> Program:
    """Return a program whose numbers, and outputs for ordinary inputs, are all within the range of float32.

    Raises
    ------
    ValueError
        If a number would become infinite or zero where it may not, or if no float32 lies between two bounds.
    """
    for operation in program.operations:
        if isinstance(operation, Clip):
            _check_room(operation)
        else:
            _check_numbers(operation)
        if isinstance(operation, Normalize):
            _check_deviation(operation)
    _check_outputs(program)
    return program


def rounded_inwards(operation: Clip) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the smallest float32 that are not below the lower bounds, and the largest not above the upper ones."""
    dtype = np.dtype(np.float32)
    return -rounded_down(-operation.low, dtype), rounded_down(operation.high, dtype)


def _check_room(operation: Clip) -> None:
    low, high = rounded_inwards(operation)
    for entry in np.flatnonzero(low > high)[:1]:
        raise ValueError(
            f"cannot write the bounds of {operation.output.name} in float32: none of its numbers lies between "
            f"{operation.low[entry]!r:.40} and {operation.high[entry]!r:.40}; export.python keeps float64"
        )


def _check_numbers(operation: Operation) -> None:
    for name, array in ((field.name, getattr(operation, field.name)) for field in fields(operation)):
        if isinstance(array, np.ndarray) and (np.abs(array) > _FLOAT32.max).any():
            raise ValueError(
                f"cannot write {name} of {operation.output.name} in float32: its largest number, "
                f"{np.abs(array).max():.3g}, is beyond {_FLOAT32.max:.3g}; {_REMEDY}"
            )


def _check_deviation(operation: Normalize) -> None:
    smallest = operation.deviation.min()
    if smallest < _FLOAT32.tiny:
        raise ValueError(
            f"cannot write deviation of {operation.output.name} in float32: its smallest number, {smallest:.3g}, is "
            f"below {_FLOAT32.tiny:.3g}, and observations would be divided by zero; choose a larger epsilon, or use "
            "export.python, which keeps float64"
        )


def _check_outputs(program: Program) -> None:
    ports = [*program.outputs, *(state.after for state in program.states)]
    for port, expected in zip(ports, program.self_test.outputs, strict=bool(program.self_test.outputs)):
        largest = np.abs(expected).max(initial=0)
        if largest > _FLOAT32.max:
            raise ValueError(
                f"cannot write the network in float32: {port.name} reaches {largest:.3g} for inputs of ordinary size, "
                f"and the largest number is {_FLOAT32.max:.3g}; {_REMEDY}"
            )
