"""The recorded transitions of Pendulum-v1, and the program that recorded them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from examples.data.collect_pendulum import collect
from npnets import data

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

SHIPPED = Path(__file__).resolve().parents[2] / "examples" / "data" / "pendulum_mixed.npz"


def test_the_shipped_data_are_small_mediocre_play_that_never_terminates() -> None:
    assert SHIPPED.stat().st_size < 1_000_000
    recording = data.load(SHIPPED)
    returns = [episode.reward.sum() for episode in recording.episodes()]
    assert (len(recording.truncated), len(returns)) == (20_000, 100)
    assert -1000 < np.mean(returns) < -700
    found = recording.transitions
    assert np.abs(found.action).max() == 2.0 and not found.terminated.any()


def test_the_shipped_data_obey_the_equations_of_pendulum_v1() -> None:
    found = data.load(SHIPPED).transitions
    (cosine, sine, velocity), torque = found.obs.T.astype(np.float64), found.action[:, 0]
    angle = np.arctan2(sine, cosine)
    np.testing.assert_allclose(found.reward, -(angle**2 + 0.1 * velocity**2 + 0.001 * torque**2), atol=1e-4)
    following = np.clip(velocity + 0.05 * (15 * sine + 3 * torque), -8, 8)
    turned = angle + 0.05 * following
    expected = np.stack([np.cos(turned), np.sin(turned), following], axis=1)
    np.testing.assert_allclose(found.next_obs, expected, atol=1e-4)


def test_equal_seeds_record_equal_data_and_different_seeds_different_data() -> None:
    first, again, other = (collect(episodes=2, seed=seed)[0] for seed in (3, 3, 4))
    for key, values in first.items():
        np.testing.assert_array_equal(values, again[key], err_msg=key)
    assert (first["actions"] != other["actions"]).any()


def test_the_collecting_script_records_the_shipped_data() -> None:
    recording, _ = collect(episodes=4, seed=0)
    with np.load(SHIPPED) as shipped:
        assert sorted(shipped.files) == sorted(recording)
        for key, values in recording.items():
            assert shipped[key].dtype == values.dtype, key
            # The first steps of each episode alone: over all of it another platform's rounding grows.
            for start in (0, 200, 400, 600):
                rows = slice(start, start + 20)
                np.testing.assert_allclose(values[rows], shipped[key][rows], atol=1e-3, err_msg=key)
        np.testing.assert_array_equal(recording["timeouts"], shipped["timeouts"][:800])
