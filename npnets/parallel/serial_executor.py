"""An executor that runs each task at once, in the calling process: for debuggers, and to compare the others with."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class SerialExecutor(Executor):
    """Runs every task at once, in this process: a debugger stops inside, and a print appears.

    Examples
    --------
    >>> from npnets import parallel
    >>> def square(member):
    ...     return member**2
    >>> parallel.map_population(square, [1, 2, 3], parallel.SerialExecutor())
    [1, 4, 9]
    """

    window = 1
    ends_process = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function, and return a future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
