"""Optimizers as pairs of pure functions, and two operations on trees that reinforcement learning needs beside them.

An `Optimizer` is a named pair: `init(params)` gives a state, `update(params, grads, state)` gives new parameters and a
new state. Nothing is changed in place: arguments stay as they were, and each new array is allocated once. The formulas
and defaults are those of `torch.optim`.
"""

from npnets.optim.adam import AdamState, adam, adamw
from npnets.optim.clipping import clip_by_global_norm
from npnets.optim.optimizer import Optimizer
from npnets.optim.rmsprop import RMSpropState, rmsprop
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
    "rmsprop",
    "sgd",
    "soft_update",
]

__dir__ = listing(__all__)
