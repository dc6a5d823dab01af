"""Headers of C on a Cortex-M4 compute what npnets does, and take little of its flash."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import numpy as np
import pytest
from c_files import calls, compile_in, compiler, texts_of, where_sizes_are_known
from exported_cases import EXPORTED, program
from microcontroller import GCC, PROCESSOR, build, run

import npnets
from npnets.export.c.header import write
from npnets.export.program import Program, SelfTest

pytestmark = pytest.mark.numpy_alone("files are written from NumPy's arrays")

BEYOND_WEIGHTS = 2048
"""Bytes of flash that a policy may take beside 4 for each parameter."""


@pytest.mark.slow
def test_headers_compute_on_a_cortex_m4_what_npnets_does(tmp_path: Path) -> None:
    texts = texts_of(make() for make in EXPORTED.values())
    assert run(build(texts, tmp_path, ("-Os",))) == (0, "")


def test_a_wrong_output_is_found_on_a_cortex_m4(tmp_path: Path) -> None:
    right = program(npnets.Actor(npnets.Net(3, hidden_sizes=(8,)), 1))
    wrong = dataclasses.replace(right, self_test=SelfTest(right.self_test.inputs, (right.self_test.outputs[0] + 1e-4,)))
    assert run(build(texts_of([right, wrong]), tmp_path)) == (1, "policy_1\n")


@where_sizes_are_known
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_an_actor_takes_four_bytes_a_parameter_and_two_kilobytes(activation: str, tmp_path: Path) -> None:
    net = npnets.Net(3, hidden_sizes=(64, 64), activation=activation)
    actor = npnets.Actor(net, 1, max_action=2.0)
    one = program(actor, actor.init(np.random.default_rng(0)))
    for command, measure in ((("gcc",), "size"), ((GCC, *PROCESSOR), "arm-none-eabi-size")):
        size = flash(command, measure, one, tmp_path)
        assert size <= 4 * 4481 + BEYOND_WEIGHTS, command


@pytest.mark.slow
@where_sizes_are_known
def test_a_network_of_every_kind_takes_four_bytes_a_parameter_and_two_kilobytes(tmp_path: Path) -> None:
    beyond = {}
    for name, make in EXPORTED.items():
        one = make()
        size = flash((GCC, *PROCESSOR), "arm-none-eabi-size", one, tmp_path, "-Os")
        beyond[name] = size - 4 * one.parameters
    assert {name: size for name, size in beyond.items() if size > BEYOND_WEIGHTS} == {}


def flash(command: tuple[str, ...], measure: str, one: Program, folder: Path, level: str = "-O2") -> int:
    """Return the bytes of code and constants of an object file that calls a header's function."""
    bare = dataclasses.replace(one, self_test=SelfTest((), ()))
    compile_in(folder, [*command, "-std=c99", level, "-c"], calls(bare), {"policy": write(bare)})
    sizes = subprocess.run([compiler(measure), "all.o"], cwd=folder, capture_output=True, text=True, check=True)
    text, data, _, *_ = map(int, sizes.stdout.splitlines()[1].split()[:3])
    return text + data
