"""The cost of npnets compared with PyTorch: disk, import, memory, one action; and the cost of BLAS threads."""

from __future__ import annotations

from benchmarks.cpu.blas_threads import CASES, EACH, ONE
from benchmarks.cpu.footprint import COLUMNS
from benchmarks.cpu.sides import LIBRARIES, SIDES
from benchmarks.publish.markup import Table
from benchmarks.publish.records import Records, processor, version


def costs(records: Records) -> Table:
    """Return the costs of npnets and of Tianshou on PyTorch."""
    footprint = records["footprint"]
    sides = [footprint["results"]["sides"][side] for side in ("npnets", "tianshou")]
    rows = [
        ["installed", *(f"{side['installed_mb']:.0f} MB" for side in sides)],
        ["import", *(f"{side['import_seconds']['median'] * 1e3:.0f} ms" for side in sides)],
        ["memory, after one action", *(f"{side['mb_after_action']:.0f} MB" for side in sides)],
        ["one action of a 256-256 actor", *(f"{side['action_microseconds']['median']:.0f} us" for side in sides)],
    ]
    above = f"Measured on {processor(footprint)}; [docs/speed.rst](docs/speed.rst) has the commands and all results:"
    return Table(["", "npnets", f"Tianshou on PyTorch {version(footprint, 'torch')}"], rows, above)


def footprint(records: Records) -> Table:
    """Return the fixed cost of each library."""
    sides = records["footprint"]["results"]["sides"]
    rows = [[SIDES[name].name, *(shown(sides[name]) for shown in COLUMNS.values())] for name in LIBRARIES]
    return Table(["", *COLUMNS], rows)


def blas_threads(records: Records) -> str:
    """Return the paragraph about the time of a small training step on one thread and on several."""
    record, (alone, beside) = records["blas_threads"], CASES
    found, times = record["results"], slowdown(records, "NumPy")
    text = (
        f"NumPy's BLAS uses one thread for each core, even for products that are too small for several. A training "
        f"step of a 64-64 actor with batches of 128 takes {found['NumPy'][ONE][alone] / 1e3:.2f} ms on one thread with "
        f"the NumPy kernels. On {found['threads']} threads it takes {times[alone]:.1f} times as long, and "
        f"{times[beside]:.1f} times as long while another program runs (`{record['command']}`, {processor(record)})."
    )
    if "compiled" not in found:
        return text
    times = slowdown(records, "compiled")
    return (
        f"{text} The compiled kernels decide by the work how many threads they use: the step takes "
        f"{found['compiled'][ONE][alone] / 1e3:.2f} ms on one thread, {times[alone]:.1f} times as long with up to "
        f"{found['threads']}, and {times[beside]:.1f} times as long beside the other program."
    )


def slowdown(records: Records, kernels: str) -> dict[str, float]:
    """Return the ratios of a step's time on one thread for each core to that on one thread, by load."""
    found = records["blas_threads"]["results"][kernels]
    return {case: found[EACH][case] / found[ONE][case] for case in CASES}
