"""The logger `npnets`, for what is worth a line and is no error; it is silent until a program sets up logging."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging


@functools.cache
def logger() -> logging.Logger:
    """Return the logger of the package."""
    import logging  # here, because it would make up a part of the package's import

    found = logging.getLogger("npnets")
    found.addHandler(logging.NullHandler())
    return found
