"""Every writer on random programs: its file computes what the program's definition does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx_runs
import pytest
import python_files
from hypothesis import given
from numpy.typing import NDArray
from program_interpreter import interpret
from random_exports import programs

from npnets.export.onnx.model import write as write_onnx
from npnets.export.program import Program

pytestmark = pytest.mark.numpy_alone("files are written from NumPy's arrays")

Arrays = dict[str, NDArray[Any]]
RUNS: dict[str, Callable[[Program, Arrays], Arrays]] = {
    "onnx": lambda program, inputs: onnx_runs.run(write_onnx(program), inputs),
    "python": python_files.run,
}


@pytest.mark.parametrize("writer", RUNS)
@given(program=programs())
def test_a_file_computes_what_its_program_defines(writer: str, program: Program) -> None:
    rng = np.random.default_rng(0)
    ports = [*program.inputs, *(state.before for state in program.states)]
    inputs = {port.name: rng.normal(size=(3, *port.shape)).astype(np.float32) for port in ports}
    expected, rounded = interpret(program, inputs), interpret(program, inputs, np.float32)
    found = RUNS[writer](program, inputs)
    assert found.keys() == expected.keys()
    for name, exact in expected.items():
        # Rounding to float32 alone may move an output of a long program further than one rounding.
        tolerance = 2e-6 * max(1, np.abs(exact).max()) + 4 * np.abs(rounded[name] - exact).max()
        np.testing.assert_allclose(found[name], exact, rtol=0, atol=tolerance, err_msg=name)
