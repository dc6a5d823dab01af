"""A program computes what its network does: npnets' own outputs are its self-test."""

from __future__ import annotations

import numpy as np
import pytest
from exported_cases import EXPORTED, exported_policies, exported_programs
from hypothesis import given
from program_interpreter import interpret

from npnets import Policy
from npnets.export.program import Program
from npnets.export.pruning import results

pytestmark = pytest.mark.numpy_alone("programs hold NumPy's arrays")


def check(program: Program) -> None:
    ports = [*program.inputs, *(state.before for state in program.states)]
    names = [port.value.name for port in ports] + [v.name for op in program.operations for v in results(op)]
    assert len(set(names)) == len(names) and all(name.isidentifier() for name in names), names
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


@given(drawn=exported_policies())
def test_a_program_of_a_policy_computes_its_actions_and_keeps_its_bounds(drawn: tuple[Program, Policy]) -> None:
    program, policy = drawn
    check(program)
    ports = [*program.inputs, *(state.before for state in program.states)]
    rng = np.random.default_rng(0)
    far = {port.name: 1e9 * rng.standard_normal((8, *port.shape)) for port in ports}
    action = interpret(program, far)["action"]
    assert (action >= policy.low).all() and (action <= policy.high).all()
