"""A program as a Python file: the policy first, then its functions, its numbers, and its self-test.

The file holds numbers exactly, those of float32 parameters too, and computes in the floats of the interpreter that runs
it: float64 in CPython, often float32 in MicroPython.
"""

import re
import textwrap

import npnets
from npnets.export.program import Port, Program
from npnets.export.python import literals
from npnets.export.python.names import Names, names_of_values
from npnets.export.python.operations import Statements
from npnets.export.python.self_test import self_test
from npnets.export.python.sources import called_in, sources

FACTS = ("NAME", "NPNETS_VERSION", "INPUTS", "OUTPUTS", "STATES", "CASES")


def write(program: Program) -> str:
    """Return the text of a Python file that imports only `math`.

    It has `act(obs)`, on a list of numbers; a recurrent policy's is `act(obs, state)` and returns the new state too,
    with `reset()` for the first one.

    Parameters
    ----------
    program : Program

    Returns
    -------
    str

    Raises
    ------
    NotImplementedError
        For an operation or an activation that this writer does not have.
    """
    names = Names([*FACTS, *sources()])
    values = names_of_values(program, names)
    statements = Statements(values, names)
    act = _act(program, values, statements)
    test = self_test(program)
    functions = [sources()[name] for name in called_in(f"{act}\n{test}")]
    code = "\n".join([act, *functions])
    constants = "\n".join(f"{name} = {literal}" for name, literal in statements.constants.items())
    blocks = [f"{_facts(program)}\n\n", *_with_blank_lines(_reset(program), act)]
    blocks += [*_section("functions"), *_with_blank_lines(*functions)]
    blocks += [*_section("numbers of the network: one row of a weight for each output"), constants]
    blocks += [*_section("self-test: may be deleted to save memory"), test]
    return "\n".join([_docstring(program, code), "", "import math", "", *blocks, ""])


def _with_blank_lines(*functions: str) -> list[str]:
    return "\n\n\n".join(function for function in functions if function).split("\n")


def _section(title: str) -> list[str]:
    return ["", "", f"# -- {title} ".ljust(literals.WIDTH, "-"), "", ""]


# -- the beginning ----------------------------------------------------------------------------------------------------


def _docstring(program: Program, code: str) -> str:
    lines = textwrap.wrap(_inside_quotes(program.description), literals.WIDTH, break_on_hyphens=False)
    lines.append(f"Parameters: {program.parameters:,}.")
    head = f'"""The policy {program.name!r}, exported by npnets {npnets.__version__}.'
    return "\n".join([head, "", *lines, "", *_usage(program), "", *_remarks(program, code), '"""'])


def _inside_quotes(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', "'")


def _usage(program: Program) -> list[str]:
    inputs, outputs = ([port.name for port in ports] for ports in (program.inputs, program.outputs))
    call = f"    {', '.join(outputs)} = act({', '.join(inputs)})"
    if program.states:
        call = "\n".join(
            ["    state = reset()", f"    {', '.join([*outputs, 'state'])} = act({', '.join([*inputs, 'state'])})"]
        )
    ports = [*program.inputs, *program.outputs]
    width = max(len(port.name) for port in ports)
    return [call, "", *(f"    {port.name:<{width}}  {_described(port)}" for port in ports)]


def _described(port: Port) -> str:
    size, index = port.value.size, port.value.kind == "index"
    what = ("index" if size == 1 else "indices") if index else ("number" if size == 1 else "numbers")
    whole = f"{'one' if port.shape == () else size} {what}"
    if port.shape == ():
        return whole
    of_shape = f", of shape {port.shape} in C order" if len(port.shape) > 1 else ""
    return f"a list of {whole}{of_shape}"


def _remarks(program: Program, code: str) -> list[str]:
    used = sorted(set(re.findall(r"\bmath\.(\w+)", code)))
    of_math = f", and of `math` {', '.join(used)}" if used else ""
    return [
        f"Needs Python 3 or MicroPython{of_math}. Run as a program, the file tests itself:",
        "",
        f"    python {program.name}.py",
    ]


def _facts(program: Program) -> str:
    shapes = [
        ("INPUTS", [*program.inputs]),
        ("OUTPUTS", [*program.outputs]),
        *([("STATES", [state.before for state in program.states])] if program.states else []),
    ]
    lines = [f'NAME = "{program.name}"', f'NPNETS_VERSION = "{npnets.__version__}"']
    for name, ports in shapes:
        lines.append(f"{name} = {{{', '.join(f'{chr(34)}{port.name}{chr(34)}: {port.shape}' for port in ports)}}}")
    return "\n".join(lines)


# -- the policy -------------------------------------------------------------------------------------------------------


def _act(program: Program, values: dict[str, str], statements: Statements) -> str:
    arguments = [*(port.name for port in program.inputs), *(["state"] if program.states else [])]
    body = [_check(values[port.value.name], port, port.name) for port in program.inputs]
    for state in program.states:
        body.append(_check(values[state.before.value.name], state.before, f'state["{state.before.name}"]'))
    body += [_narrow(line) for operation in program.operations for line in statements.statements(operation)]
    lines = [_act_docstring(program), *body, _return(program, values)]
    return "\n".join([f"def act({', '.join(arguments)}):", *(f"    {line}" for line in lines)])


def _narrow(assignment: str) -> str:
    """Return an assignment in three lines if it is too long for one."""
    target, _, expression = assignment.partition(" = ")
    return assignment if len(assignment) < literals.WIDTH else f"{target} = (\n        {expression}\n    )"


def _act_docstring(program: Program) -> str:
    outputs, inputs = (", ".join(port.name for port in ports) for ports in (program.outputs, program.inputs))
    return f'"""Return {outputs}{" and the new state" if program.states else ""} for one {inputs}."""'


def _check(local: str, port: Port, argument: str) -> str:
    return f'{local} = numbers({argument}, {port.value.size}, "{port.name}")'


def _return(program: Program, values: dict[str, str]) -> str:
    results = [_result(program, port, values[port.value.name]) for port in program.outputs]
    if program.states:
        after = [f'"{state.after.name}": {values[state.after.value.name]}' for state in program.states]
        results.append(f"{{{', '.join(after)}}}")
    return f"return {', '.join(results)}"


def _result(program: Program, port: Port, local: str) -> str:
    """Return an output, a copy of what the state holds too: the caller may change it."""
    if port.value in [state.after.value for state in program.states]:
        return f"list({local})"
    return f"{local}[0]" if port.shape == () else local


def _reset(program: Program) -> str:
    if not program.states:
        return ""
    zeros = [f'"{state.before.name}": [0.0] * {state.before.value.size}' for state in program.states]
    lines = ['"""Return the state before the first step."""', f"return {{{', '.join(zeros)}}}"]
    return "\n".join(["def reset():", *(f"    {line}" for line in lines)])
