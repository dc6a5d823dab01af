"""The threads of the compiled kernels: the same bits on any number of them, whatever else the process does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from forks import exit_code_in_child

import npnets
import npnets.numpy as nnp
from npnets.kernels.compiled.native import native

pytestmark = [
    pytest.mark.numpy_alone("about threads of the CPU"),
    pytest.mark.skipif(native is None, reason="the compiled kernels are not in use"),
]

ROWS = 700
"""Enough rows for several threads: 200 million operations and more."""


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    before = native.chosen_threads()
    yield
    native.threads(before)


def results(dtype: type = np.float32) -> list[bytes]:
    """Return the bits of values and gradients of a wide critic and of an LSTM."""
    rng = np.random.default_rng(0)
    obs, sequences = rng.normal(size=(ROWS, 17)), rng.normal(size=(ROWS, 4, 17))
    mlp = npnets.Critic(npnets.Net(17, hidden_sizes=(256, 250)))
    lstm = npnets.RecurrentCritic(1, 17, hidden_layer_size=64)
    found = []
    for net, x in ((mlp, obs), (lstm, sequences)):
        params = net.init(np.random.default_rng(1), dtype)
        loss = npnets.value_and_grad(lambda p, net=net, x=x: nnp.mean(net.forward(p, x) ** 2))
        value, grads = loss(params)
        found += [np.asarray(array).tobytes() for array in (value, *npnets.tree.leaves(grads))]
        found.append(net.forward(params, x).tobytes())
    return found


def computes_in_child(expected: list[bytes]) -> bool:
    """Return whether a forked child gets these bits."""

    def run() -> None:
        assert results() == expected

    return exit_code_in_child(run) == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_have_the_same_bits_on_any_number_of_threads(dtype: type) -> None:
    native.threads(1)
    alone = results(dtype)
    for number in (2, 3, 8):
        native.threads(number)
        assert all(results(dtype) == alone for _ in range(3))


def test_calls_from_several_threads_of_python_at_once_have_the_bits_of_one_alone() -> None:
    native.threads(3)
    alone = results()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: results(), range(8))) == [alone] * 8


def test_a_forked_child_computes_on_threads_of_its_own() -> None:
    native.threads(3)
    alone = results()
    assert computes_in_child(alone)


def test_a_child_forked_while_another_thread_computes_computes_too() -> None:
    native.threads(3)
    alone = results()
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(lambda: [results() for _ in range(10)])
        assert all(computes_in_child(alone) for _ in range(5))
        assert busy.result() == [alone] * 10


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program of its own, with this file's functions."""
    program = f"import sys; sys.path[:0] = {sys.path!r}\nfrom test_kernel_threads import *\n{code}"
    folder = os.path.dirname(__file__)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([folder, *sys.path]), **environment}
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120)


def test_a_program_ends_while_a_daemon_thread_computes() -> None:
    code = """
import threading, time
native.threads(3)
threading.Thread(target=lambda: [results() for _ in range(1000)], daemon=True).start()
time.sleep(0.3)
"""
    done = run(code)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_interrupt_ends_a_loop_of_calls_and_leaves_the_threads_usable() -> None:
    code = """
import _thread, signal, threading
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background job ignores
native.threads(3)
alone = results()
threading.Timer(0.3, _thread.interrupt_main).start()
try:
    while True:
        results()
except KeyboardInterrupt:
    print(results() == alone)
"""
    done = run(code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def threads_of_process() -> int:
    return len(os.listdir("/proc/self/task"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc")
def test_a_small_network_starts_no_thread_and_a_large_batch_does() -> None:
    code = """
net = npnets.Critic(npnets.Net(4, hidden_sizes=(64, 64)))
params, obs = net.init(np.random.default_rng(0)), np.ones((128, 4), np.float32)
native.threads(3)
before = threads_of_process()
npnets.value_and_grad(lambda p: nnp.mean(net.forward(p, obs)))(params)
print(threads_of_process() - before)
results()
print(threads_of_process() - before)
"""
    done = run(code, OPENBLAS_NUM_THREADS="1")
    assert (done.returncode, done.stdout) == (0, "0\n2\n"), done.stderr


def test_the_environment_limits_the_threads_until_a_program_sets_them() -> None:
    code = "results(); print(threads_of_process())\nnative.threads(2); results(); print(threads_of_process())"
    done = run(code, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    alone, with_two = map(int, done.stdout.split())
    assert with_two == alone + 1, done.stderr


def test_a_block_of_threads_sets_those_of_the_kernels_and_sets_them_back() -> None:
    native.threads(0)
    with npnets.threads(3):
        assert native.chosen_threads() == 3
        with npnets.threads(1):
            assert native.chosen_threads() == 1
        assert native.chosen_threads() == 3
    assert native.chosen_threads() == 0


def test_more_threads_than_the_kernels_ever_take_are_as_many_as_they_take() -> None:
    native.threads(0)
    with npnets.threads(1000):
        assert native.chosen_threads() == native.most_threads() == 64
    assert native.chosen_threads() == 0


@pytest.mark.parametrize("wrong", [-1, "two"])
def test_a_number_of_threads_that_cannot_be_is_refused(wrong: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        native.threads(wrong)
