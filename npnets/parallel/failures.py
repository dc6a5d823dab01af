"""The failure of one task: what happened, to which member, on which worker, in one line."""

from concurrent.futures import BrokenExecutor
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["raised", "nan", "time limit", "worker lost", "not sent"]


class WorkerLost(RuntimeError):
    """The worker of a task ended before the task did; the executors of `npnets.parallel` set it on the future.

    Attributes
    ----------
    was_starting : bool
        Whether the worker had not run anything yet.
    """

    def __init__(self, message: str, was_starting: bool = False) -> None:
        super().__init__(message)
        self.was_starting = was_starting


def is_loss(error: Exception) -> bool:
    """Return whether an exception of a future means that the worker died.

    The one of submitit is known by its name, because nothing else here depends on submitit.
    """
    return isinstance(error, (WorkerLost, BrokenExecutor)) or type(error).__name__ == "UncompletedJobError"


class TaskError(RuntimeError):
    """The failure of one task of a population.

    Attributes
    ----------
    index : int
        Which member of the population.
    kind : str
        - `"raised"`: the function raised an exception, whose traceback on the worker is this error's cause;
        - `"nan"`: its result holds a NaN;
        - `"time limit"`: it ran longer than its time limit;
        - `"worker lost"`: its worker died, again in each retry;
        - `"not sent"`: the member or its result cannot be sent between processes.
    traceback : str or None
        The traceback on the worker, where there is one.
    """

    def __init__(self, index: int, kind: Kind, message: str, traceback: str | None = None) -> None:
        super().__init__(message)
        self.index, self.kind, self.traceback = index, kind, traceback
        if traceback is not None:
            self.__cause__ = RemoteTraceback(traceback)

    def __reduce__(self) -> tuple[Any, ...]:
        return TaskError, (self.index, self.kind, str(self), self.traceback)


class RemoteTraceback(Exception):
    """The traceback of a task's exception, as text from the worker."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"
