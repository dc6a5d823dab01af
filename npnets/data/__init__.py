"""Data of reinforcement learning, as NumPy arrays: returns and advantages of recorded steps.

`returns` has the recursions over steps. Nothing here is differentiated: these are the constants of a loss.
"""

from npnets.data.returns import Advantages, discounted_returns, generalized_advantages
from npnets.public import listing

__all__ = ["Advantages", "discounted_returns", "generalized_advantages"]

__dir__ = listing(__all__)
