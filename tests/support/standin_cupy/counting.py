"""Counts of kernel launches, copies between host and device, and waits of the host for the device.

A *launch* is one call that makes the device work: an elementwise function, a reduction, a product, a copy, a fill, an
indexing copy. CuPy launches more than one kernel for some of them (`var`, an index of several arrays); here each counts
once. Views launch nothing. Tests read differences: `before = counts.snapshot()`, then `counts.since(before)`.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Counts:
    """Counts since the process began; `by_name` has the launches by the names of their functions."""

    launches: int = 0
    transfers: int = 0
    synchronizations: int = 0
    by_name: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def launched(self, name: str) -> None:
        """Count one launch."""
        with self._lock:
            self.launches += 1
            self.by_name[name] += 1

    def transferred(self) -> None:
        """Count one copy between host and device."""
        with self._lock:
            self.transfers += 1

    def synchronized(self) -> None:
        """Count one wait of the host for the device."""
        with self._lock:
            self.synchronizations += 1

    def snapshot(self) -> Counts:
        """Return a copy that counts no further."""
        with self._lock:
            return Counts(self.launches, self.transfers, self.synchronizations, self.by_name.copy())

    def since(self, before: Counts) -> Counts:
        """Return the counts since a snapshot."""
        now = self.snapshot()
        return Counts(
            now.launches - before.launches,
            now.transfers - before.transfers,
            now.synchronizations - before.synchronizations,
            now.by_name - before.by_name,
        )


counts = Counts()
