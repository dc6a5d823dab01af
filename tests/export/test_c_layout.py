"""Vectors share memory in C only where nothing is lost: states in place, parts of a whole, outputs that are given."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from c_files import Library
from hypothesis import given, settings
from hypothesis import strategies as st
from program_interpreter import check_outputs, random_inputs

from npnets.export.c.layout import Layout, Place, arrange
from npnets.export.program import (
    Activate,
    Combine,
    Concatenate,
    Constant,
    Linear,
    Lstm,
    Operation,
    Port,
    Program,
    Slice,
    State,
    Value,
)

pytestmark = pytest.mark.numpy_alone("files are written from NumPy's arrays")

OBS = Value("obs", 4)
SIZE = 3


def program(
    operations: list[Operation], outputs: list[Value], after: tuple[Value, Value] | None = None, layers: int = 2
) -> Program:
    """Return a program of an observation, with states of some layers if there are values for them after a step."""
    ports = [(f"out_{index}", value) for index, value in enumerate(outputs)]
    before = [Value(name, layers * SIZE) for name in ("hidden", "cell")]
    states = [] if after is None else list(zip(before, after, strict=True))
    return Program(
        "policy",
        "by hand",
        0,
        (Port("obs", OBS, (OBS.size,)),),
        tuple(Port(name, value, (value.size,)) for name, value in ports),
        tuple(operations),
        tuple(State(*(Port(one.name, value, (layers, SIZE)) for value in (one, new))) for one, new in states),
    )


def layout(made: Program) -> Layout:
    return arrange(made, {op.output.name: "array" for op in made.operations if isinstance(op, Constant)})


@st.composite
def recurrent_programs(draw: st.DrawFn) -> Program:
    """Draw layers in any order, each from an observation, from results, or from parts of the states before the step."""
    layers, rng = draw(st.integers(1, 3)), np.random.default_rng(draw(st.integers(0, 99)))
    hidden, cell = Value("hidden", layers * SIZE), Value("cell", layers * SIZE)
    parts = {state.name: [Value(f"{state.name}_{layer}", SIZE) for layer in range(layers)] for state in (hidden, cell)}
    operations: list[Operation] = [
        Slice(parts[state.name][layer], state, layer * SIZE) for state in (hidden, cell) for layer in range(layers)
    ]
    known = [OBS, hidden, cell, *parts["hidden"], *parts["cell"]]
    new: dict[str, dict[int, Value]] = {"hidden": {}, "cell": {}}
    for layer in draw(st.permutations(range(layers))):
        x, own = draw(st.sampled_from(known)), draw(st.sampled_from([layer, layer, layer, 0]))
        outputs = [Value(f"new_{name}_{layer}", SIZE) for name in ("hidden", "cell")]
        weights = (rng.normal(size=(size, 4 * SIZE)) for size in (x.size, SIZE))
        operations.append(Lstm(*outputs, x, parts["hidden"][own], parts["cell"][own], *weights, None))
        new["hidden"][layer], new["cell"][layer] = outputs
        known += outputs
    after = [Value(f"next_{name}", layers * SIZE) for name in ("hidden", "cell")]
    for whole, name in zip(after, draw(st.permutations(["hidden", "cell"])), strict=True):
        order = draw(st.sampled_from([range(layers), range(layers)[::-1]]))
        operations.append(Concatenate(whole, tuple(new[name][layer] for layer in order)))
    wholes = draw(st.sampled_from([tuple(after), tuple(after), (hidden, cell), (cell, hidden), (after[0], hidden)]))
    results = draw(st.lists(st.sampled_from([*known, *after]), min_size=1, max_size=3))
    return program(operations, results, wholes, layers)


@settings(max_examples=12)
@given(several=st.lists(recurrent_programs(), min_size=4, max_size=16))
def test_states_in_any_order_are_those_of_the_definition(several: list[Program]) -> None:
    library = Library(several)
    for index, one in enumerate(several):
        inputs = random_inputs(one)
        check_outputs(one, inputs, library.run(index, inputs))


def test_the_layers_of_an_lstm_are_updated_in_place() -> None:
    parts = {name: [Value(f"{name}_{layer}", SIZE) for layer in range(2)] for name in ("hidden", "cell")}
    operations: list[Operation] = []
    x, new = OBS, {"hidden": [Value("h0", SIZE), Value("h1", SIZE)], "cell": [Value("c0", SIZE), Value("c1", SIZE)]}
    for layer in range(2):
        hidden, cell = parts["hidden"][layer], parts["cell"][layer]
        operations += [Slice(hidden, Value("hidden", 6), layer * SIZE), Slice(cell, Value("cell", 6), layer * SIZE)]
        output, new_cell = new["hidden"][layer], new["cell"][layer]
        weights = np.ones((x.size, 12)), np.ones((SIZE, 12))
        operations.append(Lstm(output, new_cell, x, hidden, cell, *weights, None))
        x = output
    after = Value("next_hidden", 6), Value("next_cell", 6)
    operations += [Concatenate(after[0], tuple(new["hidden"])), Concatenate(after[1], tuple(new["cell"]))]
    operations.append(Activate(Value("action", SIZE), x, "tanh"))
    found = layout(program(operations, [Value("action", SIZE)], after))
    assert found.places["h1"] == Place("state->hidden", SIZE) and found.places["c0"] == Place("state->cell")
    assert [buffer.size for buffer in found.buffers] == [4 * SIZE] and not found.copies


def test_layers_in_a_row_take_two_buffers_and_the_output_none() -> None:
    sizes, x = (4, 32, 16, 24, 2), OBS
    operations: list[Operation] = []
    for number, (rows, columns) in enumerate(zip(sizes, sizes[1:], strict=False)):
        z, y = Value(f"z{number}", columns), Value(f"y{number}", columns)
        operations += [Linear(z, x, np.ones((rows, columns)), None), Activate(y, z, "relu")]
        x = y
    found = layout(program(operations, [x]))
    assert [buffer.size for buffer in found.buffers] == [32, 16]
    assert found.places["z3"] == found.places["y3"] == Place("out_0")


def test_the_parts_of_a_whole_are_computed_in_it() -> None:
    a, b, whole = Value("a", 4), Value("b", 4), Value("whole", 8)
    operations = [Activate(a, OBS, "relu"), Activate(b, OBS, "tanh"), Concatenate(whole, (b, a))]
    found = layout(program(operations, [whole]))
    assert (found.places["a"], found.places["b"]) == (Place("out_0", 4), Place("out_0"))
    assert found.buffers == []


def test_an_input_that_is_read_again_is_not_overwritten() -> None:
    a, b, total = Value("a", 4), Value("b", 4), Value("total", 4)
    operations = [Activate(a, OBS, "relu"), Activate(b, a, "tanh"), Combine(total, a, b, "add")]
    found = layout(program(operations, [total]))
    assert found.places["a"] != found.places["b"]
    other = layout(program([*operations[:2], dataclasses.replace(operations[2], x=OBS)], [total]))
    assert other.places["a"] == other.places["b"]


def test_a_value_on_the_way_to_a_state_does_not_overwrite_what_is_still_read() -> None:
    hidden, cell = Value("hidden", 4), Value("cell", 4)
    a, b, total = Value("a", 4), Value("b", 4), Value("total", 4)
    operations = [Activate(a, OBS, "tanh"), Activate(b, a, "relu"), Combine(total, b, hidden, "add")]
    one = program(operations, [total], (total, cell), layers=1)
    states = tuple(
        State(Port(name, before, (4,)), Port(name, after, (4,)))
        for name, before, after in (("hidden", hidden, total), ("cell", cell, cell))
    )
    one = dataclasses.replace(one, states=states, outputs=(Port("out_0", b, (4,)),))
    inputs = random_inputs(one)
    check_outputs(one, inputs, Library([one]).run(0, inputs))
    without = dataclasses.replace(one, outputs=())
    assert layout(without).places["total"] == Place("state->hidden") != layout(without).places["b"]
