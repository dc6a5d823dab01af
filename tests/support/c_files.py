"""Exported headers of C compiled by a real compiler, and called from this process."""

from __future__ import annotations

import ctypes
import dataclasses
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from npnets.export.c.header import write
from npnets.export.program import Program

WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wdouble-promotion", "-Werror")
Arrays = dict[str, NDArray[Any]]
Texts = Mapping[str, str]
"""Headers by the name of their policy."""


def compiler(name: str) -> str:
    """Return the path of a compiler; the test is skipped where there is none."""
    found = None if sys.platform == "win32" else shutil.which(name)
    if found is None:
        pytest.skip(
            f"there is no {name} on this machine" if sys.platform != "win32" else "compilers of Unix are called"
        )
    return found


def texts_of(programs: Iterable[Program]) -> Texts:
    """Return the headers of programs, each under a name of its own."""
    named = (dataclasses.replace(one, name=f"policy_{index}") for index, one in enumerate(programs))
    return {one.name: write(one) for one in named}


def compile_in(folder: Path, command: Sequence[str], source: str, texts: Texts) -> None:
    """Compile a source file beside headers; a warning is an error."""
    for name, text in texts.items():
        (folder / f"{name}.h").write_text(text, encoding="utf-8")
    (folder / "all.c").write_text(source, encoding="utf-8")
    done = subprocess.run(
        [compiler(command[0]), *command[1:], *WARNINGS, "all.c", *["-lm"] * ("-o" in command)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[:5000]


where_sizes_are_known = pytest.mark.skipif(
    sys.platform != "linux", reason="reads what GNU's tools say about an object file"
)


class Library:
    """Programs compiled together.

    Parameters
    ----------
    programs : sequence of Program
        Their names may be equal: each is compiled under one of its own.
    command : sequence of str
        The compiler and its options.
    """

    def __init__(self, programs: Sequence[Program], command: Sequence[str] = ("gcc", "-std=c99", "-O0")) -> None:
        self.programs = [dataclasses.replace(one, name=f"policy_{index}") for index, one in enumerate(programs)]
        source = "".join(map(calls, self.programs))
        with tempfile.TemporaryDirectory() as folder:
            compile_in(Path(folder), [*command, "-fPIC", "-shared", "-o", "all.so"], source, texts_of(programs))
            self._library = ctypes.CDLL(str(Path(folder) / "all.so"))

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


def calls(program: Program) -> str:
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
