"""The tables of `cpu/recurrent_side_by_side.py`: times with their ratios, and the memory of a gradient."""

from __future__ import annotations

import statistics

from benchmarks.cpu.recurrent_problem import KINDS, Cell
from benchmarks.harness.ratios import geometric_mean, summary, within_rounds
from benchmarks.harness.turns import Times

Memory = dict[Cell, dict[str, tuple[int, int, int]]]
"""Bytes, by cell and library."""


def times_table(times: Times) -> list[str]:
    """Return the lines of a table: medians over the rounds, ratios of npnets to Tianshou, and the floor.

    `of least` is the ratio of the least times of all rounds: what others on the machine disturbed least.
    """
    lines = [
        f"{'':<24}{'us a call':^20}{'npnets / Tianshou':^46}",
        f"{'workload':<16}{'size':>8}{'npnets':>10}{'Tianshou':>10}{'ratio':>8}{'quartiles':>14}"
        f"{'least..most':>14}{'of least':>10}{'floor, us':>12}",
    ]
    found, of_least = {}, {}
    for cell, sides in times.items():
        ratios = within_rounds(sides["npnets"], sides["tianshou"])
        found[cell], low, high = summary(ratios)
        medians = {side: statistics.median(values) for side, values in sides.items()}
        of_least[cell] = min(sides["npnets"]) / min(sides["tianshou"])
        lines.append(
            f"{cell.workload:<16}{cell.size:>8}{medians['npnets']:>10.1f}{medians['tianshou']:>10.1f}"
            f"{found[cell]:>8.2f}{f'{low:.2f}..{high:.2f}':>14}{f'{min(ratios):.2f}..{max(ratios):.2f}':>14}"
            f"{of_least[cell]:>10.2f}{medians['products']:>12.1f}"
        )
    return [*lines, *(_means(name, ratios) for name, ratios in (("ratio", found), ("of least", of_least)))]


def _means(name: str, ratios: dict[Cell, float]) -> str:
    kinds = {kind: geometric_mean(r for cell, r in ratios.items() if cell.kind == kind) for kind in KINDS}
    shown = ", ".join(f"{kind} {mean:.2f}" for kind, mean in kinds.items())
    return f"geometric mean, {name}: {geometric_mean(ratios.values()):.2f} ({shown})"


def memory_table(memory: Memory, must: dict[Cell, int]) -> list[str]:
    """Return the lines of a table: what the backward must keep, and the bytes of a gradient as multiples of that."""
    lines = [
        f"{'':<32}{'npnets':^30}{'Tianshou':^30}",
        f"{'workload':<16}{'size':>8}{'MB':>8}" + f"{'kept':>10}{'peak':>10}{'left':>10}" * 2,
    ]
    for cell, sides in memory.items():
        shares = [part / must[cell] for side in ("npnets", "tianshou") for part in sides[side]]
        cells = "".join(f"{share:>10.2f}" for share in shares)
        lines.append(f"{cell.workload:<16}{cell.size:>8}{must[cell] / 1e6:>8.1f}{cells}")
    return [
        *lines,
        "MB: what the backward must keep. As multiples of it, parameters and data not counted: what is kept between",
        "forward and backward, the peak of a gradient, and what is left when the gradient is dropped.",
    ]
