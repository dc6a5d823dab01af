"""What the tests of populations share: two processes for each file, and the warnings of the package."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from npnets import parallel


@pytest.fixture(scope="module")
def processes() -> Iterator[parallel.ProcessExecutor]:
    """Two processes for the tests of a file."""
    with parallel.ProcessExecutor(2) as executor:
        yield executor


@pytest.fixture(autouse=True)
def captured(caplog: pytest.LogCaptureFixture) -> None:
    """Capture the warnings of the package."""
    caplog.set_level(logging.WARNING, "npnets")
