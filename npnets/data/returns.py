"""Discounted returns and generalized advantage estimates of recorded steps.

Symbols: `r` reward, `v` value before a step, `v'` value after it, `gamma` discount, `lambda` the decay rate of later
errors. Both recursions are `x[t] = increment[t] + decay[t] * x[t + 1]`, from the last step to the first, in float64.

An episode ends in two ways. After a terminal state (`terminated`) nothing follows, and `v'` counts for zero. A time
limit (`truncated`) only stops the recording: `v'` stands for what would have followed. `terminated` overrides.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npnets.backend import Array
from npnets.data.arrays import flags, on_host
from npnets.description import is_number
from npnets.dtypes import COMPUTED

_WIDE = np.dtype(np.float64)


class Advantages(NamedTuple):
    """Advantages of recorded steps, and the returns that a critic learns from.

    Attributes
    ----------
    advantages : (steps,) or (steps, environments) array
    returns : array of that shape
        Advantages plus values.
    """

    advantages: Array
    returns: Array


def discounted_returns(
    rewards: ArrayLike,
    next_values: ArrayLike | None = None,
    *,
    terminated: ArrayLike,
    truncated: ArrayLike,
    gamma: float,
) -> Array:
    """Return the discounted sum of the rewards from each step to the end of its episode.

    Parameters
    ----------
    rewards : (steps,) or (steps, environments) array
        In the order of time.
    next_values : array of that shape, optional
        A critic's values of the observations after each step, which stand for the rewards after a time limit and after
        the last step; others are not used. Without them those rewards count for zero.
    terminated : array of that shape
        Whether the step led to a terminal state.
    truncated : array of that shape
        Whether the episode stopped there for another reason, such as a time limit.
    gamma : float
        Discount for each step, in [0, 1].

    Returns
    -------
    array of that shape
        NumPy's, in the dtype of `rewards` if they are an array in float32 or float64, else in float64.

    Raises
    ------
    ValueError
        If shapes differ, a number that is used is NaN or infinite, or `gamma` is not in [0, 1].
    TypeError
        If an array has entries of another kind, or is being differentiated.
    """
    given = {"rewards": rewards} if next_values is None else {"rewards": rewards, "next_values": next_values}
    columns, ends, gone_on = _checked(given, terminated, truncated)
    if next_values is not None:
        last = np.zeros_like(ends)
        last[-1:] = True
        columns["next_values"] = np.where((ends | last) & gone_on, columns["next_values"], 0)
    _check_finite(columns)
    gamma = _fraction("gamma", gamma)
    increments = columns["rewards"] + gamma * columns.get("next_values", 0.0)
    return _accumulated(increments, gamma * ~ends).astype(_dtype_like(rewards), copy=False)


def generalized_advantages(
    rewards: ArrayLike,
    values: ArrayLike,
    next_values: ArrayLike,
    *,
    terminated: ArrayLike,
    truncated: ArrayLike,
    gamma: float,
    gae_lambda: float,
) -> Advantages:
    """Estimate the advantage of each step's action (GAE: Schulman et al. 2016, arXiv:1506.02438).

    Parameters
    ----------
    rewards, terminated, truncated, gamma
        As in `discounted_returns`.
    values, next_values : arrays of the rewards' shape
        A critic's values of the observations before and after each step. After a time limit this is the last
        observation of the episode that stopped, not the first of the next; after a terminal state it is not used.
    gae_lambda : float
        Decay rate of later errors, in [0, 1]: zero gives each step's own error, one the return minus the value.

    Returns
    -------
    Advantages
        The pair `advantages`, `returns`: NumPy arrays in the dtype of `values` if they are an array in float32 or
        float64, else in float64.

    Raises
    ------
    ValueError
        If shapes differ, a number that is used is NaN or infinite, or `gamma` or `gae_lambda` is not in [0, 1].
    TypeError
        If an array has entries of another kind, or is being differentiated.
    """
    given = {"rewards": rewards, "values": values, "next_values": next_values}
    columns, ends, gone_on = _checked(given, terminated, truncated)
    columns["next_values"] = np.where(gone_on, columns["next_values"], 0)
    _check_finite(columns)
    gamma, decay = _fraction("gamma", gamma), _fraction("gae_lambda", gae_lambda)
    errors = columns["rewards"] + gamma * columns["next_values"] - columns["values"]
    advantages = _accumulated(errors, gamma * decay * ~ends)
    dtype = _dtype_like(values)
    return Advantages(advantages.astype(dtype, copy=False), (advantages + columns["values"]).astype(dtype, copy=False))


def _accumulated(increments: NDArray[Any], decay: NDArray[Any]) -> NDArray[Any]:
    """Return `x[t] = increments[t] + decay[t] * x[t + 1]`, in the memory of the increments."""
    for step in range(len(increments) - 2, -1, -1):
        increments[step] += decay[step] * increments[step + 1]
    return increments


# -- validation -------------------------------------------------------------------------------------------------------


def _checked(
    given: dict[str, ArrayLike], terminated: ArrayLike, truncated: ArrayLike
) -> tuple[dict[str, NDArray[Any]], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return numbers as float64, whether an episode ends at each step, and whether something follows it."""
    columns = {name: on_host(name, value).astype(_WIDE) for name, value in given.items()}
    ends = {name: flags(name, value) for name, value in (("terminated", terminated), ("truncated", truncated))}
    _check_shapes({name: column.shape for name, column in (columns | ends).items()})
    return columns, ends["terminated"] | ends["truncated"], ~ends["terminated"]


def _check_shapes(shapes: dict[str, tuple[int, ...]]) -> None:
    expected = shapes["rewards"]
    if len(expected) not in (1, 2):
        raise ValueError(f"rewards must be (steps,) or (steps, environments), but have shape {expected}")
    others = [name for name, shape in shapes.items() if shape != expected]
    if others:
        hint = "; pass values[..., 0] of a critic's (..., 1)" if shapes[others[0]] == (*expected, 1) else ""
        raise ValueError(
            "expected arrays of one shape, but have "
            f"{', '.join(f'{name} {shapes[name]}' for name in ('rewards', *others))}{hint}"
        )


def _check_finite(columns: dict[str, NDArray[Any]]) -> None:
    for name, column in columns.items():
        faulty = np.argwhere(~np.isfinite(column))
        if len(faulty):
            place = ", ".join(map(str, faulty[0].tolist()))
            raise ValueError(
                f"expected finite numbers, but {name}[{place}] is {column[tuple(faulty[0])]}, and {len(faulty)} of "
                f"{column.size} are NaN or infinite; every earlier step of the episode would be too"
            )


def _fraction(name: str, value: object) -> float:
    if not is_number(value):
        raise TypeError(f"{name} must be a number in [0, 1], but is {value!r:.80}")
    if not 0 <= value <= 1 or math.isnan(value):
        raise ValueError(f"{name} must be in [0, 1], but is {value!r}")
    return float(value)


def _dtype_like(value: Any) -> np.dtype[Any]:
    dtype = getattr(value, "dtype", None)
    return np.dtype(dtype) if dtype in COMPUTED else _WIDE
