"""The last part of an exported file: cases with the outputs that npnets computes, and a function that checks them."""

import numpy as np

from npnets.export.program import Program
from npnets.export.python import literals

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
    inputs, outputs = ([port.name for port in ports] for ports in (program.inputs, program.outputs))
    states = [state.before.name for state in program.states]
    before = [f"{{{', '.join(f'{chr(34)}{name}{chr(34)}: {name}' for name in states)}}}"] if states else []
    vectors = [f"[{port.name}]" if port.shape == () else port.name for port in program.outputs]
    vectors += [f'state["{name}"]' for name in states]
    lines = [
        '"""Return how many cases have outputs that differ from those of npnets by more than 1e-5."""',
        "wrong = 0",
        f"for {', '.join([*inputs, *states])}, expected in CASES:",
        f"    {', '.join([*outputs, *(['state'] if states else [])])} = act({', '.join([*inputs, *before])})",
        f"    wrong += not agree({' + '.join(vectors)}, expected)",
        "return wrong",
    ]
    return "\n".join(["def self_test():", *(f"    {line}" for line in lines)])


def _cases(program: Program) -> str:
    """Return one line or more for each case: a vector for each input and state, and one of all outputs."""
    inputs, outputs = ([_rows(array) for array in arrays] for arrays in program.self_test)
    lines = []
    for case in range(len(outputs[0]) if outputs else 0):
        vectors = [*(rows[case] for rows in inputs), np.concatenate([rows[case] for rows in outputs])]
        texts = [f"        {literals.vector(vector, ' ' * 8)}," for vector in vectors]
        lines += ["    (", *texts, "    ),"]
    return "\n".join(["CASES = (", *lines, ")"])


def _rows(array: np.ndarray) -> np.ndarray:
    return np.asarray(array, np.float64).reshape(len(array), -1)
