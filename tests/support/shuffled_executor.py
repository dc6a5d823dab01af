"""An executor whose calls finish in an order that a test chooses: it stands in for workers of any speed."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np


class ShuffledExecutor(Executor):
    """Runs the calls of a full window, or the last ones, in a drawn order, each on what a pickle brings along."""

    ends_process = False

    def __init__(self, window: int, tasks: int, rng: np.random.Generator) -> None:
        self.window, self.left, self.rng = window, tasks, rng
        self.waiting: list[tuple[Future[Any], bytes]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Keep a call; run some once the window is full or no further call will come."""
        future: Future[Any] = Future()
        self.waiting.append((future, pickle.dumps((fn, args, kwargs))))
        self.left -= 1
        if len(self.waiting) == self.window or not self.left:
            for index in self.rng.permutation(len(self.waiting)):
                done, call = self.waiting[index]
                function, arguments, keywords = pickle.loads(call)
                done.set_result(function(*arguments, **keywords))
            self.waiting.clear()
        return future
