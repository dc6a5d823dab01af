"""No lock is met in a signal handler or in a forked child: either may come between any two byte-codes of a gradient."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import autograd
import numpy as np
import pytest
from forks import exit_code_in_child
from opcodes import before_each_opcode

import npnets
import npnets.numpy as nnp
from npnets.autodiff import derivatives, trace_numbers
from npnets.autodiff.trace_numbers import LockedTraces, RisingTraces
from npnets.description import cached_property

pytestmark = [
    pytest.mark.numpy_alone("about threads, forks and signals, whatever the arrays"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning"),
]


def _nested_gradients(grad: Callable[..., Any] = npnets.grad) -> None:
    """Differentiate `x * d/dy (x * y)`, that is `x * x`."""
    assert grad(lambda x: x * grad(lambda y: x * y)(5.0))(3.0) == 6.0


def _gradient_of_a_new_network() -> None:
    net = npnets.Net(3, 2, (5,), activation="tanh")
    params, x = net.init(np.random.default_rng(0)), np.ones((4, 3), np.float32)
    npnets.grad(lambda params: nnp.sum(net.forward(params, x)[0]))(params)


# -- signal handlers --------------------------------------------------------------------------------------------------


def _interrupted_at_every_byte_code(traces: RisingTraces) -> None:
    """Draw numbers while each byte-code is interrupted by somebody who draws numbers too."""
    drawn: list[int] = []
    with before_each_opcode(lambda: drawn.append(traces.number()), trace_numbers):
        for _ in range(20):
            drawn.append(traces.number())
            with traces.new_trace() as number:
                drawn.append(number)
    assert len(set(drawn)) == len(drawn) > 100


@pytest.mark.parametrize("kind", [RisingTraces, LockedTraces])
def test_a_handler_at_any_byte_code_of_a_trace_number_draws_one_too(kind: Any) -> None:
    assert exit_code_in_child(lambda: _interrupted_at_every_byte_code(kind(0))) == 0


def _gradients_in_a_handler() -> None:
    handled = itertools.count()

    def handle(*_: Any) -> None:
        _nested_gradients()
        _nested_gradients(autograd.grad)
        if next(handled) < 2000:
            signal.setitimer(signal.ITIMER_VIRTUAL, 1e-5)

    signal.signal(signal.SIGVTALRM, handle)
    signal.setitimer(signal.ITIMER_VIRTUAL, 1e-5)
    for _ in range(100000):
        _nested_gradients()
        _nested_gradients(autograd.grad)
        if next(handled) > 2000:
            break


@pytest.mark.slow
def test_a_signal_handler_may_take_gradients_in_the_middle_of_gradients() -> None:
    assert exit_code_in_child(_gradients_in_a_handler) == 0


# -- forks ------------------------------------------------------------------------------------------------------------


def _fork_while_a_thread_stands_still(run: Callable[[], Any], every: int, *modules: Any) -> list[int]:
    """Run a function in a thread, stop it at some byte-codes, and run it there in a forked child too."""
    codes: list[int] = []
    stopped, forked = threading.Semaphore(0), threading.Semaphore(0)
    ended = threading.Event()

    def stop() -> None:
        if next(turns) % every == 0:
            stopped.release()
            assert forked.acquire(timeout=600)

    def traced() -> None:
        with before_each_opcode(stop, *modules):
            run()
        ended.set()
        stopped.release()

    turns = itertools.count()
    thread = threading.Thread(target=traced)
    thread.start()
    while stopped.acquire(timeout=600) and not ended.is_set():
        codes.append(exit_code_in_child(run) if set(codes) <= {0} else codes[-1])
        forked.release()
    thread.join()
    return codes


@pytest.mark.slow
@pytest.mark.parametrize("grad", [npnets.grad, autograd.grad])
def test_a_child_forked_while_another_thread_draws_a_trace_number_takes_gradients(grad: Any) -> None:
    run = lambda: _nested_gradients(grad)  # noqa: E731
    assert set(_fork_while_a_thread_stands_still(run, 5, trace_numbers, derivatives)) == {0}


@pytest.mark.slow
def test_a_child_forked_while_another_thread_makes_and_differentiates_a_network_does_so_too() -> None:
    modules = [module for name, module in sys.modules.items() if name.startswith("npnets")]
    codes = _fork_while_a_thread_stands_still(_gradient_of_a_new_network, 199, *modules)
    assert len(codes) > 10 and set(codes) == {0}


def test_without_the_global_lock_a_child_forked_while_another_thread_draws_a_number_draws_one_too() -> None:
    traces = LockedTraces(0)
    codes = _fork_while_a_thread_stands_still(traces.number, 1, trace_numbers)
    assert len(codes) > 5 and set(codes) == {0}


@pytest.mark.slow
def test_children_forked_while_threads_differentiate_take_gradients() -> None:
    ended = threading.Event()

    def differentiate() -> None:
        while not ended.is_set():
            _nested_gradients()
            _gradient_of_a_new_network()

    threads = [threading.Thread(target=differentiate) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        codes = {exit_code_in_child(_gradient_of_a_new_network) for _ in range(60)}
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert codes == {0}


def test_threads_that_compute_a_property_at_the_same_moment_get_one_value() -> None:
    together = threading.Barrier(2)

    class Described:
        @cached_property
        def value(self) -> object:
            together.wait(60)
            return object()

    described = Described()
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: described.value, range(2))
    assert one is other is described.value


# -- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [RisingTraces, LockedTraces])
def test_threads_never_draw_the_same_trace_number_and_each_sees_them_rise(kind: Any) -> None:
    traces, drawn = kind(7), [[] for _ in range(4)]
    threads = [
        threading.Thread(target=lambda own=own: own.extend(traces.number() for _ in range(2000))) for own in drawn
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(own == sorted(own) for own in drawn)
    assert sorted(itertools.chain(*drawn)) == list(range(7, 8007))
