"""The running mean and variance of observations as a state, its functions, and the normalization by it.

Statistics are float64 whatever observations are. `n` is the number of observations in a batch, `shape` that of one.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

import npnets.numpy as nnp
from npnets.autodiff import bare
from npnets.backend import Array, device_of, namespace, to_device, to_numpy
from npnets.description import Shape
from npnets.description import shape as checked_shape
from npnets.dtypes import COMPUTED
from npnets.inputs import as_array

_WIDE = np.dtype(np.float64)


class Normalization(NamedTuple):
    """Mean and variance of the observations seen so far, and how observations are normalized by them.

    Attributes
    ----------
    mean, var : array of one observation's shape
        float64; the variance is the population's, the mean of squared distances.
    count : float
        Number of observations seen.
    clip : float or None
        Largest absolute value of a normalized entry; `None` for no limit.
    epsilon : float
        Added to the variance before its root is taken.
    """

    mean: NDArray[np.float64]
    var: NDArray[np.float64]
    count: float  # type: ignore[assignment]  # the statistics' word; tuples have a method of this name
    clip: float | None
    epsilon: float


def init(shape: Shape | tuple[()], clip: float | None = 10.0, epsilon: float = 1e-8) -> Normalization:
    """Return the state before any observation: mean 0, variance 1, count 0.

    Parameters
    ----------
    shape : int, sequence of int or Box
        Shape of one observation; `()` for single numbers, such as returns.
    clip : float or None
        Largest absolute value of a normalized entry; `None` for no limit.
    epsilon : float
        Added to the variance before its root is taken.

    Returns
    -------
    Normalization
    """
    axes = axes_of(shape)
    return checked(Normalization(np.zeros(axes), np.ones(axes), 0.0, clip, epsilon))


def update(state: Normalization, batch: ArrayLike) -> Normalization:
    """Return the state after a batch of further observations.

    Parameters
    ----------
    state : Normalization
        Is not changed.
    batch : (n, ...) array
        Observations in any dtype, computed with in float64; `n` may be zero.

    Returns
    -------
    Normalization

    Raises
    ------
    ValueError
        If an observation has another shape, or a number in it is NaN or infinite: every later mean would be.

    Notes
    -----
    Chan, Golub and LeVeque 1979. In one batch or in many, the same observations give the same statistics up to the
    rounding of float64, also if the mean is large beside the deviation.
    """
    state = _usable(state)
    rows = np.asarray(to_numpy(bare(as_array(batch, "batch"))), np.float64)
    if rows.shape[1:] != state.mean.shape or rows.ndim != state.mean.ndim + 1:
        raise ValueError(
            f"batch must be of shape (n, {', '.join(map(str, state.mean.shape))}), but has {rows.shape}; for a single "
            f"observation pass obs[None], for several axes of a batch obs.reshape({(-1, *state.mean.shape)})"
        )
    if not np.isfinite(rows).all():
        raise ValueError(
            "batch must hold finite numbers, but some are NaN or infinite, and would remain in the mean; leave those "
            "observations out"
        )
    if not len(rows):
        return state
    return merge(state, state._replace(mean=rows.mean(0), var=rows.var(0), count=float(len(rows))))


def merge(a: Normalization, b: Normalization) -> Normalization:
    """Return the state that has seen what two others have: those of two workers, for example.

    Parameters
    ----------
    a, b : Normalization
        With one shape, `clip` and `epsilon`. Neither is changed.

    Returns
    -------
    Normalization

    Raises
    ------
    ValueError
        If shape, `clip` or `epsilon` differ.
    """
    a, b = _usable(a), _usable(b)
    if a.mean.shape != b.mean.shape or (a.clip, a.epsilon) != (b.clip, b.epsilon):
        raise ValueError(
            "expected two states of one shape, clip and epsilon, but they have "
            f"{(a.mean.shape, a.clip, a.epsilon)} and {(b.mean.shape, b.clip, b.epsilon)}"
        )
    if not a.count or not b.count:
        return a if a.count else b
    count = a.count + b.count
    of_a, of_b, distance = a.count / count, b.count / count, b.mean - a.mean
    var = of_a * a.var + of_b * b.var + of_a * of_b * distance**2
    return a._replace(mean=a.mean + of_b * distance, var=var, count=count)


def normalize(state: Normalization, obs: Any) -> Array:
    """Return `clip((obs - mean) / sqrt(var + epsilon), -clip, clip)`, computed in float64.

    Parameters
    ----------
    state : Normalization
        A constant to every derivative.
    obs : array of one observation's shape, or with axes before those
        One observation or a batch, on any device.

    Returns
    -------
    array of the shape of `obs`
        In its dtype if that is float32 or float64, else in float32.

    Raises
    ------
    ValueError
        If observations have another shape, or an entry of `var` is zero and `epsilon` too.
    """
    x = as_array(obs)
    dtype = x.dtype if hasattr(obs, "dtype") and x.dtype in COMPUTED else np.dtype(np.float32)
    usable = _usable(state)
    return normalized(usable if usable.epsilon else checked(usable), x, dtype)  # without epsilon, var may be zero


def normalized(state: Normalization, x: Array, dtype: Any) -> Array:
    """Return an array, normalized and in a dtype; the statistics are moved to its device."""
    _check_row(state.mean.shape, x)
    mean, var = (to_device(part, device_of(bare(x))).astype(_WIDE) for part in (state.mean, state.var))
    distance = (x if x.dtype == _WIDE else nnp.astype(x, _WIDE)) - mean
    found = distance / namespace(var).sqrt(var + state.epsilon)
    if state.clip is not None:
        found = nnp.clip(found, -state.clip, state.clip)
    return found if found.dtype == dtype else nnp.astype(found, dtype)


def _check_row(axes: tuple[int, ...], x: Array) -> None:
    if x.shape[x.ndim - len(axes) :] != axes or x.ndim < len(axes):
        expected = ", ".join(["...", *map(str, axes)])
        raise ValueError(f"obs must have the shape of the observations seen, ({expected}), but has {x.shape}")


def checked(state: Normalization) -> Normalization:
    """Return a state with float64 arrays and plain numbers, once it is checked that it can normalize.

    Raises
    ------
    TypeError, ValueError
        If it is no `Normalization`, or has entries that make no sense.
    """
    if not isinstance(state, Normalization):
        raise TypeError(f"normalization must be a Normalization, but is {state!r:.80}; normalization.init makes one")
    mean, var = _wide("mean", state.mean), _wide("var", state.var)
    if mean.shape != var.shape:
        raise ValueError(f"mean and var must have one shape, but have {mean.shape} and {var.shape}")
    if not np.isfinite(mean).all() or not np.isfinite(var).all() or np.any(var < 0):
        raise ValueError("mean and var must be finite, and var not negative; was an observation NaN or infinite?")
    check_limits(state.clip, state.epsilon)
    if np.any(var + state.epsilon == 0):
        raise ValueError("an entry of var is zero and epsilon too, so that observations would be divided by zero")
    if not (_is_number(state.count) and state.count >= 0):
        raise ValueError(f"count must be a number of at least zero, but is {state.count!r:.80}")
    return Normalization(mean, var, float(state.count), limit(state.clip), float(state.epsilon))


def limit(clip: float | None) -> float | None:
    """Return a checked `clip` as a plain number, or `None` where it is infinite too."""
    return None if clip is None or clip == np.inf else float(clip)


def _wide(name: str, value: object) -> NDArray[np.float64]:
    try:
        return np.array(to_numpy(value), np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be an array of numbers, but is {value!r:.80}") from error


def _usable(state: Normalization) -> Normalization:
    """Return a state with arrays of NumPy in float64: as it is if it has them, as every function here returns it."""
    is_made_here = isinstance(state, Normalization) and type(state.mean) is type(state.var) is np.ndarray
    is_made_here = is_made_here and state.mean.dtype == state.var.dtype == _WIDE and state.clip != np.inf
    return state if is_made_here and state.mean.shape == state.var.shape else checked(state)


def check_limits(clip: object, epsilon: object) -> None:
    """Check the arguments `clip`, a positive number or `None`, and `epsilon`, a number that is not negative."""
    if clip is not None and not (_is_number(clip) and clip > 0):  # type: ignore[operator]
        raise ValueError(f"clip must be a positive number, or None for no limit, but is {clip!r:.80}")
    if not (_is_number(epsilon) and 0 <= epsilon < np.inf):  # type: ignore[operator]
        raise ValueError(f"epsilon must be a finite number of at least zero, but is {epsilon!r:.80}")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def axes_of(shape: Any) -> tuple[int, ...]:
    """Return a shape as a tuple, which may be empty."""
    if isinstance(shape, tuple) and not shape:
        return ()
    found = checked_shape("shape", shape)
    return found if isinstance(found, tuple) else (found,)
