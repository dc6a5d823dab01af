"""The summaries of the measurements, and their tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.harness.ratios import spread
from benchmarks.parallel.driver_work import CORES, MACHINES, TASK_SECONDS, DriverWork, fitted, speedup
from benchmarks.parallel.engines import ENGINES

KINDS = ("shared", "member", "result")
"""How a tree travels: once for a call, with each task as its member, or back as its result."""
LIMITS = {"processes": 1.0, "ray": 2.5}
"""The most milliseconds of a task with a shared tree of 300 KB, by engine."""
LEAST_EFFICIENCY = 0.9
"""Of two workers that compute, by engine."""

PARTS = ("sending", "collecting", "update", "driver", "iteration")

Found = dict[str, Any]


def summed_up(rounds: Sequence[Mapping[str, float]], digits: int) -> Found:
    """Return the spreads of the measurements of several rounds, by name."""
    return {name: spread([one[name] for one in rounds]).rounded(digits) for name in rounds[0]}


def efficiency_of(rounds: Sequence[Mapping[str, float]]) -> Found:
    """Return the spreads of the seconds with `one` worker and with `two`, and of the efficiency within each round."""
    ratios = [{**one, "efficiency": one["one"] / (2 * one["two"])} for one in rounds]
    return summed_up(ratios, 4)


def work_of(points: Iterable[Mapping[str, Any]]) -> DriverWork:
    """Return the line through the medians of the driver's seconds on clusters of several sizes."""
    return fitted((point["tasks"], point["driver"]["median"]) for point in points)


def lines_of(found: Found) -> list[str]:
    """Return the lines of all tables whose results are there."""
    shown = {"overhead": _overhead, "start": _start, "efficiency": _efficiency, "clusters": _clusters}
    return [line for part, lines in shown.items() if part in found for line in ["", *lines(found[part])]][1:]


def _overhead(found: Found) -> list[str]:
    lines = [f"{'ms a task, tree of 288 KB':<28}" + "".join(f"{kind:>12}" for kind in KINDS)]
    for engine, kinds in found["milliseconds"].items():
        limit = f", at most {LIMITS[engine]:g} expected if shared" if engine in LIMITS else ""
        lines.append(f"{ENGINES[engine]:<28}" + "".join(f"{kinds[kind]['median']:>12.3f}" for kind in KINDS) + limit)
    totals = (sum(found["bytes"][kind].values()) for kind in KINDS)
    return [*lines, f"{'bytes a task':<28}" + "".join(f"{total:>12,.0f}" for total in totals)]


def _start(found: Found) -> list[str]:
    return [
        f"{ENGINES[engine]}: " + ", ".join(f"{name} {value['median']:.2f} s" for name, value in times.items())
        for engine, times in found.items()
    ]


def _efficiency(found: Found) -> list[str]:
    return [
        f"{ENGINES[engine]}: {one['one']['median']:.2f} s on one worker, {one['two']['median']:.2f} s on two, "
        f"efficiency {one['efficiency']['median']:.2f}, at least {LEAST_EFFICIENCY:g} expected"
        for engine, one in found["engines"].items()
    ]


def _clusters(found: Found) -> list[str]:
    points = found["points"]
    lines = [f"{'nodes':>5}{'tasks':>7}" + "".join(f"{name + ', ms':>16}" for name in PARTS)]
    for point in points:
        times = "".join(f"{point[name]['median'] * 1e3:>16.1f}" for name in PARTS)
        lines.append(f"{point['nodes']:>5}{point['tasks']:>7}{times}")
    if len(points) < 2:
        return lines
    work = work_of(points)
    lines.append(f"driver: {work.fixed * 1e3:.1f} ms + {work.per_task * 1e3:.2f} ms a task")
    for seconds in TASK_SECONDS:
        speeds = ", ".join(f"{speedup(work, machines, CORES, seconds):.0f} on {machines}" for machines in MACHINES)
        lines.append(f"speed of one machine of {CORES} cores, tasks of {seconds:g} s: {speeds}")
    return lines
