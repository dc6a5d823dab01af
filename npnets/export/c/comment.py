"""The comment at the top of a file: what the policy is, how to call it, compile it and check it."""

import textwrap

from npnets.export.c.layout import STATE
from npnets.export.c.literals import WIDTH
from npnets.export.c.signature import C_TYPES, constant_of, function_of, upper
from npnets.export.program import Port, Program

CORTEX_M4 = "-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard"


def comment(program: Program, version: str, bytes_of_constants: int, bytes_of_stack: int) -> list[str]:
    """Return the lines of the comment."""
    text = [
        f"{program.name}: a policy in C99, written by npnets {version}.",
        "",
        *textwrap.wrap(program.description, WIDTH - 7, initial_indent="    ", subsequent_indent="        "),
        "",
        f"{program.parameters:,} parameters. {bytes_of_constants:,} bytes of constants, {bytes_of_stack:,} bytes of "
        "stack beside the caller's arrays.",
        "Nothing is allocated, nothing is remembered between calls, and nothing but <math.h> is needed.",
        "",
        *_ports(program),
        "",
        "Call it:",
        "",
        *(f"    {line}" for line in _example(program)),
        "",
        *_commands(program),
        "",
        "Every file that includes this one and calls the function has its own copy of the constants: where memory is",
        "short, include it in one file. The arrays of a call must not overlap. NaN in an input gives NaN.",
    ]
    return ["/*", *(f" * {_harmless(line)}".rstrip() for line in text), " */"]


def _harmless(line: str) -> str:
    """Return a line that neither ends a comment nor begins one."""
    return line.replace("*/", "* /").replace("/*", "/ *")


def _ports(program: Program) -> list[str]:
    rows = [("input", port) for port in program.inputs]
    rows += [("state", state.before) for state in program.states]
    rows += [("output", port) for port in program.outputs]
    width = max(len(port.name) for _, port in rows)
    return [f"    {role:<6}  {port.name:<{width}}  {_described(port)}" for role, port in rows]


def _described(port: Port) -> str:
    kind, size = C_TYPES[port.value.kind], port.value.size
    shape = " x ".join(map(str, port.shape))
    return f"{kind}[{size}]" + (f", {shape} row by row" if len(port.shape) > 1 else "")


def _example(program: Program) -> list[str]:
    arrays = [
        *(f"float {port.name}[{constant_of(program, port)}] = {{0}};" for port in program.inputs),
        *(f"{C_TYPES[port.value.kind]} {port.name}[{constant_of(program, port)}];" for port in program.outputs),
    ]
    arguments = [port.name for port in program.inputs] + [f"&{STATE}"] * bool(program.states)
    arguments += [port.name for port in program.outputs]
    state = [f"{program.name}_state {STATE};", f"{program.name}_reset(&{STATE});  // before each episode"]
    return [
        f'#include "{program.name}.h"',
        "",
        *arrays,
        *(state if program.states else ()),
        f"{program.name}({', '.join(arguments)});",
    ]


def _commands(program: Program) -> list[str]:
    check = function_of(program, "self_test")
    return [
        "Compile it, with any compiler of C99 or C++; -O3 and the options for your processor make it faster:",
        "",
        "    cc -std=c99 -O2 main.c -lm",
        f"    arm-none-eabi-gcc -std=c99 -O2 {CORTEX_M4} main.c -lm",
        "",
        f"Check it on your machine: with {upper(program, 'self_test')} defined, {check}() returns the number of its",
        f"{len(program.self_test.outputs[0]) if program.self_test.outputs else 0} cases whose outputs are not those of "
        "npnets to 1e-5:",
        "",
        f"    #define {upper(program, 'self_test')}",
        f'    #include "{program.name}.h"',
        f"    int main(void) {{ return {check}(); }}",
    ]
