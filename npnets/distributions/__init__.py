"""Distributions over actions, from the output of an actor.

`Gaussian` and `SquashedGaussian`, of a mean and a standard deviation, and `Categorical`, of the logits of discrete
actions, hold one distribution for each row. Their log-densities and probabilities, and the draws of the first two, are
differentiable with respect to these parameters and keep their dtype and device; random numbers come only from the
generator that is passed.
"""

from npnets.distributions.categorical import Categorical
from npnets.distributions.gaussian import Gaussian
from npnets.distributions.squashed import SquashedGaussian
from npnets.public import listing

__all__ = ["Categorical", "Gaussian", "SquashedGaussian"]

__dir__ = listing(__all__)
