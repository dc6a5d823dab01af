"""The actions of exported files never leave their bounds, whatever comes in and however a language rounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import c_files
import numpy as np
import onnx_runs
import pytest
import python_files
from exported_cases import exported_policies
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from npnets import Policy
from npnets.export.onnx.model import write as write_onnx
from npnets.export.program import Program

pytestmark = pytest.mark.numpy_alone("files are written from NumPy's arrays")

Arrays = dict[str, NDArray[Any]]
RUNS: dict[str, Callable[[Program, Arrays], Arrays]] = {
    "onnx": lambda program, inputs: onnx_runs.run(write_onnx(program), inputs),
    "python": python_files.run,
}


def far_inputs(program: Program) -> Arrays:
    """Return inputs of ordinary size and far beyond."""
    rng = np.random.default_rng(0)
    ports = [*program.inputs, *(state.before for state in program.states)]
    sizes = 10.0 ** np.arange(8)
    return {
        port.name: (sizes.reshape(-1, *[1] * len(port.shape)) * rng.standard_normal((8, *port.shape))).astype(
            np.float32
        )
        for port in ports
    }


def check(policy: Policy, action: NDArray[Any]) -> None:
    exact = action.astype(np.float64)
    assert (exact >= policy.low).all() and (exact <= policy.high).all()


@pytest.mark.parametrize("writer", RUNS)
@given(drawn=exported_policies())
def test_an_action_of_a_file_lies_within_its_bounds(writer: str, drawn: tuple[Program, Policy]) -> None:
    program, policy = drawn
    check(policy, RUNS[writer](program, far_inputs(program))["action"])


@pytest.mark.slow
@settings(max_examples=4, phases=[Phase.generate])  # a compilation takes a hundred times as long as a run
@given(drawn=st.lists(exported_policies(), min_size=8, max_size=16))
def test_an_action_of_a_header_lies_within_its_bounds(drawn: list[tuple[Program, Policy]]) -> None:
    library = c_files.Library([program for program, _ in drawn])
    for index, (program, policy) in enumerate(drawn):
        check(policy, library.run(index, far_inputs(program))["action"])
