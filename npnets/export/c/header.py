"""The whole file."""

from dataclasses import replace

import npnets
from npnets.export.c import self_test
from npnets.export.c.comment import comment
from npnets.export.c.constants import Constants
from npnets.export.c.functions import Functions
from npnets.export.c.layout import STATE, arrange, destinations
from npnets.export.c.signature import C_TYPES, head, macros, state_type, upper
from npnets.export.c.statements import Statements
from npnets.export.program import Constant, Operation, Program
from npnets.export.pruning import pruned


def write(program: Program) -> str:
    """Return a program as a header of C99.

    Parameters
    ----------
    program : Program
        The policy.

    Returns
    -------
    str
        The file. It defines `static inline void NAME(inputs, outputs)`, or `NAME(inputs, state, outputs)` for a
        recurrent policy, and `NAME_self_test` where `NAME_SELF_TEST` is defined.

    Raises
    ------
    ValueError
        If an argument of the function, or a variable of its self-test, has the program's name.
    """
    _check_name(program)
    program = replace(program, operations=_needed(program))
    constants, functions = Constants(program.name), Functions(program.name)
    layout = arrange(program, _names(program, constants))
    body = Statements(layout, constants, functions).lines()
    stack = sum(4 * buffer.size for buffer in layout.buffers)
    buffers = [f"{C_TYPES[buffer.kind]} {buffer.name}[{buffer.size}];" for buffer in layout.buffers]
    unread = [f"(void){port.name};" for port in program.inputs if port.value.name not in layout.places]
    lines = [
        *comment(program, npnets.__version__, constants.bytes, stack),
        f"#ifndef {upper(program, 'h')}",
        f"#define {upper(program, 'h')}",
        "",
        "#include <math.h>",
        "",
        *macros(program, npnets.__version__),
        "",
        *state_type(program),
        *constants.lines(),
        *functions.lines(),
        *head(program),
        "{",
        *(f"    {line}" for line in (*buffers, *unread, *[""] * bool(buffers), *body)),
        "}",
        "",
        *self_test.lines(program),
        "#endif",
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _check_name(program: Program) -> None:
    """Raise an error if a variable has the function's name where it is called, since one would hide the other."""
    ports = [*program.inputs, *(port for port, _ in destinations(program))]
    if program.name in (STATE, *self_test.VARIABLES, *(port.name for port in ports)):
        raise ValueError(
            f"the name {program.name!r} is that of a variable where the C function is called; pass another one, "
            f"name='{program.name}_policy'"
        )


def _needed(program: Program) -> tuple[Operation, ...]:
    """Return the operations that an output needs: a compiler warns of others."""
    return pruned(program.operations, [port.value for port, _ in destinations(program)])


def _names(program: Program, constants: Constants) -> dict[str, str]:
    """Return the arrays of the values that are constant."""
    constant = (op for op in program.operations if isinstance(op, Constant))
    return {op.output.name: constants.name(op.output.name, op.value) for op in constant}
