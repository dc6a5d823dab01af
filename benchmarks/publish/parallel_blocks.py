"""The tables of populations on processes and on Ray: cost of a task, efficiency, start-up, the driver's work."""

from __future__ import annotations

from typing import Any

from benchmarks.parallel.driver_work import CORES, MACHINES, TASK_SECONDS, efficiency, speedup
from benchmarks.parallel.engines import ENGINES
from benchmarks.parallel.table import KINDS, LEAST_EFFICIENCY, LIMITS, PARTS, work_of
from benchmarks.publish.markup import Table, code
from benchmarks.publish.records import Record, Records, processor, version

NAME = "parallel"


def overhead(records: Records) -> Table:
    """Return the milliseconds of a task with a tree of 288 KB, a row for each engine, and the bytes that travel."""
    record = records[NAME]
    found = record["results"]["overhead"]
    rows = [
        [code(ENGINES[engine]), *(f"{kinds[kind]['median']:.2f} ms" for kind in KINDS), _limit(engine)]
        for engine, kinds in found["milliseconds"].items()
    ]
    totals = [sum(found["bytes"][kind].values()) for kind in KINDS]
    rows.append(["bytes of a task and its result", *(f"{total:,.0f}" for total in totals), ""])
    above = (
        f"On {processor(record)} with {record['machine']['cores']} cores, Ray {version(record, 'ray')}, two workers, "
        f"medians of {record['results']['rounds']} calls with {found['tasks']} tasks (``{record['command']}``):"
    )
    return Table(["", "as `shared`", "as each member", "as each result", "limit, as `shared`"], rows, above)


def _limit(engine: str) -> str:
    return f"{LIMITS[engine]:g} ms" if engine in LIMITS else ""


def engines(records: Records) -> Table:
    """Return efficiency, start-up and recovery, a column for each engine."""
    results = records[NAME]["results"]
    played, start = results["efficiency"]["engines"], results["start"]
    tasks = results["efficiency"]["tasks"]
    rows = [
        ["a task that computes, on one worker", *(_task(one, tasks) for one in played.values())],
        [f"efficiency of two workers (at least {LEAST_EFFICIENCY:g})", *map(_efficiency, played.values())],
        ["start to the first result", *(_seconds(one["first result"]) for one in start.values())],
        ["a killed worker's task, if another worker waits", *(_seconds(one["other"]) for one in start.values())],
        ["a killed worker's task, if there is no other", *(_seconds(one["only"]) for one in start.values())],
    ]
    return Table(["", *(code(ENGINES[engine]) for engine in start)], rows)


def _efficiency(found: dict[str, Any]) -> str:
    return f"{found['efficiency']['median']:.2f}"


def _task(found: dict[str, Any], tasks: int) -> str:
    return f"{found['one']['median'] * 1e3 / tasks:.0f} ms"


def _seconds(spread: dict[str, float]) -> str:
    return f"{spread['median']:.2f} s"


def driver(records: Records) -> Table:
    """Return the driver's milliseconds for an iteration, a row for each size of a simulated cluster."""
    record = records[NAME]
    found = record["results"]["clusters"]
    rows = [
        [str(point["nodes"]), str(point["tasks"]), *(f"{point[part]['median'] * 1e3:.0f}" for part in PARTS)]
        for point in found["points"]
    ]
    return Table(["nodes", "tasks", *(f"{part}, ms" for part in PARTS)], rows, _above_driver(record))


def _above_driver(record: Record) -> str:
    found = record["results"]["clusters"]
    return (
        f"A policy of {found['parameters']:,} parameters, shards of {found['pairs']} pairs that last "
        f"{found['task_seconds']:g} s, {found['tasks_a_node']} shards a node and iteration:"
    )


def machines(records: Records) -> Table:
    """Return the speed and efficiency that the driver's work allows on many machines, a row for each number."""
    work = work_of(records[NAME]["results"]["clusters"]["points"])
    rows = []
    for number in MACHINES:
        cells = (
            f"{speedup(work, number, CORES, seconds):,.0f} ({efficiency(work, number, CORES, seconds):.0%})"
            for seconds in TASK_SECONDS
        )
        rows.append([f"{number:,}", f"{number * CORES:,}", f"{work.seconds(number * CORES):.2g} s", *cells])
    fixed = f"{work.fixed * 1e3:.0f} ms for an iteration and " if work.fixed else ""
    above = (
        f"The driver takes {fixed}{work.per_task * 1e3:.2f} ms for each task. "
        f"From this, with {CORES} cores a machine and one task a core in each iteration:"
    )
    headings = (f"speed, tasks of {seconds:g} s" for seconds in TASK_SECONDS)
    return Table(["machines", "tasks", "driver", *headings], rows, above)
