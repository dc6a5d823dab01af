"""Laws of purity: a call changes no argument, keeps nothing for other calls, and uses no global random state."""

import contextlib
import inspect
import random
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import numpy as np

from npnets import tree
from npnets.testing.arrays import Bits, bits, check_equal, first_difference
from npnets.testing.forward_signature import Network
from npnets.testing.law import Law, Violation
from npnets.testing.trial import DTYPES, LARGEST_BATCH, Trial
from npnets.tree import Tree

MOST_INTERRUPTIONS = 50


def _arguments(trial: Trial) -> None:
    dtype = trial.draw("dtype", DTYPES)
    params, whole = trial.params(dtype), trial.inputs(LARGEST_BATCH, dtype)
    states = trial.state(LARGEST_BATCH, dtype) if trial.under_test.is_recurrent else None
    for batch in range(1, LARGEST_BATCH + 1):
        inputs, state = trial.first_rows(whole, states, batch)
        arguments = {**inputs, "params": params, "state": state}
        before = bits(arguments)
        trial.run(params, inputs, state)
        expected = "parameters and inputs to have the same bits after forward as before"
        cause = "an operation in place (+=, out=, x[...] = ...) on an argument, or a key added to params"
        check_equal(before, bits(arguments), expected, cause, "forward changed {}")


def _repetition(trial: Trial) -> None:
    batch = trial.batch()
    params, inputs, others = trial.params(), trial.inputs(batch), trial.inputs(batch, suffix=" of the next call")
    result = trial.run(params, inputs)
    first = bits(result.as_tree())
    second = bits(trial.run(params, others).as_tree())
    cause = "something is kept between calls: a cache, a counter, a reused array"
    check_equal(first, bits(result.as_tree()), "the first output to be unchanged by a second call", cause)
    again = bits(trial.run(params, inputs).as_tree())
    check_equal(first, again, "the same bits from a third call with the arguments of the first", cause)
    from_new = bits(trial.run(params, others, net=trial.new_copy()).as_tree())
    check_equal(from_new, second, "the second call to return the same as a copy that was never called before", cause)


def _randomness(trial: Trial) -> None:
    params, inputs = trial.params(), trial.inputs(trial.batch())
    seed = trial.seed("seed of init")
    calls: dict[str, Callable[[Network], Tree]] = {
        "init": lambda net: net.init(np.random.default_rng(seed)),
        "forward": lambda net: trial.run(params, inputs, net=net).as_tree(),
    }
    for name, call in calls.items():
        nets = [trial.new_copy() for _ in range(3)]
        with _global_state_restored():
            first, again, other = (_seeded(call, net, seed) for net, seed in zip(nets, (1, 1, 2), strict=True))
        if first[1]:
            raise _global_randomness(name, "it changes their state")
        if first_difference(first[0], again[0]) is None and first_difference(first[0], other[0]) is not None:
            raise _global_randomness(name, "it returns something else once they are seeded differently")


def _global_randomness(name: str, came: str) -> Violation:
    return Violation(
        f"{name} to neither use nor change the global generators of numpy.random and random",
        came,
        "a function of numpy.random or random; draw with the generator that is passed as rng",
    )


def _seeded(call: Callable[[Network], Tree], net: Network, seed: int) -> tuple[Bits, bool]:
    """Seed the global generators, and return the bits of a call's result and whether it changes the generators."""
    np.random.seed(seed)
    random.seed(seed)
    before = _global_state()
    result = bits(call(net))
    return result, _global_state() != before


def _global_state() -> tuple[object, ...]:
    kind, keys, *rest = np.random.get_state(legacy=True)
    return (kind, np.asarray(keys).tobytes(), *rest, random.getstate())


@contextlib.contextmanager
def _global_state_restored() -> Iterator[None]:
    of_numpy, of_python = np.random.get_state(), random.getstate()
    try:
        yield
    finally:
        np.random.set_state(of_numpy)
        random.setstate(of_python)


def _seeds(trial: Trial) -> None:
    one, other = (trial.seed(name) for name in ("seed", "another seed"))
    first, again, different = (trial.net.init(np.random.default_rng(seed)) for seed in (one, one, other))
    check_equal(
        bits(first),
        bits(again),
        f"init to return the same parameters for the same seed, {one}",
        "randomness that does not come from rng, or a network that keeps what it drew",
    )
    varies = any(np.ptp(leaf) > 0 for leaf in tree.leaves(tree.to_numpy(first)) if np.size(leaf))
    if one != other and varies and first_difference(bits(first), bits(different)) is None:
        raise Violation(
            f"init to return other parameters for another seed, {other}",
            f"the same bits as for {one}",
            "init draws from a generator of its own and not from rng",
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


LAWS = (
    Law("arguments", "forward changes neither parameters nor inputs", _arguments, examples=8),
    Law("randomness", "init and forward neither use nor change global random state", _randomness),
    Law("repetition", "equal calls return equal bits, whatever was called before", _repetition),
    Law("seeds", "init returns equal parameters for equal seeds, and different ones for different seeds", _seeds),
    Law("interruption", "a call during another call changes the output of neither", _interruption, examples=4),
)
