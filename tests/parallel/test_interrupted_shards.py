"""Ctrl-C at any byte-code of a call in shards leaves nothing behind that changes or stops a later call."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from backends import bits
from forks import exit_code_in_child
from numpy_lstm import run_lstm_in_numpy
from opcodes import Countdown, before_each_opcode

import npnets
from npnets.kernels import lstm_shards, worker_threads
from npnets.kernels.lstm import lstm

pytestmark = [
    pytest.mark.numpy_alone("about threads beside NumPy: on a GPU a batch stays whole"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning"),
]


@pytest.fixture(autouse=True)
def every_batch_is_large(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if every batch were large, in NumPy, and BLAS on one thread."""
    run_lstm_in_numpy(monkeypatch)
    monkeypatch.setattr(lstm_shards, "LEAST_ROWS", 1)
    monkeypatch.setattr(lstm_shards, "LEAST_WORK", 1)
    with npnets.threads(1):
        yield


def _drawn() -> list[Any]:
    rng = np.random.default_rng(0)
    shapes = [(2, 7, 3), (3, 20), (5, 20), (20,), (20,), (7, 5), (7, 5)]
    return [rng.normal(size=shape) for shape in shapes]


ARGS = _drawn()


def _in_shards() -> list[bytes]:
    with npnets.batch_threads(3):
        return bits(lstm(ARGS[0], tuple(ARGS[1:5]), *ARGS[5:]))


def _raise() -> None:
    raise KeyboardInterrupt


def _interrupt_at_every_byte_code(start_workers: bool) -> None:
    """Interrupt a call at each byte-code in turn, each time with no worker started yet or with all of them."""
    sys.unraisablehook = lambda _: None  # of workers that are ended below
    expected, left_set = _in_shards(), 0
    for number in itertools.count():
        if start_workers:
            for _ in worker_threads._alive:
                worker_threads._tasks.put("no task, so that the worker ends")
            worker_threads._forget_parent()
        countdown = Countdown(number, _raise)
        with (
            contextlib.suppress(KeyboardInterrupt),
            before_each_opcode(countdown, lstm_shards, worker_threads, contextlib),
        ):
            _in_shards()
        left_set += worker_threads.chosen_threads.get() != 1
        worker_threads.chosen_threads.set(1)
        assert _in_shards() == expected, number
        assert 2 <= len(worker_threads._alive) <= 3
        if countdown.seen <= number:
            break
    assert number > 200
    assert left_set <= 8, f"only the byte-codes that put the number back may leave it as it is, not {left_set}"


@pytest.mark.slow
@pytest.mark.parametrize("start_workers", [False, True])
def test_after_an_interrupt_at_any_byte_code_a_call_in_shards_has_the_right_bits(start_workers: bool) -> None:
    assert exit_code_in_child(lambda: _interrupt_at_every_byte_code(start_workers)) == 0


def _interrupt_by_a_signal() -> None:
    def handle(*_: Any) -> None:
        raise KeyboardInterrupt

    expected, interrupted = _in_shards(), 0
    signal.signal(signal.SIGPROF, handle)
    for turn in range(2000):
        try:
            signal.setitimer(signal.ITIMER_PROF, 1e-5 * (1 + turn % 40))
            for _ in range(1000):
                _in_shards()
        except KeyboardInterrupt:
            interrupted += 1
        if interrupted >= 100:
            break
    signal.setitimer(signal.ITIMER_PROF, 0)
    assert interrupted >= 100
    assert worker_threads.chosen_threads.get() == 1
    assert _in_shards() == expected
    assert len(worker_threads._alive) == 2


@pytest.mark.slow
def test_an_interrupt_by_a_real_signal_leaves_neither_a_setting_nor_a_worker_too_few() -> None:
    assert exit_code_in_child(_interrupt_by_a_signal) == 0
