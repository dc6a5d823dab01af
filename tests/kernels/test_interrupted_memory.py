"""A forward pass in the middle of another, in a signal handler or a finalizer, never gets the buffers of the other."""

from __future__ import annotations

import gc
import itertools
import random
import signal
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from backends import bits
from opcodes import Countdown, before_each_opcode

import npnets
import npnets.numpy as nnp
from npnets.kernels import buffers, linear, lstm, lstm_product
from npnets.kernels.activations import TANH
from npnets.kernels.buffers import LEAST_BYTES, scratch
from npnets.optim import arithmetic

pytestmark = pytest.mark.numpy_alone("about NumPy's memory: CuPy keeps its own")

LIKE = np.zeros(1, np.float32)
LARGE = (LEAST_BYTES // 4,)


def _drawn(*shapes: tuple[int, ...]) -> list[Any]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape).astype("f") for shape in shapes]


def _of_layers(scale: float) -> Any:
    return linear.linear_layers(ROWS[scale], WEIGHTS, (TANH, None))


def _of_lstm(scale: float) -> Any:
    return lstm.lstm(SEQUENCE[scale], LSTM[:4], *LSTM[4:])


def _of_optimizer(scale: float) -> Any:
    x = MATRIX[scale]
    return arithmetic._NUMPY.axpy(0.5, x, x), arithmetic._NUMPY.lerp_square(x, x, 0.25)


def _of_gradient(scale: float) -> Any:
    return npnets.grad(lambda weights: nnp.sum(linear.linear_layers(ROWS[scale], weights, (TANH, None))))(WEIGHTS)


def _scaled(array: Any) -> dict[float, Any]:
    """Return an array for the call that is interrupted, and another for those that interrupt it."""
    return {1.0: array, 2.0: array * 2}


ROWS = _scaled(*_drawn((256, 8)))
WEIGHTS = _drawn((8, 128), (128,), (128, 128), (128,))
SEQUENCE = _scaled(*_drawn((2, 300, 3)))
LSTM = tuple(_drawn((3, 256), (64, 256), (256,), (256,), (300, 64), (300, 64)))
MATRIX = _scaled(*_drawn((128, 129)))


class Interruption:
    """A computation that interrupts one of the same kind, and keeps references to some of its outputs meanwhile."""

    def __init__(self, compute: Callable[[float], Any]) -> None:
        self.compute = compute
        self.random = random.Random(0)
        self.expected = {scale: bits(compute(scale)) for scale in (1.0, 2.0)}
        self.held: list[Any] = []
        self.count = 0

    def __call__(self) -> None:
        """Compute once more; check the output some time later, in another order, and drop it."""
        self.count += 1
        self.held.append(self.compute(2.0))
        if len(self.held) > 6:
            self.check(2.0, self.held.pop(self.random.randrange(6)))

    def each(self, distance: int) -> Callable[[], None]:
        """Return a function that computes once more at every call of a given number."""
        turns = itertools.cycle([self, *[lambda: None] * (distance - 1)])
        return lambda: next(turns)()

    def check(self, scale: float, *outputs: Any) -> None:
        """Fail if outputs have changed since they were computed."""
        for output in outputs:
            unchanged = bits(output) == self.expected[scale]  # megabytes, which a failure need not show
            assert unchanged, "memory of an output was handed out a second time"


@pytest.fixture(autouse=True)
def one_blas_thread() -> Iterator[None]:
    """BLAS on one thread: thousands of small products on several take a minute where the cores are busy."""
    with npnets.threads(1):
        yield


def test_an_interruption_at_any_byte_code_of_the_pool_does_not_get_the_buffer_of_the_interrupted_call() -> None:
    number, total = 0, 1
    while number < total:
        held: list[Any] = []
        scratch(LIKE, LARGE), [scratch(LIKE, LARGE) for _ in range(3)]
        countdown = Countdown(number, lambda held=held: held.extend(scratch(LIKE, LARGE) for _ in range(4)))
        with before_each_opcode(countdown, buffers):
            held.append(scratch(LIKE, LARGE))
        held += [scratch(LIKE, LARGE) for _ in range(4)]
        assert len(held) == 9
        assert len({np.asarray(array).__array_interface__["data"][0] for array in held}) == 9, number
        number, total = number + 1, countdown.seen
    assert total > 50


@pytest.mark.slow
@pytest.mark.parametrize("compute", [_of_layers, _of_lstm, _of_optimizer, _of_gradient])
def test_computations_that_interrupt_each_other_at_many_byte_codes_change_nothing(compute: Any) -> None:
    nested = Interruption(compute)
    for distance in (2, 7, 11, 19, 43):  # some are left alone in between
        with before_each_opcode(nested.each(distance), buffers, linear, lstm, lstm_product, arithmetic):
            output = compute(1.0)
        nested.check(1.0, output)
    nested.check(2.0, *nested.held)
    assert nested.count > 100


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a system with interval timers")
def test_a_signal_handler_may_run_a_forward_pass() -> None:
    nested = Interruption(_of_layers)
    interrupting = True

    def handle(*_: Any) -> None:
        nested()
        if interrupting:
            signal.setitimer(signal.ITIMER_REAL, 1e-4)

    before = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, 1e-4)
        for _ in range(20000):
            nested.check(1.0, _of_layers(1.0))
            if nested.count > 300:
                break
    finally:
        interrupting = False  # a pending signal is handled after the timer stops, and would start it again
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    nested.check(2.0, *nested.held)
    assert nested.count > 100


def test_a_finalizer_in_a_pass_of_the_garbage_collector_may_run_a_forward_pass() -> None:
    nested = Interruption(_of_layers)

    class Garbage:
        def __init__(self) -> None:
            self.cycle = self

        def __del__(self) -> None:
            nested()

    before = gc.get_threshold()
    gc.set_threshold(3)
    try:
        for _ in range(300):
            Garbage()
            nested.check(1.0, _of_layers(1.0))
    finally:
        gc.set_threshold(*before)
    gc.collect()
    nested.check(2.0, *nested.held)
    assert nested.count == 300
