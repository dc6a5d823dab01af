"""Names in an exported file: one for each value, each constant, and none that Python or the file uses otherwise."""

import builtins
import keyword
import re
from collections.abc import Iterable

from npnets.export.program import Program, Value

RESERVED = frozenset(
    {"math", "act", "reset", "state", "self_test", "given", "expected", "wrong", "z"}
    | {*keyword.kwlist, *keyword.softkwlist, *dir(builtins)}
)


class Names:
    """Hands out names, each of them once.

    Parameters
    ----------
    taken : iterable of str
        Names of the file's functions and facts.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {*RESERVED, *taken}

    def new(self, proposal: str) -> str:
        """Return an identifier as near as possible to a proposal."""
        name = re.sub(r"\W", "_", proposal, flags=re.ASCII)
        name = name if re.match(r"[A-Za-z_]", name) else f"v{name}"
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name


def names_of_values(program: Program, names: Names) -> dict[str, str]:
    """Return the local names by the values' own: inputs and outputs have those of their ports."""
    found = {port.value.name: names.new(port.name) for port in program.inputs}
    for port in program.outputs:
        if port.value.name not in found:
            found[port.value.name] = names.new(port.name)
    for value in values_of(program):
        if value.name not in found:
            found[value.name] = names.new(value.name)
    return found


def values_of(program: Program) -> Iterable[Value]:
    """Yield the values of the states and of the operations."""
    for state in program.states:
        yield state.before.value
    for operation in program.operations:
        yield operation.output
        if new_cell := getattr(operation, "new_cell", None):
            yield new_cell
