"""Futures in the order in which they finish, each found without a look at the others."""

import queue
import time
from typing import Any

_POLLED_EVERY = 0.2


class Finished:
    """Collects futures as they finish.

    Futures of `concurrent.futures` report themselves. Others, such as the jobs of submitit, are asked with `done()`.
    """

    def __init__(self) -> None:
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._polled: list[Any] = []

    def add(self, future: Any) -> None:
        """Wait for a future, too."""
        if hasattr(future, "add_done_callback"):
            future.add_done_callback(self._done.put)
        else:
            self._polled.append(future)

    def wait(self) -> Any:
        """Wait until a future is done, and return it."""
        while self._polled and self._done.empty():
            done = next((future for future in self._polled if future.done()), None)
            if done is not None:
                self._polled.remove(done)
                return done
            time.sleep(_POLLED_EVERY)
        return self._done.get()
