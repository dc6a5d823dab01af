"""Functions that the tests send to workers, which import this module."""

from __future__ import annotations

import collections
import itertools
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import npnets


@dataclass
class Episode:
    """A result of a user's own class."""

    steps: int
    returns: list[float]


ACTOR = npnets.Actor(npnets.Net(3, hidden_sizes=(8,)), 2)


def double(member: Any) -> Any:
    """Return twice the member."""
    return 2 * member


def drawn_action(member: float, *, rng: np.random.Generator, shared: Any) -> dict[str, Any]:
    """Return what depends on member, generator and shared parameters: an action for a drawn observation."""
    observation = np.float32(member) * rng.normal(size=(1, 3))
    return {"action": ACTOR.forward(shared, observation)[0], "next": rng.normal()}


def drawn(member: Any, *, rng: np.random.Generator) -> tuple[Any, float]:
    """Return the member and a number that is drawn."""
    return member, rng.normal()


def change_shared(member: int, *, shared: Any) -> float:
    """Try to change an array that other tasks read."""
    shared["weight"][...] = member
    return float(shared["weight"][0])


def process_of(member: Any) -> int:
    """Return the process that ran the task."""
    return os.getpid()


def threads_of(member: Any) -> tuple[Any, Any]:
    """Return how many threads a call takes on the worker."""
    about = npnets.about()
    return about["compiled_threads"], about["blas_threads"]


def die_unless_marked(member: tuple[str, int]) -> int:
    """Kill the worker at the first attempt of a member whose mark, a file, is missing; count attempts in it."""
    path, value = member
    attempts = _attempt(path)
    if attempts == 1 and value % 3 == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def count_attempts(member: tuple[str, float]) -> float:
    """Count an attempt, then do what the value says: raise, return NaN, sleep, hang, die, or return it."""
    path, value = member
    _attempt(path)
    return behave(value)


def behave(value: Any) -> Any:
    """Do what a value says, or return it."""
    if value == "raise":
        raise ValueError("the simulator fell over\nsecond line")
    if value == "leave":
        raise SystemExit(3)
    if value == "nan":
        return {"returns": np.array([1.0, np.nan], np.float32)}
    if value == "sleep":
        time.sleep(100)
    if value == "catch and go on":
        while True:
            try:
                time.sleep(100)
            except BaseException:  # as careless code does
                continue
    if value == "hang in C":
        collections.deque(itertools.repeat(0), maxlen=0)  # never returns to Python, which would see an alarm
    if value == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if value == "unpicklable":
        return lambda: None
    if value == "unloadable":
        return Unloadable()
    if value == "no message":
        raise NoMessage
    if value == "escapes":
        raise ValueError("\x1b[31mred\x07" + "x" * 1_000_000)
    if value == "close standard error":
        sys.stderr.close()
    return value


class NoMessage(Exception):
    """An error whose message cannot be read."""

    def __str__(self) -> str:
        raise KeyError("no message")


class Unloadable:
    """An object that can be sent, and then raises an error."""

    def __reduce__(self) -> Any:
        return _refuse, ()


def _refuse() -> None:
    raise ValueError("not on this side")


def wait_for(member: tuple[str, str]) -> str:
    """Leave the process's number in a file, and wait until another file is there."""
    started, awaited = member
    Path(started).write_text(str(os.getpid()))
    while not Path(awaited).exists():
        time.sleep(0.01)
    return awaited


def _attempt(path: str) -> int:
    """Add a byte to a file, and return how many it has."""
    with open(path, "ab") as file:
        file.write(b".")
    return os.path.getsize(path)
