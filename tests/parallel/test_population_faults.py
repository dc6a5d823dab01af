"""Whatever happens to a worker or a task: nothing is lost, nothing counted twice, and one line reports it."""

from __future__ import annotations

import os
import pickle
import re
import signal
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import population_tasks as tasks
import pytest
from logged_lines import lines_of

import npnets
from npnets import parallel
from npnets.parallel import driver, task, time_limit

pytestmark = [
    pytest.mark.numpy_alone("about processes, whatever the arrays"),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a system with signals"),
]

LINES = {
    "raise": r"member 1 of 3 raised ValueError: the simulator fell over \(process \d+ on .+, after .+ s\)",
    "leave": r"member 1 of 3 raised SystemExit: 3 \(process \d+ on .+, after .+ s\)",
    "nan": r"member 1 of 3 returned NaN at 'returns'; pass allow_nan=True if that is a result \(process .+ s\)",
    "sleep": r"member 1 of 3 ran longer than its time limit of 0\.3 s \(process \d+ on .+, after 0\.3\d* s\)",
    "hang in C": r"member 1 of 3 lost its worker once .* crash, or hang in C past its time limit of 0\.3 s",
    "catch and go on": r"member 1 of 3 lost its worker once \(process \d+ died\): it may .*",
    "die": r"member 1 of 3 lost its worker once \(process \d+ died\): it may need more memory, .*",
    "unpicklable": r"member 1 of 3 cannot be sent .* back \(\w+: .*lambda.*\): send arrays, .*",
    "unloadable": r"member 1 of 3 cannot be sent .* back \(ValueError: not on this side\): send arrays, .*",
    "no message": r"member 1 of 3 raised NoMessage: \(its message cannot be read\) \(process .+ s\)",
    "escapes": r"member 1 of 3 raised ValueError: \?\[31mred\?x{150,200} \(process .+ s\)",
}
KINDS = {
    **dict.fromkeys(("raise", "leave", "no message", "escapes"), "raised"),
    "nan": "nan",
    "sleep": "time limit",
    **dict.fromkeys(("unpicklable", "unloadable"), "not sent"),
}


@pytest.mark.parametrize(
    "fault", [pytest.param(name, marks=pytest.mark.slow if name[:3] in ("han", "cat") else ()) for name in LINES]
)
def test_a_fault_takes_the_place_of_its_result_and_is_reported_in_one_line(
    fault: str, processes: parallel.ProcessExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    limit = 0.3 if fault in ("sleep", "hang in C", "catch and go on") else None
    found = parallel.map_population(
        tasks.behave, [1, fault, 3], processes, on_failure="return", time_limit=limit, retries=0
    )
    assert found[::2] == [1, 3]
    error = found[1]
    assert isinstance(error, parallel.TaskError)
    assert (error.index, error.kind) == (1, KINDS.get(fault, "worker lost"))
    assert lines_of(caplog) == [str(error)]
    assert re.fullmatch(LINES[fault], str(error))


@pytest.mark.parametrize("fault", ["raise", "nan", "die"])
def test_the_first_fault_ends_a_call_that_raises_and_stops_its_other_tasks(
    fault: str, processes: parallel.ProcessExecutor
) -> None:
    began = time.monotonic()
    with pytest.raises(parallel.TaskError, match="member 1 of 3"):
        parallel.map_population(tasks.behave, ["sleep", fault, "sleep"], processes, retries=0)
    assert time.monotonic() - began < 50
    assert parallel.map_population(tasks.double, range(5), processes) == [0, 2, 4, 6, 8]


def test_the_traceback_on_the_worker_is_the_cause_of_the_error(processes: parallel.ProcessExecutor) -> None:
    with pytest.raises(parallel.TaskError) as caught:
        parallel.map_population(tasks.behave, ["raise"], processes)
    assert "population_tasks.py" in str(caught.value.__cause__)
    assert "second line" in str(caught.value.__cause__)


def test_a_traceback_that_is_as_long_as_its_data_is_shortened(processes: parallel.ProcessExecutor) -> None:
    with pytest.raises(parallel.TaskError) as caught:
        parallel.map_population(tasks.behave, ["escapes"], processes)
    text = str(caught.value.traceback)
    assert text.startswith("Traceback") and text.endswith("xx\n") and "\n[...]\n" in text
    assert len(text) < 30_000


def test_members_that_raise_on_the_worker_are_failures_of_their_tasks_and_not_the_end_of_the_worker() -> None:
    with parallel.ProcessExecutor(1) as executor:
        process = executor.submit(os.getpid).result()
        members = [tasks.Unloadable(), 1, 2, 3]
        found = parallel.map_population(tasks.process_of, members, executor, on_failure="return", retries=0)
    assert "(ValueError: not on this side)" in str(found[0])
    assert found[1:] == [process] * 3


def test_a_task_error_survives_a_pickle() -> None:
    error = parallel.TaskError(3, "raised", "member 3 of 4 raised ValueError: no", "Traceback ...")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.index, copy.kind) == (str(error), 3, "raised")
    assert str(copy.__cause__) == "\nTraceback ..."


@pytest.mark.slow
def test_tasks_of_killed_workers_are_run_again_and_every_result_counts_once(
    processes: parallel.ProcessExecutor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    members = [(str(tmp_path / str(index)), index) for index in range(10)]
    found = list(parallel.completed(tasks.die_unless_marked, members, processes))
    assert sorted(found) == [(index, index) for index in range(10)]
    attempts = {index: os.path.getsize(path) for path, index in members}
    assert attempts == {index: 2 if index % 3 == 0 else 1 for index in range(10)}  # no other task ran twice
    assert len(lines_of(caplog)) == 4
    assert all("died while it ran; run again (1 of 2)" in line for line in lines_of(caplog))


@pytest.mark.slow
def test_a_task_that_kills_its_workers_takes_no_other_task_along(tmp_path: Path) -> None:
    members: list[tuple[str, Any]] = [(str(tmp_path / "0"), "die")]
    members += [(str(tmp_path / str(index)), index) for index in range(1, 6)]
    with parallel.ProcessExecutor(1) as executor:  # the others wait behind it, in the same process
        found = parallel.map_population(tasks.count_attempts, members, executor, on_failure="return")
    assert found[1:] == [1, 2, 3, 4, 5]
    assert found[0].kind == "worker lost"
    assert [os.path.getsize(path) for path, _ in members] == [3, 1, 1, 1, 1, 1]


def test_only_lost_workers_are_tried_again(processes: parallel.ProcessExecutor, tmp_path: Path) -> None:
    members = [(str(tmp_path / fault), fault) for fault in ("raise", "nan", "unpicklable")]
    parallel.map_population(tasks.count_attempts, members, processes, on_failure="return", retries=5)
    assert [os.path.getsize(path) for path, _ in members] == [1, 1, 1]


def test_a_nan_is_a_result_where_that_is_allowed(processes: parallel.ProcessExecutor) -> None:
    [found] = parallel.map_population(tasks.behave, ["nan"], processes, allow_nan=True)
    assert found["returns"][0] == 1.0 and found["returns"][1] != found["returns"][1]


@pytest.mark.parametrize(
    ("result", "place"),
    [
        (float("nan"), ""),
        ([1.0, {"a": (2, float("nan"))}], " at '1.a.1'"),
        ({1: 1.0, "b": complex("nan")}, " at 'b'"),
        (tasks.Episode(3, [1.0, float("nan")]), " at 'returns.1'"),
    ],
)
def test_a_nan_is_found_anywhere_in_a_result(result: Any, place: str) -> None:
    with pytest.raises(parallel.TaskError, match=f"returned NaN{place};"):
        parallel.map_population(tasks.behave, [result], parallel.SerialExecutor())


def test_infinity_and_text_are_results() -> None:
    results = [float("inf"), "nan of no number", None, b"x", {"a": []}]
    assert parallel.map_population(list, [results], parallel.SerialExecutor()) == [results]


def test_the_time_limit_counts_from_the_start_of_a_task_and_not_from_its_sending() -> None:
    with parallel.ProcessExecutor(1) as executor:
        found = parallel.map_population(time.sleep, [0.2] * 5, executor, time_limit=0.9)
    assert found == [None] * 5


def test_a_time_limit_holds_in_this_process_too() -> None:
    with pytest.raises(parallel.TaskError, match="time limit of 0.1 s"):
        parallel.map_population(tasks.behave, ["sleep"], parallel.SerialExecutor(), time_limit=0.1)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a system with interval timers")
def test_a_time_limit_leaves_the_alarm_of_a_program_around_it() -> None:
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(time.monotonic()))
    try:
        began = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        parallel.map_population(time.sleep, [0.05], parallel.SerialExecutor(), time_limit=5.0)
        time.sleep(1.0)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert len(rung) == 1 and 0.4 < rung[0] - began < 1.0


def test_an_alarm_that_rings_as_the_task_ends_leaves_no_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGALRM)
    settings = []

    def set_timer(which: int, seconds: float, interval: float = 0.0) -> tuple[float, float]:
        settings.append(seconds)
        if seconds == 0:
            raise time_limit.OverTime
        return 0.0, 0.0

    monkeypatch.setattr(signal, "setitimer", set_timer)
    with pytest.raises(parallel.TaskError, match="time limit"):
        parallel.map_population(tasks.double, [1], parallel.SerialExecutor(), time_limit=5.0)
    assert settings == [5.0, 0]
    assert signal.getsignal(signal.SIGALRM) == before


def test_a_task_that_closes_standard_error_leaves_time_limits_to_others() -> None:
    with parallel.ProcessExecutor(1) as executor:
        found = parallel.map_population(tasks.behave, ["close standard error", 1, 2], executor, time_limit=50)
    assert found == ["close standard error", 1, 2]


def test_a_time_limit_on_threads_is_refused() -> None:
    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(parallel.TaskError, match="needs the main thread .* use Proc"),
    ):
        parallel.map_population(tasks.double, [1], executor, time_limit=1.0)


def test_a_pool_of_the_standard_library_that_breaks_is_reported_with_a_remedy() -> None:
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as executor,
        pytest.raises(RuntimeError, match="ProcessPoolExecutor can no longer be used.*ProcessExecutor and RayExecutor"),
    ):
        parallel.map_population(tasks.behave, ["die", 1], executor)


def test_a_job_of_submitit_that_was_killed_is_run_again_as_by_this_stand_in(caplog: pytest.LogCaptureFixture) -> None:
    class UncompletedJobError(RuntimeError):
        """Stands in for submitit's, which Slurm's lost jobs raise."""

    class Job:
        """Stands in for submitit's: it reports nothing by itself."""

        def __init__(self, call: Any) -> None:
            self.call = call

        def done(self) -> bool:
            return True

        def result(self) -> Any:
            lost.append(self)
            if len(lost) == 1:
                raise UncompletedJobError("Job 7 (task: 0) with path 7_0_result.pkl\nhas not produced any output")
            return self.call()

        def cancel(self) -> None: ...

    class Jobs:
        """Stands in for submitit's executor."""

        def submit(self, fn: Any, *args: Any) -> Job:
            return Job(lambda: fn(*args))

    lost: list[Job] = []
    assert parallel.map_population(tasks.double, [1, 2], Jobs()) == [2, 4]
    [line] = lines_of(caplog)
    assert line.startswith("member 0 of 2: UncompletedJobError: Job 7 ") and line.endswith(
        "while it ran; run again (1 of 2)"
    )


def test_an_executor_that_is_shut_down_while_tasks_wait_ends_the_call() -> None:
    with ThreadPoolExecutor(1) as executor:
        results = parallel.completed(time.sleep, [0.0, 0.5, 0.0], executor, on_failure="return")
        next(results)
        executor.shutdown(wait=False, cancel_futures=True)
        with pytest.raises(RuntimeError, match="ThreadPoolExecutor was shut down while tasks waited for it: make a n"):
            list(results)


def test_workers_that_differ_are_warned_of_once(caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
    driver._warn_of_numerics.cache_clear()
    places = iter([("a", "kernels avx2"), ("b", "kernels avx512"), ("a", "kernels avx2"), ("b", "kernels avx512")])
    monkeypatch.setattr(task, "_identity", lambda: next(places))
    monkeypatch.setattr(driver, "numerics", lambda: "kernels avx2")
    parallel.map_population(tasks.double, range(4), parallel.SerialExecutor())
    assert lines_of(caplog) == [
        "workers and driver differ, and with them the last bits of results: kernels avx2 | kernels avx512; install the "
        "same versions, and set NPNETS_COMPILED and OPENBLAS_CORETYPE to a value that suits all of them"
    ]


@pytest.mark.slow
def test_workers_with_other_kernels_than_the_driver_are_warned_of(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver._warn_of_numerics.cache_clear()
    monkeypatch.setenv("NPNETS_COMPILED", "off")
    if npnets.about()["compiled"] == "off":
        pytest.skip("needs compiled kernels in the driver")
    parallel.map_population(tasks.double, range(2), parallel.ProcessExecutor(1))
    [line] = lines_of(caplog)
    assert "kernels off" in line
