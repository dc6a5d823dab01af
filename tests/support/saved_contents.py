"""The contents of the checkpoints in tests/checkpoint/written_before, and the program that wrote them.

    PYTHONPATH=CHECKOUT python tests/support/saved_contents.py FOLDER

writes one file for each entry of `CONTENTS` and each format, with the npnets of a checkout. The files are never written
again: a folder `version_1` has those of the first version of the format. All numbers are computed here, so that nothing
but the files depends on what npnets did when they were written.
"""

from __future__ import annotations

import functools
import sys
from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import npnets
from npnets import checkpoint, discrete, optim

SUFFIXES = (".npz", ".safetensors")


class Content(NamedTuple):
    """Arguments of `save`, and the classes that `load` needs."""

    params: Any
    metadata: dict[str, Any] | None = None
    classes: tuple[type, ...] = ()


class Pair(NamedTuple):
    """A named tuple of a user."""

    first: Any
    second: Any


@dataclass(frozen=True)
class Scale:
    """A dataclass of a user."""

    factor: float
    name: str = "scale"


def numbers(*shape: int, dtype: str = "f4") -> Any:
    """Return an array of small numbers that are exact in every floating-point dtype."""
    return (np.arange(np.prod(shape, dtype=int)) % 7 - 3).astype(dtype).reshape(shape) / np.array(4, dtype)


def linear(inputs: int, outputs: int, dtype: str = "f4") -> dict[str, Any]:
    """Return the parameters of a linear layer."""
    return {"weight": numbers(inputs, outputs, dtype=dtype), "bias": numbers(outputs, dtype=dtype)}


def lstm_layer(inputs: int, hidden: int) -> dict[str, Any]:
    """Return the parameters of one layer of an LSTM."""
    sizes = {"weight_ih": (inputs, 4 * hidden), "weight_hh": (hidden, 4 * hidden)}
    weights = {name: numbers(*shape) for name, shape in sizes.items()}
    return {**weights, "bias_ih": numbers(4 * hidden), "bias_hh": numbers(4 * hidden)}


def actor_params(dtype: str = "f4") -> dict[str, Any]:
    """Return parameters of `ACTOR`."""
    trunk = {"model": {"linear_0": linear(3, 4, dtype)}}
    return {"preprocess": trunk, "last": {"linear_0": linear(4, 2, dtype)}}


ACTOR = npnets.Actor(npnets.Net(3, hidden_sizes=(4,)), 2, max_action=2.0)
RECURRENT = npnets.RecurrentActorProb(1, 3, 2, hidden_layer_size=2)
RECURRENT_PARAMS = {
    "lstm": {"layer_0": lstm_layer(3, 2)},
    "mu": linear(2, 2),
    "log_sigma": numbers(2),
}
SMALL = npnets.Net(3, hidden_sizes=(4,))
NETWORKS = [
    npnets.Linear(3, 2, bias=False),
    npnets.EnsembleLinear(2, 3, 2),
    npnets.LayerNorm(3),
    npnets.MLP(3, 2, (4,), norm_layer=npnets.LayerNorm, activation="tanh"),
    npnets.MLP(3, hidden_sizes=(4, 5), activation=npnets.functional.gelu),
    npnets.Net((2, 3), 2, (4,), dueling_param=({"hidden_sizes": (4,)}, {"hidden_sizes": ()}), softmax=True),
    npnets.Net(3, action_shape=2, concat=True, linear_layer=functools.partial(npnets.EnsembleLinear, 2)),
    npnets.Recurrent(2, 3, 2, hidden_layer_size=4),
    ACTOR,
    npnets.Actor(SMALL, 2, max_action=(0.5, 1.5)),
    npnets.ActorProb(SMALL, 2, unbounded=True, conditioned_sigma=True),
    npnets.Critic(SMALL, hidden_sizes=(5,)),
    npnets.Perturbation(npnets.MLP(5, 2, (4,)), max_action=1.0, phi=0.1),
    npnets.VAE(npnets.MLP(5, hidden_sizes=(4,)), npnets.MLP(5, 2, (4,)), 4, 3, 1.0),
    RECURRENT,
    npnets.RecurrentCritic(1, 3, 2, hidden_layer_size=4),
]
DISCRETE = [
    discrete.Actor(SMALL, (2, 2), hidden_sizes=(5,), softmax_output=False),
    discrete.Critic(SMALL, last_size=3),
    discrete.IntrinsicCuriosityModule(npnets.MLP(3, 4), 4, 2, hidden_sizes=(5,)),
    discrete.ImplicitQuantileNetwork(SMALL, 2, num_cosines=8),
    npnets.Net(3, 2, (4,), linear_layer=discrete.NoisyLinear),
    npnets.BranchingNet(3, 2, 4, (5,), activation="tanh"),
    npnets.ActorCritic(discrete.Actor(SMALL, 2), discrete.Critic(SMALL), share_preprocess=True),
]
FormerAdamState = namedtuple("AdamState", ("step", "mean", "square"))
FormerRMSpropState = namedtuple("RMSpropState", ("step", "square", "velocity"))
STATES = (optim.AdamState, optim.RMSpropState, optim.SGDState)
OPTIMIZERS = (
    optim.sgd(optim.linear_schedule(0.1, 0.0, 5), momentum=0.9),
    optim.rmsprop(0.01, momentum=0.5),
    optim.adam(3e-4),
    optim.adamw(optim.cosine_schedule(0.1, 0.01, 7), weight_decay=0.1),
)
OPTIMIZER_CLASSES = (*map(type, OPTIMIZERS), optim.linear_schedule, optim.cosine_schedule)

CONTENTS = {
    "arrays": Content(
        {dtype: numbers(2, 3, dtype=dtype) for dtype in ("f2", "f4", "f8")}
        | {dtype: np.arange(4, dtype=dtype) for dtype in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")}
        | {
            "bool": np.array([True, False]),
            "scalar": np.array(2.5),
            "empty": np.zeros((2, 0)),
            "big": np.ones(2, ">f4"),
        }
    ),
    "bare_array": Content(numbers(2, 3)),
    "policy": Content(actor_params(), {"network": ACTOR, "steps": 20_000, "env": "Pendulum-v1"}),
    "policy_float64": Content(actor_params("f8"), {"network": ACTOR}),
    "policy_without_metadata": Content(actor_params()),
    "recurrent_policy": Content(
        {"actor": RECURRENT_PARAMS, "state": {"hidden": numbers(5, 1, 2), "cell": numbers(5, 1, 2)}},
        {"network": RECURRENT},
    ),
    "networks": Content({}, {"networks": NETWORKS}),
    "networks_for_discrete_actions": Content({}, {"networks": DISCRETE}),
    "optimizer_states": Content(
        {
            "adam": optim.AdamState(3, {"w": numbers(2)}, {"w": numbers(2) ** 2}),
            "rmsprop": optim.RMSpropState(4, {"w": numbers(2) ** 2}, {"w": numbers(2)}),
            "sgd": optim.SGDState(5, {"w": numbers(2)}),
            "sgd_without_momentum": optim.SGDState(6, None),
        },
        {"optimizers": OPTIMIZERS, "rng": np.random.default_rng(0).bit_generator.state},
        (*STATES, *OPTIMIZER_CLASSES),
    ),
    "former_optimizer_states": Content(
        {
            "adam": FormerAdamState(3, {"w": numbers(2)}, {"w": numbers(2) ** 2}),
            "rmsprop": FormerRMSpropState(4, {"w": numbers(2) ** 2}, None),
        },
        classes=STATES,
    ),
    "containers": Content(
        {
            "list": [numbers(2), {"a": numbers(1)}],
            "tuple": (numbers(2), [], ()),
            "a.b": {"$tuple": Pair(numbers(1), 2)},
        },
        {
            "none": None,
            "numbers": [True, 1, 2**70, 0.1, float("inf"), np.float32(0.5), np.int8(-3)],
            "text": "ü\n",
            "tuple": (1, (2,)),
            "pair": Pair("a", {"$call": 1}),
            "scale": Scale(0.5),
            "class": Scale,
        },
        (Pair, Scale),
    ),
}


if __name__ == "__main__":
    for name, content in CONTENTS.items():
        for suffix in SUFFIXES:
            checkpoint.save(Path(sys.argv[1], name + suffix), content.params, content.metadata)
