"""The measurement of exported C: what it compiles, counts and shows."""

from __future__ import annotations

import json
import shutil
from argparse import Namespace
from pathlib import Path

import pytest

from benchmarks.export import __main__ as program
from benchmarks.export import compilers
from benchmarks.export.compilers import HERE, THERE, Compiler, check_installed, flash
from benchmarks.export.cortex_m4 import QEMU, instructions
from benchmarks.export.policies import POLICIES, Written, caller, written
from benchmarks.harness.record import Record
from benchmarks.publish import export_blocks
from benchmarks.publish.records import Records

pytestmark = pytest.mark.numpy_alone("compiles C")

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc on this machine")
needs_cross_compiler = pytest.mark.skipif(
    not all(map(shutil.which, (THERE["-O2"].command[0], QEMU[0]))),
    reason="there is no arm-none-eabi-gcc, or no qemu-system-arm, on this machine",
)
needs_all = pytest.mark.skipif(
    not all(map(shutil.which, (*(one.command[0] for one in (*HERE.values(), *THERE.values())), QEMU[0]))),
    reason="the measurement needs gcc, clang, arm-none-eabi-gcc and qemu-system-arm",
)


def ready(policy: Written, folder: Path) -> None:
    (folder / "act.c").write_text(caller(policy), encoding="utf-8")


@needs_cross_compiler
def test_the_counted_instructions_grow_with_the_layers(tmp_path: Path) -> None:
    counts, products = {}, {"3-64-64-1, relu": 4352, "17-256-256-6, relu": 71424}
    for name in products | dict.fromkeys(["3-64-64-1, tanh"]):
        ready(written(name, tmp_path), tmp_path)
        counts[name] = instructions(THERE["-O2"], tmp_path)
    assert all(3 * number < counts[name] < 5 * number for name, number in products.items())
    assert counts["3-64-64-1, relu"] < counts["3-64-64-1, tanh"] < 2 * counts["3-64-64-1, relu"]


@needs_cross_compiler
def test_a_known_loop_is_counted_exactly(tmp_path: Path) -> None:
    loop = '__asm__ volatile("mov r2, #500\\n1: subs r2, #1\\n bne 1b" ::: "r2", "cc");'
    head = "void act(const float *obs, float *action)"
    (tmp_path / "act.c").write_text(f"{head};\n{head} {{ {loop} action[0] = obs[0]; }}\n#define KIND float\n")
    assert 1000 <= instructions(THERE["-O2"], tmp_path) <= 1040


@needs_gcc
def test_flash_counts_code_and_constants(tmp_path: Path) -> None:
    policy = written("3-64-64-1, relu", tmp_path)
    ready(policy, tmp_path)
    assert policy.parameters == 4481
    assert 4 * 4480 < flash(Compiler(("gcc", "-O2")), tmp_path) < 4 * 4481 + 2048


@needs_all
@pytest.mark.slow
def test_the_results_of_a_policy_are_written_and_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "LSTM of 64, 3 to 1"
    program.measure(Record(program.NAME, tmp_path), Namespace(policies=[name], blocks=2))
    results = json.loads((tmp_path / f"{program.NAME}.json").read_text())["results"]
    one = results["policies"][name]
    assert set(one["microseconds"]) == {"npnets", *HERE} and min(one["microseconds"].values()) > 0
    assert one["instructions"]["-O2"] > one["parameters"]
    assert f"{one['parameters']} " in "\n".join(program.table(results["policies"]))
    (table,) = export_blocks.exported_c(Records(tmp_path))
    assert table.rows[0][:2] == [name, f"{one['parameters']:,}"] and len(table.rows[0]) == len(table.header)


def test_a_missing_program_is_named_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilers.shutil, "which", lambda name: None if name == "clang" else name)
    with pytest.raises(SystemExit, match="needs clang; on Debian: apt-get install gcc clang"):
        check_installed("gcc", "clang")


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_is_called_with_the_arguments_of_its_header(name: str, tmp_path: Path) -> None:
    policy = written(name, tmp_path)
    assert ("&state" in caller(policy)) == policy.is_recurrent == name.startswith("LSTM")
    assert ("int *action" in caller(policy)) == name.startswith("4-64-64")
