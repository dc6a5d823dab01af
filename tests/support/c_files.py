"""Exported headers of C compiled by a real compiler, and called from this process."""

from __future__ import annotations

import ctypes
import dataclasses
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from npnets.export.c.header import write
from npnets.export.program import Program

WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wdouble-promotion", "-Werror")
Arrays = dict[str, NDArray[Any]]


def compiler(name: str) -> str:
    """Return the path of a compiler; the test is skipped where there is none."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name} on this machine")
    return found


class Library:
    """Programs compiled together.

    Parameters
    ----------
    programs : sequence of Program
        Their names may be equal: each is compiled under one of its own.
    command : sequence of str
        The compiler and its options.
    """

    def __init__(self, programs: Sequence[Program], command: Sequence[str] = ("gcc", "-std=c99", "-O1")) -> None:
        self.programs = [dataclasses.replace(one, name=f"policy_{index}") for index, one in enumerate(programs)]
        with tempfile.TemporaryDirectory() as folder:
            self._library = ctypes.CDLL(str(self._compile(Path(folder), command)))

    def _compile(self, folder: Path, command: Sequence[str]) -> Path:
        for program in self.programs:
            (folder / f"{program.name}.h").write_text(write(program), encoding="utf-8")
        source, library = folder / "all.c", folder / "all.so"
        source.write_text("".join(map(_calls, self.programs)), encoding="utf-8")
        options = [*WARNINGS, "-fPIC", "-shared", "-o", str(library), str(source), "-lm"]
        run = subprocess.run([compiler(command[0]), *command[1:], *options], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr[:5000]
        return library

    def run(self, index: int, inputs: Arrays) -> Arrays:
        """Return the outputs of a program for cases, by name; a state's is `next_hidden` for `hidden`."""
        program = self.programs[index]
        cases = len(next(iter(inputs.values())))
        rows = [self._row(program, {name: array[case] for name, array in inputs.items()}) for case in range(cases)]
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    def self_test(self, index: int) -> int:
        """Return the number of wrong cases of a program's own test."""
        return int(self._library[f"test_{self.programs[index].name}"]())

    def _row(self, program: Program, inputs: Arrays) -> Arrays:
        states = [_floats(inputs[state.before.name]) for state in program.states]
        memory = np.concatenate(states) if states else np.zeros(0, np.float32)
        outputs = [
            np.full(port.value.size, -7, np.float32 if port.value.kind == "float" else np.intc)
            for port in program.outputs
        ]
        given = [_floats(inputs[port.name]) for port in program.inputs]
        arguments = [*given, *[memory] * bool(states), *outputs]
        self._library[f"call_{program.name}"](*(array.ctypes.data_as(ctypes.c_void_p) for array in arguments))
        found = {port.name: array.reshape(port.shape) for port, array in zip(program.outputs, outputs, strict=True)}
        parts = np.split(memory, np.cumsum([len(state) for state in states])[:-1]) if states else []
        for (before, _), part in zip(program.states, parts, strict=True):
            found[f"next_{before.name}"] = part.reshape(before.shape)
        return found


def run(program: Program, inputs: Arrays) -> Arrays:
    """Return the outputs of one program compiled alone."""
    return Library([program]).run(0, inputs)


def _floats(array: NDArray[Any]) -> NDArray[np.float32]:
    return np.ascontiguousarray(array, np.float32).ravel()


def _calls(program: Program) -> str:
    """Return functions that can be called from outside: the header's own are known to one file alone."""
    name = program.name
    kinds = {port.name: "int" if port.value.kind == "index" else "float" for port in program.outputs}
    parameters = [f"const float *{port.name}" for port in program.inputs]
    parameters += [f"{name}_state *state"] * bool(program.states)
    parameters += [f"{kind} *{port}" for port, kind in kinds.items()]
    names = [port.name for port in program.inputs] + ["state"] * bool(program.states) + list(kinds)
    text = f"#define {name.upper()}_SELF_TEST\n" if program.self_test.outputs else ""
    text += f'#include "{name}.h"\n'
    text += f"void call_{name}({', '.join(parameters)});\n"
    text += f"void call_{name}({', '.join(parameters)}) {{ {name}({', '.join(names)}); }}\n"
    if program.self_test.outputs:
        text += f"int test_{name}(void);\nint test_{name}(void) {{ return {name}_self_test(); }}\n"
    return text
