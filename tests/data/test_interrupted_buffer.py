"""A buffer that is interrupted at any bytecode of an addition has all of the batch or nothing of it."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest
from opcodes import Countdown, before_each_opcode

from npnets import data
from npnets.data import replay_buffer

pytestmark = pytest.mark.numpy_alone("a replay buffer is in NumPy's arrays")


class Interruption(BaseException):
    """What a signal handler raises, as Ctrl-C does."""


def _interrupt() -> None:
    raise Interruption


def batch(start: float, n: int) -> list[np.ndarray]:
    """Return transitions in which every number is that of its row."""
    rows = start + np.arange(n, dtype=np.float64)
    return [np.repeat(rows[:, None], 3, 1), rows[:, None].copy(), rows.copy(), np.repeat(rows[:, None], 3, 1)]


def filled(added: int) -> data.ReplayBuffer:
    buffer = data.ReplayBuffer(5)
    for number in range(added):
        buffer.add(*batch(number, 1), [False])
    return buffer


def rows_of(buffer: data.ReplayBuffer) -> list[float]:
    """Return the number of each row, once all columns are found to have the same."""
    obs, action, reward, next_obs, _ = buffer.take(np.arange(len(buffer)))
    assert (obs == reward[:, None]).all() and (next_obs == obs).all() and (action[:, 0] == reward).all()
    found: list[float] = reward.tolist()
    return found


@pytest.mark.parametrize("added", [0, 4, 8])
def test_an_interrupted_addition_is_made_whole_or_not_at_all(added: int) -> None:
    whole = filled(added)
    whole.add(*batch(100, 3), [False] * 3)
    outcomes = set()
    for number in itertools.count():
        buffer, given = filled(added), batch(100, 3)
        countdown = Countdown(number, _interrupt)
        try:
            with before_each_opcode(countdown, replay_buffer):
                buffer.add(*given, [False] * 3)
        except Interruption:
            pass
        if countdown.seen <= number:  # there were not as many
            break
        for array in given:  # what the caller does with the arrays afterwards does not matter
            array[:] = -1
        outcomes.add(buffer.added)
        if buffer.added == added:
            assert not added or rows_of(buffer) == rows_of(filled(added))
        else:
            assert rows_of(buffer) == rows_of(whole)
        if not buffer.added:  # the batch that is not there decided no shape
            assert len(copy.deepcopy(buffer).add([[0.0]], [0.0], [0.0], [[0.0]], [False])) == 1
        buffer.add(*batch(200, 1), [False])
        assert 200 in rows_of(buffer)
    assert outcomes == {added, added + 3}
