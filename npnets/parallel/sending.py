"""Whether a function can be sent to another process, and the error with the remedy if not."""

import functools
import pickle
import sys
from typing import Any

REMEDY = "send arrays, numbers, text, dicts, lists and objects of a module's classes, and no lock, file or connection"
_FUNCTIONS = "make it with `def` at the top of a module (functools.partial of one is fine), or use RayExecutor"
_LONGEST_LINE = 200


def check_importable(fun: Any) -> None:
    """Raise a `TypeError` if a function belongs to an interactive session, which no other process can import."""
    if _module_of(fun) == "__main__" and not hasattr(sys.modules["__main__"], "__file__"):
        raise TypeError(
            f"{name_of(fun)} cannot be sent to another process, because it was made in an interactive session: write "
            "it to a file and import it, or use RayExecutor or SerialExecutor"
        )


def check_picklable(fun: Any) -> None:
    """Raise a `TypeError` if a function cannot be pickled."""
    try:
        pickle.dumps(fun)
    except Exception as error:
        reason = f"{name_of(fun)} cannot be sent to another process ({first_line(error)}): {_FUNCTIONS}"
        raise TypeError(reason) from None


def name_of(fun: Any) -> str:
    """Return the name of a function, for a message."""
    return getattr(fun, "__qualname__", None) or f"{fun!r:.80}"


def first_line(error: BaseException) -> str:
    """Return the name of an error and the first line of its message."""
    cause = getattr(error, "cause", None)  # Ray's has the worker's
    error = cause if isinstance(cause, BaseException) else error
    try:
        text = str(error)
    except Exception:
        text = "(its message cannot be read)"
    line = next(filter(None, text.splitlines()), "")[:_LONGEST_LINE]
    printable = "".join(character if character.isprintable() else "?" for character in line)
    return f"{type(error).__name__}: {printable}" if line else type(error).__name__


def _module_of(fun: Any) -> str | None:
    while isinstance(fun, functools.partial):
        fun = fun.func
    return getattr(fun, "__module__", None)
