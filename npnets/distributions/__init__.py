"""Distributions over actions, from the mean and standard deviation that a probabilistic actor returns.

`Gaussian` and `SquashedGaussian` hold one distribution for each row: what they draw and score is differentiable with
respect to mean and standard deviation, keeps their dtype and device, and is random only by the generator handed in.
"""

from npnets.distributions.gaussian import Gaussian
from npnets.distributions.squashed import SquashedGaussian
from npnets.public import listing

__all__ = ["Gaussian", "SquashedGaussian"]

__dir__ = listing(__all__)
