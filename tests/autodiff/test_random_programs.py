"""Random differentiable programs keep the laws of `random_program_laws`, and the laws would notice faults.

`NPNETS_PROGRAMS` says how many programs to draw; `tox -e programs` draws more than the suite does. A program that fails
is printed in its smallest form, as source to run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from random_program_laws import broken_law, explained, judge
from random_program_source import REFUSALS, Operation, Program, shrunk
from random_programs import draw_program

import npnets
import npnets.numpy as nnp
from npnets.autodiff import Traced, backward, bare, derivatives, operations, tracing
from npnets.kernels import gaussian
from npnets.numpy import elementwise, indexing, reductions, shaping

PROGRAMS = int(os.environ.get("NPNETS_PROGRAMS", "400"))
BLOCK = 50
ENOUGH = 400
"""Within how many programs a fault must be noticed, and every function must have come up."""

pytestmark = pytest.mark.numpy_alone(
    "half of what programs are made of is NumPy's, and so is what they are held against"
)


@pytest.mark.parametrize(
    "start", [pytest.param(start, marks=pytest.mark.slow if start else ()) for start in range(0, PROGRAMS, BLOCK)]
)
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


@pytest.mark.slow
def test_every_function_of_an_array_comes_up() -> None:
    sources = "".join(draw_program(seed).source for seed in range(2 * ENOUGH))
    for owner, module, others in (
        ("np", nnp, {"bool_", "ndarray", "nan"}),
        ("functional", npnets.functional, {"resolve_activation", "clipped_exp"}),
    ):
        assert set(module.__all__) - set(re.findall(rf"\b{owner}\.(\w+)", sources)) == others


def test_a_printed_program_reproduces_what_it_computes() -> None:
    for seed in range(40):
        program = draw_program(seed)
        scope: dict[str, Any] = {"print": lambda outputs: None}
        try:
            expected = program.function()(program.tree())
        except REFUSALS as error:
            with pytest.raises(type(error)):
                exec(str(program), scope)
        else:
            exec(str(program), scope)
            for came, value in zip(scope["program"](scope["inputs"]), expected, strict=True):
                np.testing.assert_equal(came, value)


def test_a_failing_program_shrinks_to_what_makes_it_fail() -> None:
    lines = ("v0 = nnp.exp(x0)", "v1 = np.tanh(v0)", "v2 = v1 * x1", "v3 = nnp.sum(v2)")
    operations = tuple(Operation((line[:2],), (line,)) for line in lines)
    inputs = {"x0": np.ones(2), "x1": np.ones(2)}
    program = Program(0, inputs, {}, operations, frozenset(), narrow=False)
    smallest = shrunk(program, lambda smaller: "np.tanh" in smaller.source)
    assert smallest.source == "def program(inputs):\n    x0 = inputs['x0']\n    v1 = np.tanh(x0)\n    return [v1], []\n"


# -- planted faults ---------------------------------------------------------------------------------------------------


class Fault(NamedTuple):
    """A fault in one attribute of a module, the law that it makes programs break, and what is in their source."""

    law: str
    source: str
    module: Any
    name: str
    replacement: Any


def _tanh_with_slope(slope: Callable[[Any, Any], Any]) -> Any:
    return elementwise.elementwise(slope)(lambda x: np.tanh(x))


def _added_in_place(totals: dict[Any, Any], owned: set[Any], node: Any, part: Any) -> None:
    total = totals[node]
    if isinstance(total, np.ndarray) and isinstance(part, np.ndarray):
        total += part
    else:
        totals[node] = total + part


def _with_a_wrong_backward() -> Callable[..., Any]:
    pair = npnets.autodiff.Pair(
        gaussian._forward, lambda g, z, argnums, *args: tuple(g[..., None] * z for _ in argnums)
    )
    return npnets.autodiff.fused(gaussian._composition, cpu=pair, gpu=pair)


def _taken_in_range(x: Any, index: Any) -> Any:
    try:
        return indexing.take(x, index)
    except IndexError:
        return x


FAULTS = {
    "another function": Fault("value", "np.cos", nnp, "cos", nnp.sin),
    "a doubled derivative": Fault("gradient", "np.tanh", nnp, "tanh", _tanh_with_slope(lambda y, x: 2 * (1 - y * y))),
    "a derivative that has none itself": Fault(
        "forward over reverse", "np.tanh", nnp, "tanh", _tanh_with_slope(lambda y, x: 1 - bare(y) * bare(y))
    ),
    "a constant that promotes": Fault("dtypes", "np.square", nnp, "square", lambda x: nnp.multiply(x, x) * np.ones(())),
    "an index out of range": Fault("refused in reverse mode", "[", Traced, "__getitem__", _taken_in_range),
    "whole exponents that are constants": Fault(
        "forward over reverse",
        "stop_gradient",
        elementwise,
        "_one_less",
        lambda x, y: nnp.where(bare(y) == 0, 1, y - 1),
    ),
    "a derivative by a cast to integers": Fault("gradient", "astype", tracing, "is_followed", lambda output: True),
    "repeats of an index that are lost": Fault("gradient", "[", indexing, "_names_nothing_twice", lambda index: True),
    "ties that are not shared": Fault(
        "gradient",
        "np.repeat",
        reductions,
        "_chosen",
        lambda x, y, axis=None, keepdims=False: 1.0 * (bare(x) == bare(reductions._spread(y, x, axis, keepdims))),
    ),
    "bounds that let gradients through": Fault("gradient", "clip", elementwise, "_within", lambda x, low, high: x == x),
    "a wrong cotangent by hand": Fault("gradient", "log_density", gaussian, "_apply", _with_a_wrong_backward()),
    "no tangent beside zeros": Fault(
        "tangent", "np.", shaping, "_with_zeros", lambda t, argnum, axis, *arrays: 0 * nnp.concatenate(arrays, axis)
    ),
    "constants that can be refilled": Fault(
        "gradient", "buffer", operations, "opened", lambda args, copies_constants=False: tracing.opened(args)
    ),
    "a value that the pullback reads": Fault(
        "pullback after all was overwritten", "np.", derivatives, "own_copy", lambda x: x
    ),
    "a gradient that the pullback reads": Fault(
        "pullback called again", "np.", derivatives, "own", lambda g, given_away: g
    ),
    "a sum in an array of others": Fault("pullback called again", "np.", backward, "_add", _added_in_place),
    "a copy that is a constant": Fault(
        "gradient", "deepcopy", Traced, "__deepcopy__", lambda self, memo: bare(self).copy()
    ),
    "one number for all traces": Fault(
        "derivative of an inner gradient", "np.", derivatives, "new_trace", lambda: 1 << 40
    ),
}


def _shows(fault: Fault, program: Program) -> bool:
    """Tell whether a program keeps every law without a fault, and breaks the expected one with it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fault.module, fault.name, fault.replacement)
        law = broken_law(program)
    return law == fault.law and broken_law(program) is None


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found(fault: Fault) -> None:
    programs = map(draw_program, range(ENOUGH))
    assert any(_shows(fault, program) for program in programs if fault.source in program.source)
