"""The benchmark of populations: tasks, the driver's work, tables, figure, files, options; one test starts Ray."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.harness.turns import Worker
from benchmarks.parallel import __main__ as program
from benchmarks.parallel import cluster_side, one_side, problem
from benchmarks.parallel.cluster_side import SEED, SIGMA, Search
from benchmarks.parallel.driver_work import DriverWork, efficiency, fitted, speedup
from benchmarks.parallel.picture import draw, figure_of
from benchmarks.parallel.table import KINDS, efficiency_of, lines_of, summed_up, work_of
from benchmarks.publish import parallel_blocks
from benchmarks.publish.records import Records
from npnets import optim, parallel, tree

pytestmark = pytest.mark.numpy_alone("runs the comparison on the CPU, and reads its results")


# -- the tasks --------------------------------------------------------------------------------------------------------


def test_the_tree_has_72000_numbers_in_18_arrays() -> None:
    leaves = tree.leaves(problem.parameters())
    assert (len(leaves), sum(leaf.size for leaf in leaves), sum(leaf.nbytes for leaf in leaves)) == (
        18,
        72_000,
        288_000,
    )


@pytest.mark.parametrize(("kind", "sent", "received"), [("shared", 0, 0), ("member", 1, 0), ("result", 0, 1)])
@pytest.mark.slow
def test_the_tree_travels_in_the_way_of_its_kind(kind: str, sent: int, received: int) -> None:
    found = one_side.travelling(kind, 2)
    assert 288_000 * sent < found["sent"] < 288_000 * sent + 2000
    assert 288_000 * received < found["received"] < 288_000 * received + 2000


@pytest.mark.slow
def test_the_time_of_recovery_begins_with_the_death_of_a_worker() -> None:
    first = one_side.begin("processes", 1)
    try:
        assert 0 < first < 60 and 0 < one_side.recover(1) < 60
    finally:
        one_side.end()
    assert not one_side._executors


def test_a_task_of_the_efficiency_depends_on_its_generator_alone() -> None:
    params = problem.POLICY.init(np.random.default_rng(0))
    again, one, other = (problem.play_episodes(0, rng=np.random.default_rng(s), shared=params) for s in (1, 1, 2))
    assert again == one != other


class TimedSerialExecutor(parallel.SerialExecutor):
    """Tasks that run at once, and take two processor seconds to be sent, or so it says."""

    sending = 0.0

    def share(self, common: Any) -> Any:
        self.sending += 2.0
        return common


def test_the_driver_takes_the_step_of_an_evolution_strategy_with_noise_that_it_draws_again() -> None:
    search, params = Search(TimedSerialExecutor(), 0.0), problem.MUJOCO_POLICY.init(np.random.default_rng(SEED))
    search.iterate(3)
    theta, unravel = tree.ravel(params)
    rngs = [parallel.generator(SEED, shard) for shard in range(3)]
    returns = np.stack([problem.wait_as_shard(0.0, 0, rng=rng, shared=None)[0] for rng in rngs])
    ranks = returns.ravel().argsort().argsort().reshape(returns.shape) / (returns.size - 1) - 0.5
    gradient = np.zeros_like(theta)
    for shard, (plus, minus) in enumerate(ranks):
        noise = parallel.generator(SEED, shard).standard_normal((problem.PAIRS, theta.size), np.float32)
        gradient += (plus - minus).astype(np.float32) @ noise / (returns.size / 2 * SIGMA)
    adam = optim.adam(0.01)
    expected, _ = adam.update(params, unravel(-gradient), adam.init(params))
    difference = tree.ravel(search.params)[0] - tree.ravel(expected)[0]
    assert np.abs(difference).max() < 1e-4 and np.abs(tree.ravel(search.params)[0] - theta).max() > 0.005


def test_the_driver_s_seconds_are_those_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 15.0, 18.0])
    times = SimpleNamespace(process_time=lambda: next(clock), perf_counter=iter([100.0, 130.0]).__next__)
    monkeypatch.setattr(cluster_side, "time", times)
    found = Search(TimedSerialExecutor(), 0.0).iterate(1)
    assert found == {"sending": 2.0, "collecting": 3.0, "update": 3.0, "driver": 8.0, "iteration": 30.0}


@pytest.mark.slow
@pytest.mark.needs_package("ray")
def test_a_simulated_cluster_computes_on_all_of_its_nodes() -> None:
    with Worker(program.CLUSTER_SIDE, "the cluster") as side:
        assert side.call(begin={"seconds": 1.0}) == 5702
        side.call(grow={"nodes": 2, "tasks": 4})
        steps = [side.call(iterate={"tasks": 8}) for _ in range(2)]
        side.call(end={})
    found = min(steps, key=lambda step: step["iteration"])
    assert 4.0 < found["iteration"] < 7.5  # on one of the two, the tasks sleep for eight seconds
    assert 0 < found["sending"] < found["driver"] < found["iteration"]


# -- the driver's work ------------------------------------------------------------------------------------------------


def test_the_line_through_measurements_on_a_line_is_that_line() -> None:
    work = fitted((tasks, 0.01 + 0.002 * tasks) for tasks in (8, 16, 64))
    np.testing.assert_allclose(work, (0.01, 0.002), rtol=1e-9)


def test_the_driver_never_takes_less_than_no_time_for_an_iteration() -> None:
    assert fitted([(8, 0.01), (16, 0.05), (64, 0.3)]).fixed == 0.0


def test_efficiency_and_speed_are_those_of_a_driver_that_never_works_while_the_cores_do() -> None:
    work = DriverWork(0.5, 0.01)
    assert efficiency(work, 10, 16, 6.0) == pytest.approx(6.0 / (6.0 + 0.5 + 1.6))
    assert efficiency(work, 2, 1, 0.2, tasks_a_core=8) == pytest.approx(1.6 / (1.6 + 0.5 + 0.16))
    assert speedup(work, 1, 16, 6.0) == 1.0
    assert speedup(work, 10, 16, 6.0) == pytest.approx(10 * (6.0 + 0.5 + 0.16) / (6.0 + 0.5 + 1.6))


def test_efficiency_is_that_of_two_workers_within_each_round() -> None:
    found = efficiency_of([{"one": 4.0, "two": 2.0}, {"one": 8.0, "two": 5.0}, {"one": 3.0, "two": 3.0}])
    assert found["efficiency"] == {"median": 0.8, "low": 0.65, "high": 0.9} and found["one"]["median"] == 4.0


# -- tables, pages and the figure -------------------------------------------------------------------------------------


def point(nodes: int) -> dict[str, Any]:
    """Return results on a cluster whose driver takes 10 ms, and 2 ms for a task."""
    driver = 0.01 + 0.002 * 8 * nodes
    parts = {"sending": 0.002, "collecting": driver - 0.005, "update": 0.003, "driver": driver}
    return {"nodes": nodes, "tasks": 8 * nodes, **summed_up([{**parts, "iteration": 1.6 + driver}], 5)}


def results() -> dict[str, Any]:
    """Return made-up results of a whole run."""
    engines = ("processes", "ray", "threads")
    by_kind = {kind: 0.5 * (number + 1) for number, kind in enumerate(KINDS)}
    seconds = {"first result": 1.0, "other": 0.25, "only": 2.0}
    clusters = {"task_seconds": 0.2, "tasks_a_node": 8, "pairs": 8, "parameters": 5702}
    return {
        "rounds": 3,
        "workers": 2,
        "overhead": {
            "tasks": 50,
            "milliseconds": {engine: summed_up([by_kind], 4) for engine in engines},
            "bytes": {kind: {"sent": 400.0, "received": 1000.0} for kind in KINDS},
        },
        "start": {engine: summed_up([seconds], 3) for engine in engines[:2]},
        "efficiency": {
            "tasks": 20,
            "engines": {engine: efficiency_of([{"one": 1.9, "two": 1.0}]) for engine in engines[:2]},
        },
        "clusters": {**clusters, "points": [point(nodes) for nodes in (1, 2, 4)]},
    }


def test_the_tables_have_the_measurements_with_their_limits() -> None:
    text = "\n".join(lines_of(results()))
    assert "RayExecutor                        0.500       1.000       1.500, at most 2.5 expected if shared" in text
    assert "ProcessExecutor: first result 1.00 s, other 0.25 s, only 2.00 s" in text
    assert "RayExecutor: 1.90 s on one worker, 1.00 s on two, efficiency 0.95, at least 0.9 expected" in text
    assert "driver: 10.0 ms + 2.00 ms a task" in text


def published(tmp_path: Path) -> Records:
    """Return the made-up results as a result file."""
    machine, versions = {"processor": "A", "cores": 2}, {"numpy": "2", "ray": "2.60.0"}
    header = {"command": "python -m benchmarks.parallel", "date": "today", "machine": machine, "versions": versions}
    (tmp_path / "parallel.json").write_text(json.dumps({**header, "results": results()}))
    return Records(tmp_path)


def test_the_page_has_the_cost_of_a_task_with_its_limit_and_its_bytes(tmp_path: Path) -> None:
    found = parallel_blocks.overhead(published(tmp_path))
    assert found.rows[1] == ["``RayExecutor``", "0.50 ms", "1.00 ms", "1.50 ms", "2.5 ms"]
    assert found.rows[-1] == ["bytes of a task and its result", *["1,400"] * 3, ""]
    assert found.above.startswith("On an A with 2 cores, Ray 2.60.0, two workers, medians of 3 calls with 50 tasks")


def test_the_page_has_efficiency_start_and_recovery_of_each_engine(tmp_path: Path) -> None:
    found = parallel_blocks.engines(published(tmp_path))
    assert list(found.header) == ["", "``ProcessExecutor``", "``RayExecutor``"]
    assert [row[1:] for row in found.rows] == [[text] * 2 for text in ("95 ms", "0.95", "1.00 s", "0.25 s", "2.00 s")]


def test_the_page_has_the_driver_s_work_and_the_speed_that_is_computed_from_it(tmp_path: Path) -> None:
    records = published(tmp_path)
    assert parallel_blocks.driver(records).rows[1] == ["2", "16", "2", "37", "3", "42", "1642"]
    found = parallel_blocks.machines(records)
    assert found.above.startswith("The driver takes 10 ms for an iteration and 2.00 ms for each task.")
    assert found.rows[0] == ["1", "16", "0.042 s", "1 (96%)", "1 (100%)", "1 (100%)"]
    assert found.rows[-1] == ["1,000", "16,000", "32 s", "32 (3%)", "239 (24%)", "653 (65%)"]


def test_the_figure_has_the_measured_dots_and_the_computed_lines() -> None:
    found = results()
    driver, parts = figure_of(found).axes
    work = work_of(found["clusters"]["points"])
    (line, dots), measured = driver.lines[:2], parts.lines[-1]
    np.testing.assert_allclose(line.get_ydata(), [10.0, 74.0])
    np.testing.assert_allclose(dots.get_xydata(), [[8, 26], [16, 42], [32, 74]])
    np.testing.assert_allclose(measured.get_ydata(), [efficiency(work, nodes, 1, 0.2, 8) for nodes in (1, 2, 4)])
    np.testing.assert_allclose(parts.lines[0].get_ydata()[[0, -1]], [efficiency(work, n, 16, 1.0) for n in (1, 1000)])


def test_the_figure_for_a_dark_page_differs_from_that_for_a_light_one(tmp_path: Path) -> None:
    for name, dark in (("light.png", False), ("dark.png", True)):
        draw(results(), tmp_path / name, dark)
    light, dark_one = ((tmp_path / name).read_bytes() for name in ("light.png", "dark.png"))
    assert light[:4] == dark_one[:4] == b"\x89PNG" and light != dark_one


# -- the program ------------------------------------------------------------------------------------------------------


class Scripted:
    """A simulated process that records its requests, and returns made-up results."""

    requests: list[tuple[str, str]] = []

    def __init__(self, module: str, name: str, threads: int) -> None:
        assert threads == 1
        self.name = name

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *_: object) -> None:
        self.requests.append((self.name, "exit"))

    def call(self, **request: Any) -> Any:
        ((what, given),) = request.items()
        self.requests.append((self.name, what))
        if what == "travelling":
            return {"sent": 1.0, "received": 2.0}
        if what == "iterate":
            parts = ("sending", "collecting", "update", "driver", "iteration")
            return dict.fromkeys(parts, 0.01 * given["tasks"])
        return 1.0 / given["workers"] if what == "play" else 1.0


def test_every_engine_has_a_process_of_its_own_and_the_results_can_be_shown_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Scripted, "requests", [])
    monkeypatch.setattr(program, "Worker", Scripted)
    monkeypatch.setattr(program.importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr(sys, "argv", ["parallel", "--quick", "--out", str(tmp_path)])
    program.main()
    for name in ("processes", "ray"):
        requests = [what for side, what in Scripted.requests if side == name]
        assert requests.count("exit") == requests.count("begin") == requests.count("end") == 1 + 2 + 1
        assert requests.count("recover") == 2 * 2 and requests.count("play") == 2 * 2
    found = json.loads((tmp_path / "parallel.json").read_text())["results"]
    assert found["overhead"]["bytes"]["shared"] == {"sent": 1.0, "received": 2.0}
    assert found["efficiency"]["engines"]["ray"]["efficiency"]["median"] == 1.0
    assert [one["tasks"] for one in found["clusters"]["points"]] == [8, 16]
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", ["parallel", "--again", "--out", str(tmp_path)])
    program.main()
    assert "10.00 ms a task" in capsys.readouterr().out


def test_without_ray_nothing_is_measured_and_the_error_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"has no ray; to install: pip install -e '\.\[examples,ray\]'"):
        program.measure(None, program.parse_options([]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "words"),
    [(["--nodes", "4", "2"], "expected sizes that grow"), (["--rounds", "0"], "must be at least 1")],
)
def test_wrong_options_are_an_error_in_words(given: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        program.parse_options(given)
    assert ended.value.code == 2 and words in capsys.readouterr().err
