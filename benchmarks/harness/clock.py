"""Clocks of the benchmarks: how long a call takes, on the wall and on the device's own events.

A *block* is many calls in a row. The wall's clock is read with the device idle before and after the block; the device
records one event before and one after it. Both are microseconds for a call. Where the host prepares work more slowly
than the device does it, both say how long the host takes; they part where a device still works when the host is done.
Knows no workload. CuPy and PyTorch are imported only by the clock that needs them.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

FIRST_CALLS = 5
"""Calls before anything is timed: kernels are compiled and states made in the first, memory is reused from then on."""


class Clock(Protocol):
    """What is asked of a device."""

    def wait(self) -> None:
        """Return once all work that was handed to the device is done."""

    def mark(self) -> Any:
        """Have the device note the time when it gets here, and return that note."""

    def microseconds(self, begin: Any, end: Any) -> float | None:
        """The time between two marks that have been waited for."""

    def facts(self) -> dict[str, str]:
        """The card and the versions of CUDA."""


class HostClock:
    """The CPU: nothing to wait for, and no clock but the wall's."""

    def wait(self) -> None:
        """Do nothing: every call is done when it returns."""

    def mark(self) -> None:
        """There are no events."""

    def microseconds(self, begin: None, end: None) -> None:
        """There are no events."""

    def facts(self) -> dict[str, str]:
        """No card."""
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
        """CUDA tells milliseconds."""
        return self.cupy.cuda.get_elapsed_time(begin, end) * 1e3

    def facts(self) -> dict[str, str]:
        """The card, what CUDA the driver supports, and which CUDA CuPy runs on."""
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
        """CUDA tells milliseconds."""
        return begin.elapsed_time(end) * 1e3

    def facts(self) -> dict[str, str]:
        """The card, and which CUDA PyTorch runs on."""
        return {"card": self.torch.cuda.get_device_name(), "CUDA of PyTorch": str(self.torch.version.cuda)}


class Block(NamedTuple):
    """Microseconds a call of one block; `device` is None where there are no events."""

    wall: float
    device: float | None


def time_block(call: Callable[[], Any], calls: int, clock: Clock) -> Block:
    """Time one block of calls, whose outputs are dropped."""
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
    """Call until compilation, memory and the card's frequency have settled; how many calls fill that many seconds."""
    for _ in range(FIRST_CALLS):
        call()
    calls, block = 1, time_block(call, 1, clock)
    while block.wall * calls < seconds * 1e6:
        calls *= 2
        block = time_block(call, calls, clock)
    return max(1, math.ceil(seconds * 1e6 / block.wall))


def median_block(call: Callable[[], Any], clock: Clock, seconds: float, blocks: int) -> dict[str, Any]:
    """Warm up, time several blocks that take so many seconds each, and return the medians."""
    calls = warm_up(call, clock, seconds)
    timed = [time_block(call, calls, clock) for _ in range(blocks)]
    on_device = [block.device for block in timed if block.device is not None]
    device = statistics.median(on_device) if on_device else None
    return {"calls": calls, "wall_us": statistics.median(block.wall for block in timed), "device_us": device}
