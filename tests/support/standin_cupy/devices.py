"""Devices: how many there are, which is the current one of a thread, and the errors of CUDA when there is none.

`machine` is the simulated machine: its driver, and its devices or the status with which all that needs one fails. Each
thread has a current device of its own, and begins on device 0 as CUDA's threads do.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from standin_cupy.counting import counts
from standin_cupy.modules import cuda, cupy, runtime

ERRORS = {
    2: "cudaErrorMemoryAllocation: out of memory",
    35: "cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version",
    100: "cudaErrorNoDevice: no CUDA-capable device is detected",
    101: "cudaErrorInvalidDevice: invalid device ordinal",
}
NO_DEVICE, INVALID_DEVICE = 100, 101
VERSION = 13000  # CUDA's way of writing 13.0


class CUDARuntimeError(RuntimeError):
    """An error of CUDA; `status` is its number."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(ERRORS.get(status, f"cudaError {status}"))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status,)


@dataclass
class Machine:
    """The simulated machine."""

    devices: int = 0
    failure: int | None = None
    driver: int = VERSION


class _Thread(threading.local):
    def __init__(self) -> None:
        self.current = 0
        self.before: list[int] = []


machine = Machine()
_thread = _Thread()


@contextmanager
def pretend(devices: int, failure: int | None, driver: int) -> Iterator[None]:
    """Make the machine one with these devices, and this thread's current device the first; undo both at the end."""
    before = machine.devices, machine.failure, machine.driver, _thread.current
    machine.devices, machine.failure, machine.driver, _thread.current = devices, failure, driver, 0
    try:
        yield
    finally:
        machine.devices, machine.failure, machine.driver, _thread.current = before


def current_device() -> int:
    """Return the number of this thread's current device, before something runs on it."""
    if machine.failure is not None:
        raise CUDARuntimeError(machine.failure)
    if not machine.devices:
        raise CUDARuntimeError(NO_DEVICE)
    return _thread.current


def check_current(number: int) -> None:
    """Check that the device of an array is the current one, because the stand-in has no peer access."""
    current = current_device()
    if number != current:
        raise ValueError(
            f"The device where the array resides ({number}) is different from the current device ({current}). Peer "
            "access is unavailable between these devices."
        )


class Device:
    """A device by its number, the current one without; `with Device(1):` makes it the current one."""

    def __init__(self, device: int | None = None) -> None:
        self.id = current_device() if device is None else int(device)

    def use(self) -> None:
        """Make this the current device of the thread."""
        current_device()
        if not 0 <= self.id < machine.devices:
            raise CUDARuntimeError(INVALID_DEVICE)
        _thread.current = self.id

    def synchronize(self) -> None:
        """Wait for the device."""
        current_device()
        counts.synchronized()

    def __enter__(self) -> Device:
        before = current_device()
        self.use()
        _thread.before.append(before)
        return self

    def __exit__(self, *exception: object) -> None:
        _thread.current = _thread.before.pop()

    def __int__(self) -> int:
        return self.id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<CUDA Device {self.id}>"


class Stream:
    """A queue of work. The stand-in works at once, so that there is only the default one, `Stream.null`."""

    null: Stream

    def synchronize(self) -> None:
        """Wait for the work."""
        Device().synchronize()


Stream.null = Stream()


def getDeviceCount() -> int:  # noqa: N802 (CUDA's name)
    """Return the number of devices."""
    if machine.failure is not None:
        raise CUDARuntimeError(machine.failure)
    return machine.devices


def getDeviceProperties(device: int) -> dict[str, Any]:  # noqa: N802 (CUDA's name)
    """Return what is known of a device: its name, as bytes, among much else that the stand-in leaves out."""
    return {"name": f"stand-in {device}".encode()}


def driverGetVersion() -> int:  # noqa: N802 (CUDA's name)
    """Return the driver's CUDA version, or 0 where there is no driver: it never fails."""
    return machine.driver


def runtimeGetVersion() -> int:  # noqa: N802 (CUDA's name)
    """Return the version of the CUDA runtime that CuPy was built for."""
    return VERSION


def is_available() -> bool:
    """Return whether there is a device."""
    return machine.failure is None and machine.devices > 0


def get_current_stream() -> Stream:
    """Return the stream on which work is queued."""
    return Stream.null


def get_device_id() -> int:
    """Return the number of the current device."""
    return current_device()


for _function in (getDeviceCount, getDeviceProperties, driverGetVersion, runtimeGetVersion, CUDARuntimeError):
    setattr(runtime, _function.__name__, _function)
for _function in (Device, Stream, is_available, get_current_stream, get_device_id):
    setattr(cuda, _function.__name__, _function)
cupy.__version__ = "14.2.0"
