"""Running mean and variance of observations, a state of pure functions, and the normalization of observations by them.

`statistics` has the state and its functions, `network` the network whose first stage normalizes.
"""

from npnets.normalization.network import Normalized
from npnets.normalization.statistics import Normalization, init, merge, normalize, update
from npnets.public import listing

__all__ = ["Normalization", "Normalized", "init", "merge", "normalize", "update"]

__dir__ = listing(__all__)
