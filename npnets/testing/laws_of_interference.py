"""Laws of interference: overwritten inputs change no gradient, and a nested call changes no output."""

import contextlib
import inspect
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from npnets import tree
from npnets.autodiff import vjp
from npnets.backend import namespace
from npnets.testing.arrays import bits, check_equal, is_floating
from npnets.testing.law import Law
from npnets.testing.protocol import Network
from npnets.testing.trial import Trial
from npnets.tree import Tree

MOST_INTERRUPTIONS = 50
OVERWRITTEN = 3.0


def _overwritten_inputs(trial: Trial) -> None:
    params, inputs = trial.params(), trial.inputs(trial.batch())
    outputs, pullback = vjp(lambda p: list(trial.run(p, inputs).outputs.values()), params)
    ones = tree.map(lambda leaf: namespace(leaf).ones_like(leaf), outputs)
    before = bits(pullback(ones))
    for leaf in tree.leaves(inputs):
        if is_floating(leaf) and leaf.ndim:
            leaf[...] = OVERWRITTEN
    check_equal(
        before,
        bits(pullback(ones)),
        "the same gradient after the input arrays were overwritten with other numbers",
        "an operation of your own keeps an input array for its backward pass; let it keep a copy",
    )


def _interruption(trial: Trial) -> None:
    batch = trial.batch()
    params, inputs, others = trial.params(), trial.inputs(batch), trial.inputs(batch, suffix=" of the nested call")
    alone, other = (bits(trial.run(params, x).as_tree()) for x in (inputs, others))
    nested: list[Tree] = []
    with _at_each_line_of(trial.net, lambda: nested.append(trial.run(params, others).as_tree())):
        interrupted = trial.run(params, inputs).as_tree()
    expected = "the same bits when forward is called with other inputs during the call, as by a signal handler"
    cause = "a buffer or another value is kept on the network or in its module while forward runs; make it in forward"
    check_equal(alone, bits(interrupted), expected, cause)
    for output in nested:
        check_equal(other, bits(output), f"{expected}, also of the nested call", cause)


@contextlib.contextmanager
def _at_each_line_of(net: Network, call: Callable[[], None]) -> Iterator[None]:
    """Call a function before each line that runs in the files of a network's methods, up to a maximum number."""
    methods = [inspect.unwrap(value) for kind in type(net).__mro__ for value in vars(kind).values() if callable(value)]
    files = {method.__code__.co_filename for method in methods if hasattr(method, "__code__")}
    remaining = [MOST_INTERRUPTIONS]

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        if event == "line" and remaining[0]:
            remaining[0] -= 1
            call()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


OVERWRITTEN_INPUTS = Law(
    "overwritten inputs", "overwriting the inputs after forward changes no gradient", _overwritten_inputs, examples=8
)
INTERRUPTION = Law(
    "interruption", "a call during another call changes the output of neither", _interruption, examples=4
)
