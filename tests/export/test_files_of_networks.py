"""An exported file computes what its network does, in C, ONNX and Python: the one law that all of export is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import c_files
import numpy as np
import onnx_runs
import pytest
import python_files
from exported_cases import EXPORTED, exported_programs
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from npnets.export.onnx.model import write as write_onnx
from npnets.export.program import Program

pytestmark = pytest.mark.numpy_alone("files are written from NumPy's arrays")

Arrays = dict[str, NDArray[Any]]
RUNS: dict[str, Callable[[Program, Arrays], Arrays]] = {
    "onnx": lambda program, inputs: onnx_runs.run(write_onnx(program), inputs),
    "python": python_files.run,
}


def inputs_of(program: Program) -> Arrays:
    """The inputs of the self-test by name."""
    ports = [*program.inputs, *(state.before for state in program.states)]
    return {port.name: array for port, array in zip(ports, program.self_test.inputs, strict=True)}


def check(program: Program, found: Mapping[str, NDArray[Any]]) -> None:
    """Compare a file's outputs with those that npnets computed: 1e-5 of one, or of the largest in an output."""
    names = [*(port.name for port in program.outputs), *(f"next_{state.after.name}" for state in program.states)]
    assert list(found) == names
    for name, expected in zip(names, program.self_test.outputs, strict=True):
        assert found[name].shape == expected.shape, name
        tolerance = 0 if expected.dtype.kind == "i" else 1e-5 * max(1, np.abs(expected).max())
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("writer", RUNS)
@pytest.mark.parametrize("name", EXPORTED)
def test_a_file_of_each_kind_of_network_computes_what_npnets_does(name: str, writer: str) -> None:
    program = EXPORTED[name]()
    check(program, RUNS[writer](program, inputs_of(program)))


@pytest.mark.parametrize("writer", RUNS)
@given(program=exported_programs())
def test_a_file_of_any_network_computes_what_npnets_does(writer: str, program: Program) -> None:
    check(program, RUNS[writer](program, inputs_of(program)))


@pytest.mark.slow
@settings(max_examples=8, phases=[Phase.generate])  # a compilation takes a hundred times as long as a run
@given(library=st.lists(exported_programs(), min_size=1, max_size=16).map(c_files.Library))
def test_headers_of_any_networks_compute_what_npnets_does(library: c_files.Library) -> None:
    for index, program in enumerate(library.programs):
        note(program.description)
        check(program, library.run(index, inputs_of(program)))
        assert library.self_test(index) == 0
