"""Whether a function can be sent to another process, and the error with the remedy if not."""

import pickle
import sys
from typing import Any

REMEDY = (
    "a function must be made with `def` at the top of a module (functools.partial of one is fine), and everything "
    "else of arrays, numbers, text, dicts, lists and classes of a module"
)


def check_function(fun: Any) -> None:
    """Check that another process of this machine can import a function.

    Raises
    ------
    TypeError
        If it cannot be pickled, or belongs to an interactive session.
    """
    try:
        pickle.dumps(fun)
    except Exception as error:
        raise TypeError(f"{fun!r:.80} cannot be sent to another process ({first_line(error)}): {REMEDY}") from None
    if _module_of(fun) == "__main__" and not hasattr(sys.modules["__main__"], "__file__"):
        raise TypeError(
            f"{fun!r:.80} cannot be sent to another process, because it was made in an interactive session: write it "
            "to a file and import it, or use RayExecutor or SerialExecutor"
        )


def first_line(error: BaseException) -> str:
    """Return the name of an error and the first line of its message."""
    error = getattr(error, "cause", None) or error  # Ray's has the worker's
    line = next(filter(None, str(error).splitlines()), "")
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


def _module_of(fun: Any) -> str | None:
    while hasattr(fun, "func"):
        fun = fun.func
    return getattr(fun, "__module__", None)
