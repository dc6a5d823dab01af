"""How far an output of a file may lie from that of npnets in its self-test."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-5


def allowed_error(expected: NDArray[Any]) -> float:
    """Return the largest error of an output, from its values in all cases: `1e-5` of one or of the largest.

    Where actions are large, an entry near zero carries the rounding of the largest too: an error relative to that entry
    alone would say that a right file is wrong.
    """
    return TOLERANCE * max(1.0, float(np.abs(expected).max(initial=0.0)))
