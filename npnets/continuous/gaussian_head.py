"""The head of the probabilistic actors: from their last features to a mean and a standard deviation."""

import warnings
from typing import Any

import numpy as np

from npnets.backend import Array
from npnets.bounds import set_bounds
from npnets.common.protocols import Layer
from npnets.common.sequential import entry_of
from npnets.common.spec import Constant, Entry, Parameter
from npnets.continuous.action_axes import axes_of, whole
from npnets.description import set_fields
from npnets.functional import scaled
from npnets.kernels.activations import Activation

SIGMA_MIN = -20
SIGMA_MAX = 2
SIGMA = Activation("clipped_exp", (SIGMA_MIN, SIGMA_MAX))
"""From the output of a head to a standard deviation."""


def set_bounds_of_mean(network: Any, space: object) -> None:
    """Check and store the bounds of the mean; with `unbounded` `max_action` is discarded, with a warning if it was set.

    `space` is `action_shape` as it was passed.
    """
    discarded = network.unbounded and network.max_action is not None and not np.allclose(network.max_action, 1.0)
    if discarded:
        warnings.warn("max_action is discarded, because unbounded is True", stacklevel=4)
    if network.unbounded:
        set_fields(network, max_action=1.0)
    set_bounds(network, axes_of(network.action_shape), space, network.unbounded)


def outputs(network: Any, mu: Array, sigma: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation, the mean in its bounds, and both flattened or whole as the network says."""
    if not network.unbounded:
        mu = scaled(mu, network.max_action, network.low, network.high)
    if network.flatten_action:
        return mu, sigma
    axes = axes_of(network.action_shape)
    return whole(mu, axes), whole(sigma, axes)


def sigma_of_spec(head: Layer, actions: int, conditioned: bool) -> dict[str, Entry]:
    """Return what a spec holds for the standard deviation: a head, or one parameter that begins at zero."""
    return {"sigma": entry_of(head)} if conditioned else {"log_sigma": Parameter((actions,), Constant(0))}
