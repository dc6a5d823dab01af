"""An executor whose `with` block ends soon, even if an exception or an interrupt leaves it while calls run."""

from concurrent.futures import Executor
from types import TracebackType


class StoppingExecutor(Executor):
    """Waits for its calls at the end of a `with` block, and stops them if an exception leaves the block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.shutdown(wait=True, cancel_futures=kind is not None)
