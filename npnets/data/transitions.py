"""The transitions that algorithms learn from: five arrays with a row for each."""

from typing import NamedTuple

from npnets.backend import Array


class Transitions(NamedTuple):
    """Steps of an environment, `n` of them, in five arrays.

    A tree: `npnets.tree.to_device(transitions, "cuda")` moves all five.

    Attributes
    ----------
    obs, next_obs : (n, ...) array
        Observations before and after the step.
    action : (n, ...) array
    reward : (n,) array
    terminated : (n,) array of bool
        Whether the step led to a terminal state, after which nothing follows. A time limit is none.
    """

    obs: Array
    action: Array
    reward: Array
    next_obs: Array
    terminated: Array


FIELDS = Transitions._fields
