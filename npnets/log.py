"""The logger `npnets`, for notices that are no errors; it is silent until a program sets up logging."""

from __future__ import annotations

from typing import TYPE_CHECKING

from npnets.caches import bounded_cache

if TYPE_CHECKING:
    import logging


@bounded_cache(maxsize=1)
def logger() -> logging.Logger:
    """Return the logger of the package."""
    import logging  # here, because it would make up a part of the package's import

    found = logging.getLogger("npnets")
    if not found.handlers:
        found.addHandler(logging.NullHandler())
    return found
