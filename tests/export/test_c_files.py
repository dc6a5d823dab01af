"""Headers of C, compiled without a warning, compute what npnets does, and are as small as they claim."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_files import Library, calls, compile_in, texts_of, where_sizes_are_known
from exported_cases import EXPORTED, program

import npnets
from npnets.export.c.header import write
from npnets.export.c.literals import literal
from npnets.export.program import Activate, Clip, Linear, Normalize, Port, Program, SelfTest, Value
from npnets.functional import resolve_activation
from npnets.kernels.activation_formulas import FORMULAS

pytestmark = pytest.mark.numpy_alone("files are written from NumPy's arrays")

TOLERANCE = 1e-5
ACTOR = npnets.Actor(npnets.Net(3, hidden_sizes=(64, 64), activation="tanh"), 1, max_action=2.0)


@cache
def exported() -> list[Program]:
    return [make() for make in EXPORTED.values()]


def by_hand(*operations: Any, inputs: int = 6, name: str = "policy") -> Program:
    x, output = Value("x", inputs), operations[-1].output
    port = Port("out", output, (output.size,))
    return Program(name, "by hand", 0, (Port("obs", x, (inputs,)),), (port,), operations)


def check(library: Library, index: int) -> None:
    """Compare outputs and states after a step with those of npnets, and run the header's own comparison."""
    one = library.programs[index]
    ports = [*one.inputs, *(state.before for state in one.states)]
    found = library.run(index, {port.name: array for port, array in zip(ports, one.self_test.inputs, strict=True)})
    assert len(found) == len(one.self_test.outputs)
    for (name, output), expected in zip(found.items(), one.self_test.outputs, strict=True):
        assert output.shape == expected.shape, name
        tolerance = TOLERANCE * max(1, np.abs(expected).max())
        np.testing.assert_allclose(output, expected, rtol=0, atol=tolerance, err_msg=f"{one.description}: {name}")
    assert library.self_test(index) == 0, one.description


# -- outputs ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gcc", "clang"])
def test_a_header_of_each_kind_computes_what_npnets_does(name: str) -> None:
    library = Library(exported(), (name, "-std=c99", "-O2"))
    for index in range(len(library.programs)):
        check(library, index)


def test_a_self_test_counts_its_wrong_cases() -> None:
    right = program(ACTOR)
    (expected,) = right.self_test.outputs
    changed = expected.copy()
    changed[[1, 4]] += 3e-5 * (1 + np.abs(changed[[1, 4]]))
    changed[6] = np.nan
    wrong = dataclasses.replace(right, self_test=SelfTest(right.self_test.inputs, (changed,)))
    library = Library([right, wrong])
    assert (library.self_test(0), library.self_test(1)) == (0, 3)


def test_every_activation_passes_nan_on_and_agrees_far_out() -> None:
    z = np.array([np.nan, -1e4, -90, -20, -9, -4, -1, -1e-3, -1e-30, 0, 1e-30, 1e-3, 0.5, 1, 4, 9, 20, 90, 1e4], "f")
    x, y = Value("x", len(z)), Value("y", len(z))
    known = {name: resolve_activation(name) for name in FORMULAS}
    library = Library([by_hand(Activate(y, x, name, one.args), inputs=len(z)) for name, one in known.items()])
    for index, (name, activation) in enumerate(known.items()):
        found, expected = library.run(index, {"obs": z[None]})["out"][0], activation(z)
        np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=1e-30, err_msg=name)


def test_bounds_that_float32_cannot_hold_are_rounded_inwards() -> None:
    low, high = np.array([-0.1, 0.1, -np.inf, 1 / 3, -1e300, -1e-300]), np.array([0.1, 0.3, -0.7, np.inf, 1e300, 0])
    output = Value("y", 6)
    library = Library([by_hand(Clip(output, Value("x", 6), low, high))])
    found = library.run(0, {"obs": np.array([[-3e38] * 6, [3e38] * 6])})["out"].astype(np.float64)
    assert (found >= low).all() and (found <= high).all()
    assert np.abs(found[:, [0, 1]] - [[-0.1, 0.1], [0.1, 0.3]]).max() < 1e-7


def test_observations_far_from_zero_are_normalized_as_in_float64() -> None:
    mean, deviation = np.array([1e4 + 1 / 3, -7e5 + 0.01, 2.0, 0.5]), np.array([0.01, 0.2, 1e-300, 1e30])
    library = Library([by_hand(Normalize(Value("y", 4), Value("x", 4), mean, deviation, 10.0), inputs=4)])
    obs = np.array([[1e4, -7e5, 2.0, 3.0], [1e4 + 0.25, -7e5 + 1, 2.5, -1.0]], np.float32)
    expected = np.clip((obs - mean) / deviation, -10, 10)
    np.testing.assert_allclose(library.run(0, {"obs": obs})["out"], expected, rtol=1e-6, atol=1e-6)


def test_weights_of_equal_numbers_and_other_shapes_are_other_constants() -> None:
    x, y, z = Value("x", 6), Value("y", 4), Value("z", 6)
    numbers = np.arange(24.0)
    one = by_hand(Linear(y, x, numbers.reshape(6, 4), None), Linear(z, y, numbers.reshape(4, 6), None))
    found = Library([one]).run(0, {"obs": np.ones((1, 6))})["out"][0]
    np.testing.assert_allclose(found, np.ones(6) @ numbers.reshape(6, 4) @ numbers.reshape(4, 6))


def test_an_episode_of_steps_is_that_of_the_policy() -> None:
    network = npnets.RecurrentActorProb(2, 3, 2, 8, max_action=2.0)
    policy = npnets.Policy(network, network.init(np.random.default_rng(0)))
    library, state = Library([program(policy)]), None
    memory = {"hidden": np.zeros((1, 2, 8)), "cell": np.zeros((1, 2, 8))}
    for obs in np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32):
        expected, state = policy.step(obs, state)
        found = library.run(0, {"obs": obs[None], **memory})
        memory = {name: found[f"next_{name}"] for name in memory}
        np.testing.assert_allclose(found["action"][0], expected, rtol=0, atol=1e-6)


# -- compilers --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("command", ["g++ -std=c++11", "gcc -std=c11 -O3", "clang -std=c99 -O0", "clang++ -std=c++17"])
def test_headers_compile_without_a_warning(command: str, tmp_path: Path) -> None:
    name, *options = command.split()
    some = exported()[:: 1 if "-O3" not in options else 8]
    named = [dataclasses.replace(one, name=f"policy_{index}") for index, one in enumerate(some)]
    source = "".join(map(calls, named)).replace("void call", 'extern "C" void call' if "++" in name else "void call")
    language = ["-x", "c++"] if "++" in name else []
    compile_in(
        tmp_path, [name, *options, *language, "-fsyntax-only" if "-O3" not in options else "-c"], source, texts_of(some)
    )


def test_a_header_can_be_included_twice_and_in_several_files(tmp_path: Path) -> None:
    text = write(dataclasses.replace(program(ACTOR), name="pendulum"))
    (tmp_path / "other.c").write_text(
        '#include "pendulum.h"\nvoid other(const float *o, float *a) { pendulum(o, a); }\n'
    )
    source = """
#include "pendulum.h"
#include "pendulum.h"
void other(const float *, float *);
int main(void)
{
    float obs[PENDULUM_OBS_SIZE] = {0}, one[PENDULUM_ACTION_SIZE], two[PENDULUM_ACTION_SIZE];
    pendulum(obs, one);
    other(obs, two);
    return !(one[0] == two[0]);
}
"""
    compile_in(
        tmp_path, ["gcc", "-std=c99", "-Wno-missing-prototypes", "other.c", "-o", "both"], source, {"pendulum": text}
    )
    assert subprocess.run([tmp_path / "both"], check=False).returncode == 0


def test_a_header_needs_nothing_but_functions_of_mathematics() -> None:
    known = {"expf", "expm1f", "log1pf", "erfcf", "cosf", "sqrtf", "fabsf", "for", "if", "defined"}
    used = set()
    for one in exported():
        code = re.sub(r"/\*.*?\*/", "", write(one), flags=re.DOTALL)
        assert re.findall("#include (.*)", code) == ["<math.h>"]
        used |= {name for name in re.findall(r"\b(\w+)\(", code) if not name.startswith("policy")}
    assert used <= known and {"expf", "sqrtf", "fabsf"} <= used


# -- size -------------------------------------------------------------------------------------------------------------


@where_sizes_are_known
def test_the_stack_of_a_header_is_that_of_two_layers_in_a_row(tmp_path: Path) -> None:
    net = npnets.Net(8, hidden_sizes=(128, 32, 64), activation="tanh", norm_layer="layer_norm")
    one = program(npnets.ActorProb(net, 3, (16,), conditioned_sigma=True))
    compile_in(tmp_path, ["gcc", "-std=c99", "-O2", "-fstack-usage", "-c"], calls(one), {"policy": write(one)})
    usage = (tmp_path / "all.su").read_text()
    assert max(int(line.split("\t")[1]) for line in usage.splitlines()) <= 4 * (128 + 32) + 128
    assert "640 bytes of stack" in write(one)


def test_weights_that_are_used_twice_are_written_once() -> None:
    x, y, z = Value("x", 6), Value("y", 6), Value("z", 6)
    weight, bias = np.random.default_rng(0).normal(size=(6, 6)), np.random.default_rng(1).normal(size=6)
    text = write(by_hand(Linear(y, x, weight, bias), Linear(z, y, weight.copy(), bias)))
    assert text.count("static const float") == 2


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.1, "0.1f"),
        (1, "1.0f"),
        (-0.0, "-0.0f"),
        (1 / 3, "0.33333334f"),
        (1e-5, "1.0e-05f"),
        (16777216.0, "16777216.0f"),
        (3.4e38, "3.4e+38f"),
        (1e39, "INFINITY"),
        (-np.inf, "-INFINITY"),
    ],
)
def test_a_number_has_the_fewest_digits_that_give_the_same_float32(number: float, text: str) -> None:
    with np.errstate(over="ignore"), np.printoptions(legacy="1.13"):
        assert literal(number) == text
        assert text.endswith("INFINITY") or np.float32(text[:-1]) == np.float32(number)


# -- names and comments -----------------------------------------------------------------------------------------------


def test_a_description_cannot_end_the_comment(tmp_path: Path) -> None:
    one = dataclasses.replace(program(ACTOR), description="Actor(*/ int x; /* ) // \\")
    compile_in(tmp_path, ["gcc", "-std=c99", "-fsyntax-only"], calls(one), {"policy": write(one)})


def test_lines_of_a_header_have_at_most_120_characters() -> None:
    for one in exported():
        assert max(map(len, write(one).splitlines())) <= 120, one.description


def test_a_single_index_is_given_by_its_address() -> None:
    assert "static inline void policy(const float obs[POLICY_OBS_SIZE], int *action)" in write(
        EXPORTED["discrete.Actor"]()
    )


def test_the_terms_of_a_sum_stand_below_each_other() -> None:
    x, y = Value("x", 6), Value("y", 4)
    rng = np.random.default_rng(0)
    lines = write(by_hand(Linear(y, x, rng.normal(size=(6, 4)), rng.normal(size=4)))).splitlines()
    (first,) = (number for number, line in enumerate(lines) if line.endswith("out[j] = policy_y_bias[j]"))
    assert {line.index("+") for line in lines[first + 1 : first + 7]} == {lines[first].index("=")}


def test_nothing_is_assigned_to_itself() -> None:
    text = write(program(npnets.RecurrentActorProb(1, 3, 1, hidden_layer_size=16)))
    assert not re.search(r"^ *(\S+) = \1;", text, flags=re.MULTILINE)


@pytest.mark.parametrize("name", ["obs", "action", "state", "right", "i"])
def test_the_name_of_a_variable_is_an_error_with_a_remedy(name: str) -> None:
    with pytest.raises(ValueError, match=f"name='{name}_policy'"):
        write(dataclasses.replace(program(ACTOR), name=name))


@pytest.mark.parametrize("name", ["gcc", "clang", "g++"])
def test_every_other_name_does(name: str, tmp_path: Path) -> None:
    programs = {
        one: dataclasses.replace(program(ACTOR), name=one) for one in ("sum", "j", "buffer_0", "z", "expected", "p")
    }
    language = ["-x", "c++"] if "++" in name else []
    source = "".join(map(calls, programs.values()))
    texts = {one: write(made) for one, made in programs.items()}
    compile_in(tmp_path, [name, *language, "-Wno-missing-declarations", "-fsyntax-only"], source, texts)


@pytest.mark.parametrize("kind", ["Actor", "RecurrentActorProb", "discrete.Actor"])
def test_the_example_in_the_comment_compiles(kind: str, tmp_path: Path) -> None:
    text = write(EXPORTED[kind]())
    lines = [line[2:].strip() for line in text.split("#ifndef")[0].splitlines()]
    begin = lines.index('#include "policy.h"')
    call = next(index for index, line in enumerate(lines) if line.startswith("policy("))
    include, *statements = [line for line in lines[begin : call + 1] if line]
    body = [line.split("//")[0] for line in statements]
    source = "\n".join([include, "int main(void) {", *body, "return 0; }", ""])
    compile_in(tmp_path, ["gcc", "-std=c99", "-o", "example"], source, {"policy": text})
    assert subprocess.run([tmp_path / "example"], check=False).returncode == 0
