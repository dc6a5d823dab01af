"""The measured speed of npnets, by processor and kernels.

A result file `speed-NAME.json` has the results of one processor. npnets has up to three sides in it, each with its own
kernels: the best that the processor has, those held to AVX2, and the NumPy kernels.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from benchmarks.publish.records import Record, Records, Unpublishable

NAME = "speed"
KERNELS = {"avx512": "AVX-512", "avx2": "AVX2", "neon": "NEON", "baseline": "baseline", "off": "NumPy"}
"""The names of kernels on pages."""

NUMBERS = {"1": "one thread", "2": "two threads"}


class Measured(NamedTuple):
    """npnets with some kernels on a measured processor: the file, its side, names for pages, the results by threads."""

    file: str
    side: str
    processor: str
    kernels: str
    threads: dict[str, Any]

    def over(self, number: str) -> dict[str, Any]:
        """Return the groups, means and bars on a number of threads."""
        found: dict[str, Any] = self.threads[number]["over"][self.side]
        return found

    def mean(self, number: str, side: str) -> float | None:
        """Return the mean of forwards and gradients over a side on a number of threads, if it was timed."""
        found: dict[str, float] = self.over(number)["means"].get(side, {})
        return found.get("all")

    def group(self, number: str, name: str, side: str = "tianshou") -> float:
        """Return the ratio of a group of cells, such as `td3 learn`, over a side on a number of threads."""
        found: float = self.over(number)["groups"][name][side]
        return found


def measured(records: Records) -> list[Measured]:
    """Return the results of npnets on every processor with each of its kernels, the best first."""
    return [
        Measured(file, side, processor_of(record), KERNELS[kernels], by_threads(file, record))
        for file, record in records.processors(NAME).items()
        for side, kernels in record["results"]["kernels"].items()
    ]


def processor_of(record: Record) -> str:
    """Return the name of a processor with its best instruction set, if the file has it: `AMD EPYC (AVX-512)`."""
    machine = record["machine"]
    return f"{machine['processor']} ({machine['instructions']})" if "instructions" in machine else machine["processor"]


def by_threads(file: str, record: Record) -> dict[str, Any]:
    """Return the results on one thread and on two, which must be different measurements."""
    threads: dict[str, Any] = record["results"]["threads"]
    if threads["1"] == threads["2"]:
        raise Unpublishable(f"{file}.json has the same results for one thread and for two; was one copied?")
    return threads


def best(records: Records) -> list[Measured]:
    """Return the results on every processor with its best kernels."""
    return [one for one in measured(records) if one.side == "npnets"]


def claimed(records: Records) -> list[Measured]:
    """Return the results that a claim in words must hold on: every processor's best kernels, and those for AVX2."""
    return [one for one in measured(records) if one.side != "npnets_numpy"]


def largest_mean(records: Records, number: str, side: str) -> float | None:
    """Return the largest mean over a side, which every measured processor keeps, if all have it."""
    means = [one.mean(number, side) for one in claimed(records)]
    return None if None in means else max(mean for mean in means if mean is not None)


def largest_group(records: Records, number: str, name: str) -> float:
    """Return the largest ratio of a group of cells over Tianshou, which every measured processor keeps."""
    return max(one.group(number, name) for one in claimed(records))
