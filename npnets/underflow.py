"""Underflow inside an operation is harmless: a number too small for its dtype is as good as zero there.

NumPy raises `FloatingPointError` for it where a user has set `numpy.seterr(all="raise")` to find errors of their own.
Code of this package then runs again with underflow ignored; entering `numpy.errstate` each time would cost a small
network a tenth of its time. Overflow, division by zero and invalid operations stay errors.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])


def ignoring_underflow(run: F) -> F:
    """Make a function that leaves its arguments as they are, and can run twice, ignore underflow."""

    @functools.wraps(run)
    def quiet(*args: object, **kwargs: object) -> object:
        try:
            return run(*args, **kwargs)
        except FloatingPointError:
            with np.errstate(under="ignore"):
                return run(*args, **kwargs)

    return cast(F, quiet)
