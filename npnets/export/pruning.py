"""Programs without operations that no output needs, such as the deviation where only the mean acts."""

from collections.abc import Iterable
from dataclasses import fields

from npnets.export.program import Lstm, Operation, Value


def pruned(operations: Iterable[Operation], needed: Iterable[Value]) -> tuple[Operation, ...]:
    """Return the operations that some vectors need, in order."""
    names, kept = {value.name for value in needed}, []
    for operation in reversed(list(operations)):
        if any(value.name in names for value in results(operation)):
            names |= {value.name for value in arguments(operation)}
            kept.append(operation)
    return tuple(reversed(kept))


def results(operation: Operation) -> tuple[Value, ...]:
    """Return the vectors that an operation computes."""
    return (operation.output, operation.new_cell) if isinstance(operation, Lstm) else (operation.output,)


def arguments(operation: Operation) -> list[Value]:
    """Return the vectors that an operation reads."""
    found: list[Value] = []
    for field in fields(operation):
        value = getattr(operation, field.name)
        found += value if isinstance(value, tuple) else [value]
    return [value for value in found if isinstance(value, Value) and value not in results(operation)]
