"""Checks of an optimizer's settings: each returns Python's number, because NumPy's would promote float32."""

import math
from collections.abc import Callable

from npnets.description import is_number, set_fields


def check_number(name: str, value: object, hint: str = "") -> float:
    """Return a setting as Python's number; the error for what is no number ends with the hint."""
    if not is_number(value):
        raise TypeError(f"{name} must be a number, but is {value!r:.80}{hint and '; '}{hint}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} must be finite, but is an integer too large for a float") from None


def check_positive(name: str, value: object, hint: str = "") -> float:
    """Return a setting that must be above zero, as Python's number."""
    number = check_number(name, value, hint)
    if not 0 < number < math.inf:
        raise ValueError(f"{name} must be positive and finite, but is {value!r}")
    return number


def check_not_negative(name: str, value: object, hint: str = "") -> float:
    """Return a setting that may be zero, as Python's number."""
    number = check_number(name, value, hint)
    if not 0 <= number < math.inf:
        raise ValueError(f"{name} must be zero or positive, and finite, but is {value!r}")
    return number


def check_decay_rate(name: str, value: object) -> float:
    """Return the decay rate of a running mean, as Python's number."""
    number = check_number(name, value)
    if not 0 <= number < 1:
        raise ValueError(f"{name} must be in [0, 1), but is {value!r}")
    return number


def set_checked(owner: object, check: Callable[[str, object], object], *names: str) -> None:
    """Replace settings by what a check returns for each."""
    set_fields(owner, **{name: check(name, getattr(owner, name)) for name in names})
