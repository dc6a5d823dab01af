"""The two libraries of the comparison, and the check that Tianshou is installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys

LIBRARIES = ("npnets", "tianshou")

VERSION = "1.0.0"
"""The version of Tianshou; other versions have other names and behaviour."""

INSTALL = f"pip install -e '.[benchmarks]' && pip install --no-deps tianshou=={VERSION}"


def check_rival() -> None:
    """Exit with a one-line error if Tianshou cannot be run."""
    missing = [name for name in ("torch", "tianshou") if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f"error: {sys.executable} has no {' and no '.join(missing)}; to install: {INSTALL}")
    if (found := importlib.metadata.version("tianshou")) != VERSION:
        sys.exit(f"error: expected Tianshou {VERSION}, found {found}; to install: {INSTALL}")
