"""The resident memory of a process, and the memory available for one; on Linux only."""

from __future__ import annotations

from pathlib import Path


def resident_memory() -> tuple[int, int]:
    """Return the resident bytes of this process, and their peak."""
    return _kilobytes("/proc/self/status", "VmRSS") * 1024, _kilobytes("/proc/self/status", "VmHWM") * 1024


def forget_peak() -> None:
    """Reset the peak of this process's resident memory."""
    path = Path("/proc/self/clear_refs")
    if path.exists():
        path.write_text("5")


def available_memory() -> int:
    """Return the bytes that a new process can use without swapping."""
    return _kilobytes("/proc/meminfo", "MemAvailable") * 1024


def _kilobytes(file: str, name: str) -> int:
    """Read one line of a kernel file; zero if it does not exist."""
    path = Path(file)
    lines = path.read_text().splitlines() if path.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
