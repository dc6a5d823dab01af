"""The published times: a table for each processor and kernels, and sentences that hold on all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cpu.cells import Cell
from benchmarks.cpu.results import summed_up
from benchmarks.publish import measured, speed_blocks
from benchmarks.publish.records import Records, Unpublishable

pytestmark = pytest.mark.numpy_alone("sums plain numbers up")

RIVALS = {"tianshou": 10.0, "torch": 8.0, "jax": 5.0, "autograd": 20.0, "products": 4.0}
CELLS = [
    Cell("actor", "forward", 1),
    Cell("actor", "gradient", 1),
    *(Cell("recurrent_actor", kind, 64, 16) for kind in ("forward", "gradient")),
    *(Cell(algorithm, "learn", 256) for algorithm in ("td3", "sac", "bcq")),
]
BEST, HELD, NUMPY = ("npnets", "avx512"), ("npnets_avx2", "avx2"), ("npnets_numpy", "off")


def threads(microseconds: dict[str, float]) -> dict[str, Any]:
    """Return the results of one number of threads, in which npnets takes the same time in every cell."""
    return summed_up({cell: {side: [time] for side, time in {**microseconds, **RIVALS}.items()} for cell in CELLS}, 0.0)


def measure(folder: Path, processor: str, kernels: dict[str, str], one: list[float], two: list[float]) -> None:
    """Write the result file of a processor, with a time of each side on npnets on one thread and on two."""
    sides = {number: threads(dict(zip(kernels, times, strict=True))) for number, times in (("1", one), ("2", two))}
    record = {
        "command": "python -m benchmarks.cpu.speed times",
        "date": "2026-01-01",
        "machine": {"processor": processor, "instructions": "AVX-512" if "avx512" in kernels.values() else "AVX2"},
        "versions": {"numpy": "2.0", "torch": "2.1+cpu"},
        "results": {"rounds": 1, "kernels": kernels, "threads": sides},
    }
    folder.joinpath(f"speed-{processor.lower()}.json").write_text(json.dumps(record), encoding="utf-8")


@pytest.fixture
def records(tmp_path: Path) -> Records:
    """Return the results of a processor with AVX-512 and of one without."""
    measure(tmp_path, "A", dict([BEST, HELD, NUMPY]), [4.0, 5.0, 9.0], [3.0, 6.0, 8.0])
    measure(tmp_path, "B", {"npnets": "avx2", "npnets_numpy": "off"}, [4.5, 9.5], [5.5, 8.5])
    return Records(tmp_path)


def test_every_processor_and_kernels_has_a_row_of_means_and_a_table(records: Records) -> None:
    rows = speed_blocks.processors(records).rows
    assert [row[:4] for row in rows] == [
        ["A (AVX-512)", "AVX-512", "0.40, 0.30", "0.50, 0.38"],
        ["A (AVX-512)", "AVX2", "0.50, 0.60", "0.62, 0.75"],
        ["A (AVX-512)", "NumPy", "0.90, 0.80", "1.12, 1.00"],
        ["B (AVX2)", "AVX2", "0.45, 0.55", "0.56, 0.69"],
        ["B (AVX2)", "NumPy", "0.95, 0.85", "1.19, 1.06"],
    ]
    tables = speed_blocks.speed(records)
    assert [table.above.split("**")[1] for table in tables] == [
        "A (AVX-512), AVX-512 kernels",
        "A (AVX-512), AVX2 kernels",
        "A (AVX-512), NumPy kernels",
        "B (AVX2), AVX2 kernels",
        "B (AVX2), NumPy kernels",
    ]
    assert [len(table.header) for table in tables] == [9, 5, 5, 9, 5]
    assert tables[0].rows[0] == ["forward, 1", "0.40", "0.50", "0.80", "0.20", "1.00", "0.30", "0.38", "0.60"]


def test_a_claim_is_the_worst_of_all_processors_with_compiled_kernels(records: Records) -> None:
    text = speed_blocks.claims(records)
    assert "at most 0.50 of Tianshou's time on one thread and 0.60 on two, and at most 0.62 of bare PyTorch's" in text
    assert "0.50 for TD3, 0.50 for SAC, 0.50 for BCQ" in text


def test_a_result_file_without_a_side_makes_no_claim_about_it(records: Records) -> None:
    file = records.folder / "speed-b.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    for number in "12":
        del record["results"]["threads"][number]["over"]["npnets"]["means"]["torch"]
    file.write_text(json.dumps(record), encoding="utf-8")
    assert "Tianshou" in speed_blocks.claims(records) and "PyTorch" not in speed_blocks.claims(records)


def test_limits_and_recurrent_networks_have_a_table_for_each_processor(records: Records) -> None:
    limits = [table.above for table in speed_blocks.bars(records)]
    assert limits == [
        "**A (AVX-512), AVX-512 kernels**:",
        "**A (AVX-512), AVX2 kernels**:",
        "**B (AVX2), AVX2 kernels**:",
    ]
    tables = speed_blocks.recurrent(records)
    assert [table.rows for table in tables] == [
        [["64 x 16", "0.40", "0.40", "0.30", "0.30"]],
        [["64 x 16", "0.45", "0.45", "0.55", "0.55"]],
    ]


def test_results_on_two_threads_that_are_a_copy_of_those_on_one_are_refused(tmp_path: Path) -> None:
    measure(tmp_path, "A", dict([BEST]), [4.0], [4.0])
    with pytest.raises(Unpublishable, match=r"^speed-a\.json has the same results for one thread and for two"):
        measured.measured(Records(tmp_path))
