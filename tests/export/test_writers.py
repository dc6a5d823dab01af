"""Every writer on random programs: its file computes what the program's definition does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import c_files
import onnx_runs
import pytest
import python_files
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from program_interpreter import check_outputs, random_inputs
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
    inputs = random_inputs(program)
    check_outputs(program, inputs, RUNS[writer](program, inputs))


@settings(max_examples=15)  # a compilation takes a hundred times as long as a run
@given(several=st.lists(programs(), min_size=1, max_size=16))
def test_headers_compiled_together_compute_what_their_programs_define(several: list[Program]) -> None:
    library = c_files.Library(several)
    for index, program in enumerate(several):
        inputs = random_inputs(program)
        check_outputs(program, inputs, library.run(index, inputs))
