"""The online examples' interaction with environments: replay and ends of episodes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from clock_environment import Clock

from examples.online.off_policy import learn_while_acting
from examples.online.replay_buffer import ReplayBuffer
from examples.shared.learning_state import State

pytestmark = pytest.mark.numpy_alone("plays environments, which know no networks")


class Recorder:
    """An agent that learns nothing and records its batches."""

    def __init__(self, **settings: Any) -> None:
        self.settings = SimpleNamespace(
            **{"steps": 14, "warmup": 4, "updates_per_step": 2, "batch_size": 500} | settings
        )
        self.batches: list[Any] = []

    def init(self, rng: np.random.Generator) -> State:
        return State({}, {}, {})

    def learn(self, state: State, batch: Any, rng: np.random.Generator) -> Any:
        self.batches.append(batch)
        return state, {"learned": len(self.batches)}

    def explore(self, params: Any, observations: Any, rng: np.random.Generator) -> Any:
        assert observations.shape == (1, 2)
        return np.full((1, 2), 0.25, np.float32)


# -- replay -----------------------------------------------------------------------------------------------------------


def test_the_newest_transitions_replace_the_oldest() -> None:
    buffer = ReplayBuffer(4, 2, 1)
    for number in range(7):
        buffer.add(np.full(2, number), np.full(1, -number), 10.0 * number, np.full(2, number + 1), number % 2 == 0)
        assert len(buffer) == min(number + 1, 4)
        rewards = buffer.batch(np.random.default_rng(0), 200)[2]
        assert sorted(set(rewards)) == [10.0 * n for n in range(max(0, number - 3), number + 1)]


def test_a_batch_contains_complete_transitions_that_were_added() -> None:
    buffer = ReplayBuffer(100, 2, 1)
    for number in range(1, 6):
        buffer.add(np.full(2, number), np.full(1, -number), 10.0 * number, np.full(2, number + 1), number % 2 == 0)
    columns = buffer.batch(np.random.default_rng(0), 200)
    observations, actions, rewards, following, terminals = columns
    number = observations[:, 0]
    assert set(number) == {1, 2, 3, 4, 5}
    expected = (np.stack([number] * 2, 1), -number[:, None], 10 * number, np.stack([number + 1] * 2, 1), 1 - number % 2)
    for found, exact in zip(columns, expected, strict=True):
        np.testing.assert_array_equal(found, exact)
        assert found.dtype == np.float32


def test_a_replay_buffer_without_capacity_is_an_error() -> None:
    with pytest.raises(ValueError, match="capacity of at least one transition, got capacity=0"):
        ReplayBuffer(0, 2, 1)


# -- learning while acting --------------------------------------------------------------------------------------------


def test_a_transition_at_a_time_limit_is_not_terminal_and_has_the_last_observation_as_next() -> None:
    agent = Recorder()
    list(learn_while_acting(agent, Clock, seed=0))
    observations, _, _, following, terminals = agent.batches[-1]
    episode, time = observations.T
    np.testing.assert_array_equal(following, np.stack([episode, time + 1], axis=1))
    np.testing.assert_array_equal(terminals, (time == 2) & (episode % 2 == 0))
    assert {(e, t) for e, t in observations} == {(step // 3, step % 3) for step in range(14)}


def test_the_first_actions_are_random_within_their_bounds_without_learning_steps() -> None:
    agent = Recorder()
    taken = [(steps, dict(losses)) for steps, _, losses in learn_while_acting(agent, Clock, seed=0)]
    assert [steps for steps, _ in taken] == list(range(15))
    assert [losses.get("learned", 0) for _, losses in taken] == [0] * 5 + list(range(2, 21, 2))
    observations, actions, rewards, *_ = agent.batches[-1]
    step = observations @ [3, 1]
    assert (actions[step >= 4] == 0.25).all()
    assert len(np.unique(actions[step < 4])) == 8
    np.testing.assert_array_equal(rewards, actions[:, 1])


def test_the_seed_determines_actions_and_batches() -> None:
    def learned_from(seed: int) -> Any:
        agent = Recorder()
        list(learn_while_acting(agent, Clock, seed))
        return np.concatenate([batch[1] for batch in agent.batches])

    np.testing.assert_array_equal(learned_from(3), learned_from(3))
    assert not np.array_equal(learned_from(3), learned_from(4))
