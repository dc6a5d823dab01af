"""The coverage of the recorded cases: the arguments of each class that they give, and unusual inputs."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from golden.npnets_side import (
    CLASSES,
    OUTPUT_TOLERANCE,
    RECURRENT,
    VOCABULARY,
    inputs_of,
    make,
    outputs_of,
    parameters,
)

import npnets

WITHOUT_EFFECT = {
    "device": "says where parameters are placed, and changes no number",
    "noisy_std": "decides initial values alone",
    "preprocess_net_output_dim": "must be what the preprocess net says by itself",
}
"""Arguments that change no output."""

OF_ROWS = ("Perturbation", "VAE", "CosineEmbeddingNetwork", "FractionProposalNetwork")
"""Classes that take nothing but rows of numbers."""

FAR = 50.0
"""Above this value tanh is one and its derivative zero, in float32 long before."""

SQUASHING = ("Actor", "ActorProb", "Perturbation", "VAE", "RecurrentActorProb")
CLAMPED: dict[str, tuple[int, Callable[[Any], tuple[float, float]]]] = {
    "ActorProb": (1, lambda _: (np.exp(-20.0), np.exp(2.0))),
    "RecurrentActorProb": (1, lambda _: (np.exp(-20.0), np.exp(2.0))),
    "VAE": (2, lambda _: (np.exp(-4.0), np.exp(15.0))),
    "Perturbation": (0, lambda net: (-net.max_action, net.max_action)),
}
"""Which output of a network is clamped, and its limits."""


class Argument(NamedTuple):
    """A constructor's argument, as a case gives it."""

    network: str
    name: str
    value: Any


class Constructor:
    """Replaces a class in the call of a case: records its arguments, or omits one."""

    def __init__(self, name: str, given: list[Argument], left_out: str | None = None) -> None:
        self._name, self._given, self._left_out = name, given, left_out

    def __repr__(self) -> str:
        return self._name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make the network."""
        signature = inspect.signature(VOCABULARY[self._name])
        arguments = signature.bind(*args, **kwargs).arguments
        for name, value in arguments.items():
            if value != signature.parameters[name].default:
                self._given.append(Argument(self._name, name, value))
        return VOCABULARY[self._name](**{name: v for name, v in arguments.items() if name != self._left_out})


def constructor_arguments(network: str) -> list[inspect.Parameter]:
    """Return the arguments of a class in order: those that Tianshou has, for its own are by keyword alone."""
    found = inspect.signature(CLASSES[network]).parameters.values()
    return [argument for argument in found if argument.kind is not inspect.Parameter.KEYWORD_ONLY]


@functools.cache
def given(call: str) -> list[Argument]:
    """Return the arguments that a call gives to every class that it names, except those at their defaults."""
    found: list[Argument] = []
    _make(call, {name: Constructor(name, found) for name in CLASSES})
    return found


def network_of(case: dict[str, Any]) -> str:
    """Return the class of a case."""
    return str(case["call"]).split("(")[0]


def matters(case: dict[str, Any], network: str, argument: str) -> bool:
    """Return whether a case without one of its arguments has other outputs, or does not take its inputs."""
    try:
        net = _make(case["call"], {network: Constructor(network, [], left_out=argument)})
    except (TypeError, ValueError):
        return False  # the call requires the argument, whatever its effect on outputs
    if _shapes(net) != _shapes(make(case["call"])):
        return True
    try:
        found = outputs_of(net, case["method"], parameters(case), inputs_of(case))
    except ValueError:
        return True
    return any(_differ(ours, recorded) for ours, recorded in zip(found, case["outputs"], strict=True))


# -- odd inputs -------------------------------------------------------------------------------------------------------


def has_one_row(case: dict[str, Any]) -> bool:
    """Return whether the batch of a case has one row."""
    return _first_input(case).shape[0] == 1


def has_shapes(case: dict[str, Any]) -> bool:
    """Return whether an observation or an action has more than one axis."""
    shapes = [value for _, name, value in given(case["call"]) if name in ("state_shape", "action_shape")]
    axes = [np.size(shape) for shape in shapes]
    if network_of(case) not in RECURRENT:
        axes += [array.ndim - 1 for array in case["inputs"].values()]
    return max(axes) > 1


def has_single_numbers(case: dict[str, Any]) -> bool:
    """Return whether an observation is one number."""
    return _first_input(case).shape[-1] == 1


def is_saturated(case: dict[str, Any]) -> bool:
    """Return whether the arguments of a tanh are far beyond both ends."""
    lowest, highest = case["squashed"] or (0.0, 0.0)
    return lowest < -FAR and highest > FAR


def is_clamped(case: dict[str, Any]) -> bool:
    """Return whether an output has entries at both limits of its clamp, and between them."""
    if network_of(case) not in CLAMPED or case["method"] != "forward":
        return False
    index, ends_of = CLAMPED[network_of(case)]
    output = case["outputs"][index]
    at_ends = [np.isclose(output, end, rtol=1e-6, atol=0.0) for end in ends_of(make(case["call"]))]
    return all(at_end.any() for at_end in at_ends) and not np.all(sum(at_ends))


CONDITIONS: dict[str, tuple[Callable[[dict[str, Any]], bool], tuple[str, ...]]] = {
    "one row": (has_one_row, tuple(CLASSES)),
    "several axes": (has_shapes, tuple(name for name in CLASSES if name not in OF_ROWS)),
    "single numbers": (has_single_numbers, tuple(CLASSES)),
    "saturated": (is_saturated, SQUASHING),
    "clamped": (is_clamped, tuple(CLAMPED)),
}
"""The unusual inputs that must be tested, and the classes that they concern."""


def _first_input(case: dict[str, Any]) -> Any:
    return next(iter(case["inputs"].values()))


def _make(call: str, instead: dict[str, Constructor]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a bound is discarded, which other tests are about
        return eval(call, {**VOCABULARY, **instead})


def _shapes(net: Any) -> Any:
    return npnets.tree.map(np.shape, net.init(np.random.default_rng(0)))


def _differ(found: Any, expected: Any) -> bool:
    return found.shape != expected.shape or np.abs(found - expected).max() > 10 * OUTPUT_TOLERANCE
