"""Arguments that cannot be used are refused before any task starts, each with its remedy."""

from __future__ import annotations

import collections
import re
import threading
from pathlib import Path
from typing import Any

import backends
import numpy as np
import population_tasks as tasks
import pytest

from npnets import parallel

numpy_alone = pytest.mark.numpy_alone("about arguments that hold no arrays")
SERIAL = parallel.SerialExecutor()


@numpy_alone
@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "words"),
    [
        ((3, [1]), {}, TypeError, "fun must be a function of a member, but is 3; the order is (fun, population)"),
        ((tasks.double, {1, 2}), {}, TypeError, "a list or a range, but is set; make a list of it: list(...)"),
        ((tasks.double, (x for x in "ab")), {}, TypeError, "but is generator; make a list of it"),
        ((tasks.double, {"a": 1}), {}, TypeError, "but is dict; make a list of it: list(...), for a dict list(d.items"),
        ((tasks.double, "ab"), {}, TypeError, "but is str"),
        (
            (tasks.double, np.array(3)),
            {},
            TypeError,
            "this ndarray raises TypeError: len() of unsized object: make a l",
        ),
        (
            (tasks.double, collections.UserDict({5: 1})),
            {},
            TypeError,
            "at the indices 0, 1, ..., but this UserDict raises KeyError: 0: make a list of its members",
        ),
        ((tasks.double, [1]), {"seed": 1}, TypeError, "called as double(member, rng=rng), which it does not accept"),
        ((tasks.double, [1]), {"shared": {}}, TypeError, "double(member, shared=shared)"),
        (
            (tasks.drawn, [1]),
            {},
            TypeError,
            "argument: 'rng'; it receives rng if the call has a seed",
        ),
        ((tasks.drawn, [1]), {"seed": -1}, TypeError, "seed must be a whole number from 0 on, a sequence of them"),
        ((tasks.drawn, [1]), {"seed": 0.5}, TypeError, "or a SeedSequence, but is 0.5"),
        ((tasks.drawn, [1]), {"seed": "no"}, TypeError, "but is 'no'"),
        ((tasks.drawn, [1]), {"seed": True}, TypeError, "but is True"),
        ((tasks.double, [1]), {"time_limit": 0}, ValueError, "time_limit must be a positive number of seconds"),
        ((tasks.double, [1]), {"time_limit": float("nan")}, ValueError, "or None for no limit, but is nan"),
        ((tasks.double, [1]), {"time_limit": "1"}, ValueError, "but is '1'"),
        ((tasks.double, [1]), {"time_limit": 1e9}, ValueError, "seconds up to 1e+07, or None for no limit, but is 1"),
        ((tasks.double, [1]), {"retries": -1}, ValueError, "retries must be at least 0, but is -1"),
        ((tasks.double, [1]), {"on_failure": "ignore"}, ValueError, 'must be "raise" or "return", but is \'ignore\''),
        ((tasks.double, [1]), {"allow_nan": "no"}, TypeError, "allow_nan must be True or False, but is 'no'"),
    ],
)
@pytest.mark.parametrize("function", [parallel.map_population, parallel.completed])
def test_a_wrong_argument_is_refused_at_once(
    function: Any, arguments: Any, keywords: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=re.escape(words)):
        function(*arguments, SERIAL, **keywords)


@numpy_alone
@pytest.mark.parametrize("workers", [0, -1])
def test_processes_are_at_least_one(workers: int) -> None:
    with pytest.raises(ValueError, match=f"workers must be at least 1, but is {workers}"):
        parallel.ProcessExecutor(workers)


@numpy_alone
def test_functions_that_cannot_be_pickled_are_refused_with_the_remedy() -> None:
    def local(member: int) -> int:
        return member

    with parallel.ProcessExecutor(1) as executor:
        for function in (local, lambda member: member):
            with pytest.raises(
                TypeError, match=r"cannot be sent to another process .*: make it with `def` at the top of a"
            ):
                parallel.map_population(function, [1], executor)


@numpy_alone
def test_what_cannot_be_shared_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with parallel.ProcessExecutor(1) as executor:
        with pytest.raises(TypeError, match=r"shared cannot be sent to another process \(.*lock.*\): send arrays"):
            parallel.map_population(tasks.change_shared, [1], executor, shared={"lock": threading.Lock()})
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
        with pytest.raises(OSError, match=r"shared cannot be written to .*missing .*: free space there, or set TMPDIR"):
            parallel.map_population(tasks.change_shared, [1], executor, shared={"weight": np.ones(3)})


@numpy_alone
def test_a_list_may_change_while_its_members_run() -> None:
    population = [1, 2, 3]
    found = []
    for _, result in parallel.completed(tasks.double, population, SERIAL):
        population[:] = [7]
        found.append(result)
    assert found == [2, 4, 6]


@numpy_alone
def test_members_that_cannot_be_pickled_are_failures_of_their_tasks() -> None:
    with parallel.ProcessExecutor(1) as executor:
        found = parallel.map_population(tasks.double, [1, lambda: 1, 3], executor, on_failure="return")
    assert found[::2] == [2, 6]
    assert "member 1 of 3 cannot be sent to a worker" in str(found[1])
    assert "(AttributeError: " in str(found[1]) or "(PicklingError: " in str(found[1])


@pytest.mark.needs_gpus(1)
def test_arrays_on_a_gpu_are_refused_and_not_moved() -> None:
    on_gpu = {"weight": backends.on_backend(np.ones(3, np.float32))}
    remedy = r"has an array on cuda:0 at 'weight', which other processes cannot read: pass npnets.tree.to_numpy\(...\)"
    with pytest.raises(TypeError, match=f"member 1 {remedy}"):
        parallel.map_population(tasks.double, [1, on_gpu], SERIAL)
    with pytest.raises(TypeError, match=f"shared {remedy}"):
        parallel.map_population(tasks.change_shared, [1], SERIAL, shared=on_gpu)
    with pytest.raises(
        parallel.TaskError, match=r"member 0 of 1 returned an array on cuda:0 at 'weight'; return npnets"
    ):
        parallel.map_population(lambda member: on_gpu, [1], SERIAL)


@numpy_alone
@pytest.mark.parametrize(
    ("seed", "index", "error", "words"),
    [
        (None, 0, TypeError, "or a SeedSequence, but is None"),
        (1, -1, ValueError, "index must be at least 0, but is -1"),
        (1, 1.7, TypeError, "index must be an integer of at least 0, but is 1.7"),
    ],
)
def test_a_generator_needs_a_seed_and_an_index(seed: Any, index: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=re.escape(words)):
        parallel.generator(seed, index)
