"""Numbers that several kernels need."""

import math

LOG_ROOT_2PI = 0.5 * math.log(2 * math.pi)
"""The logarithm of the square root of `2 pi`, by which a normal density is divided."""
