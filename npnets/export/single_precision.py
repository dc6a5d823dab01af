"""Programs for files that hold float32: whether it can hold their numbers."""

from dataclasses import fields

import numpy as np

from npnets.export.program import Clip, Operation, Program


def in_float32(program: Program) -> Program:
    """Return a program whose numbers are all within the range of float32.

    Raises
    ------
    ValueError
        If a number would become infinite.
    """
    for operation in program.operations:
        if not isinstance(operation, Clip):  # whose bounds are rounded inwards
            _check(operation)
    return program


def _check(operation: Operation) -> None:
    largest = np.finfo(np.float32).max
    for name, array in ((field.name, getattr(operation, field.name)) for field in fields(operation)):
        if isinstance(array, np.ndarray) and (np.abs(array) > largest).any():
            raise ValueError(
                f"cannot write {name} of {operation.output.name} in float32: its largest number, "
                f"{np.abs(array).max():.3g}, is beyond {largest:.3g}; export.python keeps float64; or has training "
                "diverged?"
            )
