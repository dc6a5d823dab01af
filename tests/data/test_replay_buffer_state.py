"""A buffer that is restored from a checkpoint goes on bit for bit; a state that was changed is an error."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npnets import checkpoint, data
from npnets.data import Transitions

pytestmark = pytest.mark.numpy_alone("a replay buffer is in NumPy's arrays")


def batch(rng: np.random.Generator, n: int) -> Transitions:
    floats = [rng.normal(size=shape).astype(np.float32) for shape in ((n, 3), (n, 2), (n,), (n, 3))]
    return Transitions(*floats, terminated=rng.random(n) < 0.5)


def going_on(buffer: data.ReplayBuffer, rng: np.random.Generator) -> list[bytes]:
    """Add and draw with one generator, and return everything that was drawn, and the rows."""
    found = []
    for number in (1, 3, 2, 5):
        found.append(buffer.add(*batch(rng, number)).tobytes())
        found += [array.tobytes() for array in buffer.sample(rng, 16)]
    return [*found, repr(rng.bit_generator.state).encode()]


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize("generator", [np.random.PCG64, np.random.Philox, np.random.MT19937])
@pytest.mark.parametrize("added", [0, 3, 7, 18])
def test_a_buffer_and_a_generator_from_a_file_go_on_bit_for_bit(
    tmp_path: Path, suffix: str, generator: Any, added: int
) -> None:
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    rng = np.random.Generator(generator(5))
    buffer, path = data.ReplayBuffer(7), tmp_path / f"run{suffix}"
    for _ in range(added):
        buffer.add(*batch(rng, 1))
    checkpoint.save(path, {"buffer": buffer.state(), "rng": rng.bit_generator.state})
    expected = going_on(buffer, rng)

    loaded = checkpoint.load(path).params
    again = np.random.Generator(generator())
    again.bit_generator.state = loaded["rng"]
    assert going_on(data.ReplayBuffer.from_state(loaded["buffer"]), again) == expected


@given(st.integers(1, 6), st.lists(st.integers(0, 6), max_size=6), st.booleans())
def test_the_state_of_a_restored_buffer_is_the_state_that_it_was_made_of(
    capacity: int, sizes: list[int], check_finite: bool
) -> None:
    buffer, rng = data.ReplayBuffer(capacity, check_finite=check_finite), np.random.default_rng(0)
    for size in sizes:
        buffer.add(*batch(rng, min(size, capacity)))
    state = buffer.state()
    again = data.ReplayBuffer.from_state(state).state()
    assert repr(again) == repr(state)
    if state["arrays"] is not None:
        assert [x.tobytes() for x in again["arrays"].values()] == [x.tobytes() for x in state["arrays"].values()]


def test_settings_are_restored_too() -> None:
    buffer = data.ReplayBuffer(7, (3,), obs_dtype=np.float32, check_finite=False)
    for one in (buffer, data.ReplayBuffer.from_state(buffer.state())):
        with pytest.raises(ValueError, match=r"obs must have shape \(2, 3\)"):
            one.add(np.zeros((2, 4)), np.zeros((2, 1)), np.zeros(2), np.zeros((2, 4)), [False, False])
        one.add(np.full((2, 3), np.nan), np.zeros((2, 1)), np.zeros(2), np.zeros((2, 3)), [False, False])
        assert one.take([0]).obs.dtype == np.float32
    again = data.ReplayBuffer.from_state(buffer.state())
    again.add(np.zeros((1, 3)), np.zeros((1, 1)), np.zeros(1), np.zeros((1, 3)), [False])  # float64 is rounded still
    assert len(again) == 3


def test_a_restored_buffer_does_not_share_memory_with_the_state() -> None:
    buffer = data.ReplayBuffer(4)
    buffer.add(*batch(np.random.default_rng(0), 4))
    state = buffer.state()
    again = data.ReplayBuffer.from_state(state)
    state["arrays"]["obs"][:] = 0
    assert (again.take([0]).obs == buffer.take([0]).obs).all()


def test_rows_that_were_never_filled_are_not_saved() -> None:
    buffer = data.ReplayBuffer(1_000_000)
    buffer.add(*batch(np.random.default_rng(0), 4))
    assert {name: len(array) for name, array in buffer.state()["arrays"].items()} == dict.fromkeys(
        Transitions._fields, 4
    )


def test_a_file_that_was_cut_off_is_an_error_that_begins_with_its_path(tmp_path: Path) -> None:
    buffer, path = data.ReplayBuffer(4), tmp_path / "run.npz"
    buffer.add(*batch(np.random.default_rng(0), 4))
    checkpoint.save(path, {"buffer": buffer.state()})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(checkpoint.CheckpointError, match=re.escape(str(path))):
        checkpoint.load(path)


CHANGES: dict[str, tuple[Any, str]] = {
    "a list": (lambda s: [], "state must be a dict with capacity, added"),
    "the tree around it": (lambda s: {"buffer": s}, r"state must be a dict with .*, but is \['buffer'\]"),
    "no capacity": (lambda s: s.pop("capacity"), "state must be a dict with capacity"),
    "capacity": (lambda s: s.update(capacity=0), "capacity must be at least 1"),
    "a capacity that is text": (lambda s: s.update(capacity="7"), "capacity must be an integer"),
    "added": (lambda s: s.update(added=3), r"obs must have shape \(3, 3\) .* but has \(4, 3\)"),
    "negative": (lambda s: s.update(added=-1), "added must be at least 0"),
    "check_finite": (lambda s: s.update(check_finite=1), "check_finite must be True or False, but is 1"),
    "no arrays": (lambda s: s.update(arrays=None), "4 transitions were added, and there are no arrays"),
    "a missing column": (lambda s: s["arrays"].pop("obs"), "arrays must be a dict with obs, action"),
    "a missing form": (lambda s: s["columns"].pop("obs"), "columns must be a dict with obs, action"),
    "a shape": (lambda s: s["columns"]["action"].update(shape=[3]), r"action must have shape \(4, 3\)"),
    "a shape of text": (lambda s: s["columns"]["action"].update(shape="x"), "shape must be an integer"),
    "a dtype": (lambda s: s["columns"]["reward"].update(dtype="float64"), "reward must have shape .* float64, but"),
    "no dtype": (lambda s: s["columns"]["reward"].update(dtype="frobnicate"), "frobnicate"),
    "two forms": (lambda s: s["columns"]["obs"].update(shape=[4]), "obs and next_obs have two forms"),
    "wide flags": (lambda s: s["columns"]["terminated"].update(dtype="float64"), "terminated is not one bool"),
    "whole rewards": (lambda s: s["columns"]["reward"].update(dtype="int64"), "or reward not one float"),
    "many rewards": (lambda s: s["columns"]["reward"].update(shape=[2]), "or reward not one float"),
    "rounds": (lambda s: s["columns"]["obs"].update(rounds=None), "columns.obs.rounds must be True or False"),
    "flags that are numbers": (
        lambda s: s["arrays"].update(terminated=np.zeros(4)),
        r"terminated must have shape \(4,\) and dtype bool, but has \(4,\) and float64",
    ),
    "no array": (lambda s: s["arrays"].update(obs=3), "obs must have shape .* but has None and None"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_state_that_was_changed_is_an_error_that_says_where(name: str) -> None:
    buffer = data.ReplayBuffer(7)
    buffer.add(*batch(np.random.default_rng(0), 4))
    change, words = CHANGES[name]
    state = copy.deepcopy(buffer.state())
    changed = change(state)
    with pytest.raises(ValueError, match=words):
        data.ReplayBuffer.from_state(changed if name in ("a list", "the tree around it") else state)
