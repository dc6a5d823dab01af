"""The lines that npnets logs in a test."""

from __future__ import annotations

import pytest


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the messages of the logger `npnets`."""
    return [record.getMessage() for record in caplog.records if record.name == "npnets"]
