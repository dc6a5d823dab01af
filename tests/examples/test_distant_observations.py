"""Observations far from zero are normalized before they are rounded, as well in learning as in acting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import toy_environments
from backends import as_numpy, device

from examples.memory.recurrent_imitation import Settings, Student, empty_buffer, observed, sample, whole_episodes
from examples.online import ddpg, ppo, redq, sac, td3
from examples.shared.unsaved_run import UnsavedRun
from npnets import training

toy_environments.register()
NEAR, FAR = "toy/Line-v0", "toy/Distant-v0"
OFF_POLICY: dict[str, Any] = {"steps": 24, "warmup": 8, "batch_size": 8}
SETTINGS: dict[Any, dict[str, Any]] = {
    **{module: OFF_POLICY for module in (sac, td3, ddpg)},
    redq: {**OFF_POLICY, "updates_per_step": 1, "critics": 3},
    ppo: {"steps": 64, "num_envs": 2, "horizon": 16, "passes": 2, "batch_size": 8},
}


@pytest.mark.parametrize("module", SETTINGS)
def test_a_large_constant_in_observations_changes_no_action_that_is_learned(module: Any) -> None:
    actions = []
    for env, offset in ((NEAR, 0), (FAR, toy_environments.Distant.offset)):
        given = {"env": env, "hidden_sizes": (8, 8), "normalize_observations": True, "device": device()}
        run = UnsavedRun(module.Settings(**given, **SETTINGS[module]))
        module.train(run.settings, run)
        obs = np.random.default_rng(0).uniform(-1, 1, (9, 2)).astype(np.float32).astype(np.float64)
        actions.append(as_numpy(run.policy().act(offset + obs)))
    assert np.ptp(actions[0]) > 1e-3
    np.testing.assert_allclose(actions[1], actions[0], atol=1e-5)


class Puller:
    """A teacher that pulls the point toward an observation."""

    def __init__(self, target: float) -> None:
        self.target = target

    def step(self, obs: Any, state: None = None) -> Any:
        return np.clip(self.target - obs[:, :1], -1, 1), None


def test_a_large_constant_in_observations_changes_no_imitation() -> None:
    actions = []
    for env, offset in ((NEAR, 0), (FAR, toy_environments.Distant.offset)):
        settings = Settings(env=env, hide=(1,), hidden_layer_size=6, normalize_observations=True, device=device())
        envs, rng, buffer = training.make_envs(env, 4), np.random.default_rng(0), empty_buffer(settings)
        student = Student(settings, envs.single_observation_space, envs.single_action_space)
        state = observed(student.init(rng), offset + np.array([[-0.5], [0.7]]))
        for _ in range(2):
            state = student.play(state, envs, Puller(offset), buffer, rng)
            for _ in range(5):
                state, _ = student.learn(state, sample(buffer, whole_episodes(buffer), rng, 4))
        seen = offset + np.linspace(-1, 1, 9)[:, None]
        actions.append(as_numpy(student.policy(state).step(seen)[0]))
    assert np.ptp(actions[0]) > 1e-3
    np.testing.assert_allclose(actions[1], actions[0], atol=1e-5)
