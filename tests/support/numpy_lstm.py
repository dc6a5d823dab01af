"""The LSTM kernel with its pair for NumPy, also where the compiled kernels are in use."""

from __future__ import annotations

import pytest

from npnets.autodiff import fused
from npnets.kernels import lstm


def run_lstm_in_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the LSTM kernel run its pair for NumPy until the end of a test."""
    monkeypatch.setattr(lstm, "_apply", fused(lstm._composition, cpu=lstm._NUMPY))
