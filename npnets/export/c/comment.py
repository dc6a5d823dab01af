"""The comment at the top of a file: what the policy is, how to call it, compile it and check it."""

import textwrap

from npnets.export.c.layout import STATE
from npnets.export.c.literals import WIDTH
from npnets.export.c.signature import C_TYPES, constant_of, function_of, is_single, upper
from npnets.export.program import Port, Program

CORTEX_M4 = "-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard"


def comment(program: Program, version: str, bytes_of_constants: int, bytes_of_stack: int) -> list[str]:
    """Return the lines of the comment."""
    text = [
        f"{program.name}: a policy in C99, written by npnets {version}.",
        "",
        *_filled(program.description, "    ", "        "),
        "",
        *_filled(
            f"{program.parameters:,} parameters; {bytes_of_constants:,} bytes of constants, and {bytes_of_stack:,} "
            f"bytes of stack beside the caller's arrays. Nothing is allocated, {_memory(program)}, and nothing but "
            "<math.h> is needed."
        ),
        "",
        *_ports(program),
        "",
        *_example(program),
        "",
        *_commands(program),
        "",
        *_filled(
            "The arrays of a call must not overlap. NaN in an input gives NaN. Each source file that calls the "
            "function has its own copy of the constants: where memory is short, call it from one alone."
        ),
    ]
    return ["/*", *(f" * {_harmless(line)}".rstrip() for line in text), " */"]


def _filled(text: str, first: str = "", further: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH - 3, initial_indent=first, subsequent_indent=further, break_on_hyphens=False)


def _memory(program: Program) -> str:
    return "all memory between calls is in the state" if program.states else "nothing is remembered between calls"


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
    kind, shape = C_TYPES[port.value.kind], " x ".join(map(str, port.shape))
    if is_single(port):
        return kind
    return f"{kind}[{port.value.size}]" + (f", which is {shape} in C's order" if len(port.shape) > 1 else "")


def _example(program: Program) -> list[str]:
    names = [port.name for port in program.inputs] + [f"&{STATE}"] * bool(program.states)
    names += [f"&{port.name}" if is_single(port) else port.name for port in program.outputs]
    state = [f"{program.name}_state {STATE};", f"{program.name}_reset(&{STATE});  // before each episode"]
    return [
        "Call it:",
        "",
        f'    #include "{program.name}.h"',
        "",
        *(f"    float {port.name}[{constant_of(program, port)}] = {{0}};" for port in program.inputs),
        *(f"    {_declared(program, port)};" for port in program.outputs),
        *(f"    {line}" for line in state if program.states),
        f"    {program.name}({', '.join(names)});",
    ]


def _declared(program: Program, port: Port) -> str:
    kind = C_TYPES[port.value.kind]
    return f"{kind} {port.name}" if is_single(port) else f"{kind} {port.name}[{constant_of(program, port)}]"


def _commands(program: Program) -> list[str]:
    lines = [
        *_filled(
            "Compile it as C99 or C++. -O3 and the options for your processor make it faster, -Os makes it smaller; "
            "-ffast-math may lose NaN, and digits of normalized observations:"
        ),
        "",
        "    cc -O2 main.c -lm",
        f"    arm-none-eabi-gcc -O2 {CORTEX_M4} main.c -lm",
    ]
    if not program.self_test.outputs:
        return lines
    macro, check = upper(program, "self_test"), function_of(program, "self_test")
    return [
        *lines,
        "",
        *_filled(
            f"Check it on your machine: where {macro} is defined, {check}() returns how many of its "
            f"{len(program.self_test.outputs[0])} cases differ from npnets' outputs by more than float32's rounding:"
        ),
        "",
        f"    #define {macro}",
        f'    #include "{program.name}.h"',
        f"    int main(void) {{ return {check}(); }}",
    ]
