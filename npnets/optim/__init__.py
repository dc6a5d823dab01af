"""Optimizers as pairs of pure functions, and two operations on trees that reinforcement learning needs beside them.

An optimizer is a value, as a network is: it holds settings and no arrays, prints as the call that made it, compares and
pickles. `init(params)` gives a state, `update(params, grads, state)` gives new parameters and a new state. Nothing is
changed in place: arguments stay as they were, and each new array is allocated once. The formulas and defaults are those
of `torch.optim`.
"""

from npnets.optim.adam import AdamState, adam, adamw
from npnets.optim.clipping import clip_by_global_norm
from npnets.optim.optimizer import Optimizer
from npnets.optim.rmsprop import RMSpropState, rmsprop
from npnets.optim.schedules import cosine_schedule, linear_schedule
from npnets.optim.sgd import SGDState, sgd
from npnets.optim.targets import soft_update
from npnets.public import listing

__all__ = [
    "AdamState",
    "Optimizer",
    "RMSpropState",
    "SGDState",
    "adam",
    "adamw",
    "clip_by_global_norm",
    "cosine_schedule",
    "linear_schedule",
    "rmsprop",
    "sgd",
    "soft_update",
]

__dir__ = listing(__all__)
