"""Programs that call `map_population`: interrupted, killed, without a main guard, or interactive."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from driver_programs import await_end, processes_of_tasks, program

pytestmark = [
    pytest.mark.numpy_alone("about processes, whatever the arrays"),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a system with signals"),
]

WAITING = """
import sys
import population_tasks as tasks
from npnets import parallel

if __name__ == "__main__":
    folder = sys.argv[1]
    members = [(f"{folder}/{number}", f"{folder}/never") for number in range(4)]
    with parallel.ProcessExecutor(2) as executor:
        parallel.map_population(tasks.wait_for, members, executor)
"""
UNGUARDED = """
import population_tasks as tasks
from npnets import parallel

with parallel.ProcessExecutor(1) as executor:
    print(parallel.map_population(tasks.double, [1, 2], executor, retries=1))
"""
OWN_FUNCTION = """
import numpy as np
from npnets import parallel

def scaled(member, *, rng):
    return member * rng.normal()

if __name__ == "__main__":
    with parallel.ProcessExecutor(2) as executor:
        found = parallel.map_population(scaled, [1.0, 2.0], executor, seed=3)
    assert found == parallel.map_population(scaled, [1.0, 2.0], parallel.SerialExecutor(), seed=3)
    print("equal")
"""
WHILE_STARTING = """
import signal
from npnets import parallel

if __name__ == "__main__":
    with parallel.ProcessExecutor(2):
        pass
else:
    print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))
"""
UNFINISHED = """
import population_tasks as tasks
from npnets import parallel

if __name__ == "__main__":
    results = parallel.completed(tasks.double, range(20))
    print(sorted(next(results)) != [])
"""
INTERACTIVE = """
from npnets import parallel
def double(member): return 2 * member

print(parallel.map_population(double, [1, 2], parallel.SerialExecutor()))
parallel.map_population(double, [1, 2], parallel.ProcessExecutor(1))
"""


@pytest.mark.slow
def test_an_interrupt_stops_tasks_that_run_and_ends_the_driver_without_a_word_from_workers(tmp_path: Path) -> None:
    driver = program(WAITING, tmp_path)
    processes = processes_of_tasks(tmp_path)
    os.killpg(driver.pid, signal.SIGINT)  # to the workers too, as a terminal does
    _, errors = driver.communicate(timeout=30)
    assert driver.returncode != 0
    assert errors.count("Traceback") == 1
    assert errors.rstrip().endswith("KeyboardInterrupt")
    for process in processes:
        await_end(process)


@pytest.mark.slow
def test_processes_hold_interrupts_back_while_they_start(tmp_path: Path) -> None:
    output, errors = program(WHILE_STARTING, tmp_path).communicate(timeout=60)
    assert (output.split(), errors) == (["True", "True"], "")


@pytest.mark.slow
def test_workers_end_when_their_driver_is_killed(tmp_path: Path) -> None:
    driver = program(WAITING, tmp_path)
    processes = processes_of_tasks(tmp_path)
    driver.kill()
    driver.communicate(timeout=30)
    for process in processes:
        await_end(process)


@pytest.mark.slow
def test_a_script_without_a_main_guard_ends_with_the_remedy(tmp_path: Path) -> None:
    _, errors = program(UNGUARDED, tmp_path).communicate(timeout=60)
    expected = (
        "npnets.parallel.failures.TaskError: member 0 of 2 lost its worker, since a process that was starting died: "
        'its own error stands above, and most often the script lacks `if __name__ == "__main__":` around what it runs'
    )
    assert expected in errors.splitlines()
    assert "Exception in thread" not in errors


@pytest.mark.slow
def test_a_program_may_end_with_results_that_it_did_not_take(tmp_path: Path) -> None:
    output, errors = program(UNFINISHED, tmp_path).communicate(timeout=60)
    assert (output, errors) == ("True\n", "")


@pytest.mark.slow
def test_functions_of_the_running_script_are_sent(tmp_path: Path) -> None:
    output, errors = program(OWN_FUNCTION, tmp_path).communicate(timeout=60)
    assert (output, errors) == ("equal\n", "")


@pytest.mark.slow
def test_functions_of_an_interactive_session_are_refused_with_the_remedy(tmp_path: Path) -> None:
    output, errors = program("", tmp_path, "-c", INTERACTIVE).communicate(timeout=60)
    assert output == "[2, 4]\n"
    assert "made in an interactive session: write it to a file and import it, or use RayExecutor" in errors


def test_a_program_from_standard_input_is_refused_with_the_remedy(tmp_path: Path) -> None:
    code = "from npnets import parallel; parallel.ProcessExecutor(1)"
    _, errors = program("", tmp_path, "-").communicate(code, timeout=60)
    assert "but '<stdin>' is no file: write the program to a file and run that, or use SerialExecutor" in errors
