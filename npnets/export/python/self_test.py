"""The last part of an exported file: cases with the outputs that npnets computes, and a function that checks them."""

import numpy as np

from npnets.export.program import Program
from npnets.export.python import literals
from npnets.export.tolerance import allowed_errors

_INDENT = " " * 12
_MAIN = """\
if __name__ == "__main__":
    failures = self_test()
    print(f"{NAME}: {len(CASES) - failures} of {len(CASES)} cases of the self-test agree with npnets")
    if failures:
        raise SystemExit(1)"""


def self_test(program: Program) -> str:
    """Return the function `self_test`, its cases, and the lines that run it."""
    return "\n\n\n".join([_function(program), _cases(program), _MAIN])


def _function(program: Program) -> str:
    states = [f'state["{state.after.name}"]' for state in program.states]
    outputs = [port.name for port in program.outputs]
    vectors = [f"[{port.name}]" if port.shape == () else port.name for port in program.outputs]
    lines = [
        '"""Return how many cases have outputs that differ from those of npnets by more than 1e-5."""',
        "wrong = 0",
        "for given, expected in CASES:",
        f"    {', '.join([*outputs, *(['state'] if states else [])])} = act(*given)",
        f"    wrong += not ({_comparisons(program, [*vectors, *states])})",
        "return wrong",
    ]
    return "\n".join(["def self_test():", *(f"    {line}" for line in lines)])


def _comparisons(program: Program, vectors: list[str]) -> str:
    """Return a comparison of each output with its part of what is expected."""
    if not program.self_test.outputs:
        return "True"
    start, comparisons = 0, []
    for vector, outputs, error in zip(vectors, program.self_test.outputs, allowed_errors(program), strict=True):
        stop = start + outputs[0].size
        part = "expected" if len(vectors) == 1 else f"expected[{start}:{stop}]"
        comparisons.append(f"agree({vector}, {part}, {literals.number(error)})")
        start = stop
    return " and ".join(comparisons)


def _cases(program: Program) -> str:
    """Return the arguments and all outputs, one behind the other, of every case."""
    given, outputs = ([_rows(array) for array in arrays] for arrays in program.self_test)
    inputs, states = given[: len(program.inputs)], given[len(program.inputs) :]
    lines = []
    for case in range(len(outputs[0]) if outputs else 0):
        arguments = [f"{_INDENT}{literals.vector(rows[case], _INDENT)}," for rows in inputs]
        if states:
            names = [state.before.name for state in program.states]
            parts = [
                f'{_INDENT}    "{n}": {literals.vector(s[case], f"{_INDENT}    ")},'
                for n, s in zip(names, states, strict=True)
            ]
            arguments += [f"{_INDENT}{{", *parts, f"{_INDENT}}},"]
        expected = literals.vector(np.concatenate([rows[case] for rows in outputs]), "        ")
        lines += ["    (", "        (", *arguments, "        ),", f"        {expected},", "    ),"]
    return "\n".join(["CASES = (", *lines, ")"])


def _rows(array: np.ndarray) -> np.ndarray:
    return np.asarray(array, np.float64).reshape(len(array), -1)
