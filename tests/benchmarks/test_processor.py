"""The name of a processor's result file, and npnets' sides with kernels of their own."""

from __future__ import annotations

import pytest

from benchmarks.cpu import sides
from benchmarks.cpu.cells import CELLS, TWINS, Cell
from benchmarks.harness.processor import SETS, instructions, slug
from benchmarks.harness.turns import Ended

pytestmark = pytest.mark.numpy_alone("handles names of sides")


@pytest.mark.parametrize(
    "processor, best, name",
    [
        ("AMD EPYC", "AVX-512", "amd-epyc-avx512"),
        ("AMD EPYC 7763 64-Core Processor", "AVX2", "amd-epyc-7763-avx2"),
        ("Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz", "AVX-512", "intel-xeon-platinum-8370c-avx512"),
        ("Apple M2", "NEON", "apple-m2-neon"),
    ],
)
def test_a_result_file_is_named_after_the_processor_and_its_instruction_set(
    processor: str, best: str, name: str
) -> None:
    assert slug(processor, best) == name


def test_the_instruction_set_of_this_processor_has_a_name() -> None:
    assert instructions() in {*SETS.values(), "baseline"}


def kernels_of(monkeypatch: pytest.MonkeyPatch, kernels: dict[str, str | None]) -> dict[str, str]:
    monkeypatch.setattr(sides, "_kernels", kernels.get)
    return sides.kernels_of(sides.OURS)


def test_a_side_with_the_kernels_of_another_is_not_measured_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    every = {"npnets": "avx512", "npnets_avx2": "avx2", "npnets_numpy": "off"}
    assert kernels_of(monkeypatch, every) == every
    assert kernels_of(monkeypatch, {**every, "npnets": "avx2"}) == {"npnets": "avx2", "npnets_numpy": "off"}
    assert kernels_of(monkeypatch, dict.fromkeys(every, "off")) == {"npnets": "off"}


def test_kernels_that_a_processor_does_not_have_are_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(side: str, *_: object) -> None:
        raise Ended(side)

    monkeypatch.setattr(sides, "start", ended)
    assert sides._kernels("npnets_avx2") is None
    with pytest.raises(Ended, match="npnets"):
        sides._kernels("npnets")


def test_every_cell_has_all_of_our_sides_and_small_critics_have_no_others() -> None:
    assert all(set(sides.OURS) <= set(sides.sides(cell)) for cell in CELLS)
    assert sides.sides(Cell(TWINS, "small", 128)) == sides.OURS
    assert "torch" in sides.sides(Cell("vae", "gradient", 1)) and "torch" not in sides.sides(Cell("td3", "learn", 256))
