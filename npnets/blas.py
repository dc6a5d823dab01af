"""BLAS, the library that computes NumPy's matrix products: which one is loaded, and how many threads it takes.

The number of threads belongs to the whole process. Blocks that set it may therefore overlap, in several threads of
Python: each remembers the previous numbers, and a block that ends before a later one passes them on to it.
"""

import contextlib
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from npnets.caches import bounded_cache
from npnets.description import size
from npnets.log import logger

_blocks: list["_Setting"] = []  # the open ones, in the order of entering
_changing = threading.RLock()


def threads(number: int) -> contextlib.AbstractContextManager[None]:
    """Set how many threads BLAS takes for a matrix product, at once and for the whole process.

    Products as small as those of most policies are quicker on one thread, and several times as quick while another
    program uses the same cores.

    Parameters
    ----------
    number : int
        How many threads, at most as many as there are cores.

    Returns
    -------
    context manager
        For use in `with npnets.threads(1): ...`, which restores the previous number at its end. Without `with` it can
        be ignored.

    Raises
    ------
    TypeError, ValueError
        If it is no positive integer.

    Notes
    -----
    It takes a few milliseconds: call it around a loop, not inside. It holds for every library of BLAS that is loaded,
    SciPy's too, and for all threads of Python; where several of these call it, the last call counts. (Where BLAS is
    built with OpenMP, which NumPy's own packages are not, it holds for the calling thread alone.) A library that
    `threadpoolctl` does not know, such as Apple's Accelerate, stays as it is, and the logger `npnets` warns.
    `npnets.about()["blas_threads"]` is the present number.

    Examples
    --------
    >>> import npnets
    >>> with npnets.threads(1):
    ...     npnets.about()["blas_threads"]
    1
    """
    number = size("the number of threads", number)
    setting = _Setting(number)
    if not setting.is_known:
        logger().warning("npnets.threads(%d) changes nothing: threadpoolctl does not know NumPy's BLAS", number)
    return setting


class _Setting(contextlib.AbstractContextManager[None]):
    """A number of threads, which takes effect at once and is undone when a block with it ends."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._libraries: dict[str, Any] = {library.filepath: library for library in find().lib_controllers}
        with _changing:
            self._before: dict[str, int] | None = self._set()

    def __repr__(self) -> str:
        return f"npnets.threads({self._number})"

    @property
    def is_known(self) -> bool:
        return bool(self._libraries)

    def _set(self) -> dict[str, int]:
        """Set the number, and return the previous ones by the libraries' files."""
        before = {path: library.num_threads for path, library in self._libraries.items()}
        _set(self._libraries, dict.fromkeys(before, self._number))
        return before

    @property
    def _is_set(self) -> bool:
        return all(library.num_threads == self._number for library in self._libraries.values())

    def __enter__(self) -> None:
        with _changing:
            if self._before is None:  # the same object in a second block
                self._before = self._set()
            elif not self._is_set:  # another call has changed it
                self._set()
            _blocks.append(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with _changing:
            if self not in _blocks:
                raise RuntimeError("this block was not entered: write `with npnets.threads(1): ...`")
            before, self._before = self._before or {}, None
            index = _blocks.index(self)
            del _blocks[index]
            if index < len(_blocks):
                _blocks[index]._take_over(self._libraries, before)
            else:
                _set(self._libraries, before)

    def _take_over(self, libraries: dict[str, Any], before: dict[str, int]) -> None:
        """Restore at the end the numbers of a block that began before this one and ends earlier."""
        self._libraries = {**self._libraries, **libraries}
        self._before = {**(self._before or {}), **before}


def _set(libraries: Mapping[str, Any], numbers: Mapping[str, int]) -> None:
    for path, number in numbers.items():
        library = libraries[path]
        # threadpoolctl 3.8 lets one thread of Python change the number, and silently ignores all others.
        release = getattr(library, "clear_controlling_thread", lambda force: None)
        release(force=True)
        library.set_num_threads(number)
        release(force=True)


def find() -> Any:
    """Return the `ThreadpoolController` of all libraries of BLAS that are loaded; it takes milliseconds."""
    from threadpoolctl import ThreadpoolController  # here, because `import npnets` should not load it

    return ThreadpoolController().select(user_api="blas")


@bounded_cache(maxsize=1)
def _found() -> Any:
    return find()


def check_one_thread(call: str, number: int) -> None:
    """Raise a `RuntimeError` unless BLAS runs on one thread, as a call that takes a `number` of threads expects."""
    for library in _found().info():
        name, its_threads = library["internal_api"], library["num_threads"]
        if its_threads != 1:
            raise RuntimeError(
                f"{call} expects BLAS to run on one thread, but {name} runs on {its_threads}, which would compete with "
                f"these {number} for the same cores; call npnets.threads(1) before, or use `with npnets.threads(1):` "
                "around it"
            )
