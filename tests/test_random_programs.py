"""Random differentiable programs keep the laws of `random_program_laws`, and the laws would notice faults.

`NPNETS_PROGRAMS` says how many programs to draw; `tox -e programs` draws more than the suite does. A program that fails
is printed in its smallest form, as source to run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import numpy
import pytest
from random_program_laws import broken_law, explained, judge
from random_program_source import NPNETS, Operation, Program, shrunk
from random_programs import draw_program

import npnets
import npnets.numpy as np
from npnets.numpy import broadcasting, elementwise, indexing, operators, reductions, shaping

PROGRAMS = int(os.environ.get("NPNETS_PROGRAMS", "400"))
BLOCK = 50
ENOUGH = 400
"""Within how many programs a fault must be noticed, and every function must have come up."""

pytestmark = pytest.mark.numpy_alone("half of what programs are made of is NumPy's, and so is what they are held against")


@pytest.mark.parametrize("start", range(0, PROGRAMS, BLOCK))
def test_random_programs_have_numpys_values_and_the_derivatives_of_differences(start: int) -> None:
    unreliable = 0
    for seed in range(start, min(start + BLOCK, PROGRAMS)):
        program = draw_program(seed)
        try:
            judgement = judge(program)
        except Exception as error:
            raise AssertionError(explained(program)) from error
        unreliable += not all(judgement)
    assert unreliable <= BLOCK // 10, "so many programs lie at kinks that their derivatives are hardly tested"


# -- the generator ----------------------------------------------------------------------------------------------------


def test_a_seed_gives_the_same_program_again() -> None:
    assert [str(draw_program(seed)) for seed in range(20)] == [str(draw_program(seed)) for seed in range(20)]


def test_every_function_of_an_array_comes_up() -> None:
    sources = "".join(draw_program(seed).source for seed in range(ENOUGH))
    for owner, module, others in (
        ("np", np, {"bool_", "ndarray", "nan"}),
        ("functional", npnets.functional, {"resolve_activation"}),
    ):
        assert set(module.__all__) - set(re.findall(rf"\b{owner}\.(\w+)", sources)) == others


def test_a_printed_program_reproduces_what_it_computes() -> None:
    for seed in range(40):
        program = draw_program(seed)
        scope: dict[str, Any] = {"print": lambda outputs: None}
        try:
            expected = program.function()(program.tree())
        except (TypeError, ValueError, IndexError) as error:
            with pytest.raises(type(error)):
                exec(str(program), scope)
        else:
            exec(str(program), scope)
            for came, value in zip(scope["program"](scope["inputs"]), expected, strict=True):
                numpy.testing.assert_equal(came, value)


def test_a_failing_program_shrinks_to_what_makes_it_fail() -> None:
    lines = ("v0 = np.exp(x0)", "v1 = np.tanh(v0)", "v2 = v1 * x1", "v3 = np.sum(v2)")
    operations = tuple(Operation((line[:2],), (line,)) for line in lines)
    inputs = {"x0": numpy.ones(2), "x1": numpy.ones(2)}
    program = Program(0, inputs, {}, operations, frozenset(), narrow=False)
    smallest = shrunk(program, lambda smaller: "np.tanh" in smaller.source)
    assert smallest.source == "def program(inputs):\n    x0 = inputs['x0']\n    v1 = np.tanh(x0)\n    return [v1], []\n"


# -- planted faults ---------------------------------------------------------------------------------------------------


def _partials(*partials: Any, of: Callable[..., Any]) -> Callable[..., Any]:
    return elementwise.elementwise(*partials)(lambda *args: of(*args))


def _replace(patch: pytest.MonkeyPatch, name: str, function: Callable[..., Any]) -> None:
    """Put a function in the place of npnets', as a function, an operator and a method."""
    patch.setattr(np, name, function)
