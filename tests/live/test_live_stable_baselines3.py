"""Random policies of the installed Stable-Baselines3, saved by it: `load_policy` acts as `model.predict` does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from npnets import interop

pytest.importorskip("stable_baselines3")
from drawn_stable_baselines3 import models  # noqa: E402  # once it is known that the library is there

pytestmark = [pytest.mark.live, pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")]

TOLERANCE = 3e-6
"""Of the widest bounds: both compute in float32, and their sums differ in order."""


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(models(), st.integers(0, 99))
def test_a_policy_acts_as_the_library_predicts(
    tmp_path: Path, largest: dict[str, float], model: Any, seed: int
) -> None:
    model.save(tmp_path / "model.zip")
    shape = model.observation_space.shape
    observations = (2 * np.random.default_rng(seed).standard_normal((8, *shape))).astype(np.float32)
    if hasattr(model.observation_space, "n"):
        observations = (observations > 0).astype(np.int8)
    expected, _ = model.predict(observations, deterministic=True)
    policy = interop.load_policy(tmp_path / "model.zip")
    actions = policy.act(observations)
    assert actions.shape == expected.shape
    if policy.low is None:
        assert np.array_equal(actions, expected)
        return
    error = float(np.abs((actions - expected) / np.abs([policy.low, policy.high]).max()).max())
    name = type(model).__name__
    largest[name] = max(error, largest.get(name, 0.0))
    assert error <= TOLERANCE
    assert (actions >= policy.low).all() and (actions <= policy.high).all()
