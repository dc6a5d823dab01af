"""Laws of a description: it survives pickling, and equals its copies."""

import pickle

import numpy as np

from npnets.testing.arrays import bits, check_equal
from npnets.testing.forward_signature import Network
from npnets.testing.law import Law, Violation
from npnets.testing.trial import Trial


def _pickling(trial: Trial) -> None:
    try:
        copied = pickle.loads(pickle.dumps(trial.under_test.net))
    except Exception as error:
        raise Violation(
            "the network to be pickled and unpickled",
            f"{type(error).__name__}: {error}",
            "an attribute that is a lambda or a nested function, or a class that is not at the top level of its module",
        ) from error
    _check_same_results(trial, copied, "the unpickled network", "an attribute that pickling omits")


def _equality(trial: Trial) -> None:
    net, copied = trial.under_test.net, trial.new_copy()
    if not _are_equal(net, copied):
        raise Violation(
            "the network to equal a copy of itself",
            "they differ",
            "a class that compares by identity: make it a frozen dataclass with fields that compare by value",
        )
    if net == object() or net == None:  # noqa: E711
        raise Violation("the network to differ from other objects", "they are equal", "an __eq__ that is always true")
    if _hash(net) != _hash(copied):
        raise Violation("equal networks to have equal hashes", "they differ", "a __hash__ based on identity")
    _check_same_results(trial, copied, "an equal copy", "an attribute that changes the result and is not compared")


def _are_equal(net: Network, copied: Network) -> bool:
    try:
        return bool(net == copied and copied == net and not net != copied)
    except Exception as error:
        raise Violation(
            "the network to be comparable with a copy of itself",
            f"{type(error).__name__}: {error}",
            "a field that is an array: make it a tuple of numbers, or one of the parameters",
        ) from error


def _hash(net: Network) -> int | None:
    try:
        return hash(net)
    except TypeError:
        return None


def _check_same_results(trial: Trial, copied: Network, which: str, cause: str) -> None:
    seed = trial.seed("seed of init")
    initial = [bits(net.init(np.random.default_rng(seed))) for net in (trial.net, copied)]
    params, inputs = trial.params(), trial.inputs(trial.batch())
    results = [bits(trial.run(params, inputs, net=net).as_tree()) for net in (trial.net, copied)]
    for method, (own, other) in (("init", initial), ("forward", results)):
        check_equal(own, other, f"{which} to return the same as the network", cause, f"{{}} of {method} differs")


LAWS = (
    Law("pickling", "an unpickled network returns the same as the original", _pickling, examples=5),
    Law("equality", "a network equals its copies, and equal networks return the same", _equality, examples=5),
)
