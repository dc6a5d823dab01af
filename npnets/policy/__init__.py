"""A policy: a trained network with everything between an environment's observations and its actions.

`api` has the class. `network` tells what a network takes and returns, `observations` makes a batch of what came,
`actions` maps outputs to actions, `saved` is a policy's form in a checkpoint. `n` is the number of observations.
"""

from npnets.policy.api import Policy

__all__ = ["Policy"]
