"""Laws of purity: nothing that is given is changed, nothing is remembered, no randomness is taken from elsewhere."""

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from npnets import tree
from npnets.testing.arrays import bits, changed, check_same
from npnets.testing.law import Breach, Law
from npnets.testing.trial import DTYPES, LARGEST_BATCH, Trial, together


def _arguments(trial: Trial) -> None:
    dtype = trial.draw("dtype", DTYPES)
    params, whole = trial.params(dtype), trial.inputs(LARGEST_BATCH, dtype)
    states = trial.state(LARGEST_BATCH, dtype) if trial.subject.has_memory else None
    for batch in range(1, LARGEST_BATCH + 1):
        given, state = trial.first_rows(whole, states, batch)
        arguments = {**given, "params": params, "state": state}
        before = bits(arguments)
        trial.run(params, given, state)
        path = changed(before, bits(arguments))
        if path is not None:
            raise Breach(
                "parameters and inputs that are the same, to the last bit, after forward as before",
                f"{path} is not the same any more",
                "an operation in place (+=, out=, x[...] = ...) on an array that came in, or a key put into params",
            )


def _repetition(trial: Trial) -> None:
    batch = trial.batch()
    params, given, others = trial.params(), trial.inputs(batch), trial.inputs(batch, suffix=" of the next call")
    answer = trial.run(params, given)
    first = bits(together(answer))
    second = bits(together(trial.run(params, others)))
    cause = "something is kept between calls: a cache, a counter, an array that is used again"
    check_same(first, bits(together(answer)), "the first answer as it was, after a second call", cause)
    again = bits(together(trial.run(params, given)))
    check_same(first, again, "the same bits when it is called with the same again", cause)
    fresh = bits(together(trial.run(params, others, net=trial.fresh_net())))
    check_same(fresh, second, "the second call's answer to be that of a copy which was never called before", cause)


def _randomness(trial: Trial) -> None:
    params, given = trial.params(), trial.inputs(trial.batch())
    seed = trial.seed("seed of init")
    calls = {
        "init": lambda net: net.init(np.random.default_rng(seed)),
        "forward": lambda net: together(trial.run(params, given, net=net)),
    }
    for name, call in calls.items():
        nets = [trial.fresh_net() for _ in range(3)]
        with _global_state_kept():
            first, again, other = (_seeded(call, net, seed) for net, seed in zip(nets, (1, 1, 2), strict=True))
        _check_untouched(name, first[1])
        if changed(first[0], again[0]) is None and changed(first[0], other[0]) is not None:
            _check_untouched(name, "returns something else once they are seeded anew")


def _check_untouched(name: str, how: str | None) -> None:
    if how is not None:
        raise Breach(
            f"{name} to leave the global generators of numpy.random and random alone",
            f"it {how}",
            "a function of numpy.random or random; draw with the generator that comes in as rng",
        )


def _seeded(call: Any, net: Any, seed: int) -> tuple[dict[str, Any], str | None]:
    """Return what a call answers with once the global generators are seeded, and what it does to them."""
    np.random.seed(seed)
    random.seed(seed)
    before = _global_state()
    answer = bits(call(net))
    return answer, None if _global_state() == before else "changes their state"


def _global_state() -> tuple[Any, ...]:
    kind, keys, *rest = np.random.get_state(legacy=True)
    return (kind, np.asarray(keys).tobytes(), *rest, random.getstate())


@contextlib.contextmanager
def _global_state_kept() -> Iterator[None]:
    numpys, pythons = np.random.get_state(), random.getstate()
    try:
        yield
    finally:
        np.random.set_state(numpys)
        random.setstate(pythons)


def _seeds(trial: Trial) -> None:
    one, other = (trial.seed(name) for name in ("seed", "another seed"))
    first, again, different = (trial.net.init(np.random.default_rng(seed)) for seed in (one, one, other))
    path = changed(bits(first), bits(again))
    if path is not None:
        raise Breach(
            f"init to give the same parameters for the same seed, {one}",
            f"{path} differs",
            "randomness from elsewhere than rng, or a network that keeps what it drew",
        )
    drawn = [np.ptp(leaf) > 0 for leaf in tree.leaves(tree.to_numpy(first)) if np.size(leaf)]
    if one != other and any(drawn) and changed(bits(first), bits(different)) is None:
        raise Breach(
            f"init to give other parameters for another seed, {other}",
            f"the same as for {one}, to the last bit",
            "init draws with a generator of its own and not with rng",
        )


ARGUMENTS = Law("arguments", "forward changes neither parameters nor inputs", _arguments, examples=8)
REPETITION = Law("repetition", "the same call gives the same bits, whatever was called before", _repetition)
RANDOMNESS = Law("randomness", "init and forward neither use nor change global random state", _randomness)
SEEDS = Law("seeds", "init gives the same parameters for the same seed, and others for another", _seeds)
