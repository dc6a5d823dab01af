"""Sizes of arrays that a file claims, checked before anything is made of them."""

import math
from typing import Any

import numpy as np

from npnets.backend import Array
from npnets.files.fault import Fault
from npnets.files.limits import MOST_AXES

LARGEST = 2**62


def whole(numbers: tuple[Any, ...]) -> tuple[int, ...]:
    """Return sizes or strides, none of which is negative, huge or fractional."""
    if len(numbers) > MOST_AXES:
        raise Fault(f"it has a tensor of {len(numbers)} axes; NumPy's arrays have at most {MOST_AXES}")
    if not all(type(number) is int and 0 <= number < LARGEST for number in numbers):
        raise Fault("it has a tensor with a negative, huge or fractional size or stride; the file is damaged")
    return numbers


def empty(shape: tuple[int, ...]) -> Array:
    """Return an array of no numbers."""
    if math.prod(length or 1 for length in shape) * 16 > LARGEST:  # NumPy refuses such a shape of no numbers
        raise Fault(f"a tensor has the shape {shape}, which is too large for an array; the file is damaged")
    return np.empty(shape, np.uint8)
