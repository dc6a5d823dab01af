"""The whole training step, tested without the rivals: settings, sides, npnets' training, table, files, options."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import ROOT
from benchmarks.learning import problem
from benchmarks.publish import training_blocks
from benchmarks.publish.records import Records
from benchmarks.training import __main__ as program
from benchmarks.training import one_side, sides
from benchmarks.training.npnets_side import Training
from benchmarks.training.problem import ALGORITHMS, CAPACITY, agent_of
from benchmarks.training.table import summed_up, training_table

pytestmark = pytest.mark.numpy_alone("runs the comparison on the CPU, and reads its results")

TIMES = {"npnets": [1.0, 4.0, 2.0], "sbx": [2.0, 4.0, 8.0], "rltools": [0.5, 1.0, 1.0]}
RETURNS = {"npnets": {"untrained": [-1200.0, -1000.0], "trained": [-150.0, -170.0]}}


# -- the task ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_settings_are_such_that_every_rival_can_have_them(algorithm: str) -> None:
    settings = agent_of(algorithm).settings
    rates = {settings.actor_lr, settings.critic_lr, getattr(settings, "temperature_lr", settings.actor_lr)}
    assert len(rates) == 1 and set(settings.hidden_sizes) == {64}  # the rivals have one rate, and RLtools one width
    assert (settings.updates_per_step, settings.batch_size, settings.buffer_size) == (1, 128, CAPACITY)
    assert (agent_of(algorithm).actor.low, agent_of(algorithm).actor.high) in [(-1, 1), (None, None)]


def test_a_training_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problem, "EPISODES", 2)
    at_once, in_parts = Training("td3"), Training("td3")
    at_once.advance(1400)
    for steps in (200, 1000, 200):  # whole episodes: each call begins a new one
        in_parts.advance(steps)
    obs = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    np.testing.assert_array_equal(in_parts.act(obs), at_once.act(obs))
    assert not np.array_equal(at_once.act(obs), Training("td3").act(obs))


def test_a_step_takes_the_processor_time_of_all_steps_divided_by_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        taken = 0

        def advance(self, steps: int) -> None:
            self.taken += steps

    slow = Slow()
    monkeypatch.setattr(one_side.time, "process_time", lambda: 7.0 + 0.25 * slow.taken)
    monkeypatch.setitem(one_side._running, "training", slow)  # type: ignore[arg-type]
    assert one_side.milliseconds(8) == 250.0 and slow.taken == 8


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system cannot hold a process to a core")
def test_a_training_is_held_to_one_core() -> None:
    asked = "from benchmarks.training.one_side import hold_to_one_core; hold_to_one_core()"
    program = f"import os; {asked}; print(len(os.sched_getaffinity(0)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=ROOT, check=True).stdout == b"1\n"


# -- the sides --------------------------------------------------------------------------------------------------------


def test_npnets_is_a_side_for_each_of_its_kernels_and_every_side_has_one_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[Any] = []
    monkeypatch.setattr(sides, "Worker", lambda *given, **named: started.append((given, named)))
    for side in sides.SIDES:
        sides.start(side)
    assert {named["threads"] for _, named in started} == {1}
    kernels = [named["environment"].get("NPNETS_COMPILED") for _, named in started]
    assert kernels == [None, "avx2", "off", None, None, None]
    (_, sbx) = started[list(sides.SIDES).index("sbx")]
    assert "intra_op_parallelism_threads=1" in sbx["environment"]["XLA_FLAGS"]


def test_a_missing_rival_is_an_error_that_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name != "sbx" else True)
    sides.check_installed(["npnets", "sbx"])
    with pytest.raises(SystemExit, match=r"has no rltools; to install: pip install -e '\.\[training\]'; or name"):
        sides.check_installed(["npnets", "sbx", "rltools"])


# -- the table --------------------------------------------------------------------------------------------------------


def test_ratios_are_medians_of_the_ratios_within_rounds() -> None:
    found = summed_up(TIMES, RETURNS)
    assert found["milliseconds"]["npnets"] == {"median": 2.0, "low": 1.5, "high": 3.0}
    assert found["over"] == {
        "npnets": {
            "sbx": {"median": 0.5, "low": 0.375, "high": 0.75},
            "rltools": {"median": 2.0, "low": 2.0, "high": 3.0},
        }
    }


def test_the_table_has_times_returns_and_ratios_with_their_limits() -> None:
    lines = training_table({"sac": summed_up(TIMES, RETURNS)})
    assert lines[1].split() == "npnets 2.000 -1100 +- 100 -160 +- 10".split()
    assert lines[-2:] == [
        "npnets over SBX: 0.50 (0.38 to 0.75), at most 0.5 expected",
        "npnets over RLtools: 2.00 (2.00 to 3.00), at most 3 expected",
    ]


def test_the_published_table_has_a_row_for_each_side_and_a_table_for_each_processor(tmp_path: Path) -> None:
    returns = {side: {"untrained": [-1200.0], "trained": [-150.0]} for side in TIMES}
    algorithms = {"sac": summed_up(TIMES, returns), "td3": summed_up({**TIMES, "sbx": [4.0] * 3}, returns)}
    libraries = {"sbx-rl": "0.28.0", "jax": "0.10.2", "rltools": "2.2.1", "mkl": "2026.2"}
    results = {
        "rounds": 3,
        "steps": 10,
        "kernels": {"npnets": "avx2"},
        "libraries": libraries,
        "algorithms": algorithms,
    }
    for name in ("A", "B"):
        machine = {"processor": name, "instructions": "AVX2"}
        header = {
            "command": "python -m benchmarks.training",
            "date": "today",
            "machine": machine,
            "versions": {"numpy": "2"},
        }
        (tmp_path / f"training-{name}.json").write_text(json.dumps({**header, "results": results}))
    first, second = training_blocks.steps(Records(tmp_path))
    assert first.above == "**A, with AVX2** (3 rounds of 10 steps, ``python -m benchmarks.training``):"
    assert second.above.startswith("**B, with AVX2**") and first.rows == second.rows
    assert first.header == ["", "SAC, ms", "TD3, ms", "AVX2 kernels over it: SAC, TD3", "return, SAC", "return, TD3"]
    scores = ["-150\u00a0±\u00a00"] * 2
    assert first.rows == [
        ["npnets, AVX2 kernels", "2.00", "2.00", "", *scores],
        ["SBX 0.28.0", "4.00", "4.00", "0.50, 0.50", *scores],
        ["RLtools 2.2.1", "1.00", "1.00", "2.00, 2.00", *scores],
    ]


# -- the program ------------------------------------------------------------------------------------------------------


class Scripted:
    """A simulated process, whose steps take a millisecond more each time, and which records its turns."""

    turns: list[str] = []

    def __init__(self, name: str) -> None:
        self.name, self.milliseconds = name, 0.0

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def call(self, **request: Any) -> Any:
        ((what, given),) = request.items()
        if what != "milliseconds":
            return [-1000.0 if what == "begin" else -150.0]
        self.turns.append(self.name)
        self.milliseconds += 1
        return self.milliseconds


def test_sides_take_turns_and_the_results_can_be_shown_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Scripted, "turns", [])
    monkeypatch.setattr(program, "start", Scripted)
    monkeypatch.setattr(program, "kernels_of", lambda chosen: {"npnets": "avx2"})
    given = ["training", "--algorithms", "sac", "--sides", "npnets", "npnets_avx2", "npnets_numpy", "--rounds", "2"]
    monkeypatch.setattr(sys, "argv", [*given, "--out", str(tmp_path)])
    program.main()
    assert Scripted.turns == ["npnets", "npnets"]  # the other sides have the same kernels
    (file,) = tmp_path.iterdir()
    results = json.loads(file.read_text())["results"]
    assert file.stem == program.NAME and results["algorithms"]["sac"]["rounds"] == {"npnets": [1.0, 2.0]}
    assert results["algorithms"]["sac"]["returns"]["npnets"]["trained"] == {"mean": -150.0, "standard_error": 0.0}
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", ["training", "--again", "--out", str(tmp_path)])
    program.main()
    assert "npnets                       1.500          -1000 +- 0           -150 +- 0\n" in capsys.readouterr().out


def test_every_second_round_has_the_sides_in_reverse_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scripted, "turns", [])
    monkeypatch.setattr(program, "start", Scripted)
    program.train("sac", ["npnets", "sbx"], Namespace(rounds=3, steps=5))
    assert Scripted.turns == ["npnets", "sbx", "sbx", "npnets", "npnets", "sbx"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--rounds", "100"], "expected at most 50000 steps in all, got 201500"),
        (["--sides", "sbx"], "expected one of npnets, npnets_avx2, npnets_numpy"),
        (["--algorithms", "ppo"], "invalid choice: 'ppo'"),
        (["--steps", "0"], "must be at least 1"),
    ],
)
def test_wrong_options_are_an_error_in_words(given: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        program.parse_options(given)
    assert ended.value.code == 2 and words in capsys.readouterr().err
