"""Results of a population have the order of its members, and bits that do not depend on where they were computed."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import population_tasks as tasks
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shuffled_executor import ShuffledExecutor

import npnets
from npnets import parallel
from npnets.parallel.process import Process

pytestmark = pytest.mark.numpy_alone("sends arrays between processes, which those on a GPU cannot be")

SHARED = tasks.ACTOR.init(np.random.default_rng(0))
MEMBERS = np.linspace(-1.0, 1.0, 7)


def actions(executor: Any) -> Any:
    """Results that depend on everything a task receives."""
    return parallel.map_population(tasks.drawn_action, MEMBERS, executor, seed=(3, 1), shared=SHARED)


def assert_same_bits(one: Any, other: Any) -> None:
    """Compare two trees of numbers, bit for bit."""
    assert npnets.tree.paths(one) == npnets.tree.paths(other)
    for left, right in zip(npnets.tree.leaves(one), npnets.tree.leaves(other), strict=True):
        assert np.asarray(left).dtype == np.asarray(right).dtype
        assert np.asarray(left).tobytes() == np.asarray(right).tobytes()


def test_results_are_those_of_a_loop_over_the_members() -> None:
    expected = [
        tasks.drawn_action(member, rng=parallel.generator((3, 1), index), shared=SHARED)
        for index, member in enumerate(MEMBERS)
    ]
    assert_same_bits(actions(parallel.SerialExecutor()), expected)


def test_each_task_has_a_generator_of_its_own() -> None:
    numbers = [result["next"] for result in actions(parallel.SerialExecutor())]
    assert len(set(numbers)) == len(MEMBERS)
    other = parallel.map_population(tasks.drawn, MEMBERS, parallel.SerialExecutor(), seed=(3, 2))
    assert not set(numbers) & {number for _, number in other}


def test_a_generator_is_that_of_numpys_spawned_seed_sequences() -> None:
    spawned = np.random.SeedSequence([3, 1]).spawn(5)
    for index, sequence in enumerate(spawned):
        expected = np.random.default_rng(sequence).normal(size=4)
        np.testing.assert_array_equal(parallel.generator((3, 1), index).normal(size=4), expected)
    child = spawned[2]
    expected = np.random.default_rng(child.spawn(1)[0]).normal()
    assert parallel.generator(np.random.SeedSequence([3, 1]).spawn(3)[2], 0).normal() == expected


@given(st.integers(1, 9), st.integers(0, 12), st.integers(0, 2**32))
def test_results_do_not_depend_on_the_order_in_which_tasks_end(window: int, size: int, seed: int) -> None:
    executor = ShuffledExecutor(window, size, np.random.default_rng(seed))
    found = parallel.map_population(tasks.drawn, range(size), executor, seed=5)
    assert found == [(index, parallel.generator(5, index).normal()) for index in range(size)]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 7])
def test_results_have_the_same_bits_with_any_number_of_workers(workers: int) -> None:
    with parallel.ProcessExecutor(workers) as executor:
        assert_same_bits(actions(executor), actions(parallel.SerialExecutor()))


def test_results_have_the_same_bits_on_processes_and_threads(processes: parallel.ProcessExecutor) -> None:
    expected = actions(parallel.SerialExecutor())
    assert_same_bits(actions(processes), expected)
    with ThreadPoolExecutor(3) as executor:
        assert_same_bits(actions(executor), expected)


def test_processes_of_the_standard_library_are_an_executor_too() -> None:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as executor:
        assert_same_bits(actions(executor), actions(parallel.SerialExecutor()))


def test_results_of_completed_are_those_of_map_population_each_once(processes: parallel.ProcessExecutor) -> None:
    found = list(parallel.completed(tasks.drawn, range(9), processes, seed=5))
    assert sorted(index for index, _ in found) == list(range(9))
    assert [result for _, result in sorted(found)] == parallel.map_population(
        tasks.drawn, range(9), parallel.SerialExecutor(), seed=5
    )


def test_a_result_is_yielded_before_the_others_are_there(processes: parallel.ProcessExecutor, tmp_path: Any) -> None:
    awaited = tmp_path / "awaited"
    members = [(str(tmp_path / "a"), str(awaited)), (str(tmp_path / "b"), str(tmp_path))]
    results = parallel.completed(tasks.wait_for, members, processes)
    assert next(results) == (1, str(tmp_path))
    awaited.touch()
    assert next(results) == (0, str(awaited))
    assert list(results) == []


def test_results_that_nobody_waits_for_are_stopped_and_the_executor_goes_on(
    processes: parallel.ProcessExecutor, tmp_path: Any
) -> None:
    members = [(str(tmp_path / "a"), str(tmp_path / "never")), (str(tmp_path / "b"), str(tmp_path))]
    results = parallel.completed(tasks.wait_for, members, processes)
    next(results)
    results.close()  # would otherwise wait forever
    assert parallel.map_population(tasks.double, range(5), processes) == [0, 2, 4, 6, 8]


def test_partial_functions_and_trees_as_members_are_sent(processes: parallel.ProcessExecutor) -> None:
    members = [{"weight": np.full((3, 2), index, np.float32), "name": str(index)} for index in range(3)]
    tied = partial(tasks.drawn, rng=np.random.default_rng(1))
    found = parallel.map_population(tied, members, processes)
    assert_same_bits([member["weight"] for member, _ in found], [member["weight"] for member in members])
    assert [member["name"] for member, _ in found] == ["0", "1", "2"]


def test_an_empty_population_gives_an_empty_list_without_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Process, "start", lambda process: pytest.fail("a process starts"))
    assert parallel.map_population(tasks.double, []) == []
    assert list(parallel.completed(tasks.double, [])) == []


def test_a_seed_may_be_a_seed_sequence() -> None:
    sequence = np.random.SeedSequence(5).spawn(2)[1]
    found = parallel.map_population(tasks.drawn, range(3), parallel.SerialExecutor(), seed=sequence)
    assert found == [(index, np.random.default_rng(child).normal()) for index, child in enumerate(sequence.spawn(3))]


@pytest.mark.slow
def test_a_process_that_is_free_takes_the_next_task_whatever_runs_elsewhere(
    processes: parallel.ProcessExecutor,
) -> None:
    parallel.map_population(tasks.double, range(4), processes)
    began = time.monotonic()
    parallel.map_population(time.sleep, [2.0, 0.1, 1.5, 0.1], processes)  # 3.5 s, if the third waits for the first
    assert time.monotonic() - began < 3.0


@pytest.mark.slow
def test_without_an_executor_processes_of_this_machine_are_used() -> None:
    import os

    found = parallel.map_population(tasks.process_of, range(8))
    assert os.getpid() not in found


def test_shared_arrays_are_read_only_on_every_executor(processes: parallel.ProcessExecutor) -> None:
    shared = {"weight": np.zeros(3, np.float32)}
    with ThreadPoolExecutor(1) as threads:
        for executor in (parallel.SerialExecutor(), processes, threads):
            with pytest.raises(parallel.TaskError, match="ValueError: assignment destination is read-only"):
                parallel.map_population(tasks.change_shared, [1], executor, shared=shared)
    shared["weight"][...] = 1.0  # the caller's own array stays as it was


def test_what_is_shared_is_sent_anew_in_each_call(processes: parallel.ProcessExecutor) -> None:
    for value in (1.0, 2.0):
        params = npnets.tree.map(lambda leaf, value=value: np.full_like(leaf, value), SHARED)
        found, expected = (
            parallel.map_population(tasks.drawn_action, MEMBERS, executor, seed=0, shared=params)
            for executor in (processes, parallel.SerialExecutor())
        )
        assert_same_bits(found, expected)


def test_workers_take_one_thread(processes: parallel.ProcessExecutor) -> None:
    for compiled, blas in parallel.map_population(tasks.threads_of, range(2), processes):
        assert compiled in (None, 1)
        assert blas in (None, 1)


def test_tasks_go_to_all_processes(processes: parallel.ProcessExecutor) -> None:
    found = itertools.chain.from_iterable(
        parallel.map_population(tasks.process_of, range(20), processes) for _ in range(20)
    )
    assert len(set(found)) == 2
