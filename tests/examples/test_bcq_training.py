"""What BCQ learns from: the rows of its file, batches of the size and by the seed that were asked for, statistics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backends import bits, device
from gymnasium import spaces
from numpy.testing import assert_array_equal

from examples.offline.bcq import BCQ, RECORDED, TUNED, Settings, State, recorded, train
from examples.shared.unsaved_run import UnsavedRun


def settings(**changes: Any) -> Settings:
    small: dict[str, Any] = {"hidden_sizes": (8,), "vae_hidden_sizes": (8,), "steps": 2, "device": device()}
    return Settings(**{**TUNED["Pendulum-v1"], **small, **changes})


def trained(**changes: Any) -> State:
    """Return the state after two learning steps on the shipped recording."""
    run = UnsavedRun(settings(**changes))
    train(run.settings, run)  # type: ignore[arg-type]
    assert run.kept is not None
    state: State = run.kept[0]
    return state


@pytest.mark.numpy_alone("reads a file")
def test_the_rows_that_are_learned_from_are_those_of_the_file(tmp_path: Path) -> None:
    arrays = {
        "observations": np.arange(18.0).reshape(3, 2, 3),
        "actions": np.linspace(-1, 1, 12).reshape(3, 2, 2),
        "rewards": np.array([5.0, 6.0, 7.0]),
        "next_observations": 100 + np.arange(18.0).reshape(3, 2, 3),
        "terminals": np.array([False, True, False]),
    }
    np.savez(tmp_path / "data.npz", **arrays)
    bounds = spaces.Box(-200, 200, (2, 3)), spaces.Box(-1, 1, (2, 2))
    found = recorded(str(tmp_path / "data.npz"), *bounds).take([0, 1, 2])
    for column, expected in zip(found, arrays.values(), strict=True):
        flat = expected.reshape(3, -1) if expected.ndim > 1 else expected
        assert_array_equal(column, flat.astype(column.dtype))
    assert [column.dtype for column in found] == ["float32"] * 4 + ["bool"]


@pytest.mark.parametrize("which", ["observations", "next_observations", "observations rewards actions"])
def test_a_file_in_float64_teaches_what_one_in_float32_does(which: str, tmp_path: Path) -> None:
    with np.load(RECORDED) as found:
        arrays = dict(found)
        arrays.setdefault("next_observations", np.roll(arrays["observations"], -1, 0))
    narrow, wide = (dict(arrays) for _ in range(2))
    wide |= {name: arrays[name].astype(np.float64) for name in which.split()}
    for name, content in (("narrow", narrow), ("wide", wide)):
        np.savez(tmp_path / f"{name}.npz", **content)
    one, other = (bits(trained(data=str(tmp_path / f"{name}.npz"))) for name in ("narrow", "wide"))
    assert one == other


def test_target_critics_begin_equal_to_the_critics() -> None:
    bcq = BCQ(settings(), spaces.Box(-1, 1, (3,)), spaces.Box(-2, 2, (1,)))
    state = bcq.init(np.random.default_rng(0))
    assert bits(state.target_critics) == bits(state.critics)


def test_one_seed_and_size_of_batches_give_the_same_training_twice_and_others_another() -> None:
    first, again = trained(), trained()
    assert bits(first) == bits(again)
    for change in ({"seed": 1}, {"batch_size": 129}):
        assert bits(trained(**change)) != bits(first)


@pytest.mark.numpy_alone("is about a file's statistics")
def test_observations_are_normalized_by_the_mean_and_deviation_of_the_file() -> None:
    statistics = trained(normalize_observations=True).statistics
    with np.load(RECORDED) as found:
        obs = found["observations"].astype(np.float64)
    assert statistics is not None and statistics.count == len(obs) == 20_000
    np.testing.assert_allclose([statistics.mean, statistics.var], [obs.mean(0), obs.var(0)], rtol=1e-6, atol=1e-7)
    assert trained().statistics is None
