"""Imitation with a memory: what is hidden, the teacher, the loss of episodes of any length, and their collection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import toy_environments
from backends import as_numpy, assert_allclose, device, on_backend
from gymnasium import spaces

import npnets
from examples.memory.recurrent_imitation import (
    TUNED,
    Episodes,
    Settings,
    Student,
    SwingUp,
    empty_buffer,
    observed,
    sample,
    swing_up,
    swing_up_torque,
    teacher_of,
    train,
    whole_episodes,
)
from examples.shared.pendulum_episodes import play
from npnets import data, training

toy_environments.register()
no_network = pytest.mark.numpy_alone("is about environments, the teacher and the data, which know no networks")
WHOLE, TORQUES = spaces.Box(-8, 8, (3,)), spaces.Box(-2, 2, (1,))


def settings(**changes: Any) -> Settings:
    small: dict[str, Any] = {"hide": (2,), "hidden_layer_size": 12, "learning_rate": 0.02, "device": device()}
    return Settings(**{**small, **changes})


class Still:
    """A teacher that does nothing."""

    def step(self, obs: Any, state: None = None) -> Any:
        """Return zeros."""
        return np.zeros((len(obs), 1)), None


# -- what is hidden, and the teacher ----------------------------------------------------------------------------------


@no_network
def test_the_student_sees_the_observation_without_the_hidden_entries() -> None:
    whole, hidden = gymnasium.make("Pendulum-v1"), settings().wrap(gymnasium.make("Pendulum-v1"))
    seen = [env.reset(seed=3)[0] for env in (whole, hidden)]
    for torque in np.linspace(-2, 2, 20, dtype=np.float32):
        np.testing.assert_array_equal(seen[1], seen[0][:2])
        assert seen[1] in hidden.observation_space
        seen = [env.step(torque[None])[0] for env in (whole, hidden)]
    batch = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    np.testing.assert_array_equal(settings(hide=(0, 4)).seen(batch), [[1, 2, 3, 5], [7, 8, 9, 11]])
    np.testing.assert_array_equal(settings(hide=()).seen(batch), batch.reshape(2, 6))


@no_network
@pytest.mark.parametrize("hide", [(3,), (0, 1, 2), (0, 0, 1, 2)])
def test_entries_that_are_not_there_and_all_entries_cannot_be_hidden(hide: tuple[int, ...]) -> None:
    with pytest.raises(
        ValueError, match="expected --hide to leave some of the entries 0 to 2 of an observation, but it"
    ):
        Student(settings(hide=hide), WHOLE, TORQUES)


@no_network
def test_the_controller_swings_up_and_holds_the_pendulum_from_every_start() -> None:
    episodes = play(swing_up, 40, seed=0)
    assert np.abs(episodes.angle[:, 0]).max() > 3  # one of them hangs down
    assert np.abs(episodes.angle[:, 150:]).max() < 0.05
    assert episodes.returns.mean() > -200


@no_network
def test_the_controllers_torque_is_the_one_computed_by_hand() -> None:
    assert swing_up_torque(0.1, -0.2) == pytest.approx(-10 * 0.1 - 3 * -0.2)
    assert swing_up_torque(np.pi, 0.0) == 2  # hanging at rest it must start somehow
    np.testing.assert_array_equal(swing_up_torque([2.0, 2.0, 2.0], [1.0, -1.0, 7.9]), [2, -2, -2])


@no_network
def test_any_policy_of_a_file_is_a_teacher_and_other_environments_than_pendulum_need_one(tmp_path: Path) -> None:
    actor = npnets.Actor(npnets.Net(3, hidden_sizes=(4,)), TORQUES)
    policy = npnets.Policy(actor, actor.init(np.random.default_rng(0)))
    policy.save(tmp_path / "teacher.npz")
    obs = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
    teacher = teacher_of(settings(teacher=str(tmp_path / "teacher.npz")), TORQUES)
    np.testing.assert_array_equal(teacher.step(obs)[0], policy.step(obs)[0])
    np.testing.assert_array_equal(teacher_of(settings(), TORQUES).step(obs)[0], swing_up(obs))
    with pytest.raises(
        ValueError, match="toy/Line-v0 needs a teacher, a policy for its complete observations: --teacher"
    ):
        teacher_of(settings(env="toy/Line-v0"), TORQUES)


# -- the student ------------------------------------------------------------------------------------------------------


def batch_of(rng: np.random.Generator, lengths: list[int]) -> Episodes:
    """Draw episodes of some lengths, filled up with other numbers."""
    number, steps = len(lengths), max(lengths)
    obs = rng.normal(size=(number, steps, 2)).astype(np.float32)
    return Episodes(obs, rng.uniform(-2, 2, (number, steps, 1)).astype(np.float32), np.array(lengths))


def test_the_loss_of_whole_episodes_is_that_of_stepping_through_them() -> None:
    learner, rng = Student(settings(), WHOLE, TORQUES), np.random.default_rng(0)
    params: Any = learner.init(rng).params
    params["log_sigma"] = on_backend(np.array([-0.4], np.float32))
    batch = batch_of(rng, [9, 4, 7])
    log_probs = []
    for row, length in enumerate(batch.lengths):
        memory = None
        for t in range(length):
            (mu, sigma), memory = learner.actor.forward(params, on_backend(batch.obs[row : row + 1, t]), memory)
            mu, sigma = as_numpy(mu)[0, 0], as_numpy(sigma)[0, 0]
            density = np.exp(-(((batch.action[row, t, 0] - mu) / sigma) ** 2) / 2) / (sigma * np.sqrt(2 * np.pi))
            log_probs.append(np.log(density))
    assert len(log_probs) == 20
    assert_allclose(learner.loss(params, npnets.tree.to_device(batch, device())), -np.mean(log_probs), rtol=1e-5)


def test_steps_after_the_end_of_an_episode_change_nothing() -> None:
    learner, rng = Student(settings(), WHOLE, TORQUES), np.random.default_rng(0)
    state, batch = learner.init(rng), batch_of(rng, [9, 4])
    other = batch._replace(obs=batch.obs.copy(), action=batch.action.copy())
    other.obs[1, 4:], other.action[1, 4:] = 7, -1
    (first, found), (second, again) = (learner.learn(state, one) for one in (batch, other))
    assert float(found["loss"]) == float(again["loss"])
    for ours, theirs in zip(npnets.tree.leaves(first.params), npnets.tree.leaves(second.params), strict=True):
        np.testing.assert_array_equal(as_numpy(ours), as_numpy(theirs))


def test_a_gradient_is_no_longer_than_its_limit() -> None:
    learner, rng = Student(settings(clip_norm=0.01), WHOLE, TORQUES), np.random.default_rng(0)
    plain: Any = npnets.optim.sgd(1.0)
    learner.adam = plain
    begun = learner.init(rng)
    learned, _ = learner.learn(begun, batch_of(rng, [9, 4]))
    pairs = zip(*(npnets.tree.leaves(as_numpy(state.params)) for state in (begun, learned)), strict=True)
    assert np.sqrt(sum(((new - old) ** 2).sum() for old, new in pairs)) == pytest.approx(0.01, rel=1e-3)


def test_it_learns_what_was_seen_one_step_before() -> None:
    rng = np.random.default_rng(1)
    obs = rng.uniform(-1, 1, (16, 10, 2)).astype(np.float32)
    action = np.concatenate([np.zeros((16, 1, 1)), obs[:, :-1, :1]], axis=1).astype(np.float32)
    learner = Student(settings(), WHOLE, TORQUES)
    state = learner.init(np.random.default_rng(2))
    for _ in range(150):
        state, found = learner.learn(state, Episodes(obs, action, np.full(16, 10)))
    assert float(found["loss"]) < 0.3


def test_a_policy_remembers_within_its_episodes_and_nothing_of_those_before() -> None:
    learner = Student(settings(), WHOLE, TORQUES)
    policy, seen = learner.policy(learner.init(np.random.default_rng(0))), np.array([[0.6, 0.8]], np.float32)
    first, memory = policy.step(seen)
    second, _ = policy.step(seen, memory)
    assert not np.array_equal(as_numpy(first), as_numpy(second))
    np.testing.assert_array_equal(as_numpy(policy.step(seen)[0]), as_numpy(first))


def test_where_it_is_asked_for_observations_are_normalized_by_the_statistics_of_all_rounds_so_far() -> None:
    chosen = settings(hide=(1,), env="toy/Line-v0", normalize_observations=True)
    envs = training.make_envs("toy/Line-v0", 6)
    student = Student(chosen, envs.single_observation_space, envs.single_action_space)
    begun, buffer = student.init(np.random.default_rng(0)), empty_buffer(chosen)
    state = student.play(begun, envs, Still(), buffer, np.random.default_rng(1))
    obs = buffer.take(np.arange(len(buffer))).obs
    assert state.statistics is not None and state.statistics.count == len(obs) == len(buffer)
    np.testing.assert_allclose(state.statistics.mean, obs.mean(0, np.float64), rtol=1e-12)
    np.testing.assert_allclose(state.statistics.var, obs.var(0, dtype=np.float64), rtol=1e-12)

    batch = sample(buffer, whole_episodes(buffer), np.random.default_rng(2), 4)
    mean, deviation = (np.float32(part) for part in (obs.mean(), obs.std()))
    other = Student(settings(hide=(1,), env="toy/Line-v0"), envs.single_observation_space, envs.single_action_space)
    by_hand = batch._replace(obs=(batch.obs - mean) / deviation)
    _, found = student.learn(state, batch)
    _, expected = other.learn(state._replace(statistics=None), by_hand)
    assert_allclose(found["loss"], as_numpy(expected["loss"]), rtol=1e-5)
    seen = obs[:5]
    plain = other.policy(state._replace(statistics=None)).step((seen - mean) / deviation)[0]
    assert_allclose(student.policy(state).step(seen)[0], as_numpy(plain), rtol=1e-4, atol=1e-6)
    assert state.statistics == student.learn(state, batch)[0].statistics  # learning counts nothing
    further = student.play(state, envs, Still(), buffer, np.random.default_rng(3))
    assert further.statistics is not None and further.statistics.count == len(buffer)


# -- episodes ---------------------------------------------------------------------------------------------------------


def filled(capacity: int, lengths: list[int]) -> data.ReplayBuffer:
    """Return a buffer with episodes of some lengths, whose steps are numbered through."""
    buffer = empty_buffer(settings(buffer_size=capacity))
    for length in lengths:
        steps = buffer.added + np.arange(length, dtype=np.float32)
        obs = steps[:, None] * [1, 10]
        buffer.add(obs, -steps[:, None], steps, obs + [1, 10], np.arange(length) == length - 1)
    return buffer


@no_network
def test_episodes_are_drawn_whole_and_filled_up_with_their_last_step() -> None:
    buffer = filled(100, [3, 5, 2])
    episodes = whole_episodes(buffer)
    np.testing.assert_array_equal(episodes, [[0, 3, 8], [3, 5, 2]])
    batch = sample(buffer, episodes, np.random.default_rng(0), 60)
    assert set(batch.obs[:, 0, 0]) == {0, 3, 8}
    for obs, action, length in zip(*batch, strict=True):
        first = obs[0, 0]
        expected = first + np.minimum(np.arange(5), {0: 3, 3: 5, 8: 2}[int(first)] - 1)
        np.testing.assert_array_equal(obs, expected[:, None] * [1, 10])
        np.testing.assert_array_equal(action[:, 0], -expected)
        assert length == {0: 3, 3: 5, 8: 2}[int(first)]


@no_network
def test_a_full_buffer_has_the_episodes_of_which_nothing_was_replaced() -> None:
    buffer = filled(9, [3, 5, 2, 4])  # the last 9 of 14 steps are 5 to 13, of which 5 to 7 are the end of an episode
    np.testing.assert_array_equal(whole_episodes(buffer), [[8, 10], [2, 4]])
    batch = sample(buffer, whole_episodes(buffer), np.random.default_rng(0), 40)
    assert {tuple(row) for row in batch.obs[..., 0]} == {(8, 9, 9, 9), (10, 11, 12, 13)}
    assert [len(part) for part in whole_episodes(filled(9, []))] == [0, 0]


def test_a_buffer_that_may_have_no_whole_episode_is_an_error_that_names_the_option() -> None:
    chosen, envs = settings(hide=(1,)), training.make_envs("toy/Line-v0", 6)
    learner = Student(chosen, envs.single_observation_space, envs.single_action_space)
    state, buffer = learner.init(np.random.default_rng(0)), empty_buffer(chosen)
    learner.play(state, envs, Still(), buffer, np.random.default_rng(1))
    longest = whole_episodes(buffer)[1].max()
    barely, small = (empty_buffer(settings(buffer_size=int(longest) + more)) for more in (1, 0))
    learner.play(state, envs, Still(), barely, np.random.default_rng(1))
    assert len(whole_episodes(barely)[0]) > 0
    with pytest.raises(ValueError, match=f"^--buffer-size must be more than the {longest} steps of an episode: choose"):
        learner.play(state, envs, Still(), small, np.random.default_rng(1))


def test_a_round_has_so_many_episodes_and_comes_after_so_many_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = list[int]()
    play_round = Student.play

    def counted(self: Student, state: Any, envs: Any, *others: Any) -> Any:
        rounds.append(envs.num_envs)
        return play_round(self, state, envs, *others)

    monkeypatch.setattr(Student, "play", counted)
    options = f"--steps 5 --episodes 1 --steps-per-round 2 --episodes-per-round 3 --device {device()}".split()
    small = ["--hidden-layer-size", "4", "--out", str(tmp_path / "out")]
    assert training.main(train, Settings, "Imitation: a test.", TUNED, [*options, *small]) == 0
    assert rounds == [3, 3, 3]  # before steps 1, 3 and 5


def test_it_acts_itself_and_stores_what_the_teacher_would_have_done_until_each_episode_ends() -> None:
    chosen = settings(hide=(1,), env="toy/Line-v0")
    envs = training.make_envs("toy/Line-v0", 6)
    learner = Student(chosen, envs.single_observation_space, envs.single_action_space)
    state, buffer = learner.init(np.random.default_rng(0)), empty_buffer(chosen)

    class Teacher:
        """Counts the steps of the episodes in its memory, and observes the velocity."""

        def step(self, obs: Any, state: Any = None) -> Any:
            """Return the velocity plus the step."""
            step = 0 if state is None else state
            return obs[:, 1:] + step, step + 1

    learner.play(state, envs, Teacher(), buffer, np.random.default_rng(1))
    starts, lengths = whole_episodes(buffer)
    assert len(starts) == 6 and lengths.max() <= 20
    for start, length in zip(starts, lengths, strict=True):
        found = buffer.take(np.arange(start, start + length))
        assert found.obs.shape == (length, 1)
        np.testing.assert_array_equal(found.next_obs[:-1], found.obs[1:])
        velocity = (found.next_obs - found.obs)[:, 0] / 0.2  # after each step, which the student does not see
        np.testing.assert_allclose(found.action[1:, 0], velocity[:-1] + np.arange(1, length), atol=1e-4)
    again = empty_buffer(chosen)
    learner.play(state, envs, Teacher(), again, np.random.default_rng(1))
    other = empty_buffer(chosen)
    learner.play(state, envs, Teacher(), other, np.random.default_rng(2))
    assert again.take(np.arange(10)).obs.tobytes() == buffer.take(np.arange(10)).obs.tobytes()
    assert other.take(np.arange(10)).obs.tobytes() != buffer.take(np.arange(10)).obs.tobytes()


@pytest.mark.parametrize("normalizes", [False, True])
def test_it_acts_by_its_distribution_with_its_memory(normalizes: bool) -> None:
    chosen = settings(hide=(1,), normalize_observations=normalizes)
    envs = training.make_envs("toy/Line-v0", 3)
    learner = Student(chosen, envs.single_observation_space, envs.single_action_space)
    state, buffer = learner.init(np.random.default_rng(0)), empty_buffer(chosen)
    params: Any = state.params
    params["log_sigma"] = on_backend(np.array([-20], np.float32))  # so that it draws its mean
    state = observed(state, np.array([[0.5], [-0.2]]))
    obs, memory, policy, seen = training.reset(envs, np.random.default_rng(1)), None, learner.policy(state), []
    for _ in range(8):
        seen.append(chosen.seen(obs))
        action, memory = policy.step(seen[-1], memory)
        obs, *_ = envs.step(as_numpy(action))

    learner.play(state, envs, Still(), buffer, np.random.default_rng(1))
    for episode, start in enumerate(whole_episodes(buffer)[0]):
        found = buffer.take(np.arange(start, start + 8)).obs
        np.testing.assert_allclose(found, np.stack(seen)[:, episode], atol=1e-5)


@no_network
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--hide", "3"), "expected --hide to leave some of the entries 0 to 2 of an observation, but it is 3"),
        (("--env", "MountainCarContinuous-v0"), "MountainCarContinuous-v0 needs a teacher"),
        (("--teacher", "absent.npz"), "expected a file for --teacher, but there is none at"),
        (("--teacher", __file__), "test_recurrent_imitation.py cannot be read"),
    ],
)
def test_a_wrong_option_is_an_error_in_one_line_and_leaves_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], message: str
) -> None:
    arguments = ["--steps", "1", "--episodes", "1", "--out", str(tmp_path / "out"), *options]
    assert training.main(train, Settings, "Imitation: a test.", TUNED, arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line and not (tmp_path / "out").exists()


@no_network
def test_the_controller_is_a_policy_without_a_memory() -> None:
    obs = np.array([[np.cos(0.1), np.sin(0.1), -0.2]], np.float32)
    torque, memory = SwingUp().step(obs)
    assert_allclose(torque, [[-10 * 0.1 - 3 * -0.2]], rtol=1e-5)
    assert memory is None
