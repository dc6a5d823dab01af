"""How many threads a call takes: the kernels in C, and BLAS, the library that computes NumPy's matrix products.

The number of threads belongs to the whole process. Blocks that set it may therefore overlap, in several threads of
Python: each remembers the previous numbers, and a block that ends before a later one passes them on to it.
"""

import contextlib
import threading
from collections.abc import Mapping
from typing import Any

from npnets.description import size
from npnets.kernels.compiled.native import native
from npnets.log import logger

_blocks: list["_Setting"] = []  # the open ones, in the order of entering
_changing = threading.RLock()


def threads(number: int) -> contextlib.AbstractContextManager[None]:
    """Set how many threads a call may take, at once and for the whole process: compiled kernels, and BLAS in NumPy.

    By default the compiled kernels let the work decide: small networks stay on one thread, and large batches are
    divided into blocks of rows among as many threads as there are cores. BLAS takes all cores for each product: those
    of most policies are quicker on one thread, and several times as quick while another program uses the same cores.

    Parameters
    ----------
    number : int
        The most threads, this one among them; as many as there are cores, or fewer. Compiled kernels take at most 64.

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
    Compiled kernels give the same bits on any number of threads. Without this call, `OMP_NUM_THREADS` in the
    environment limits them, too.

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
    if setting.libraries.keys() <= {_Kernels.filepath}:
        logger().warning("npnets.threads(%d) does not reach NumPy's BLAS, which threadpoolctl does not know", number)
    return setting


class _Kernels:
    """The threads of the compiled kernels, with the attributes of a library of BLAS; zero lets the work decide."""

    filepath = "npnets"

    @property
    def num_threads(self) -> int:
        """The number that was set."""
        return int(native.chosen_threads())

    def set_num_threads(self, number: int) -> None:
        """Set the number."""
        native.threads(number)


class _Setting(contextlib.AbstractContextManager[None]):
    """A number of threads, which takes effect at once and is undone when a block with it ends."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.libraries: dict[str, Any] = {library.filepath: library for library in _libraries()}
        with _changing:
            self._before: dict[str, int] | None = self._set()

    def __repr__(self) -> str:
        return f"npnets.threads({self._number})"

    def _set(self) -> dict[str, int]:
        """Set the number, and return the previous ones by the libraries' files."""
        before = {path: library.num_threads for path, library in self.libraries.items()}
        _set(self.libraries, dict.fromkeys(before, self._number))
        return before

    def __enter__(self) -> None:
        with _changing:
            if self._before is None:  # the same object in a second block
                self._before = self._set()
            elif any(library.num_threads != self._number for library in self.libraries.values()):  # changed elsewhere
                self._set()
            _blocks.append(self)

    def __exit__(self, *error: object) -> None:
        with _changing:
            if self not in _blocks:
                raise RuntimeError("this block was not entered: write `with npnets.threads(1): ...`")
            before, self._before = self._before or {}, None
            index = _blocks.index(self)
            del _blocks[index]
            if index < len(_blocks):
                _blocks[index]._take_over(self.libraries, before)
            else:
                _set(self.libraries, before)

    def _take_over(self, libraries: dict[str, Any], before: dict[str, int]) -> None:
        """Restore at the end the numbers of a block that began before this one and ends earlier."""
        self.libraries = {**self.libraries, **libraries}
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


def _libraries() -> list[Any]:
    return [*find().lib_controllers, *([] if native is None else [_Kernels()])]
