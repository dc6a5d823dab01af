"""The head of the probabilistic actors: from their last features to a mean and a standard deviation."""

import warnings
from typing import Any

import numpy as np

from npnets.common.protocols import Layer
from npnets.common.sequential import entry_of
from npnets.common.spec import Constant, Entry, Parameter
from npnets.description import bound
from npnets.kernels.activations import Activation

SIGMA_MIN = -20
SIGMA_MAX = 2
SIGMA = Activation("clipped_exp", (SIGMA_MIN, SIGMA_MAX))
"""From the output of a head to a standard deviation."""


def bound_of_mean(max_action: Any, unbounded: bool, actions: int) -> float | tuple[float, ...]:
    """Check `max_action`; with `unbounded` it is discarded, with a warning if it was set."""
    if not unbounded:
        return bound("max_action", max_action, actions)
    if not np.allclose(max_action, 1.0):
        warnings.warn("max_action is discarded, because unbounded is True", stacklevel=4)
    return 1.0


def sigma_of_spec(head: Layer, actions: int, conditioned: bool) -> dict[str, Entry]:
    """Return what a spec holds for the standard deviation: a head, or one parameter that begins at zero."""
    return {"sigma": entry_of(head)} if conditioned else {"log_sigma": Parameter((actions,), Constant(0))}
