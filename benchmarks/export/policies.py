"""The policies whose headers are measured, and the C program around a header."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import npnets
from npnets import export


def _actor(obs: int, width: int, actions: int, activation: str) -> npnets.Actor:
    return npnets.Actor(npnets.Net(obs, hidden_sizes=(width, width), activation=activation), actions)


POLICIES: dict[str, Callable[[], Any]] = {
    "3-64-64-1, relu": lambda: _actor(3, 64, 1, "relu"),
    "3-64-64-1, tanh": lambda: _actor(3, 64, 1, "tanh"),
    "17-256-256-6, relu": lambda: _actor(17, 256, 6, "relu"),
    "LSTM of 64, 3 to 1": lambda: npnets.RecurrentActorProb(1, 3, 1, hidden_layer_size=64),
    "4-64-64, one of 2 actions": lambda: npnets.discrete.Actor(npnets.Net(4, hidden_sizes=(64, 64)), 2),
}
"""The networks by the names that tables show."""


class Written(NamedTuple):
    """A policy and its header."""

    parameters: int
    policy: npnets.Policy
    header: str
    is_recurrent: bool


def written(name: str, folder: Path) -> Written:
    """Return a policy with random parameters, and its header, which is in `folder` as `policy.h` too."""
    network = POLICIES[name]()
    params = network.init(np.random.default_rng(0))
    file = folder / "policy.h"
    export.c(file, network, params)
    parameters = sum(leaf.size for leaf in npnets.tree.leaves(params))
    header = file.read_text(encoding="utf-8")
    return Written(parameters, npnets.Policy(network, params), header, "policy_state" in header)


def caller(policy: Written) -> str:
    """Return a C function `act(obs, action)` that calls a header; a recurrent policy has a state beside it."""
    kind = "int" if "int *action" in policy.header else "float"
    state = "static policy_state state;\n" if policy.is_recurrent else ""
    call = "policy(obs, &state, action);" if policy.is_recurrent else "policy(obs, action);"
    head = f"void act(const float *obs, {kind} *action)"
    return f'#include "policy.h"\n{state}{head};\n{head} {{ {call} }}\n#define KIND {kind}\n'
