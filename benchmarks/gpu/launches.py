"""Counts the kernels that one call of each workload launches on the GPU, with npnets and with PyTorch.

    python -m benchmarks.gpu.launches --batches 256 python -m benchmarks.gpu.launches --workloads actor_step --kernels
    # also list them

Both libraries run in this process under PyTorch's profiler, which records every kernel, copy and memory setting of the
process through CUPTI. PyTorch is therefore also needed to count npnets' kernels. Nothing is timed. A first test with a
known number of additions checks that a library's kernels are recorded.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.gpu.sides import SIDES, Side, add_options, load
from benchmarks.harness.clock import FIRST_CALLS

CALLS = 10
KINDS = {"kernel": "kernels", "gpu_memcpy": "copies", "gpu_memset": "settings"}
"""The profiler's names for activities on a GPU, and the names in the table."""

Events = Counter[tuple[str, str]]
"""Counts of the GPU activities in one recording, by `(kind, name)`."""


def record(call: Callable[[], Any], wait: Callable[[], None]) -> Events:
    """Record the GPU activities of several calls."""
    from torch.profiler import ProfilerActivity, profile

    wait()
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiler:
        for _ in range(CALLS):
            call()
        wait()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(file))
        return device_events(file)


def device_events(trace: Path) -> Events:
    """Count the GPU activities in a trace in Chrome's format."""
    events = json.loads(trace.read_text(encoding="utf-8", errors="replace"), strict=False)["traceEvents"]
    return Counter((event["cat"], event["name"]) for event in events if event.get("cat") in KINDS)


def a_call(events: Events) -> dict[str, float]:
    """Return the number of activities of each kind per call."""
    return {kind: sum(n for (k, _), n in events.items() if k == kind) / CALLS for kind in KINDS}


def check_seen(name: str, side: Side) -> None:
    """Check that each of a library's additions counts as one kernel; the first recording sets up the profiler."""
    side.addition()
    for _ in range(2):
        seen = a_call(record(side.addition, side.clock.wait))["kernel"]
    if seen != 1:
        sys.exit(
            f"error: expected one kernel for an addition on {name}, but the profiler recorded {seen:g}. Is CUPTI of "
            "the driver's CUDA installed, and does this user have permission to profile (NVIDIA's ERR_NVGPUCTRPERM)?"
        )


def count(side: Side, workload: str, batch: int) -> Events:
    """Record a workload after warming up."""
    call = side.make(workload, batch)
    for _ in range(FIRST_CALLS):
        call()
    return record(call, side.clock.wait)


def print_rows(name: str, side: Side, options: argparse.Namespace) -> None:
    """Print a row for each workload and batch, and with `--kernels` the names of the kernels."""
    for workload in options.workloads:
        for batch in options.batches:
            events = count(side, workload, batch)
            numbers = "".join(f"{number:>10g}" for number in a_call(events).values())
            print(f"{name:<16}{workload:<16}{batch:>8}{numbers}")
            for (kind, what), number in events.most_common() if options.kernels else ():
                print(f"{'':>8}{number / CALLS:>6g}  {KINDS[kind]}: {what}")


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Count the kernels that one call of each workload launches.")
    add_options(parser)
    parser.set_defaults(batches=[256])
    parser.add_argument("--sides", choices=SIDES, nargs="+", default=list(SIDES), help="default: all")
    parser.add_argument("--kernels", action="store_true", help="list the names of the kernels")
    return parser.parse_args()


def main() -> None:
    """Read the command line and count."""
    options = parse_options()
    try:
        load("pytorch", "cuda")  # for its profiler
        sides = {name: load(name, "cuda") for name in options.sides}
    except RuntimeError as error:
        sys.exit(f"error: {error}")
    for name, side in sides.items():
        check_seen(name, side)
    print(f"{'side':<16}{'workload':<16}{'batch':>8}" + "".join(f"{kind:>10}" for kind in KINDS.values()))
    for name, side in sides.items():
        print_rows(name, side, options)


if __name__ == "__main__":
    main()
