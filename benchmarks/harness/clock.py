"""Clocks of the benchmarks: wall-clock time of a call, and its time between device events.

A *block* is many calls in a row. Wall-clock time is read with the device idle before and after the block; the device
records one event before and one after it. Both are in microseconds per call. If the host is slower than the device,
both are the time of the host; they differ if the device is still busy when the host is done. CuPy and PyTorch are
imported only by the clock that needs them.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

FIRST_CALLS = 5
"""Untimed calls at the start: the first one compiles kernels and creates states, and later ones reuse memory."""


class Clock(Protocol):
    """The interface of a device's clock."""

    def wait(self) -> None:
        """Return when all work queued on the device is done."""

    def mark(self) -> Any:
        """Record an event on the device and return it."""

    def microseconds(self, begin: Any, end: Any) -> float | None:
        """Return the time between two completed events."""

    def facts(self) -> dict[str, str]:
        """Return the GPU and the versions of CUDA."""


class HostClock:
    """The CPU: nothing to wait for, and only wall-clock time."""

    def wait(self) -> None:
        """Do nothing: every call is done when it returns."""

    def mark(self) -> None:
        """There are no events."""

    def microseconds(self, begin: None, end: None) -> None:
        """There are no events."""

    def facts(self) -> dict[str, str]:
        """Return nothing: there is no GPU."""
        return {}


class CupyClock:
    """CuPy's current GPU, and its current stream."""

    def __init__(self) -> None:
        import cupy

        self.cupy = cupy

    def wait(self) -> None:
        """Wait for all streams."""
        self.cupy.cuda.runtime.deviceSynchronize()

    def mark(self) -> Any:
        """Record an event that keeps the time."""
        event = self.cupy.cuda.Event()
        event.record()
        return event

    def microseconds(self, begin: Any, end: Any) -> float:
        """Return the time in microseconds; CUDA measures milliseconds."""
        return self.cupy.cuda.get_elapsed_time(begin, end) * 1e3

    def facts(self) -> dict[str, str]:
        """Return the GPU, the CUDA version that the driver supports, and CuPy's CUDA version."""
        runtime = self.cupy.cuda.runtime
        card = runtime.getDeviceProperties(self.cupy.cuda.Device().id)["name"].decode()
        cuda = {"CUDA of the driver": runtime.driverGetVersion(), "CUDA of CuPy": runtime.runtimeGetVersion()}
        versions = {name: f"{number // 1000}.{number % 1000 // 10}" for name, number in cuda.items()}
        return {"card": card, **versions, "cupy": self.cupy.__version__}


class TorchClock:
    """PyTorch's current GPU, and its current stream."""

    def __init__(self) -> None:
        import torch

        self.torch = torch

    def wait(self) -> None:
        """Wait for all streams."""
        self.torch.cuda.synchronize()

    def mark(self) -> Any:
        """Record an event that keeps the time."""
        event = self.torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def microseconds(self, begin: Any, end: Any) -> float:
        """Return the time in microseconds; CUDA measures milliseconds."""
        return begin.elapsed_time(end) * 1e3

    def facts(self) -> dict[str, str]:
        """Return the GPU and PyTorch's CUDA version."""
        return {"card": self.torch.cuda.get_device_name(), "CUDA of PyTorch": str(self.torch.version.cuda)}


class Block(NamedTuple):
    """Microseconds per call in one block; `device` is None if there are no events."""

    wall: float
    device: float | None


def time_block(call: Callable[[], Any], calls: int, clock: Clock) -> Block:
    """Time one block of calls, and discard their outputs."""
    clock.wait()
    began = time.perf_counter()
    first = clock.mark()
    for _ in range(calls):
        call()
    last = clock.mark()
    clock.wait()
    wall = (time.perf_counter() - began) * 1e6
    device = clock.microseconds(first, last)
    return Block(wall / calls, None if device is None else device / calls)


def warm_up(call: Callable[[], Any], clock: Clock, seconds: float) -> int:
    """Call until compilation, memory and the GPU's frequency have settled; return the number of calls in `seconds`."""
    for _ in range(FIRST_CALLS):
        call()
    calls, block = 1, time_block(call, 1, clock)
    while block.wall * calls < seconds * 1e6:
        calls *= 2
        block = time_block(call, calls, clock)
    return max(1, math.ceil(seconds * 1e6 / block.wall))


def median_block(call: Callable[[], Any], clock: Clock, seconds: float, blocks: int) -> dict[str, Any]:
    """Warm up, time several blocks of `seconds` each, and return the medians."""
    calls = warm_up(call, clock, seconds)
    timed = [time_block(call, calls, clock) for _ in range(blocks)]
    on_device = [block.device for block in timed if block.device is not None]
    device = statistics.median(on_device) if on_device else None
    return {"calls": calls, "wall_us": statistics.median(block.wall for block in timed), "device_us": device}
