"""The size and speed of exported C: time on this processor, flash, stack and instructions on a Cortex-M4.

    python -m benchmarks.export              # prints a table, writes export-PROCESSOR.json to runs/benchmarks
    python -m benchmarks.export --quick
    python -m benchmarks.export --again

Each policy has random parameters. Its header is compiled alone, without `-ffast-math`. A time is the least mean over
blocks of 200 actions, which a busy machine disturbs least; that of npnets is of `Policy.act`, or `step`, from Python
on one thread. Flash is the code and constants of the object file, without the functions of `math.h` that it calls.
Instructions are counted in QEMU, those of `math.h` too.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import npnets
from benchmarks.export.compilers import HERE, THERE, check_installed, flash, stack
from benchmarks.export.cortex_m4 import QEMU, instructions
from benchmarks.export.desktop import microseconds
from benchmarks.export.policies import POLICIES, Written, caller, written
from benchmarks.harness.clock import HostClock, time_block
from benchmarks.harness.options import parse
from benchmarks.harness.processor import instructions as best_instructions
from benchmarks.harness.processor import slug
from benchmarks.harness.record import Record, measure_and_show
from examples.shared.command_line import at_least

NAME = f"export-{slug(npnets.about()['processor'], best_instructions())}"

Found = dict[str, Any]


def measure(record: Record, options: argparse.Namespace) -> None:
    """Measure every policy, and write the results after each."""
    check_installed(*(compiler.command[0] for compiler in (*HERE.values(), *THERE.values())), QEMU[0])
    found: dict[str, Found] = {}
    for name in options.policies:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = measured(written(name, Path(folder)), Path(folder), options.blocks)
        record.write({"blocks": options.blocks, "policies": found})


def measured(policy: Written, folder: Path, blocks: int) -> Found:
    """Return the sizes and times of one policy, whose header is in a folder."""
    (folder / "act.c").write_text(caller(policy), encoding="utf-8")
    times = {name: round(microseconds(compiler, folder, blocks), 3) for name, compiler in HERE.items()}
    return {
        "parameters": policy.parameters,
        "microseconds": {"npnets": round(_python(policy, blocks), 2), **times},
        "flash": {name: flash(compiler, folder) for name, compiler in {**HERE, **THERE}.items()},
        "stack": {name: stack(compiler, folder) for name, compiler in THERE.items()},
        "instructions": {name: instructions(compiler, folder) for name, compiler in THERE.items()},
    }


def _python(policy: Written, blocks: int) -> float:
    """Return the least mean microseconds of an action of npnets."""
    obs = np.zeros(policy.policy.network.state_shape if policy.is_recurrent else _width(policy), np.float32)
    _, state = policy.policy.step(obs, None) if policy.is_recurrent else (None, None)
    call = (lambda: policy.policy.step(obs, state)) if policy.is_recurrent else (lambda: policy.policy.act(obs))
    with npnets.threads(1):
        return min(time_block(call, 200, HostClock()).wall for _ in range(max(1, blocks // 20)))


def _width(policy: Written) -> Any:
    return policy.policy.network.preprocess_net.state_shape


def table(found: dict[str, Found]) -> list[str]:
    """Return the lines: a row for each policy."""
    columns = ["parameters", *(f"us, {name}" for name in ("npnets", *HERE)), "flash", "stack", "instructions"]
    rows = [
        [
            str(one["parameters"]),
            *(f"{one['microseconds'][name]:.2f}" for name in ("npnets", *HERE)),
            str(one["flash"]["-O2"]),
            str(one["stack"]["-O2"]),
            str(one["instructions"]["-O2"]),
        ]
        for one in found.values()
    ]
    lines = [f"{'':<28}" + "".join(f"{name:>{len(name) + 3}}" for name in columns)]
    for name, row in zip(found, rows, strict=True):
        cells = (f"{cell:>{len(column) + 3}}" for cell, column in zip(row, columns, strict=True))
        lines.append(f"{name:<28}" + "".join(cells))
    return [*lines, "", "flash, stack and instructions: on a Cortex-M4 at -O2"]


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.export", description="Measure exported C.")
    parser.add_argument(
        "--policies", nargs="+", choices=POLICIES, default=list(POLICIES), metavar="POLICY", help="default: all"
    )
    parser.add_argument("--blocks", type=at_least(1), help="blocks of 200 actions; default: 10000")
    return parse(parser, {"blocks": 10000}, {"blocks": 50}, arguments)


def main() -> None:
    """Read the command line and run."""
    measure_and_show(NAME, parse_options(), measure, lambda found, _: print(*table(found["policies"]), sep="\n"))


if __name__ == "__main__":
    main()
