"""`npnets.memory`: buffer pools can be limited and freed, at once and in all threads, and no user's array changes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from opcodes import Countdown, before_each_opcode

import npnets
import npnets.numpy as nnp
from npnets import memory
from npnets.kernels import buffers
from npnets.kernels.buffers import LEAST_BYTES, scratch
from npnets.kernels.compiled.native import native

pytestmark = pytest.mark.numpy_alone("about NumPy's memory: CuPy has a pool of its own")

needs_compiled = pytest.mark.skipif(native is None, reason="the compiled kernels are not in use")
LAYER = npnets.Linear(2, 2).init(np.random.default_rng(0))
LIKE = np.zeros(1, np.float32)
LARGE = (LEAST_BYTES // 4,)


@pytest.fixture(autouse=True)
def empty_pools() -> Iterator[None]:
    """Start with empty pools, and restore the limit afterwards."""
    memory.clear()
    before = memory.limit(1 << 28)
    yield
    memory.limit(before)


class Elsewhere:
    """A thread that fills its pool and lives on, to run more functions."""

    def __init__(self) -> None:
        self._go, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._work)
        self._work_to_do: Callable[[], Any] | None = None

    def __enter__(self) -> Elsewhere:
        self._thread.start()
        self.run(fill)
        return self

    def run(self, function: Callable[[], Any] | None) -> None:
        self._work_to_do = function
        self._go.release()
        if function is not None:
            assert self._done.acquire(timeout=60)

    def _work(self) -> None:
        while self._go.acquire(timeout=60) and self._work_to_do is not None:
            self._work_to_do()
            self._done.release()

    def __exit__(self, *_: Any) -> None:
        self.run(None)
        self._thread.join(60)


def fill(number: int = 3) -> None:
    """Fill this thread's pool with a number of arrays of `LEAST_BYTES`."""
    [scratch(LIKE, LARGE) for _ in range(number)]


def test_held_counts_the_pools_of_all_threads_in_use_or_not() -> None:
    fill()
    using = scratch(LIKE, LARGE)
    assert memory.held() == 3 * LEAST_BYTES
    with Elsewhere():
        assert memory.held() == 6 * LEAST_BYTES
    assert memory.held() == 3 * LEAST_BYTES, "a thread that has ended has no pool"
    assert using.shape == LARGE


def test_clear_frees_the_pools_of_all_threads_and_leaves_referenced_arrays_alone() -> None:
    fill()
    with Elsewhere() as other:
        mine = scratch(LIKE, LARGE)
        mine[:] = 7
        memory.clear()
        assert memory.held() == 0
        fill()
        other.run(fill)
        assert memory.held() == 6 * LEAST_BYTES
        assert (mine == 7).all()


def test_a_lower_limit_frees_at_once_and_applies_to_every_thread() -> None:
    fill()
    with Elsewhere() as other:
        assert memory.limit(2 * LEAST_BYTES) == 1 << 28
        assert memory.held() == 0
        fill()
        assert memory.held() <= 2 * LEAST_BYTES
        other.run(fill)
        assert memory.held() <= 4 * LEAST_BYTES
    with Elsewhere():
        assert memory.held() <= 4 * LEAST_BYTES


def test_a_limit_of_zero_turns_pools_off_and_a_higher_one_on_again() -> None:
    fill()
    memory.limit(0)
    fill()
    assert memory.held() == 0
    assert memory.limit(4 * LEAST_BYTES) == 0
    fill()
    assert memory.held() == 3 * LEAST_BYTES


def test_a_higher_limit_frees_nothing() -> None:
    fill()
    memory.limit(1 << 29)
    assert memory.held() == 3 * LEAST_BYTES


def test_memory_that_is_freed_at_any_byte_code_of_an_operation_stays_free() -> None:
    number, total = 0, 1
    while number < total:
        memory.clear()
        fill(5)
        countdown = Countdown(number, memory.clear)
        with before_each_opcode(countdown, buffers):
            array = scratch(LIKE, LARGE)
        assert memory.held() <= array.nbytes, number
        array[:] = 1
        others = [scratch(LIKE, LARGE) for _ in range(4)]
        assert not any(np.shares_memory(array, other) for other in others)
        number, total = number + 1, countdown.seen
    assert total > 50


def test_threads_that_compute_while_another_frees_get_the_right_numbers() -> None:
    net = npnets.MLP(64, 64, (64,))
    params = net.init(np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(512, 64)).astype("f")
    expected, found, stop = net.forward(params, x), [], threading.Event()

    def compute() -> None:
        while not stop.is_set():
            found.append(bool((net.forward(params, x) == expected).all()))

    threads = [threading.Thread(target=compute) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(300):
        memory.clear()
        memory.held()
    stop.set()
    for thread in threads:
        thread.join(60)
    assert found and all(found)


@pytest.mark.parametrize("wrong", [1.5, True, "256 MiB", None])
def test_a_limit_that_is_no_integer_is_an_error(wrong: Any) -> None:
    with pytest.raises(TypeError) as caught:
        memory.limit(wrong)
    words = "the limit must be an integer, a number of bytes such as 256 * 2**20 for 256 MiB, but is "
    assert str(caught.value) == f"{words}{wrong!r}"


def test_a_limit_below_zero_is_an_error_and_changes_nothing() -> None:
    with pytest.raises(ValueError, match="^the limit must be at least 0 bytes, which turns the pools off, but is -1$"):
        memory.limit(-1)
    assert memory.limit(1 << 28) == 1 << 28


def test_where_references_are_not_all_counted_the_logger_says_once_that_there_are_no_pools(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(buffers, "REFERENCES_ARE_COUNTED", False)
    buffers._log_that_there_are_no_pools.cache_clear()
    with caplog.at_level(logging.INFO, "npnets"):
        fill()
        memory.limit(1 << 20)
    told = [(level, message.split(",")[0].split(":")[0]) for _, level, message in caplog.record_tuples]
    assert told == [
        (logging.INFO, "there are no buffer pools"),
        (logging.WARNING, "npnets.memory.limit changes nothing"),
    ]


def differentiate_many_rows() -> None:
    """Fill the compiled kernels' buffer of this thread: it has a cotangent for each row of both layers."""
    net = npnets.MLP(3, 1, (64,))
    params, obs = net.init(np.random.default_rng(0)), np.ones((5000, 3), np.float32)
    npnets.grad(lambda p: nnp.sum(net.forward(p, obs)))(params)


@needs_compiled
def test_the_buffer_of_compiled_kernels_counts_and_is_freed_with_the_pools() -> None:
    differentiate_many_rows()
    assert native.held_memory() > 5000 * 64 * 4
    assert memory.held() > native.held_memory()
    memory.clear()
    assert native.held_memory() == memory.held() == 0


@needs_compiled
def test_a_buffer_of_compiled_kernels_beyond_the_limit_is_freed_at_the_end_of_its_call() -> None:
    memory.limit(1 << 20)
    differentiate_many_rows()
    assert native.held_memory() == 0
    memory.limit(1 << 28)
    differentiate_many_rows()
    assert native.held_memory() > 1 << 20


@needs_compiled
def test_a_buffer_of_another_thread_is_freed_at_the_end_of_its_next_call_or_with_the_thread() -> None:
    with Elsewhere() as thread:
        thread.run(differentiate_many_rows)
        memory.clear()
        assert native.held_memory() > 0
        thread.run(lambda: npnets.Linear(2, 2).forward(LAYER, np.ones((1, 2), np.float32)))
        assert native.held_memory() <= 1 << 16
    deadline = time.monotonic() + 10  # Python joins a thread before the system has ended it
    while native.held_memory() and time.monotonic() < deadline:
        time.sleep(0.001)
    assert native.held_memory() == 0
