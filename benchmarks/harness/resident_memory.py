"""How much of the machine's memory a process holds, and how much there is for one. Linux tells; others do not."""

from __future__ import annotations

from pathlib import Path


def resident_memory() -> tuple[int, int]:
    """Return the bytes that this process holds now, and the most it ever held."""
    return _kilobytes("/proc/self/status", "VmRSS") * 1024, _kilobytes("/proc/self/status", "VmHWM") * 1024


def forget_peak() -> None:
    """Let the most that this process ever held count from now on."""
    path = Path("/proc/self/clear_refs")
    if path.exists():
        path.write_text("5")


def available_memory() -> int:
    """Return the bytes that a new process could take without swapping."""
    return _kilobytes("/proc/meminfo", "MemAvailable") * 1024


def _kilobytes(file: str, name: str) -> int:
    """Read one line of a file of the kernel's; zero where there is none."""
    path = Path(file)
    lines = path.read_text().splitlines() if path.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
