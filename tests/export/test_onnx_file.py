"""An ONNX file as its readers see it: its encoding, its names and shapes, and what it says about itself."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx_runs import INSTALLED, port, program_of, run, session

import npnets
from npnets.export.onnx import wire, write
from npnets.export.onnx.self_test import onnx_self_test
from npnets.export.program import Activate, Argmax, Constant, Linear, Operation, Program, SelfTest, State, Value

pytestmark = pytest.mark.numpy_alone("files are written from NumPy's arrays")


def small_program() -> Program:
    """A program with inputs and outputs of every kind, whose observation and action have two axes."""
    rng = np.random.default_rng(0)
    obs, hidden = Value("x", 6), Value("h", 4)
    first, second, shared = Value("first", 4), Value("second", 4), rng.normal(size=(6, 4))
    operations: list[Operation] = [
        Linear(first, obs, shared, rng.normal(size=4)),
        Linear(second, obs, shared, None),
        Activate(Value("y", 4), first, "tanh"),
        Argmax(Value("best", 2, "index"), Value("y", 4)),
        Constant(Value("deviation", 4), np.full(4, 0.5)),
    ]
    outputs = [
        port(Value("y", 4), "action", (2, 2)),
        port(Value("best", 2, "index"), "index"),
        port(Value("deviation", 4), "sigma"),
    ]
    states = (State(port(hidden, "hidden", (2, 2)), port(second, "hidden", (2, 2))),)
    return program_of(operations, [port(obs, "obs", (2, 3))], outputs, states)


# -- protobuf ---------------------------------------------------------------------------------------------------------


@given(st.integers(-(2**63), 2**63 - 1))
@example(0)
@example(127)
@example(128)
@example(300)
@example(-1)
def test_a_varint_holds_seven_bits_a_byte_the_lowest_first(number: int) -> None:
    encoded = wire.varint(number)
    decoded = sum((byte & 127) << (7 * place) for place, byte in enumerate(encoded))
    assert decoded == number % 2**64
    assert [byte >> 7 for byte in encoded] == [1] * (len(encoded) - 1) + [0]
    assert len(encoded) == 1 or encoded[-1] != 0


def test_fields_are_encoded_as_in_the_examples_of_protobuf() -> None:
    assert wire.integer(1, 150) == bytes.fromhex("089601")
    assert wire.content(2, "testing") == bytes.fromhex("120774657374696e67")
    assert wire.content(3, wire.integer(1, 150)) == bytes.fromhex("1a03089601")
    assert wire.number(20, 0.5) == bytes.fromhex("a501") + struct.pack("<f", 0.5)


def test_the_package_onnx_finds_no_fault_in_a_file() -> None:
    onnx = pytest.importorskip("onnx", reason="needs onnx, which the extra `test` installs")
    model = onnx.load_from_string(write(small_program()))
    onnx.checker.check_model(model, full_check=True)
    assert (model.ir_version, model.opset_import[0].version) == (7, 13)
    assert (model.producer_name, model.producer_version) == ("npnets", npnets.__version__)
    assert model.graph.name == "policy"


# -- names and shapes -------------------------------------------------------------------------------------------------


def test_inputs_and_outputs_have_their_names_types_and_shapes_behind_a_free_batch_axis() -> None:
    opened = session(write(small_program()))
    inputs = {x.name: (x.type, x.shape) for x in opened.get_inputs()}
    outputs = {x.name: (x.type, x.shape) for x in opened.get_outputs()}
    floats, integers = "tensor(float)", "tensor(int64)"
    assert inputs == {"obs": (floats, ["batch", 2, 3]), "hidden": (floats, ["batch", 2, 2])}
    assert outputs == {
        "action": (floats, ["batch", 2, 2]),
        "index": (integers, ["batch", 2]),
        "sigma": (floats, ["batch", 4]),
        "next_hidden": (floats, ["batch", 2, 2]),
    }


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_a_row_of_a_batch_is_what_it_is_alone(rows: int) -> None:
    rng = np.random.default_rng(0)
    file = write(small_program())
    inputs = {"obs": rng.normal(size=(rows, 2, 3)), "hidden": rng.normal(size=(rows, 2, 2))}
    together = run(file, inputs)
    assert {len(array) for array in together.values()} == {rows}
    for row in range(rows):
        alone = run(file, {name: array[row : row + 1] for name, array in inputs.items()})
        for name, array in alone.items():
            np.testing.assert_allclose(array[0], together[name][row], rtol=1e-6)


def test_values_named_as_inputs_and_outputs_of_the_file_are_kept_apart() -> None:
    obs, action = Value("action", 2), Value("obs", 2)
    program = program_of([Activate(action, obs, "exp")], [port(obs, "obs")], [port(action, "action")])
    found = run(write(program), {"obs": np.array([[0.0, 1.0]])})
    np.testing.assert_allclose(found["action"], np.exp([[0.0, 1.0]]), rtol=1e-6)


def test_a_value_may_be_put_out_twice_and_so_may_an_input() -> None:
    obs = Value("x", 2)
    found = run(write(program_of([], [port(obs)], [port(obs, "first"), port(obs, "second")])), {"x": np.ones((3, 2))})
    assert (found["first"] == 1).all() and (found["second"] == 1).all()


def test_an_array_that_is_used_twice_is_in_the_file_once() -> None:
    rng = np.random.default_rng(0)
    x, weight = Value("x", 50), rng.normal(size=(50, 50)).astype(np.float32)

    def size(second: NDArray[Any]) -> int:
        operations: list[Operation] = [
            Linear(Value("y", 50), x, weight, None),
            Linear(Value("z", 50), Value("y", 50), second, None),
        ]
        return len(write(program_of(operations, [port(x)], [port(Value("z", 50))])))

    assert size(weight) < weight.nbytes + 1000
    assert size(weight.copy()) > 2 * weight.nbytes


# -- metadata ---------------------------------------------------------------------------------------------------------


def test_a_file_says_what_it_is_and_holds_its_self_test() -> None:
    obs, action = Value("x", 2), Value("y", 2)
    program = Program(
        "my_policy",
        "Net(2)",
        7,
        (port(obs, "obs"),),
        (port(action, "action", (2, 1)),),
        (Activate(action, obs, "exp"),),
        self_test=SelfTest((np.array([[0.1, 1.0]], np.float32),), (np.array([[[2.5], [0.3]]]),)),
    )
    metadata = session(write(program)).get_modelmeta().custom_metadata_map
    cases = json.loads(metadata.pop("self_test"))
    assert cases.pop("allowed_errors") == {"action": pytest.approx(2.5e-5)}
    assert cases == {"inputs": {"obs": [[0.1, 1.0]]}, "outputs": {"action": [[[2.5], [0.3]]]}}
    assert metadata == {
        "name": "my_policy",
        "description": "Net(2)",
        "parameters": "7",
        "npnets_version": npnets.__version__,
    }


def test_the_self_test_counts_the_cases_of_which_an_output_is_wrong(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason=INSTALLED)
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(4, 2, 3)), rng.normal(size=(4, 2, 2))
    program = small_program()
    found = run(write(program), {"obs": inputs[0], "hidden": inputs[1]})
    path = tmp_path / "policy.onnx"

    def wrong_cases(**changed: NDArray[Any]) -> int:
        outputs = tuple(changed.get(name, array) for name, array in found.items())
        path.write_bytes(write(replace(program, self_test=SelfTest(inputs, outputs))))
        return onnx_self_test(path)

    step = np.zeros((4, 2, 2))
    step[[1, 3]] = 2e-5
    assert wrong_cases() == 0
    assert wrong_cases(action=found["action"] + step) == 2
    assert wrong_cases(action=found["action"] + step / 4) == 0
    assert wrong_cases(next_hidden=found["next_hidden"] * np.nan) == 4
    assert wrong_cases(index=found["index"] + np.array([[0, 0], [0, 0], [0, 1], [0, 0]])) == 1


def test_a_file_of_another_origin_has_no_self_test(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason=INSTALLED)
    path = tmp_path / "policy.onnx"
    path.write_bytes(write(small_program()).replace(b"self_test", b"none_here"))
    with pytest.raises(ValueError, match="holds no self-test"):
        onnx_self_test(path)


@pytest.mark.parametrize("content", [b"", b"int main(void) { return 0; }"])
def test_a_file_that_is_no_model_is_refused_by_its_name(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("onnxruntime", reason=INSTALLED)
    (tmp_path / "policy.h").write_bytes(content)
    with pytest.raises(ValueError, match=r"policy\.h' is no ONNX model that onnxruntime can open: "):
        onnx_self_test(tmp_path / "policy.h")


def test_equal_programs_give_equal_files() -> None:
    assert write(small_program()) == write(small_program())
