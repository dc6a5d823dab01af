"""In NumPy, an LSTM's batch in shards on several threads has the results of the whole, and changes nothing else."""

from __future__ import annotations

import _thread
import contextvars
import functools
import gc
import multiprocessing
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import numpy as np
import pytest
from backends import assert_allclose, bits
from forks import exit_code_in_child
from numpy_lstm import run_lstm_in_numpy
from platforms import needs_known_blas
from threadpoolctl import threadpool_info

import npnets
import npnets.numpy as nnp
from npnets.kernels import lstm_shards, worker_threads
from npnets.kernels.lstm import lstm

pytestmark = [
    pytest.mark.numpy_alone("about threads beside NumPy: on a GPU a batch stays whole"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning"),
]
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")

BATCH, STEPS, INPUTS, HIDDEN = 7, 4, 3, 5
RESET = np.random.default_rng(1).random((STEPS, BATCH, 1)) < 0.3
VALID = np.arange(STEPS)[:, None, None] < np.array([1, 4, 2, 3, 4, 1, 2])[:, None]


@pytest.fixture(autouse=True)
def in_numpy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The kernel in NumPy, with BLAS on one thread, as `batch_threads` expects it."""
    run_lstm_in_numpy(monkeypatch)
    with npnets.threads(1):
        yield


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """As if every batch were large; how many tasks ran side by side each time."""
    counts: list[int] = []
    run_together = worker_threads.run_together
    monkeypatch.setattr(lstm_shards, "LEAST_ROWS", 1)
    monkeypatch.setattr(lstm_shards, "LEAST_WORK", 1)
    monkeypatch.setattr(lstm_shards, "run_together", lambda tasks: counts.append(len(tasks)) or run_together(tasks))
    return counts


@pytest.fixture
def three_threads(counts: list[int]) -> Iterator[list[int]]:
    """The same, with batches divided among three threads."""
    with npnets.batch_threads(3):
        yield counts


def _arguments(seed: int = 0) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    shapes = [(STEPS, BATCH, INPUTS), (INPUTS, 4 * HIDDEN), (HIDDEN, 4 * HIDDEN), (4 * HIDDEN,), (4 * HIDDEN,)]
    return tuple(rng.normal(size=shape) for shape in [*shapes, (BATCH, HIDDEN), (BATCH, HIDDEN)])


def _run(x: Any, w_x: Any, w_h: Any, b_x: Any, b_h: Any, h: Any, c: Any, **masks: Any) -> Any:
    return lstm(x, (w_x, w_h, b_x, b_h), h, c, **masks)


def _loss(args: Any, masks: Any, used: tuple[int, ...]) -> Any:
    outputs = _run(*args, **masks)
    return sum(nnp.sum(nnp.sin(outputs[index])) for index in used)


def _gradient(args: Any, masks: Any, used: tuple[int, ...] = (0, 1, 2)) -> Any:
    return npnets.grad(lambda args: _loss(args, masks, used))(args)


@pytest.mark.parametrize("masks", [{}, {"reset": RESET}, {"valid": VALID}, {"reset": RESET & VALID, "valid": VALID}])
@pytest.mark.parametrize("used", [(0, 1, 2), (0,), (2,)])
def test_a_batch_in_shards_has_the_outputs_and_gradients_of_the_whole(masks: Any, used: Any, counts: list[int]) -> None:
    with npnets.batch_threads(3):
        shared = _run(*_arguments(), **masks), _gradient(_arguments(), masks, used)
    assert counts == [3, 3, 3]
    whole = _run(*_arguments(), **masks), _gradient(_arguments(), masks, used)
    assert counts == [3, 3, 3]
    for one, other in zip(npnets.tree.leaves(shared), npnets.tree.leaves(whole), strict=True):
        assert_allclose(one, other, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("index", range(7))
def test_one_cotangent_alone_is_that_among_all(index: int, three_threads: list[int]) -> None:
    args = _arguments()
    alone = npnets.grad(lambda arg: _loss((*args[:index], arg, *args[index + 1 :]), {}, (0, 1, 2)))(args[index])
    assert_allclose(alone, _gradient(args, {})[index], rtol=1e-12, atol=1e-13)


def test_results_have_the_same_bits_from_run_to_run_and_in_several_threads_at_once(three_threads: list[int]) -> None:
    expected = bits(list(_gradient(_arguments(), {"reset": RESET})))

    def found(_: int) -> Any:
        with npnets.batch_threads(3):
            return bits(list(_gradient(_arguments(), {"reset": RESET})))

    with ThreadPoolExecutor(4) as pool:
        assert all(one == expected for one in pool.map(found, range(40)))


def test_in_a_thread_outside_the_block_a_batch_stays_whole(three_threads: list[int]) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: _run(*_arguments())).result()
    assert three_threads == []


def test_a_gradient_can_be_pulled_back_twice_and_differentiated_again(three_threads: list[int]) -> None:
    args = _arguments()
    value, pullback = npnets.vjp(lambda args: _run(*args)[0], args)
    g = np.random.default_rng(2).normal(size=value.shape)
    assert bits(list(pullback(g))) == bits(list(pullback(g)))
    direction = _arguments(3)
    product = npnets.hvp(lambda args: _loss(args, {}, (0, 2)))(args, direction)
    eps = 1e-6
    ahead, behind = (
        _gradient([a + s * eps * d for a, d in zip(args, direction, strict=True)], {}, (0, 2)) for s in (1, -1)
    )
    for found, one, other in zip(product, ahead, behind, strict=True):
        assert_allclose(found, (one - other) / (2 * eps), rtol=1e-5, atol=1e-7)


def _evaluated(run: Any, rows: Any) -> Any:
    """Return a function's outputs for thirds of some rows, each third in a thread of its own."""
    thirds = rows[:2], rows[2:4], rows[4:]
    return np.concatenate(worker_threads.run_together([functools.partial(run, third) for third in thirds]))


def _blas_threads() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


@needs_known_blas
def test_where_blas_has_several_threads_the_error_names_the_remedy() -> None:
    with npnets.threads(3):
        with pytest.raises(
            RuntimeError, match=r"batch_threads\(2\) expects BLAS to run on one thread, but .* runs on 3"
        ):
            with npnets.batch_threads(2):
                pass
        with npnets.batch_threads(1):
            pass


@pytest.mark.parametrize("code", ["npnets.threads(1)\nwith ", "with npnets.threads(1), "])
def test_each_remedy_that_the_error_names_works(code: str) -> None:
    code = f"import npnets\n{code}npnets.batch_threads(2): print('inside')"
    variables = {**os.environ, **dict.fromkeys(["OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "2")}
    ended = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr) == ("inside\n", "")


@needs_known_blas
def test_blas_keeps_its_threads_in_any_order_of_entering_and_leaving_blocks() -> None:
    entered, left = threading.Event(), threading.Event()

    def other() -> None:
        with npnets.batch_threads(2):
            entered.set()
            assert left.wait(60)

    thread = threading.Thread(target=other)
    with npnets.batch_threads(2):
        thread.start()
        assert entered.wait(60)
    left.set()
    thread.join(60)
    assert set(_blas_threads()) == {1}
    with npnets.threads(3), pytest.raises(ArithmeticError), npnets.batch_threads(1):
        assert set(_blas_threads()) == {3}
        raise ArithmeticError
    assert worker_threads.chosen_threads.get() == 1


def test_a_worker_that_waits_for_the_next_task_references_neither_task_nor_result() -> None:
    class Waits(Exception):
        """The worker has run all tasks."""

    class Result:
        """An object with weak references."""

    def task() -> Result:
        result = Result()
        alive.append(weakref.ref(result))
        return result

    class Tasks:
        """Returns one task, and then checks that nothing of it is alive."""

        def get(self) -> Any:
            if jobs:
                return jobs.pop()
            assert len(alive) == 3 and [one() for one in alive] == [None] * 3
            raise Waits

    class Outcomes:
        """Checks that the task is no longer alive when its result comes."""

        def put(self, outcome: Any) -> None:
            assert outcome[1] is None and alive[0]() is None

    jobs: list[Any] = [(Outcomes(), contextvars.copy_context(), functools.partial(task))]
    alive: list[Any] = [weakref.ref(jobs[0][2]), weakref.ref(jobs[0][0])]
    with pytest.raises(Waits):
        worker_threads._run_tasks(Tasks(), [], SimpleQueue())  # type: ignore[arg-type]


def test_an_error_does_not_keep_the_arrays_of_the_call_alive_once_it_is_handled(three_threads: list[int]) -> None:
    def run(x: Any) -> Any:
        if x[-1] == 6:
            raise ArithmeticError
        return x

    gc.collect()
    gc.disable()
    try:
        rows = np.arange(7.0)
        alive = weakref.ref(rows)
        try:
            _evaluated(run, rows)
        except ArithmeticError:
            del rows
        deadline = time.monotonic() + 60  # the worker drops its reference a moment after it has put the outcome
        while alive() is not None and time.monotonic() < deadline:
            time.sleep(0.001)
        assert alive() is None
    finally:
        gc.enable()


def test_where_no_thread_can_be_started_the_caller_runs_all_tasks(
    three_threads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> None:
        raise RuntimeError("can't start new thread")

    worker_threads._forget_parent()
    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    for _ in range(2):
        assert_allclose(_evaluated(lambda x: x + 1, np.arange(7.0)), np.arange(1.0, 8.0))
    assert worker_threads._alive == []


@needs_fork
def test_a_finalizer_in_a_worker_that_runs_tasks_does_not_wait_for_that_worker(counts: list[int]) -> None:
    caller = threading.get_ident()

    def run(x: Any) -> Any:
        if threading.get_ident() != caller:
            assert lstm_shards.shards_of(*_arguments()) == []
            _run(*_arguments())
        return x

    worker_threads._forget_parent()
    with npnets.batch_threads(2):
        assert lstm_shards.shards_of(*_arguments()) != []
        assert exit_code_in_child(lambda: _evaluated(run, np.arange(7.0))) == 0


@pytest.mark.parametrize("where", [0, 6])
def test_an_error_in_any_shard_reaches_the_caller_and_the_next_batch_is_computed(
    where: int, three_threads: list[int]
) -> None:
    def run(x: Any) -> Any:
        if (x < 0).any():
            raise ArithmeticError("negative")
        return x + 1

    rows = np.arange(7.0)
    rows[where] = -1
    with pytest.raises(ArithmeticError, match="negative"):
        _evaluated(run, rows)
    assert_allclose(_evaluated(run, np.arange(7.0)), np.arange(1.0, 8.0))


def test_a_shard_is_computed_under_the_callers_error_settings(three_threads: list[int]) -> None:
    seen = []
    with np.errstate(over="raise", divide="ignore"):
        _evaluated(lambda x: seen.append((threading.current_thread().name, np.geterr())) or x, np.ones(7))
        assert [settings for _, settings in seen] == [np.geterr()] * 3
    assert len({name for name, _ in seen}) > 1


def test_a_batch_that_is_small_or_outside_the_block_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = np.ones((64, 4 * 64)), np.ones((64, 4 * 64))

    def shards(rows: int) -> list[slice]:
        return lstm_shards.shards_of(np.ones((32, rows, 64)), *weights)

    assert shards(201) == []
    with npnets.batch_threads(2):
        assert shards(127) == []
        assert shards(128) == [slice(0, 64), slice(64, 128)]
        assert shards(201) == [slice(0, 100), slice(100, 201)]
        monkeypatch.setattr(lstm_shards, "LEAST_WORK", 1 << 30)
        assert shards(201) == []
    monkeypatch.setattr(lstm_shards, "LEAST_WORK", 1)
    with npnets.batch_threads(1):
        assert shards(201) == []


@pytest.mark.parametrize(("wrong", "error"), [(0, ValueError), (-2, ValueError), (2.0, TypeError), (True, TypeError)])
def test_a_number_of_threads_that_is_no_positive_integer_is_an_error(wrong: Any, error: Any) -> None:
    with pytest.raises(error, match=f"the number of threads must be .*at least 1, but is {wrong}"):
        with npnets.batch_threads(wrong):
            pass


def test_a_thread_that_outlives_the_main_one_still_gets_its_result() -> None:
    code = """
import threading, time
import numpy as np
import npnets

npnets.threads(1)
net = npnets.RecurrentCritic(1, 3)
params = net.init(np.random.default_rng(0))

def late():
    time.sleep(0.5)
    with npnets.batch_threads(2):
        print(net.forward(params, np.ones((256, 9, 3), np.float32)).shape)

threading.Thread(target=late).start()
"""
    in_numpy = {**os.environ, "NPNETS_COMPILED": "off"}
    ended = subprocess.run([sys.executable, "-c", code], env=in_numpy, capture_output=True, text=True, timeout=60)
    assert (ended.stdout.strip(), ended.stderr) == ("(256, 1)", "")


@needs_fork
def test_a_forked_process_divides_its_batches_too(three_threads: list[int]) -> None:
    expected = bits(list(_gradient(_arguments(), {})))
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=lambda: queue.put(bits(list(_gradient(_arguments(), {}))) == expected), daemon=True)
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert queue.get()
