"""A program computes what its network does: npnets' own outputs are its self-test."""

from __future__ import annotations

import numpy as np
import pytest
from exported_cases import EXPORTED, exported_programs
from hypothesis import given
from program_interpreter import interpret

from npnets.export.program import Program

pytestmark = pytest.mark.numpy_alone("programs hold NumPy's arrays")


def check(program: Program) -> None:
    ports = [*program.inputs, *(state.before for state in program.states)]
    inputs = {port.name: array for port, array in zip(ports, program.self_test.inputs, strict=True)}
    found = interpret(program, inputs)
    for (name, output), expected in zip(found.items(), program.self_test.outputs, strict=True):
        assert output.shape == expected.shape, name
        tolerance = 2e-5 * max(1, np.abs(expected).max())  # that of npnets in float32 where the numbers are large
        np.testing.assert_allclose(output, expected, rtol=0, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("name", EXPORTED)
def test_a_program_of_each_kind_computes_what_npnets_does(name: str) -> None:
    check(EXPORTED[name]())


@given(program=exported_programs())
def test_a_program_of_any_network_computes_what_npnets_does(program: Program) -> None:
    check(program)
