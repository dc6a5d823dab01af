"""Laws of purity: a call changes no argument, keeps nothing for later calls, and uses no global random state."""

import contextlib
import random
from collections.abc import Callable, Iterator

import numpy as np

from npnets import tree
from npnets.testing.arrays import Bits, bits, check_equal, first_difference
from npnets.testing.law import Law, Violation
from npnets.testing.protocol import Network
from npnets.testing.trial import DTYPES, LARGEST_BATCH, Trial
from npnets.tree import Tree


def _arguments(trial: Trial) -> None:
    dtype = trial.draw("dtype", DTYPES)
    params, whole = trial.params(dtype), trial.inputs(LARGEST_BATCH, dtype)
    states = trial.state(LARGEST_BATCH, dtype) if trial.under_test.is_recurrent else None
    for batch in range(1, LARGEST_BATCH + 1):
        inputs, state = trial.first_rows(whole, states, batch)
        arguments = {**inputs, "params": params, "state": state}
        before = bits(arguments)
        trial.run(params, inputs, state)
        path = first_difference(before, bits(arguments))
        if path is not None:
            raise Violation(
                "parameters and inputs to have the same bits after forward as before",
                f"forward changed {path}",
                "an operation in place (+=, out=, x[...] = ...) on an argument, or a key added to params",
            )


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


ARGUMENTS = Law("arguments", "forward changes neither parameters nor inputs", _arguments, examples=8)
REPETITION = Law("repetition", "equal calls return equal bits, whatever was called before", _repetition)
RANDOMNESS = Law("randomness", "init and forward neither use nor change global random state", _randomness)
SEEDS = Law("seeds", "init returns equal parameters for equal seeds, and different ones for different seeds", _seeds)
