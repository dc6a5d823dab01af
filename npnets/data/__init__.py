"""Data of reinforcement learning, as NumPy arrays: returns and advantages of recorded steps, and a replay buffer.

`returns` has the recursions over steps, `replay_buffer` the ring of transitions. Nothing here is differentiated: these
are the constants of a loss.
"""

from npnets.data.replay_buffer import ReplayBuffer
from npnets.data.returns import Advantages, discounted_returns, generalized_advantages
from npnets.data.transitions import Transitions
from npnets.public import listing

__all__ = ["Advantages", "ReplayBuffer", "Transitions", "discounted_returns", "generalized_advantages"]

__dir__ = listing(__all__)
