"""Actions of several axes: networks compute them laid out in one, and return them so or whole."""

import math

import numpy as np

from npnets.backend import Array
from npnets.description import Shape, width


def axes_of(shape: Shape) -> tuple[int, ...]:
    """Return a checked shape as a tuple: `(n,)` for an integer `n`."""
    return shape if isinstance(shape, tuple) else (width(shape),)


def whole(action: Array, axes: tuple[int, ...]) -> Array:
    """Return actions `(..., entries)` with the axes of an action, `(..., *axes)`."""
    return action if len(axes) == 1 else action.reshape((*action.shape[:-1], *axes))


def laid_out(action: Array, rows: tuple[int, ...]) -> Array:
    """Return actions `(*rows, *axes)` as `(*rows, entries)`; others, which do not match the rows, as they are."""
    axes = action.shape[len(rows) :]
    if len(axes) <= 1 or action.shape[: len(rows)] != rows:
        return action
    return action.reshape((*rows, math.prod(axes)))


def check_axes(shape: tuple[int, ...], bounds: tuple[object, object]) -> None:
    """Check that actions `(*rows, *axes)` have the axes of bounds that have several themselves."""
    for bound in bounds:
        axes = np.shape(bound) if isinstance(bound, tuple) else ()
        if len(axes) > 1 and shape[-len(axes) :] != axes:
            raise ValueError(
                f"action must have the axes of low and high, {axes}, behind those of the batch, or be laid out in one "
                f"axis of {math.prod(axes)}, but has shape {shape}"
            )


def in_shape(action: Array, shape: tuple[int, ...]) -> Array:
    """Return actions in the shape in which they came, without a call if they have it."""
    return action if action.shape == shape else action.reshape(shape)
