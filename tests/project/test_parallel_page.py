"""On the page about several machines, the scripts run, and the messages of faults are those that the package writes."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import population_tasks as tasks
import pytest

from npnets import parallel
from npnets.parallel import arguments

pytestmark = pytest.mark.numpy_alone("is about the documentation")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "parallel.rst"
MESSAGE = re.compile(r"^   \* - (.*)\n     - ``(.+)``$", re.M)


def messages() -> dict[str, str]:
    """Return the messages of the table by the first cells of their rows."""
    text = PAGE.read_text(encoding="utf-8")
    return dict(MESSAGE.findall(text[text.index("\nFaults\n") : text.index("\nGPUs\n")]))


def plain(message: str) -> str:
    """Return a message without what differs between two runs: processes, machines, seconds, names, members."""
    message = re.sub(r"process \d+ on \S+, after [\d.e-]+ s", "PROCESS", message)
    message = re.sub(r"\S*<locals>\.\w+", "FUNCTION", re.sub(r"process \d+|a process", "process", message))
    return re.sub(r"member \d+ of \d+", "MEMBER", message)


class LosingExecutor(Executor):
    """An executor whose first calls lose their worker, as Ray's do whose machine is lost."""

    def __init__(self, losses: int, error: Exception) -> None:
        self.losses, self.error = losses, error

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.losses -= 1
        if self.losses >= 0:
            future.set_exception(self.error)
        else:
            future.set_result(fn(*args, **kwargs))
        return future


class UncompletedJobError(Exception):
    """The error of submitit for a job without a result."""


def loses(times: int, error: Exception) -> Callable[[], Any]:
    """Return a call that loses its worker some times."""
    executor = LosingExecutor(times, error)
    return lambda: parallel.map_population(tasks.double, [1], executor)


def behaves(value: Any, fun: Any = tasks.behave, **settings: Any) -> Callable[[], Any]:
    """Return a call whose only task does what a value says."""
    return lambda: parallel.map_population(fun, [value], parallel.SerialExecutor(), **settings)


def raise_as_on_the_page(member: Any) -> None:
    raise ValueError("expected a positive width")


def lose_number(member: Any) -> dict[str, float]:
    return {"loss": float("nan")}


def send_local_function() -> None:
    def returns(member: Any) -> Any:
        return member

    with parallel.ProcessExecutor(1) as executor:
        parallel.map_population(returns, [1], executor)


def kill_worker() -> None:
    with parallel.ProcessExecutor(1) as executor:
        parallel.map_population(tasks.behave, ["die"], executor)


FAULTS: dict[str, Callable[[], Any]] = {
    "A worker is killed, for example for lack of memory": kill_worker,
    "It dies each time": kill_worker,
    "No process can start": loses(9, parallel.WorkerLost("a process that was starting died", True)),
    "A machine of the cluster is lost": loses(1, parallel.WorkerLost("a worker on Ray was lost (NodeDiedError)")),
    "A job of Slurm is lost": loses(
        1, UncompletedJobError("Job 12289 (task: 0) with path jobs/12289_0_result.pkl\nmore lines")
    ),
    "The function raises": behaves(1, raise_as_on_the_page),
    "A result has a NaN": behaves(1, lose_number),
    "A task hangs": behaves("sleep", time_limit=0.5),
    "The function cannot be sent": send_local_function,
    "An array lies on a GPU": lambda: behaves(1, tasks.change_shared, shared={"last": {"weight": np.ones(1)}})(),
    "Ray is missing": parallel.RayExecutor,
    "Ray is too old": parallel.RayExecutor,
}


@pytest.fixture
def machine_of_the_page(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Let this machine have what the page's message is about."""
    fault = request.getfixturevalue("fault")
    if fault == "An array lies on a GPU":
        monkeypatch.setattr(arguments, "loaded_cupy", lambda: True)
        monkeypatch.setattr(arguments, "device_of", lambda leaf: "cuda:0" if isinstance(leaf, np.ndarray) else "cpu")
    if fault.startswith("Ray is"):
        ray = None if fault == "Ray is missing" else SimpleNamespace(__version__="2.9.3")
        monkeypatch.setitem(sys.modules, "ray", ray)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.usefixtures("machine_of_the_page")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_writes_the_message_that_the_page_shows(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "npnets"):
        try:
            FAULTS[fault]()
            raised = ""
        except Exception as error:
            raised = str(error)
    assert plain(messages()[fault]).removesuffix("...)") in plain(caplog.text + raised)


def test_every_message_of_the_page_is_tested() -> None:
    assert messages().keys() - FAULTS.keys() == {"Ctrl-C in the driver"} and not FAULTS.keys() - messages().keys()


def output_of(script: str, folder: Path) -> str:
    """Run a script of the page in a folder; Slurm is this machine."""
    for name in ("evaluate.py", "on_slurm.py"):
        text = (PAGE.parent / "scripts" / name).read_text(encoding="utf-8")
        (folder / name).write_text(text.replace('folder="jobs"', 'folder="jobs", cluster="local"'), encoding="utf-8")
    return subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=folder).stdout


@pytest.mark.slow
def test_the_script_for_a_laptop_prints_three_returns(tmp_path: Path) -> None:
    results = output_of("evaluate.py", tmp_path)
    assert len(results.split(",")) == 3 and all(map(float, results.strip("[]\n").split(",")))


@pytest.mark.slow
@pytest.mark.needs_package("submitit")
def test_the_scripts_for_a_laptop_and_for_slurm_print_the_same_results(tmp_path: Path) -> None:
    assert output_of("on_slurm.py", tmp_path) == output_of("evaluate.py", tmp_path)
