"""Random policies of the installed d3rlpy, saved by it: `load_policy` acts as `algo.predict` does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from npnets import interop

pytest.importorskip("d3rlpy.dataset")  # a folder of recorded files is named d3rlpy too
from drawn_d3rlpy import Drawn, algorithms  # noqa: E402  # once it is known that the library is there

pytestmark = [pytest.mark.live, pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")]

TOLERANCE = 2e-5
"""Of half the width of the bounds: both compute in float32, in another order, and d3rlpy rounds after each norm."""


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(algorithms())
def test_a_policy_acts_as_the_library_predicts(tmp_path: Path, largest: dict[str, float], drawn: Drawn) -> None:
    drawn.algorithm.save(str(tmp_path / "policy.d3"))
    expected: Any = drawn.algorithm.predict(drawn.observations)
    policy = interop.load_policy(tmp_path / "policy.d3")
    actions = policy.act(drawn.observations)
    assert actions.shape == expected.shape
    if policy.low is None:
        assert np.mean(actions == expected) >= 0.8  # two values may be equal up to rounding
        return
    error = float(np.max(np.abs(actions - expected) / np.maximum(np.abs(expected), (policy.high - policy.low) / 2)))
    name = type(drawn.algorithm).__name__
    largest[name] = max(error, largest.get(name, 0.0))
    assert error <= TOLERANCE
    assert (actions >= policy.low).all() and (actions <= policy.high).all()
