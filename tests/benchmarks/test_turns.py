"""Sides that take turns: their order, their processes and requests, and the error for a process that ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from counting_side import Cell

from benchmarks.harness import turns
from benchmarks.harness.differences import outcomes
from benchmarks.harness.turns import Ended, Worker, in_turn, take_turns

pytestmark = pytest.mark.numpy_alone("starts processes that return plain numbers")

SUPPORT = Path(__file__).resolve().parents[1] / "support"


@pytest.fixture(autouse=True)
def reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes find the side of the tests."""
    monkeypatch.setenv("PYTHONPATH", str(SUPPORT))


class Scripted:
    """A simulated process, which takes a millisecond more each time, and records its turns."""

    turns: list[tuple[str, str]] = []

    def __init__(self, name: str, threads: int, seconds: float) -> None:
        self.name, self.given, self.microseconds = name, (threads, seconds), 0.0

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def call(self, microseconds: Cell) -> float:
        self.turns.append((self.name, microseconds.workload))
        self.microseconds += 1000
        return self.microseconds


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> type[Scripted]:
    monkeypatch.setattr(Scripted, "turns", [])
    monkeypatch.setattr(turns.time, "sleep", lambda seconds: None)
    return Scripted


def test_every_second_round_has_the_sides_in_reverse_order() -> None:
    assert [in_turn(("a", "b", "c"), index) for index in range(3)] == [
        ("a", "b", "c"),
        ("c", "b", "a"),
        ("a", "b", "c"),
    ]


def test_in_every_round_each_cell_is_timed_on_all_its_sides_one_after_the_other(scripted: type[Scripted]) -> None:
    both, alone = Cell("both", "1"), Cell("alone", "1")
    take_turns(scripted, {both: ("a", "b"), alone: ("b",)}, threads=1, rounds=2, seconds=0.0)
    assert [name for name, cell in scripted.turns if cell == "both"] == ["a", "b", "b", "a", "a", "b"]
    assert [cell for _, cell in scripted.turns] == ["both", "both", "alone"] * 3


def test_the_first_round_warms_up_and_its_times_are_dropped(scripted: type[Scripted]) -> None:
    cell = Cell("both", "1")
    times = take_turns(scripted, {cell: ("a", "b")}, threads=1, rounds=3, seconds=0.0)
    assert times == {cell: {"a": [2000, 3000, 4000], "b": [2000, 3000, 4000]}}


def surroundings(threads: int | None, *names: str) -> Any:
    with Worker("counting_side", "counting", threads) as worker:
        return worker.call(surroundings={"names": names})


def test_a_process_gets_its_number_of_threads_and_nothing_that_slows_openblas_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("KEPT", "1")
    found = surroundings(2, *turns.THREADS, *turns.FORCED, "KEPT")
    assert [found[name] for name in turns.THREADS] == ["2", "2", "2"]
    assert {found[name] for name in turns.FORCED} == {None} and found["KEPT"] == "1"


def test_a_process_gets_its_own_variables_which_win_over_those_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPNETS_COMPILED", "baseline")
    with Worker("counting_side", "counting", environment={"NPNETS_COMPILED": "avx2"}) as worker:
        assert worker.call(surroundings={"names": ["NPNETS_COMPILED"]}) == {"NPNETS_COMPILED": "avx2"}


def test_without_a_number_of_threads_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert surroundings(None, "OMP_NUM_THREADS") == {"OMP_NUM_THREADS": "7"}


def test_outcomes_come_back_by_size_workload_and_name() -> None:
    cells = [Cell("one", "32"), Cell("three", "64x2")]
    with Worker("counting_side", "counting") as worker:
        found = outcomes(lambda file: worker.call(outcomes=(file, cells)))
    assert {name: int(array[0]) for name, array in found.items()} == {"32/one/length": 3, "64x2/three/length": 5}
    assert all(isinstance(array, np.ndarray) for array in found.values())


def test_a_process_that_ends_is_an_error_with_its_name_and_status() -> None:
    with pytest.raises(Ended, match="^error: the one that breaks ended with status 7; its error is printed above$"):
        with Worker("counting_side", "the one that breaks") as worker:
            worker.call(microseconds=Cell("break", "1"))
