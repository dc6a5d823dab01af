"""Counts of instructions and Python calls: no call makes more Python calls than held, and a rise needs a reason."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from benchmarks.counts import __main__ as program
from benchmarks.counts import base, held, measure
from benchmarks.counts.__main__ import python_calls
from benchmarks.counts.counted import python_calls as counted

pytestmark = pytest.mark.numpy_alone("counts in processes of its own")

HELD: held.Held = {"step": {"count": 100}, "draw": {"count": 50, "before": 40, "reason": "a new check"}}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 runs other functions than newer releases")
def test_no_call_makes_more_python_calls_than_held() -> None:
    there = held.read()["python_calls"]
    assert {kernels: held.risen(there[kernels], counts) for kernels, counts in python_calls()} in (
        {"NumPy": []},
        {"NumPy": [], "compiled": []},
    )


def test_a_count_that_grows_by_more_than_a_twentieth_is_found_and_one_that_falls_by_as_much_is_named() -> None:
    assert held.risen(HELD, {"step": 105, "draw": 10}) == []
    assert held.risen(HELD, {"step": 106, "draw": 50}) == ["step: 106 in place of 100 (1.06 times)"]
    assert held.fallen(HELD, {"step": 95, "draw": 50}) == ["step"] and held.fallen(HELD, {"step": 96}) == []


def test_a_call_for_which_nothing_is_held_is_found() -> None:
    assert held.risen(HELD, {"new": 3}) == ["new: 3, and no count is held"]


def test_a_count_rises_only_with_a_reason_which_stands_beside_it_until_it_falls() -> None:
    with pytest.raises(held.Unexplained, match="step: 120 in place of 100"):
        held.updated(HELD, {"step": 120, "draw": 50}, "")
    risen = held.updated(HELD, {"step": 120, "draw": 51}, "checks shapes")
    assert risen == {"step": {"count": 120, "before": 100, "reason": "checks shapes"}, "draw": HELD["draw"]}
    assert held.updated(risen, {"step": 90, "draw": 51}, "") == {"step": {"count": 90}, "draw": HELD["draw"]}


def test_every_held_count_that_rose_has_its_reason() -> None:
    there = held.read()
    entries = [*there["python_calls"].values(), *(one["calls"] for one in there["instructions"])]
    counts = [count for calls in entries for count in calls.values()]
    assert counts and all(count["count"] > 0 for count in counts)
    assert all(count["reason"] and count["count"] > count["before"] for count in counts if len(count) > 1)


def test_instructions_of_other_versions_are_not_compared_and_the_difference_is_named() -> None:
    there: dict[str, Any] = {"instructions": [{"versions": {"numpy": "2.0", "python": "3.11"}, "calls": HELD}]}
    assert held.entry(there, {"numpy": "2.0", "python": "3.11"}) == HELD
    other = {"numpy": "2.1", "python": "3.11"}
    assert held.entry(there, other) is None
    assert held.differing(there, other) == "numpy 2.1 (held: 2.0)"


def test_a_rise_over_a_commit_is_explained_by_a_reason_that_the_commit_lacks() -> None:
    there: dict[str, Any] = {"python_calls": {"NumPy": HELD}, "instructions": []}
    assert base.reasons(there) == {("draw", "a new check")}
    assert base.reasons({**there, "python_calls": {}}) == set()


def test_python_calls_are_those_of_functions_outside_numpy() -> None:
    def inner() -> list[int]:
        return [number for number in range(3)]

    def outer() -> None:
        inner()
        inner()

    assert counted(outer) == 3


def test_instructions_of_a_part_are_read_from_the_file_of_callgrind(tmp_path: Any) -> None:
    file = tmp_path / "counts.1"
    file.write_text("# callgrind format\nevents: Ir\nsummary: 7\ntotals: 1234\n", encoding="utf-8")
    assert measure._total(file) == 1234


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Let a machine count these instructions and no Python calls; hold `HELD` for its versions."""
    found = {"step": 100, "draw": 50}
    there = {"python_calls": {}, "instructions": [{"versions": {"numpy": "2.0"}, "calls": HELD}]}
    monkeypatch.setattr(program, "python_calls", lambda: iter(()))
    monkeypatch.setattr(program, "unable", lambda: "")
    monkeypatch.setattr(held, "read", lambda: there)
    monkeypatch.setattr(measure, "versions", lambda: {"numpy": "2.0"})
    monkeypatch.setattr(measure, "instructions", lambda kernels: found)
    monkeypatch.setattr(sys, "version_info", (3, 13))
    return found


def test_the_check_fails_if_instructions_grow_and_names_the_call(
    counts: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.check("")
    counts["draw"] = 60
    assert not program.check("")
    assert "draw: 60 in place of 50 (1.20 times)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("unable", lambda: "valgrind is not installed", "skipped, because valgrind is not installed"),
        ("versions", lambda: {"numpy": "3.0"}, "skipped, because none are held for numpy 3.0 (held: 2.0)"),
    ],
)
def test_instructions_that_cannot_be_compared_are_skipped_with_the_reason(
    name: str,
    value: Any,
    message: str,
    counts: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    counts["draw"] = 60
    monkeypatch.setattr(program if name == "unable" else measure, name, value)
    assert program.check("") and message in capsys.readouterr().out


@pytest.mark.parametrize("known, same", [({("draw", "a new check")}, False), (set(), True)])
def test_more_instructions_than_in_a_commit_need_a_reason_that_it_does_not_have(
    known: set[tuple[str, str]], same: bool, counts: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "instructions", lambda commit: ({"draw": {"count": 40}}, known))
    assert program.check("abc") is same
