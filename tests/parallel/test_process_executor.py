"""`ProcessExecutor` is an executor as those of concurrent.futures, from any thread, and outlives its processes."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import population_tasks as tasks
import pytest

from npnets import parallel
from npnets.parallel.process import Process

pytestmark = [
    pytest.mark.numpy_alone("about processes, whatever the arrays"),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a system with signals"),
]


def test_calls_take_positional_and_keyword_arguments_and_raise_what_was_raised() -> None:
    with parallel.ProcessExecutor(1) as executor:
        assert executor.submit(int, "11", base=2).result() == 3
        with pytest.raises(ValueError, match="invalid literal"):
            executor.submit(int, "x").result()
        assert list(executor.map(tasks.double, [1, 2, 3])) == [2, 4, 6]
    assert repr(executor) == "ProcessExecutor(1)"


def test_no_call_is_taken_after_shutdown() -> None:
    executor = parallel.ProcessExecutor(1)
    executor.shutdown()
    executor.shutdown()
    with pytest.raises(RuntimeError, match="was shut down: make a new one"):
        executor.submit(tasks.double, 1)


def test_shutdown_waits_for_the_calls_that_were_taken() -> None:
    executor = parallel.ProcessExecutor(1)
    futures = [executor.submit(tasks.double, index) for index in range(20)]
    executor.shutdown()
    assert [future.result(0) for future in futures] == [2 * index for index in range(20)]


def test_shutdown_with_cancelled_futures_kills_what_runs(tmp_path: Path) -> None:
    executor = parallel.ProcessExecutor(1)
    futures = [executor.submit(tasks.wait_for, (str(tmp_path / str(name)), str(tmp_path / "never"))) for name in "ab"]
    while not (tmp_path / "a").exists():
        time.sleep(0.01)
    executor.shutdown(cancel_futures=True)
    with pytest.raises(parallel.WorkerLost, match=r"process \d+ was stopped"):
        futures[0].result(0)
    with pytest.raises(parallel.WorkerLost, match="stopped before it ran"):
        futures[1].result(0)


def test_a_population_on_an_executor_that_was_shut_down_is_refused() -> None:
    executor = parallel.ProcessExecutor(1)
    executor.shutdown()
    with pytest.raises(RuntimeError, match="^this ProcessExecutor was shut down: make a new one$"):
        parallel.map_population(tasks.double, [1, 2], executor, on_failure="return")


def test_a_stopped_call_that_waits_behind_another_one_does_not_keep_its_process() -> None:
    with parallel.ProcessExecutor(1) as executor:
        runs, stopped, waits = (executor.submit(time.sleep, seconds) for seconds in (1.0, 100.0, 0.0))
        executor.stop([stopped])
        assert runs.result(30) is None
        assert waits.result(30) is None
        with pytest.raises(parallel.WorkerLost, match="stopped before it ran"):
            stopped.result(30)


def test_a_population_may_be_dropped_at_any_moment_of_another_call(monkeypatch: pytest.MonkeyPatch) -> None:
    class Collecting(dict[Any, Any]):
        """Closes a generator while the executor looks for a process, as the collection of garbage may."""

        def items(self) -> Any:
            monkeypatch.undo()
            dropped.close()
            return super().items()

    with parallel.ProcessExecutor(1) as executor:
        dropped = parallel.completed(tasks.behave, [1, "sleep"], executor)
        next(dropped)
        monkeypatch.setattr(executor, "_running", Collecting(executor._running))
        assert executor.submit(tasks.double, 2).result(50) == 4


def test_a_block_that_an_exception_leaves_stops_the_calls_that_run() -> None:
    began = time.monotonic()
    with pytest.raises(KeyError), parallel.ProcessExecutor(1) as executor:
        calls = parallel.completed(tasks.behave, [1, "sleep", "sleep"], executor)
        next(calls)
        raise KeyError
    assert time.monotonic() - began < 50


def test_an_executor_can_be_used_after_an_interrupt_while_it_took_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(process: Process, call: bytes) -> None:
        process.start().submit(time.sleep, 100)
        raise KeyboardInterrupt

    with parallel.ProcessExecutor(1) as executor:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Process, "submit", interrupted)
            executor.submit(tasks.double, 1)
        assert executor.submit(tasks.double, 2).result(50) == 4


@pytest.mark.slow
def test_a_process_that_dies_while_idle_is_replaced() -> None:
    with parallel.ProcessExecutor(1) as executor:
        for _ in range(3):
            process = executor.submit(os.getpid).result()
            os.kill(process, signal.SIGKILL)
            found = parallel.map_population(tasks.process_of, range(3), executor)
            assert len(set(found)) == 1 and process not in found


@pytest.mark.slow
def test_a_call_that_is_given_to_a_dead_process_is_not_lost() -> None:
    with parallel.ProcessExecutor(1) as executor:
        os.kill(executor.submit(os.getpid).result(), signal.SIGKILL)
        [process] = executor._running
        until = time.monotonic() + 20
        while not process.start()._broken and time.monotonic() < until:  # type: ignore[attr-defined]
            time.sleep(0.01)
        assert parallel.map_population(tasks.double, [1, 2], executor, retries=0) == [2, 4]


@pytest.mark.slow
def test_all_processes_may_die_at_once_and_again() -> None:
    with parallel.ProcessExecutor(3) as executor:
        for _ in range(3):
            calls = [executor.submit(time.sleep, 0.2) for _ in range(9)]
            for process in {executor.submit(os.getpid).result() for _ in range(9)}:
                os.kill(process, signal.SIGKILL)
            for call in calls:
                call.exception(30)
        assert parallel.map_population(tasks.double, range(5), executor) == [0, 2, 4, 6, 8]


@pytest.mark.slow
def test_several_threads_may_use_one_executor_while_workers_die(tmp_path: Path) -> None:
    def use(thread: int) -> list[Any]:
        members = [(str(tmp_path / f"{thread}-{index}"), index) for index in range(8)]
        return parallel.map_population(tasks.die_unless_marked, members, executor, retries=20)

    with parallel.ProcessExecutor(2) as executor, ThreadPoolExecutor(4) as threads:
        assert list(threads.map(use, range(4))) == [list(range(8))] * 4


@pytest.mark.slow
def test_stopping_the_tasks_of_one_call_leaves_those_of_another(tmp_path: Path) -> None:
    never = [(str(tmp_path / str(index)), str(tmp_path / "never")) for index in range(3)]
    with parallel.ProcessExecutor(2) as executor, ThreadPoolExecutor(1) as threads:
        stopped = parallel.completed(tasks.wait_for, [(str(tmp_path / "now"), str(tmp_path)), *never], executor)
        next(stopped)
        other = threads.submit(parallel.map_population, tasks.double, range(50), executor)
        time.sleep(0.1)
        stopped.close()
        assert other.result(60) == [2 * index for index in range(50)]


def test_no_thread_is_left_after_shutdown() -> None:
    before = set(threading.enumerate())
    with parallel.ProcessExecutor(2) as executor:
        executor.submit(tasks.double, 1).result()
    assert set(threading.enumerate()) <= before
