"""The cost of npnets compared with PyTorch: disk, import, memory, one action; and the cost of BLAS threads."""

from __future__ import annotations

from benchmarks.cpu.footprint import COLUMNS
from benchmarks.cpu.sides import LIBRARIES, SIDES
from benchmarks.publish.markup import Table, plus_minus
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
    """Return the paragraph that explains why a program should set the number of threads."""
    found = records["blas_threads"]["results"]
    one, times = found["one thread, us"], slowdown(records)
    return (
        f"NumPy's BLAS uses one thread for each core, even for products that are too small for several. A training "
        f"step of a 64-64 actor with batches of 128 takes {one['alone'] / 1e3:.1f} ms on one thread. "
        f"On {found['threads']} threads it takes {times['alone']:.1f} times as long, and "
        f"{times['beside another program']:.1f} times as long while another program runs "
        f"(`python -m benchmarks.cpu.blas_threads`, {processor(records['blas_threads'])}). "
        f"Set one thread at the start of a program, as all the examples do:"
    )


def slowdown(records: Records) -> dict[str, float]:
    """Return the ratios of a step's time on one thread for each core to that on one thread, by load."""
    found = records["blas_threads"]["results"]
    one, each = found["one thread, us"], found["one thread a core, us"]
    return {case: each[case] / one[case] for case in one}


def deployed(records: Records) -> Table:
    """Return the comparison of Tianshou's policy on npnets and on PyTorch."""
    found = records["deploy"]["results"]
    names = ["npnets", "Tianshou"]
    costs = [found["costs"][name] for name in names]
    rows = [
        ["return of an episode", *(plus_minus(found["returns"][name], 1) for name in names)],
        ["action, median", *(f"{cost['median_us']:.1f} us" for cost in costs)],
        ["action, 99th percentile", *(f"{cost['percentile_99_us']:.1f} us" for cost in costs)],
        ["import", *(f"{cost['import_ms']:.0f} ms" for cost in costs)],
        ["load the checkpoint", *(f"{cost['load_ms']:.0f} ms" for cost in costs)],
        ["memory", *(f"{cost['resident_mb']:.0f} MB" for cost in costs)],
    ]
    return Table(["", "npnets", "Tianshou on PyTorch"], rows)
