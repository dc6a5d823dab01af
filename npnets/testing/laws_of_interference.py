"""Laws of interference: inputs that are refilled change no gradient, and a call inside of another changes no output."""

import contextlib
import inspect
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from npnets import tree
from npnets.autodiff import vjp
from npnets.backend import namespace
from npnets.testing.arrays import bits, changed, check_same, is_floating
from npnets.testing.law import Breach, Law
from npnets.testing.trial import Trial, together

MOST_INTERRUPTIONS = 50
REFILL = 3.0


def _refilled_inputs(trial: Trial) -> None:
    params, given = trial.params(), trial.inputs(trial.batch())
    value, pullback = vjp(lambda p: list(trial.run(p, given)[0].values()), params)
    ones = tree.map(lambda leaf: namespace(leaf).ones_like(leaf), value)
    before = bits(pullback(ones))
    for leaf in tree.leaves(given):
        if is_floating(leaf) and leaf.ndim:
            leaf[...] = REFILL
    path = changed(before, bits(pullback(ones)))
    if path is not None:
        raise Breach(
            "the same gradient after the arrays that went in were refilled with other numbers",
            f"the gradient by {path} differs",
            "an operation of your own keeps an array that came in for its backward pass; let it keep a copy",
        )


def _interruption(trial: Trial) -> None:
    batch = trial.batch()
    params, given, others = trial.params(), trial.inputs(batch), trial.inputs(batch, suffix=" of the call in between")
    alone, other = (bits(together(trial.run(params, inputs))) for inputs in (given, others))
    inner: list[Any] = []
    with _at_each_line_of(trial.net, lambda: inner.append(together(trial.run(params, others)))):
        interrupted = together(trial.run(params, given))
    expected = "the same bits when forward is called with other inputs in its middle, as by a signal handler"
    cause = "a buffer or another value that is kept on the network or in its module while forward runs; make it anew"
    check_same(alone, bits(interrupted), expected, cause)
    for output in inner:
        check_same(other, bits(output), f"{expected}, also of the call in between", cause)


@contextlib.contextmanager
def _at_each_line_of(net: Any, call: Callable[[], Any]) -> Iterator[None]:
    """Call a function before each line that runs in the files of a network's methods, up to some number of times."""
    methods = [inspect.unwrap(value) for kind in type(net).__mro__ for value in vars(kind).values() if callable(value)]
    files = {method.__code__.co_filename for method in methods if hasattr(method, "__code__")}
    left = [MOST_INTERRUPTIONS]

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        if event == "line" and left[0]:
            left[0] -= 1
            call()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


REFILLED_INPUTS = Law(
    "refilled inputs", "refilling the inputs after forward changes no gradient", _refilled_inputs, examples=8
)
INTERRUPTION = Law(
    "interruption", "a call in the middle of another changes no output of either", _interruption, examples=4
)
