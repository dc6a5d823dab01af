"""Random policies of the installed Stable-Baselines3, saved by it: `load_policy` acts as `model.predict` does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from npnets import Policy, interop

pytest.importorskip("stable_baselines3")
import make_stable_baselines3  # noqa: E402  # once it is known that the library is there
from drawn_stable_baselines3 import models  # noqa: E402
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize  # noqa: E402

pytestmark = [pytest.mark.live, pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")]

TOLERANCE = 3e-6
"""Of the widest bounds: both compute in float32, and their sums differ in order."""


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(models(), st.integers(0, 99))
def test_a_policy_acts_as_the_library_predicts(
    tmp_path: Path, largest: dict[str, float], model: Any, seed: int
) -> None:
    model.save(tmp_path / "model.zip")
    model.policy.save(tmp_path / "policy.pth")
    observations = _drawn(model.observation_space, seed)
    expected, _ = model.predict(observations, deterministic=True)
    for name in ("model.zip", "policy.pth"):
        _check(interop.load_policy(tmp_path / name), observations, expected, largest, type(model).__name__)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(models(), st.integers(0, 99))
def test_a_policy_with_normalization_acts_as_the_library_predicts_for_normalized_observations(
    tmp_path: Path, largest: dict[str, float], model: Any, seed: int
) -> None:
    assume(isinstance(model.observation_space, gymnasium.spaces.Box))
    rng, shape = np.random.default_rng(seed), model.observation_space.shape
    made = make_stable_baselines3.Anything(model.observation_space, model.action_space)
    env = VecNormalize(DummyVecEnv([lambda: made]), clip_obs=rng.uniform(0.5, 3), epsilon=10 ** rng.uniform(-8, -1))
    env.obs_rms.mean, env.obs_rms.var = rng.normal(0, 3, shape), rng.uniform(0.01, 9, shape)
    model.save(tmp_path / "model.zip")
    env.save(tmp_path / "normalization.pkl")
    observations = _drawn(model.observation_space, seed)
    expected, _ = model.predict(env.normalize_obs(observations), deterministic=True)
    policy = interop.load_policy(tmp_path / "model.zip", tmp_path / "normalization.pkl")
    _check(policy, observations, expected, largest, f"{type(model).__name__} with VecNormalize")


def _drawn(space: Any, seed: int) -> Any:
    rows = (2 * np.random.default_rng(seed).standard_normal((8, *space.shape))).astype(np.float32)
    return (rows > 0).astype(np.int8) if hasattr(space, "n") else rows


def _check(policy: Policy, observations: Any, expected: Any, largest: dict[str, float], name: str) -> None:
    actions = policy.act(observations)
    assert actions.shape == expected.shape
    if policy.low is None:
        assert np.array_equal(actions, expected)
        return
    error = float(np.abs((actions - expected) / np.abs([policy.low, policy.high]).max()).max())
    largest[name] = max(error, largest.get(name, 0.0))
    assert error <= TOLERANCE
    assert (actions >= policy.low).all() and (actions <= policy.high).all()
