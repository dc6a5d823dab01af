"""Validation of a batch of sequences, which is converted to the device and dtype of the parameters.

Inside, sequences are time-major, `(steps, batch, ...)`, as a network goes through them; outside they are
`(batch, steps, ...)`, as in Tianshou. A mask `(steps, batch, 1)` is made only if its argument is given: where a step is
`reset` an episode begins, where it is not `valid` its sequence is over.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import bare
from npnets.backend import Array, device_of, to_device, to_numpy
from npnets.description import width
from npnets.inputs import as_input, first_leaf
from npnets.tree import Tree

NAMES = ("hidden", "cell")


class Sequences(NamedTuple):
    """Sequences that have been validated.

    `x` `(steps, batch, features)`; `state` a pair `(batch, layers, hidden)`, `None` for zeros; `reset` and `valid`
    `(steps, batch, 1)` or `None`.
    """

    x: Array
    state: tuple[Array, Array] | None
    reset: Array | None
    valid: Array | None

    def rows(self, x: Array) -> Array:
        """Return a time-major array as `(steps * batch, features)`, with zeros after the end of each sequence."""
        x = x if self.valid is None else nnp.where(self.valid, x, 0)
        return x.reshape((-1, x.shape[-1]))

    def by_sequence(self, rows: Array) -> Array:
        """Return `(steps * batch, features)` as users see it, `(batch, steps, features)`."""
        return rows.reshape((*self.x.shape[:2], rows.shape[-1])).swapaxes(0, 1)


def sequences(
    network: Any, leaves: Sequence[Tree], obs: object, state: Tree, lengths: object, resets: object
) -> Sequences:
    """Validate a recurrent network's inputs, and convert them to the device and dtype of its leaves.

    The shapes are those of `Recurrent.forward`; the network's `lstm` and `state_shape` say which sizes are expected.
    """
    like, lstm = first_leaf(leaves), network.lstm
    x = _time_major(as_input(obs, like), width(network.state_shape), network)
    steps, batch = x.shape[:2]
    shape = (batch, lstm.num_layers, lstm.hidden_size)
    entering = None if state is None else _entering(state, shape, like, network)
    valid = None if lengths is None else to_device(_valid(lengths, batch, steps), device_of(bare(like)))
    reset = None if resets is None else to_device(_reset(resets, batch, steps), device_of(bare(like)))
    return Sequences(x, entering, reset if valid is None or reset is None else reset & valid, valid)


def _time_major(obs: Array, features: int, owner: object) -> Array:
    shape = obs.shape
    if not 2 <= len(shape) <= 3 or shape[-1] != features or not all(shape[1:]):
        raise ValueError(
            f"{owner!r} expected obs of shape (batch, steps, {features}), or (batch, {features}) for one step, but got "
            f"{shape}; {_cause(shape, features)}"
        )
    if len(shape) == 2 or shape[1] == 1:
        return obs.reshape((1, shape[0], features))
    return obs.swapaxes(0, 1)


def _cause(shape: tuple[int, ...], features: int) -> str:
    if len(shape) < 2:
        return "for a single observation pass obs[None]"
    if len(shape) > 3:
        return f"lay each observation out in one dimension: obs.reshape(batch, steps, {features})"
    if shape[-1] != features:
        return "does the width of observations match state_shape?"
    return "a sequence needs at least one step"


def _entering(state: Tree, shape: tuple[int, int, int], like: Array, owner: object) -> tuple[Array, Array]:
    missing = [name for name in NAMES if name not in state] if hasattr(state, "keys") else None
    if missing is None:
        raise TypeError(
            f"state must be None or a dict with the keys {list(NAMES)}, as {owner!r} returned it, but is a "
            f"{type(state).__name__}"
        )
    if missing:
        raise ValueError(
            f"state must have the keys {list(NAMES)}, but lacks {missing} and has {sorted(state.keys())}; was it "
            "returned by another network?"
        )
    hidden, cell = (as_input(state[name], like, f"state[{name!r}]") for name in NAMES)
    for name, part in zip(NAMES, (hidden, cell), strict=True):
        if part.shape != shape:
            raise ValueError(
                f"state[{name!r}] must be of shape (batch, layers, hidden) = {shape} for these obs and {owner!r}, but "
                f"has shape {part.shape}; is it of another batch or network?"
            )
    return hidden, cell


def _valid(lengths: object, batch: int, steps: int) -> Array:
    found = to_numpy(bare(_as_array(lengths, "lengths must be a sequence of integers")))
    if found.shape != (batch,):
        raise ValueError(
            f"lengths must be of shape ({batch},), one number of steps for each sequence of obs, but has shape "
            f"{found.shape}"
        )
    if found.size and found.dtype.kind not in "iu":
        raise TypeError(
            f"lengths must be integers, how many real steps each sequence has, but has dtype {found.dtype}; for a mask "
            "of real steps pass mask.sum(axis=1)"
        )
    wrong = np.flatnonzero((found < 1) | (found > steps))
    if len(wrong):
        raise ValueError(
            f"lengths must lie within [1, {steps}], the number of steps of obs, but lengths[{wrong[0]}] is "
            f"{found[wrong[0]]}; leave sequences without steps out of the batch"
        )
    return np.arange(steps)[:, None, None] < found[:, None]


def _reset(resets: object, batch: int, steps: int) -> Array:
    found = _as_array(resets, "resets must be an array of booleans")
    if found.shape != (batch, steps) and (steps > 1 or found.shape != (batch,)):
        raise ValueError(
            f"resets must be of shape (batch, steps) = ({batch}, {steps}), true where an episode begins at that step, "
            f"but has shape {found.shape}"
        )
    if found.size and found.dtype.kind != "b":
        raise TypeError(
            f"resets must be booleans, true where an episode begins, but has dtype {found.dtype}; pass "
            "resets.astype(bool)"
        )
    return bare(found).astype(bool).reshape((batch, steps)).T[:, :, None]


def _as_array(value: Tree, what: str) -> Array:
    try:
        return value if hasattr(value, "dtype") else np.asarray(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{what}, but is {value!r:.80} ({error})") from error
