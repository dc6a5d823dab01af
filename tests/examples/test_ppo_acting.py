"""PPO of the examples acts and trains: rollouts, statistics, steps, learning rates and fresh episodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import toy_environments
from backends import device
from clock_environment import Clock
from gymnasium.vector import SyncVectorEnv

from examples.online import ppo
from npnets import normalization, training
from npnets.training.settings import chosen

no_network = pytest.mark.numpy_alone("is about arithmetic and environments, which know no networks")

toy_environments.register()


# -- rollouts ---------------------------------------------------------------------------------------------------------


class OfClocks(ppo.PPO):
    """Draws that are known before, for the environments `Clock`."""

    def __init__(self) -> None:
        super().__init__(ppo.Settings(normalize_observations=False), Clock.observation_space, Clock.action_space)

    def explore(self, state: Any, obs: Any, rng: Any) -> Any:
        """Return a draw that is clipped to the upper bounds, and a log-density that identifies the observation."""
        return np.full((len(obs), 2), 5, np.float32), obs @ np.float32([3, 1])


def played(*parts: int) -> list[ppo.Rollout]:
    agent, envs, rng = OfClocks(), SyncVectorEnv([Clock, Clock]), np.random.default_rng(0)
    state, at = ppo.begin(agent, envs, agent.init(rng), rng)
    found = []
    for steps in parts:
        state, at, part = ppo.play(agent, envs, state, at, steps, rng)
        found.append(part)
    return found


@no_network
def test_a_rollout_marks_the_steps_that_only_begin_an_episode() -> None:
    (found,) = played(12)
    np.testing.assert_array_equal(found.valid, np.repeat([[1, 1, 1, 0] * 3], 2, axis=0).T)
    np.testing.assert_array_equal(found.terminated.nonzero()[0], [2, 2, 10, 10])
    np.testing.assert_array_equal(found.truncated.nonzero()[0], [6, 6])
    real = found.valid
    np.testing.assert_array_equal(found.next_obs[real], found.obs[real] + [0, 1])
    np.testing.assert_array_equal(found.obs[..., 1][:, 0], [0, 1, 2, 3] * 3)


@no_network
def test_a_rollout_stores_the_draws_of_the_actions_that_the_environment_takes() -> None:
    (found,) = played(4)
    assert (found.draw == 5).all()
    assert (found.reward[:3] == 2).all() and (found.reward[3] == 0).all()  # the upper bound
    np.testing.assert_array_equal(found.log_prob, found.obs @ np.float32([3, 1]))


@no_network
def test_an_unfinished_episode_continues_in_the_next_rollout() -> None:
    (whole,), parts = played(8), played(2, 1, 1, 4)
    for name, column in whole._asdict().items():
        np.testing.assert_array_equal(np.concatenate([getattr(part, name) for part in parts]), column, err_msg=name)


@no_network
def test_the_statistics_count_every_observation_once_also_the_last_of_an_episode() -> None:
    agent, rng = OfClocks(), np.random.default_rng(0)
    envs, state = SyncVectorEnv([Clock]), agent.init(rng)._replace(obs_statistics=normalization.init(2))
    state, at = ppo.begin(agent, envs, state, rng)
    state, _, _ = ppo.play(
        agent, envs, state, at, 7, rng
    )  # and seven more, of two episodes with four observations each
    assert state.obs_statistics is not None and state.obs_statistics.count == 8
    np.testing.assert_allclose([state.obs_statistics.mean, state.obs_statistics.var], [[0.5, 1.5], [0.25, 1.25]])


# -- the training -----------------------------------------------------------------------------------------------------


class Recorded:
    """What a training of `toy/Line-v0` did: rates of learning, rollouts, rows, and the folder's files."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
        self.rates, self.rollouts, self.first = list[float](), list[ppo.Rollout](), list[int]()
        learn, begin = ppo.PPO.learn, ppo.begin

        def learning(agent: Any, state: Any, rollout: Any, lr: float, rng: Any) -> Any:
            self.rates.append(lr)
            self.rollouts.append(rollout)
            return learn(agent, state, rollout, lr, rng)

        def beginning(*given: Any) -> Any:
            self.first.append(len(self.rollouts))
            return begin(*given)

        monkeypatch.setattr(ppo.PPO, "learn", learning)
        monkeypatch.setattr(ppo, "begin", beginning)
        small = {
            "hidden_sizes": (6, 5),
            "normalize_observations": False,
            "env": "toy/Line-v0",
            "num_envs": 4,
            "horizon": 8,
            "passes": 1,
            "batch_size": 16,
            "lr": 0.2,
        }
        chosen = ppo.Settings(**{**small, "episodes": 1, "device": device(), **settings})
        with training.Run(folder, chosen) as run:
            ppo.train(chosen, run)
            self.steps = run.step


def test_the_learning_rate_of_ppo_falls_linearly_with_the_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Recorded(tmp_path, monkeypatch, steps=128, decay_steps=128)
    taken = np.cumsum([0, *(rollout.valid.sum() for rollout in found.rollouts)])
    assert taken[2] == 64 and taken[3] == 92  # where each of four environments takes a step that only resets it
    np.testing.assert_allclose(found.rates, 0.2 * (1 - taken[:-1] / 128))


@pytest.mark.numpy_alone("reads settings")
def test_ppo_is_refused_more_steps_than_its_learning_rate_lasts() -> None:
    fault = "expected --decay-steps at least --steps, but they are 300000 and 600000; choose a larger --decay-steps"
    with pytest.raises(ValueError, match=fault):
        chosen(ppo.Settings, ppo.TUNED, {"steps": 600_000})
    assert chosen(ppo.Settings, ppo.TUNED, {"steps": 600_000, "decay_steps": 600_000}).decay_steps == 600_000


@pytest.mark.numpy_alone("is about counting steps")
@pytest.mark.parametrize(("steps", "taken"), [(60, 60), (61, 64), (3, 4)])
def test_ppo_takes_the_steps_that_it_is_told_to_in_whole_rounds(
    steps: int, taken: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Recorded(tmp_path, monkeypatch, steps=steps).steps == taken


@pytest.mark.numpy_alone("is about episodes")
def test_after_every_checkpoint_all_environments_begin_episodes_with_other_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Recorded(tmp_path, monkeypatch, steps=128, checkpoint_every=60)
    assert found.first == [0, 2, 4]
    starts = [found.rollouts[index].obs[0] for index in found.first[:-1]]
    assert len(np.unique(np.concatenate(starts), axis=0)) == 8
    np.testing.assert_array_equal(found.rollouts[1].obs[0], found.rollouts[0].next_obs[-1])  # no checkpoint between


def test_one_seed_gives_the_same_policy_twice_and_another_seed_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        (tmp_path / name).mkdir()
        with monkeypatch.context() as patch:
            Recorded(tmp_path / name, patch, steps=64, seed=seed, normalize_observations=True)
    one, again, other = ((tmp_path / name / "policy.npz").read_bytes() for name in ("one", "again", "other"))
    assert one == again != other
