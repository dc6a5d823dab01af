"""Laws of a description: it survives pickling, and equals what was made from the same arguments."""

import pickle
from typing import Any

import numpy as np

from npnets.testing.arrays import bits, changed
from npnets.testing.law import Breach, Law
from npnets.testing.trial import Trial, together


def _pickling(trial: Trial) -> None:
    try:
        copied = pickle.loads(pickle.dumps(trial.subject.net))
    except Exception as error:
        raise Breach(
            "the network to be pickled and read again",
            f"{type(error).__name__}: {error}",
            "an attribute that is a lambda or an inner function, or a class that is not at the top of its module",
        ) from error
    _check_same_answers(trial, copied, "the pickled copy", "an attribute that pickling leaves out")


def _equality(trial: Trial) -> None:
    net, copied = trial.subject.net, trial.fresh_net()
    if not _are_equal(net, copied):
        raise Breach(
            "the network to equal a copy of itself",
            "they differ",
            "a class that compares by identity: make it a frozen dataclass, and its attributes values that compare",
        )
    if net == object() or net == None:  # noqa: E711
        raise Breach("the network to differ from what is no network", "they are equal", "an __eq__ that does not look")
    if _hash_of(net) != _hash_of(copied):
        raise Breach("equal networks to have equal hashes", "they differ", "a __hash__ that goes by identity")
    _check_same_answers(trial, copied, "a copy that is equal", "something that makes a difference is not compared")


def _are_equal(net: Any, copied: Any) -> bool:
    try:
        return bool(net == copied and copied == net and not net != copied)
    except Exception as error:
        raise Breach(
            "the network to be compared with a copy of itself",
            f"{type(error).__name__}: {error}",
            "a field that is an array: make it a tuple of numbers, or one of the parameters",
        ) from error


def _hash_of(net: Any) -> int | None:
    try:
        return hash(net)
    except TypeError:
        return None


def _check_same_answers(trial: Trial, copied: Any, what: str, cause: str) -> None:
    seed = trial.seed("seed of init")
    initial = [bits(net.init(np.random.default_rng(seed))) for net in (trial.net, copied)]
    params, given = trial.params(), trial.inputs(trial.batch())
    answers = [bits(together(trial.run(params, given, net=net))) for net in (trial.net, copied)]
    for method, pair in (("init", initial), ("forward", answers)):
        path = changed(*pair)
        if path is not None:
            raise Breach(f"{what} to answer as the network itself", f"{path} of {method} differs", cause)


PICKLING = Law("pickling", "a pickled network is read again and returns the same", _pickling, examples=5)
EQUALITY = Law("equality", "a network equals its copies, and equal networks return the same", _equality, examples=5)
