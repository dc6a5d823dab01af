"""The function that compares outputs with those of npnets, behind a macro."""

import numpy as np

from npnets.export.c.layout import STATE, destinations
from npnets.export.c.literals import array, literal
from npnets.export.c.signature import C_TYPES, constant_of, each_of, function_of, upper
from npnets.export.program import Program
from npnets.export.tolerance import allowed_errors

VARIABLES = ("i", "memory", "right", "wrong")
"""The names beside those of the arguments where the function calls the policy."""


def lines(program: Program) -> list[str]:
    """Return the lines, or none if the program has no cases."""
    if not program.self_test.outputs:
        return []
    return [f"#ifdef {upper(program, 'self_test')}", *_cases(program), *_function(program), "#endif", ""]


def _cases(program: Program) -> list[str]:
    """Return the arrays with the inputs and outputs."""
    given = [*program.inputs, *(state.before for state in program.states)]
    expected = [port for port, _ in destinations(program)]
    both = [*zip(given, program.self_test.inputs, ["given"] * len(given), strict=True)]
    both += zip(expected, program.self_test.outputs, ["expected"] * len(expected), strict=True)
    found = []
    for port, values, role in both:
        kind = C_TYPES[port.value.kind]
        rows = np.asarray(values).reshape(len(values), -1)
        found += array(kind, function_of(program, f"{role}_{port.name}"), rows)
    return [*found, ""]


def _function(program: Program) -> list[str]:
    name, cases = function_of(program, "self_test"), len(program.self_test.outputs[0])
    return [
        "/* Returns the number of cases whose outputs are not those of npnets. */",
        f"static inline int {name}(void)",
        "{",
        "    int wrong = 0;",
        f"    for (int i = 0; i < {cases}; i++) {{",
        "        int right = 1;",
        *(f"        {line}" for line in (*_call(program), *_comparisons(program))),
        "        wrong += !right;",
        "    }",
        "    return wrong;",
        "}",
    ]


def _call(program: Program) -> list[str]:
    """Return the statements that compute the outputs of case `i`."""
    lines = [f"{C_TYPES[port.value.kind]} {port.name}[{constant_of(program, port)}];" for port in program.outputs]
    arguments = [f"{function_of(program, f'given_{port.name}')}[i]" for port in program.inputs]
    if program.states:
        lines.append(f"{function_of(program, 'state')} memory, *{STATE} = &memory;")
        arguments.append(STATE)
    for port in (state.before for state in program.states):
        given = f"{function_of(program, f'given_{port.name}')}[i][j]"
        lines += each_of(program, port, f"{STATE}->{port.name}[j] = {given};")
    arguments += [port.name for port in program.outputs]
    return [*lines, f"{program.name}({', '.join(arguments)});"]


def _comparisons(program: Program) -> list[str]:
    lines = []
    for (port, place), error in zip(destinations(program), allowed_errors(program), strict=True):
        found, expected = place.at("j"), f"{function_of(program, f'expected_{port.name}')}[i][j]"
        kind = C_TYPES[port.value.kind]
        is_right = f"{found} == expected"
        if kind == "float":
            is_right = f"fabsf({found} - expected) <= {literal(error)}"
        lines += each_of(program, port, f"const {kind} expected = {expected};", f"right &= {is_right};")
    return lines
