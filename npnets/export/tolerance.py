"""How far an output of a file may lie from that of npnets in its self-test."""

import numpy as np

from npnets.export.program import Affine, Clip, Operation, Program, Value

TOLERANCE = 1e-5
_SMALLEST = float(np.finfo(np.float32).tiny)
"""Numbers below it have fewer digits, or are zero on some processors."""


def allowed_errors(program: Program) -> list[float]:
    """Return the largest error of each output and of each state after the step: `1e-5` of one or of the largest value.

    Where actions are large, an entry near zero carries the rounding of the largest too: an error relative to that entry
    alone would say that a right file is wrong. In place of one stands half the width of the bounds into which an action
    is scaled, if that is less.
    """
    values = [port.value for port in program.outputs] + [state.after.value for state in program.states]
    producers = {operation.output.name: operation for operation in program.operations}
    return [
        max(_SMALLEST, TOLERANCE * max(_unit(value, producers), float(np.abs(expected).max(initial=0.0))))
        for value, expected in zip(values, program.self_test.outputs, strict=True)
    ]


def _unit(value: Value, producers: dict[str, Operation]) -> float:
    bounded = producers.get(value.name)
    scaled = producers.get(bounded.x.name) if isinstance(bounded, Clip) else None
    return min(1.0, float(np.abs(scaled.scale).max())) if isinstance(scaled, Affine) else 1.0
