"""Time of a small network's training step on one thread and on one for each core, alone and under load.

    python -m benchmarks.cpu.blas_threads       # a minute; writes runs/benchmarks/blas_threads.json

A step is the gradient of an actor 17-64-64-6 for 128 rows, and an Adam update. With the NumPy kernels the threads are
those of BLAS; the compiled kernels decide by themselves how many they use, up to one for each core. Each measurement
has its own process, and the cases take turns. The other program is an endless loop on one core.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import npnets
import npnets.numpy as nnp
from benchmarks.cpu.sides import VARIABLE
from benchmarks.harness.options import parse
from benchmarks.harness.record import Record, measure_and_show
from benchmarks.harness.turns import Worker
from examples.shared.command_line import at_least

NAME = "blas_threads"
CASES = {"alone": False, "beside another program": True}
KERNELS = {"NumPy": "off", "compiled": ""}
"""The kernels, and `NPNETS_COMPILED` for them."""

ONE, EACH = "one thread, us", "one thread a core, us"


def step_seconds(steps: int) -> float:
    """Return the mean seconds of a training step in this process."""
    rng = np.random.default_rng(0)
    actor = npnets.Actor(npnets.Net(17, hidden_sizes=(64, 64)), 6)
    params, optimizer = actor.init(rng), npnets.optim.adam()
    state, observations = optimizer.init(params), rng.normal(size=(128, 17)).astype("float32")
    value_and_grad = npnets.value_and_grad(lambda params: nnp.mean(actor.forward(params, observations)[0] ** 2))
    began = time.perf_counter()
    for _ in range(steps):
        _, grads = value_and_grad(params)
        params, state = optimizer.update(params=params, grads=grads, state=state)
    return (time.perf_counter() - began) / steps


@contextlib.contextmanager
def another_program(runs: bool) -> Iterator[None]:
    """Run an endless loop on one core during the block, if `runs`."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if runs else None
    try:
        yield
    finally:
        if process is not None:
            process.kill()
            process.wait()


def start(kernels: str, threads: int) -> Worker:
    """Start a process with some kernels."""
    return Worker("benchmarks.cpu.blas_threads", NAME, threads, environment={VARIABLE: KERNELS[kernels]})


def has_compiled() -> bool:
    """Return whether this process has compiled kernels."""
    return npnets.about()["compiled"] != "off"


def measure(kernels: str, threads: int, beside: bool, steps: int) -> float:
    """Return the microseconds of a step, measured in a new process."""
    with another_program(beside), start(kernels, threads) as worker:
        seconds: float = worker.call(step_seconds={"steps": steps})
    return seconds * 1e6


def medians(rounds: int, steps: int) -> dict[str, Any]:
    """Return the median microseconds of a step for all kernels that are there, by number of threads and case."""
    cores = os.cpu_count() or 1
    with start("compiled", 1) as worker:
        kinds = [kernels for kernels in KERNELS if kernels == "NumPy" or worker.call(has_compiled={})]
    taken: dict[tuple[str, str, int], list[float]] = {}
    for _ in range(rounds):
        for case, kernels, threads in itertools.product(CASES, kinds, (1, cores)):
            taken.setdefault((kernels, case, threads), []).append(measure(kernels, threads, CASES[case], steps))
    middle = {key: round(statistics.median(values), 1) for key, values in taken.items()}
    found: dict[str, Any] = {"threads": cores}
    for kernels in kinds:
        one, each = ({case: middle[kernels, case, threads] for case in CASES} for threads in (1, cores))
        found[kernels] = {ONE: one, EACH: each}
    return found


def measure_all(record: Record, options: argparse.Namespace) -> None:
    """Write the median microseconds of a step for all kernels, cases and numbers of threads."""
    record.write(medians(options.rounds, options.steps))


def show(found: dict[str, Any], _: argparse.Namespace) -> None:
    """Print a line for all kernels and cases."""
    for kernels, case in itertools.product(KERNELS, CASES):
        if kernels in found:
            one, each = found[kernels][ONE][case], found[kernels][EACH][case]
            times = f"{each:.0f} us on {found['threads']}: {each / one:.1f} times"
            print(f"{kernels} kernels, {case}: {one:.0f} us a step on one thread, {times}")


def main() -> None:
    """Measure, print and write the results."""
    parser = argparse.ArgumentParser(description="Time a training step on one thread and on one for each core.")
    parser.add_argument("--rounds", type=at_least(1), help="default: 5")
    parser.add_argument("--steps", type=at_least(1), help="steps of a measurement; default: 2000")
    options = parse(parser, {"rounds": 5, "steps": 2000}, {"rounds": 1, "steps": 200})
    measure_and_show(NAME, options, measure_all, show)


if __name__ == "__main__":
    main()
