"""Data of reinforcement learning, as NumPy arrays: a replay buffer, recordings in files, returns and advantages.

`replay_buffer` has the ring of transitions, `reading` and `minari_writing` the files, `returns` the recursions over
steps. Nothing here is differentiated: these are the constants of a loss.
"""

from npnets.data.minari_writing import save_minari
from npnets.data.reading import load
from npnets.data.recording import Recording
from npnets.data.replay_buffer import ReplayBuffer
from npnets.data.returns import Advantages, discounted_returns, generalized_advantages
from npnets.data.transitions import Transitions
from npnets.public import listing

__all__ = [
    "Advantages",
    "Recording",
    "ReplayBuffer",
    "Transitions",
    "discounted_returns",
    "generalized_advantages",
    "load",
    "save_minari",
]

__dir__ = listing(__all__)
