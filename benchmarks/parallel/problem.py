"""The tasks of the measurements, which workers import, and the tree of parameters that some of them need."""

from __future__ import annotations

import functools
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

import npnets
from examples.parallel.episodes import Moments, play
from npnets import parallel, tree
from npnets.typing import Array

LAYERS, INPUTS, OUTPUTS = 9, 99, 80
PENDULUM, EPISODES = "Pendulum-v1", 8
POLICY = npnets.Actor(npnets.Net(3, hidden_sizes=(32, 32)), 1, max_action=2.0)

OBSERVATION = 17
MUJOCO_POLICY = npnets.Actor(npnets.Net(OBSERVATION, hidden_sizes=(64, 64), activation="tanh"), 6)
"""A policy of the size that evolution strategies have for MuJoCo's HalfCheetah."""
PAIRS = 8
"""Pairs of perturbations in a shard of the evolution strategy."""


@functools.cache
def parameters() -> Any:
    """Return a tree of 72,000 float32 numbers in 18 arrays: 288 KB."""
    rng = np.random.default_rng(0)
    shapes = {"weight": (INPUTS, OUTPUTS), "bias": (OUTPUTS,)}
    return {
        f"linear_{layer}": {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
        for layer in range(LAYERS)
    }


# -- the cost of a task -----------------------------------------------------------------------------------------------


def read_shared(member: int, *, shared: Any) -> float:
    """Return a number of the tree that all tasks need."""
    return read_member(shared)


def read_member(member: Any) -> float:
    """Return a number of a tree: something of each array."""
    return float(sum(leaf.flat[0] for leaf in tree.leaves(member)))


def return_tree(member: int) -> Any:
    """Return the tree."""
    return parameters()


def map_tree(kind: str, tasks: int, executor: Any) -> None:
    """Run tasks with the tree, which travels in one of three ways."""
    if kind == "shared":
        parallel.map_population(read_shared, range(tasks), executor, shared=parameters())
    elif kind == "member":
        parallel.map_population(read_member, [parameters()] * tasks, executor)
    else:
        parallel.map_population(return_tree, range(tasks), executor)


# -- efficiency, and the death of a worker ----------------------------------------------------------------------------


def play_episodes(member: int, *, rng: np.random.Generator, shared: Any) -> float:
    """Return the mean return of a policy in a few episodes, which takes about 50 ms."""

    def policy(observations: Array) -> Array:
        return POLICY.forward(shared, observations)[0]

    returns, _ = play(PENDULUM, policy, rng.integers(2**31, size=EPISODES).tolist())
    return float(returns.mean())


def square(member: int) -> int:
    return member**2


def die_once(member: str) -> float:
    """Kill the own process, in the first attempt; in the second, return when that was."""
    file = Path(member)
    if file.exists():
        return float(file.read_text())
    file.write_text(repr(time.time()))
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    raise RuntimeError("unreachable: the process was killed")


# -- a shard of an evolution strategy that only waits -----------------------------------------------------------------


def wait_as_shard(seconds: float, member: int, *, rng: np.random.Generator, shared: Any) -> tuple[Array, Moments]:
    """Sleep, and return the results of a shard: returns `(2, PAIRS)` and the moments of observations."""
    time.sleep(seconds)
    mean = rng.normal(size=OBSERVATION)
    return rng.normal(size=(2, PAIRS)), (mean, np.square(mean), 1000)
