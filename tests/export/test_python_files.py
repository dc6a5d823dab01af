"""An exported Python file imports `math` alone, holds its numbers exactly, tests itself and runs under MicroPython."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exported_cases import EXPORTED
from float32_python import loaded_in_float32
from hypothesis import example, given
from hypothesis import strategies as st
from python_files import BARE, loaded, micropython, outcome, program, run_file

from npnets.export.program import (
    Activate,
    Affine,
    Argmax,
    Clip,
    Combine,
    Constant,
    LayerNorm,
    Linear,
    Lstm,
    Normalize,
    Operation,
    Port,
    Program,
    SelfTest,
    Softmax,
    State,
    Value,
)
from npnets.export.python import functions, write
from npnets.kernels.activation_formulas import FORMULAS
from npnets.kernels.activations import parameters_of

pytestmark = pytest.mark.numpy_alone("writes files of Python's numbers")

X = Value("x", 3)
MATH_OF_MICROPYTHON = {"sqrt", "exp", "expm1", "log", "tanh", "erfc", "cos", "pi"}
"""Without `log1p`, which MicroPython does not have."""


def policy(dtype: type = np.float32, wrong: float = 0.0) -> Program:
    """Return a policy of all kinds of layers, whose self-test has wrong outputs if it should."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(3, 5)).astype(dtype), rng.normal(size=(5, 2)).astype(dtype)
    bias = rng.normal(size=5).astype(dtype)
    n, h, k, r, a, o = (Value(name, size) for name, size in zip("nhkrao", (3, 5, 5, 5, 2, 2), strict=True))
    two = np.full(2, 2.0)
    steps: list[Operation] = [
        Normalize(n, X, np.array([0.1, 0.2, 0.3]), np.full(3, 0.7), 10.0),
        Linear(h, n, first, bias),
        LayerNorm(k, h, None, None, 1e-5),
        Activate(r, k, "gelu", ("none",)),
        Linear(a, r, second, None),
        Clip(o, a, -two, two),
    ]
    made = program([X], steps)
    cases = rng.normal(size=(4, 3))
    outputs = np.array([outcome(made, case.tolist()) for case in cases]) + wrong
    return program([X], steps, self_test=SelfTest((cases,), (outputs,)))


def recurrent() -> Program:
    """Return one LSTM layer whose self-test has a state."""
    rng = np.random.default_rng(0)
    h, c, new_h, new_c = (Value(name, 2) for name in "hcde")
    states = tuple(
        State(Port(name, before, (1, 2)), Port(name, after, (1, 2)))
        for name, before, after in (("hidden", h, new_h), ("cell", c, new_c))
    )
    step = Lstm(new_h, new_c, X, h, c, rng.normal(size=(3, 8)), rng.normal(size=(2, 8)), rng.normal(size=8))
    made = program([X], [step], [new_h], states)
    cases = rng.normal(size=(3, 3)), rng.normal(size=(3, 1, 2)), rng.normal(size=(3, 1, 2))
    act = loaded(made)["act"]
    found = [act(x, {"hidden": a.ravel(), "cell": b.ravel()}) for x, a, b in zip(*cases, strict=True)]
    outputs = [[output, state["hidden"], state["cell"]] for output, state in found]
    arrays = tuple(np.array([case[k] for case in outputs]) for k in range(3))
    return program([X], [step], [new_h], states, SelfTest(cases, arrays))


# -- the file ---------------------------------------------------------------------------------------------------------


def test_a_file_runs_its_self_test_in_a_bare_python(tmp_path: Path) -> None:
    done = run_file(BARE, tmp_path, write(policy()))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "policy: 4 of 4 cases of the self-test agree with npnets\n"


@pytest.mark.parametrize("name", EXPORTED)
def test_the_self_test_of_every_kind_of_network_agrees_also_in_the_float32_of_most_boards(name: str) -> None:
    text = write(EXPORTED[name]())
    exact: dict[str, Any] = {"__name__": "policy"}
    exec(compile(text, "policy.py", "exec"), exact)
    rounded = loaded_in_float32(text)
    for file in (exact, rounded):
        with np.errstate(over="ignore"):
            assert len(file["CASES"]) == 8 and file["self_test"]() == 0
        file["agree"] = lambda x, y, error: len(x) != len(y)
        assert file["self_test"]() == 8  # all entries were compared
    constants = [value for value in rounded.values() if isinstance(value, tuple)]
    assert {type(value) for constant in constants for value in _numbers(constant)} <= {np.float32, int}


def _numbers(constant: object) -> Iterator[object]:
    if isinstance(constant, tuple):
        for part in constant:
            yield from _numbers(part)
    elif not isinstance(constant, dict):
        yield constant


def test_a_failing_self_test_is_reported_and_fails_the_program(tmp_path: Path) -> None:
    done = run_file(BARE, tmp_path, write(policy(wrong=3e-5)))
    assert done.returncode == 1
    assert done.stdout == "policy: 0 of 4 cases of the self-test agree with npnets\n"


def test_the_self_test_of_a_recurrent_policy_checks_its_states() -> None:
    good = recurrent()
    assert loaded(good)["self_test"]() == 0
    *rest, cells = good.self_test.outputs
    bad = program(
        [X],
        [*good.operations],
        [good.outputs[0].value],
        good.states,
        SelfTest(good.self_test.inputs, (*rest, cells + 1)),
    )
    assert loaded(bad)["self_test"]() == 3


def test_a_file_imports_math_alone_and_uses_what_micropython_has() -> None:
    tree = ast.parse(inspect.getsource(functions))
    used = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and getattr(n.value, "id", "") == "math"}
    assert used | {"cos", "tanh"} == MATH_OF_MICROPYTHON
    oldest = ast.parse(write(policy()), feature_version=(3, 6))
    imports = [n for n in ast.walk(oldest) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imports] == ["import math"]


def test_the_functions_name_all_that_they_use_of_math_in_their_docstring() -> None:
    assert functions.__doc__ is not None
    named = set(re.findall(r"`(\w+)`", functions.__doc__.partition("of which")[2].partition(". ")[0]))
    assert named | {"pi"} == MATH_OF_MICROPYTHON


def test_a_file_names_the_functions_of_math_that_it_uses() -> None:
    assert "Needs Python 3 or MicroPython, and of `math` erfc, sqrt. Run" in write(policy())
    assert "Needs Python 3 or MicroPython. Run" in write(program([X], [Argmax(Value("o", 1, "index"), X)]))


def test_a_file_holds_only_functions_that_it_calls() -> None:
    text = write(policy())
    assert "def gelu(z):" in text and "def standardize(x, epsilon):" in text
    softmax = write(program([X], [Softmax(Value("o", 3), X)]))
    assert "math.exp(" in softmax and "def exp(" not in softmax
    assert "def relu" not in text and "def lstm" not in text and "annotations" not in text


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_are_exact_and_stand_one_row_for_an_output(dtype: type) -> None:
    weight = np.random.default_rng(0).normal(size=(3, 5)).astype(dtype)
    file = loaded(program([X], [Linear(Value("hidden", 5), X, weight, None)]))
    assert np.array_equal(np.array(file["HIDDEN_WEIGHT"]), weight.T.astype(np.float64))


def test_an_array_that_is_used_twice_is_one_constant() -> None:
    scale, other = np.full(3, 2.0), np.full(3, 2.0)
    a, b, c = (Value(name, 3) for name in "abc")
    text = write(program([X], [Affine(a, X, scale, other), Affine(b, a, scale, scale), Combine(c, a, b, "add")]))
    assert re.findall(r"^\w+ = \(2.*", text, re.M) == ["A_SCALE = (2.0, 2.0, 2.0)", "A_OFFSET = (2.0, 2.0, 2.0)"]


def test_no_line_is_longer_than_a_screen() -> None:
    weight = np.random.default_rng(0).normal(size=(3, 70))
    name = "hidden_layer_of_the_trunk_of_both"
    text = write(program([X], [Linear(Value(name, 70), X, weight, np.ones(70))]))
    assert max(map(len, text.splitlines())) <= 120 < len(f"{name} = linear(x, {name}_WEIGHT, {name}_BIAS)")


def test_the_same_program_is_the_same_file() -> None:
    assert write(policy()) == write(policy())


# -- arguments, outputs and names -------------------------------------------------------------------------------------


def test_arguments_may_be_any_sequence_of_numbers() -> None:
    act = loaded(policy())["act"]
    assert act((1, 2, 3)) == act([1.0, 2.0, 3.0]) == act(np.array([1.0, 2.0, 3.0], np.float32))


@pytest.mark.parametrize("obs", [[1.0], [1.0] * 4, [[1.0] * 3]])
def test_an_observation_of_another_length_is_an_error_that_says_so(obs: list[float]) -> None:
    with pytest.raises(ValueError, match=f"x must hold 3 numbers, but holds {len(obs)}"):
        loaded(policy())["act"](obs)


def test_an_output_without_axes_is_a_number() -> None:
    index = Value("action", 1, "index")
    made = program([X], [Argmax(index, X)], shape=(), self_test=SelfTest((np.eye(3),), (np.arange(3),)))
    assert outcome(made, [0.0, 2.0, 1.0]) == 1
    assert loaded(made)["self_test"]() == 0


def test_several_outputs_are_a_tuple() -> None:
    mean, deviation = Value("mu", 3), Value("sigma", 3)
    steps: list[Operation] = [Affine(mean, X, np.full(3, 2.0), np.zeros(3)), Activate(deviation, X, "exp")]
    assert outcome(program([X], steps, [mean, deviation]), [0.0, 0.0, 0.0]) == ([0.0] * 3, [1.0] * 3)


OWN_NAMES = [
    "class",
    "relu",
    "linear",
    "list",
    "layer.0",
    "layer_0",
    "0",
    "act",
    "math",
    "NAME",
    "ü",
    "z",
    "R",
    "r_low",
]


@given(st.lists(st.text(max_size=6) | st.sampled_from(OWN_NAMES), min_size=1, max_size=8, unique=True))
@example(OWN_NAMES)
def test_values_may_have_any_names(names: list[str]) -> None:
    values = [Value(f"{name} of a value", 3) for name in names]
    values += [Value(name, 3) for name in names if name not in ("x", "result")]
    one = np.ones(3)
    steps: list[Operation] = [Affine(after, before, one, one) for before, after in pairwise([X, *values])]
    steps.append(Activate(Value("result", 3), values[-1], "relu"))
    assert outcome(program([X], steps), [0.0, 0.0, 0.0]) == [float(len(values))] * 3


def test_a_description_cannot_end_the_docstring() -> None:
    made = program([X], [Softmax(Value("o", 3), X)])
    hostile = replace(made, description='Net("""\n\\N{x}\\')
    names: dict[str, object] = {"__name__": "policy"}
    exec(write(hostile), names)
    assert "exported by npnets" in str(names["__doc__"])


# -- MicroPython ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [policy(), recurrent()], ids=["policy", "recurrent"])
def test_micropython_runs_the_self_test(made: Program, tmp_path: Path) -> None:
    done = run_file([micropython()], tmp_path, write(made))
    cases = len(made.self_test.outputs[0])
    assert (done.returncode, done.stdout) == (
        0,
        f"policy: {cases} of {cases} cases of the self-test agree with npnets\n",
    )


@pytest.mark.parametrize("name", EXPORTED)
def test_micropython_runs_networks_of_every_kind(name: str, tmp_path: Path) -> None:
    done = run_file([micropython()], tmp_path, write(EXPORTED[name]()))
    assert (done.returncode, done.stdout) == (0, "policy: 8 of 8 cases of the self-test agree with npnets\n")


def test_micropython_runs_every_function(tmp_path: Path) -> None:
    constant = Constant(X, np.array([0.3, -0.7, 30.0]))
    defaults = {name: [p.default for p in parameters_of(name).parameters.values()] for name in FORMULAS}
    entrywise = [*defaults.items(), ("cos", ()), ("exp", ()), ("gelu", ("tanh",))]
    steps = [Activate(Value(f"o{k}", 3), X, name, tuple(args)) for k, (name, args) in enumerate(entrywise)]
    unused, outputs = Value("u", 1), [step.output for step in steps]
    bare = program([unused], [constant, *steps], outputs)
    expected = tuple(np.array([column]) for column in outcome(bare, [0.0]))
    made = program([unused], [constant, *steps], outputs, self_test=SelfTest((np.zeros((1, 1)),), expected))
    assert (
        run_file([micropython()], tmp_path, write(made)).stdout
        == "policy: 1 of 1 cases of the self-test agree with npnets\n"
    )


def test_micropython_computes_an_infinite_exponential(tmp_path: Path) -> None:
    x = Value("x", 1)
    text = write(program([x], [Activate(Value("o", 1), x, "exp")]))
    done = run_file([micropython()], tmp_path, f"{text}\nprint(act([1000.0]))")
    assert done.stdout.splitlines()[-1] == "[inf]"
