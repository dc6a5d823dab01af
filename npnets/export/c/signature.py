"""The names of a file's functions, macros and arguments, and the function's head."""

from npnets.export.c.layout import STATE
from npnets.export.c.literals import WIDTH
from npnets.export.c.loops import each
from npnets.export.program import Port, Program

C_TYPES = {"float": "float", "index": "int"}


def function_of(program: Program, what: str) -> str:
    """Return the name of one of the file's own functions or types."""
    return f"{program.name}_{what}"


def upper(program: Program, what: str) -> str:
    """Return the name of one of the file's macros."""
    return f"{program.name}_{what}".upper()


def constant_of(program: Program, port: Port) -> str:
    """Return the macro that has the size of a port."""
    return upper(program, f"{port.name}_size")


def head(program: Program) -> list[str]:
    """Return the head of the function, with an argument a line where one line is too short."""
    arguments = [f"const float {port.name}[{constant_of(program, port)}]" for port in program.inputs]
    arguments += [f"{function_of(program, 'state')} *{STATE}"] * bool(program.states)
    arguments += [_output(program, port) for port in program.outputs]
    begin = f"static inline void {program.name}("
    line = f"{begin}{', '.join(arguments)})"
    if len(line) <= WIDTH:
        return [line]
    margin = " " * len(begin)
    return [f"{begin}{arguments[0]},", *(f"{margin}{one}," for one in arguments[1:-1]), f"{margin}{arguments[-1]})"]


def is_single(port: Port) -> bool:
    """Return whether an output is one number, which the function takes the address of."""
    return port.shape == ()


def _output(program: Program, port: Port) -> str:
    kind = C_TYPES[port.value.kind]
    return f"{kind} *{port.name}" if is_single(port) else f"{kind} {port.name}[{constant_of(program, port)}]"


def each_of(program: Program, port: Port, *statements: str) -> list[str]:
    """Return a loop over the entries of a port."""
    return each(constant_of(program, port), *statements)


def macros(program: Program, version: str) -> list[str]:
    """Return the definitions of sizes, and of what the file is."""
    ports = [*program.inputs, *(state.before for state in program.states), *program.outputs]
    return [
        f'#define {upper(program, "npnets_version")} "{version}"',
        f"#define {upper(program, 'parameters')} {program.parameters}",
        *(f"#define {constant_of(program, port)} {port.value.size}" for port in ports),
    ]


def state_type(program: Program) -> list[str]:
    """Return the type of the state, and the function that sets it to zero."""
    if not program.states:
        return []
    kind = function_of(program, "state")
    ports = [state.before for state in program.states]
    loops = [line for port in ports for line in each_of(program, port, f"{STATE}->{port.name}[j] = 0.0f;")]
    return [
        "/* What is remembered from step to step: one for each environment or robot. */",
        "typedef struct {",
        *(f"    float {port.name}[{constant_of(program, port)}];" for port in ports),
        f"}} {kind};",
        "",
        f"static inline void {function_of(program, 'reset')}({kind} *{STATE})",
        "{",
        *(f"    {line}" for line in loops),
        "}",
        "",
    ]
