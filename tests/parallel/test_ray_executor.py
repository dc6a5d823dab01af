"""Populations on Ray: the same results as anywhere, on a cluster whose workers and machines may be lost."""

from __future__ import annotations

import gc
import importlib.util
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import population_tasks as tasks
import pytest
from driver_programs import await_end, processes_of_tasks, program
from logged_lines import lines_of

import npnets
from npnets import parallel

pytestmark = [
    pytest.mark.numpy_alone("sends arrays between processes, which those on a GPU cannot be"),
    # Ray's own: files and processes that it leaves to the end of the program.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SHARED = tasks.ACTOR.init(np.random.default_rng(0))


def only_with_ray(test: Any) -> Any:
    """Mark a test that starts Ray."""
    return pytest.mark.needs_package("ray")(pytest.mark.slow(test))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster on this machine: a head with one CPU and a node with one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))  # workers import what the tests do
        patch.setenv("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
        from ray.cluster_utils import Cluster

        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        cluster.add_node(num_cpus=1)
        yield cluster
        cluster.shutdown()
        del cluster
        gc.collect()  # here, where Ray's warnings are ignored


@pytest.fixture(scope="module")
def on_ray(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[parallel.RayExecutor]:
    """An executor on the cluster; its workers import the npnets that is tested, and not one in the current folder."""
    empty = tmp_path_factory.mktemp("empty")
    with parallel.RayExecutor(cluster.address, runtime_env={"working_dir": str(empty)}) as executor:
        yield executor


@only_with_ray
def test_results_on_ray_have_the_bits_of_those_in_this_process(on_ray: parallel.RayExecutor) -> None:
    members = np.linspace(-1.0, 1.0, 9)
    found, expected = (
        parallel.map_population(tasks.drawn_action, members, executor, seed=(3, 1), shared=SHARED)
        for executor in (on_ray, parallel.SerialExecutor())
    )
    for one, other in zip(npnets.tree.leaves(found), npnets.tree.leaves(expected), strict=True):
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes()


@only_with_ray
def test_members_and_results_that_cannot_be_sent_or_read_are_failures_of_their_tasks(
    on_ray: parallel.RayExecutor,
) -> None:
    members = [threading.Lock(), tasks.Unloadable(), "unloadable", 1]
    found = parallel.map_population(tasks.behave, members, on_ray, on_failure="return")
    assert [getattr(result, "kind", result) for result in found] == ["not sent", "not sent", "not sent", 1]
    assert "not on this side" in str(found[1]) and "not on this side" in str(found[2])


@only_with_ray
def test_no_call_is_taken_on_ray_after_shutdown(on_ray: parallel.RayExecutor) -> None:
    executor = parallel.RayExecutor()
    executor.shutdown()
    for submit in (executor.submit, lambda *call: parallel.map_population(*call, executor, on_failure="return")):
        with pytest.raises(RuntimeError, match="this RayExecutor was shut down, or Ray was: make a new one"):
            submit(tasks.double, [1])
    assert parallel.map_population(tasks.double, [1], on_ray) == [2]


@only_with_ray
def test_functions_that_no_module_has_are_sent_to_ray_as_code(on_ray: parallel.RayExecutor) -> None:
    offset = 3
    assert parallel.map_population(lambda member: member + offset, [1, 2], on_ray) == [4, 5]


@only_with_ray
def test_workers_on_ray_take_one_thread_and_read_shared_arrays_only(on_ray: parallel.RayExecutor) -> None:
    for compiled, blas in parallel.map_population(tasks.threads_of, range(4), on_ray):
        assert compiled in (None, 1)
        assert blas in (None, 1)
    with pytest.raises(parallel.TaskError, match="ValueError: assignment destination is read-only"):
        parallel.map_population(tasks.change_shared, [1], on_ray, shared={"weight": np.zeros(3, np.float32)})


@only_with_ray
@pytest.mark.parametrize(
    ("fault", "kind", "line"),
    [
        ("raise", "raised", r"member 1 of 3 raised ValueError: the simulator fell over \(process \d+ on .+ s\)"),
        ("nan", "nan", r"member 1 of 3 returned NaN at 'returns'; pass allow_nan=True .*"),
        ("sleep", "time limit", r"member 1 of 3 ran longer than its time limit of 0\.5 s \(process \d+ on .+ s\)"),
        ("die", "worker lost", r"member 1 of 3 lost its worker once \(a worker on Ray was lost \(WorkerCrashed.*"),
        ("hang in C", "worker lost", r"member 1 of 3 lost its worker once .* hang in C past its time limit of 0\.5 s"),
    ],
)
def test_a_fault_on_ray_is_reported_in_one_line(
    fault: str, kind: str, line: str, on_ray: parallel.RayExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    limit = 0.5 if fault in ("sleep", "hang in C") else None
    found = parallel.map_population(
        tasks.behave, [1, fault, 3], on_ray, on_failure="return", time_limit=limit, retries=0
    )
    assert found[::2] == [1, 3]
    assert found[1].kind == kind
    assert lines_of(caplog) == [str(found[1])]
    assert re.fullmatch(line, str(found[1]))


@only_with_ray
def test_tasks_of_killed_workers_on_ray_are_run_again_and_every_result_counts_once(
    on_ray: parallel.RayExecutor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    members = [(str(tmp_path / str(index)), index) for index in range(10)]
    found = list(parallel.completed(tasks.die_unless_marked, members, on_ray, retries=9))
    assert sorted(found) == [(index, index) for index in range(10)]
    assert all(os.path.getsize(path) >= 2 for path, index in members if index % 3 == 0)
    assert len(lines_of(caplog)) >= 4
    assert all("a worker on Ray was lost" in line and "run again" in line for line in lines_of(caplog))


@only_with_ray
def test_a_node_that_is_removed_loses_nothing(
    cluster: Any, on_ray: parallel.RayExecutor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node = cluster.add_node(num_cpus=2)
    cluster.wait_for_nodes()
    members = [str(tmp_path / str(index)) for index in range(12)]
    begun = str(tmp_path / "begun")
    results = parallel.completed(_draw_beside, members, on_ray, seed=7, shared=(node.node_id, begun))
    found = [next(results)]  # so a task runs on the node, which the others await
    cluster.remove_node(node, allow_graceful=False)
    found += results
    expected = parallel.map_population(_drawn, range(12), parallel.SerialExecutor(), seed=7)
    assert sorted(found) == list(enumerate(expected))
    again = [line for line in lines_of(caplog) if "run again (1 of 2)" in line]
    assert len(again) == len(lines_of(caplog)) >= 1
    assert sum(os.path.getsize(path) for path in members) <= 12 + len(again)


def _draw_beside(member: str, *, rng: np.random.Generator, shared: tuple[str, str]) -> float:
    """Draw a number once a task runs on a node: those on the node itself hang until they are killed with it."""
    import ray

    node, begun = shared
    tasks.count_attempts((member, 0.0))
    if ray.get_runtime_context().get_node_id() == node:
        Path(begun).touch()
        tasks.behave("sleep")
    until = time.monotonic() + 60  # workers take seconds to start on a busy machine
    while not Path(begun).exists():
        assert time.monotonic() < until, "no task ran on the node"
        time.sleep(0.01)
    return rng.normal()


def _drawn(member: int, *, rng: np.random.Generator) -> float:
    return rng.normal()


@only_with_ray
def test_the_window_grows_with_the_cluster(cluster: Any, on_ray: parallel.RayExecutor) -> None:
    cluster.add_node(num_cpus=3)
    until = time.monotonic() + 60  # Ray takes a while to notice a node that was removed before
    while on_ray.window != 4 * (1 + 1 + 3) and time.monotonic() < until:
        time.sleep(0.1)
    assert on_ray.window == 4 * (1 + 1 + 3)


@only_with_ray
def test_short_tasks_keep_all_machines_busy(on_ray: parallel.RayExecutor) -> None:
    import ray

    def machine(member: float) -> str:
        time.sleep(member)
        return ray.get_runtime_context().get_node_id()

    alive = sum(node["Alive"] for node in ray.nodes())
    members = [0.2] * 8 * alive
    until = time.monotonic() + 60  # workers take seconds to start on a busy machine
    while len(set(parallel.map_population(machine, members, on_ray))) < alive:
        assert time.monotonic() < until
    found = parallel.map_population(machine, members, on_ray)
    assert min(found.count(node) for node in {node["NodeID"] for node in ray.nodes() if node["Alive"]}) >= 2


@only_with_ray
def test_the_first_fault_on_ray_stops_the_tasks_that_run(on_ray: parallel.RayExecutor) -> None:
    began = time.monotonic()
    with pytest.raises(parallel.TaskError, match="member 1 of 3"):
        parallel.map_population(tasks.behave, ["sleep", "raise", "sleep"], on_ray)
    assert parallel.map_population(tasks.double, range(5), on_ray) == [0, 2, 4, 6, 8]
    assert time.monotonic() - began < 50


@only_with_ray
def test_a_function_that_cannot_be_sent_to_ray_is_refused_with_the_remedy(on_ray: parallel.RayExecutor) -> None:
    lock = threading.Lock()
    with pytest.raises(
        TypeError, match=r"lambda> or shared cannot be sent to another machine .*: send arrays, .* and no lock"
    ):
        parallel.map_population(lambda member: lock, [1], on_ray)


@only_with_ray
def test_a_module_that_a_worker_lacks_is_named_with_the_remedy(
    on_ray: parallel.RayExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "module_of_the_driver.py").write_text("def half(member): return member / 2")
    monkeypatch.syspath_prepend(tmp_path)
    half = importlib.import_module("module_of_the_driver").half
    remedy = r"cannot run on its worker \(.*No module named 'module_of_the_driver'.*: install the module .*on Ray, Ray"
    with pytest.raises(parallel.TaskError, match=remedy):
        parallel.map_population(half, [1], on_ray)


@only_with_ray
def test_a_connection_of_the_program_itself_is_used_and_left_open(on_ray: parallel.RayExecutor) -> None:
    import ray

    with parallel.RayExecutor() as executor:
        assert parallel.map_population(tasks.double, [1], executor) == [2]
    assert ray.is_initialized()


@only_with_ray
def test_tasks_that_no_machine_can_run_wait_with_one_warning(
    on_ray: parallel.RayExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    executor = parallel.RayExecutor(cpus_per_task=100)
    for _ in range(2):
        time.sleep(1.1)
        assert executor.window == 4
    [line] = lines_of(caplog)
    assert line.startswith("each task needs 100 CPUs, and no machine of the cluster has more than ")
    assert line.endswith(": tasks wait until one joins")


@only_with_ray
def test_as_many_tasks_run_at_once_as_cpus_for_each_allow(on_ray: parallel.RayExecutor) -> None:
    halves = parallel.RayExecutor(cpus_per_task=0.5)
    time.sleep(1.1)
    assert halves.window == 2 * on_ray.window
    assert parallel.map_population(tasks.double, range(5), halves) == [0, 2, 4, 6, 8]


@only_with_ray
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"cpus_per_task": 0}, "cpus_per_task must be a positive number of CPUs, but is 0"),
        ({"address": "auto"}, "connected to Ray already: leave out address and options, or call ray.shutdown"),
        ({"num_cpus": 2}, "connected to Ray already: leave out address and options, or call ray.shutdown"),
    ],
)
def test_arguments_that_ray_would_ignore_are_refused(
    arguments: dict[str, Any], words: str, on_ray: parallel.RayExecutor
) -> None:
    with pytest.raises(ValueError, match=words):
        parallel.RayExecutor(**arguments)


ON_RAY = """
import sys
import population_tasks as tasks
from npnets import parallel

folder = sys.argv[1]
members = [(f"{folder}/{number}", f"{folder}/never") for number in range(4)]
with parallel.RayExecutor("local", num_cpus=2, include_dashboard=False) as executor:
    parallel.map_population(tasks.wait_for, members, executor)
"""


@only_with_ray
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_tasks_on_ray_end_with_a_driver_that_is_interrupted_or_killed(end: signal.Signals, tmp_path: Path) -> None:
    driver = program(ON_RAY, tmp_path)
    processes = processes_of_tasks(tmp_path)
    os.killpg(driver.pid, end) if end == signal.SIGINT else driver.kill()
    _, errors = driver.communicate(timeout=60)
    assert driver.returncode != 0
    assert end == signal.SIGKILL or errors.rstrip().endswith("KeyboardInterrupt")
    for process in processes:
        await_end(process)
