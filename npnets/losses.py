"""Losses of values: squared error, Huber's loss, and Huber's loss of quantile regression.

Prediction and target have one shape. NumPy would broadcast a prediction `(64, 1)` and a target `(64,)` to `(64, 64)`,
and the mean of that is a number, but not the loss. A target follows the prediction's dtype and device, as observations
follow a network's parameters.
"""

import math
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

import npnets.numpy as nnp
from npnets.autodiff import bare, primitive, stop_gradient
from npnets.backend import Array, namespace
from npnets.description import is_number
from npnets.dtypes import array_fault
from npnets.inputs import as_array, as_input
from npnets.public import listing

__all__ = ["huber", "quantile_huber", "squared_error"]

__dir__ = listing(__all__)

Reduction: TypeAlias = Literal["mean", "none"]


def squared_error(
    prediction: ArrayLike, target: ArrayLike, *, weights: ArrayLike | None = None, reduction: Reduction = "mean"
) -> Array:
    """Return the mean of `(prediction - target)**2`, or that of each entry.

    Parameters
    ----------
    prediction : (...) array
        float32 or float64, and that is the result's dtype.
    target : (...) array
        Of the same shape. It has a gradient too: `npnets.stop_gradient(target)` removes it.
    weights : array, optional
        A factor for each entry, `(...)`, or for each row, of the first axes of that shape: importance weights of
        prioritized replay, `(batch,)` for a prediction `(batch, 1)`.
    reduction : {"mean", "none"}
        "mean", over all entries; "none" for the losses of all entries, whose size gives the priorities of replay.

    Returns
    -------
    array
        A single number, or `(...)`.

    Raises
    ------
    ValueError
        If shapes differ, there are no entries, or the reduction is another.
    TypeError
        If the prediction is no float32 or float64 array.

    Notes
    -----
    As PyTorch's ``mse_loss``, without a factor 1/2. Weights multiply, and are not divided by their sum: a batch of
    small weights makes a small step, as in prioritized experience replay (Schaul et al. 2016, arXiv:1511.05952).
    """
    prediction, target = _pair(prediction, target)
    return _reduced((prediction - target) ** 2, weights, reduction)


def huber(
    prediction: ArrayLike,
    target: ArrayLike,
    delta: float = 1.0,
    *,
    weights: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Return the mean of Huber's loss, or that of each entry: quadratic up to an error of `delta`, linear beyond.

    Parameters
    ----------
    prediction, target
        As in `squared_error`.
    delta : float
        The error at which it becomes linear; the size of a gradient is at most this.
    weights, reduction
        As in `squared_error`.

    Returns
    -------
    array
        A single number, or `(...)`: `error**2 / 2`, or `delta * (abs(error) - delta / 2)` if that error is larger.

    Raises
    ------
    ValueError, TypeError
        As in `squared_error`, and for a `delta` that is not positive.

    Notes
    -----
    As PyTorch's ``huber_loss``, and with `delta=1` as its ``smooth_l1_loss``.
    """
    prediction, target = _pair(prediction, target)
    return _reduced(_huber(prediction - target, _threshold(delta, prediction.dtype)), weights, reduction)


def quantile_huber(
    quantiles: ArrayLike,
    taus: ArrayLike,
    targets: ArrayLike,
    delta: float = 1.0,
    *,
    weights: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Return Huber's loss of quantile regression, which distributional critics minimize.

    Parameters
    ----------
    quantiles : (batch, n) array
        Estimates of a distribution's quantiles, float32 or float64, and that is the result's dtype.
    taus : (batch, n) or (n,) array
        Their fractions, in [0, 1]: drawn ones of an implicit quantile network, or `(i + 0.5) / n`. Constants to every
        derivative.
    targets : (batch, m) array
        Draws from the distribution, or quantiles of a target network. They have a gradient, as in `squared_error`.
    delta : float
        The error at which the loss becomes linear.
    weights : (batch,) array, optional
        A factor for each row, as in `squared_error`.
    reduction : {"mean", "none"}
        "mean", over the batch; "none" for the losses of all rows, `(batch,)`.

    Returns
    -------
    array
        A single number, or `(batch,)`. A row's loss is a sum over its quantiles and a mean over its targets.

    Raises
    ------
    ValueError, TypeError
        If shapes do not fit, a fraction on the CPU is outside of [0, 1], and as in `huber`.

    Notes
    -----
    Equation (3) of implicit quantile networks (Dabney et al. 2018, arXiv:1806.06923): `abs(tau - (error < 0))` times
    Huber's loss divided by `delta`, where an error is target minus quantile. QR-DQN (arXiv:1710.10044) does not divide,
    which is the same for `delta=1`.
    """
    estimates = _floating("quantiles", quantiles)
    fractions, goals = as_input(stop_gradient(taus), estimates, "taus"), as_input(targets, estimates, "targets")
    _check_quantiles(estimates.shape, fractions.shape, goals.shape)
    _check_fractions(fractions)
    threshold = _threshold(delta, estimates.dtype)
    errors = goals[:, None, :] - estimates[:, :, None]
    asymmetry = nnp.where(nnp.less(errors, 0), 1 - fractions[..., None], fractions[..., None])
    losses = asymmetry * _huber(errors, threshold) / threshold
    return _reduced(nnp.sum(nnp.mean(losses, 2), 1), weights, reduction)


@primitive(
    vjp=lambda argnum, g, output, args: g * nnp.clip(args[0], -args[1], args[1]),
    jvp=lambda argnum, tangent, output, args: tangent * nnp.clip(args[0], -args[1], args[1]),
)
def _huber(errors: Array, delta: float) -> Array:
    """Return Huber's loss of each error, whose square is never computed where it could overflow."""
    clipped = namespace(errors).clip(errors, -delta, delta)
    return clipped * (errors - clipped / 2)


def _threshold(delta: object, dtype: Any) -> float:
    """Return `delta` as Python's number, because NumPy's would promote float32."""
    if not is_number(delta):
        raise TypeError(f"delta must be a number, but is {delta!r:.80}")
    with np.errstate(over="ignore", under="ignore"):
        rounded = float(np.dtype(dtype).type(delta))
    if not 0 < rounded < math.inf:
        raise ValueError(
            f"delta must be positive and finite in {dtype}, but is {delta!r}; without a threshold use squared_error"
        )
    return float(delta)


def _pair(prediction: Any, target: Any) -> tuple[Array, Array]:
    """Return a prediction and its target of the same shape, dtype and device."""
    found = _floating("prediction", prediction)
    goal = as_input(target, found, "target")
    if found.shape != goal.shape:
        raise ValueError(
            f"expected prediction and target of one shape, but they have {found.shape} and {goal.shape}; "
            f"{_remedy(found.shape, goal.shape)}"
        )
    return found, goal


def _floating(name: str, value: Any) -> Array:
    found = as_array(value, name)
    fault = array_fault(bare(found))
    if fault is not None:
        raise TypeError(f"{name} must be a float32 or float64 array, but it {fault}")
    return found


def _remedy(prediction: tuple[int, ...], target: tuple[int, ...]) -> str:
    """Return what makes two shapes one."""
    if prediction == (*target, 1):
        return "pass target[..., None], or prediction[..., 0]"
    if target == (*prediction, 1):
        return "pass prediction[..., None], or target[..., 0]"
    if prediction[len(prediction) - len(target) :] == target:
        return "if every prediction has this target, pass npnets.numpy.broadcast_to(target, prediction.shape)"
    return "are both of the same batch, and is one of them transposed?"


def _check_quantiles(quantiles: tuple[int, ...], taus: tuple[int, ...], targets: tuple[int, ...]) -> None:
    fits = len(quantiles) == len(targets) == 2 and quantiles[0] == targets[0] and taus in (quantiles, quantiles[1:])
    if not fits:
        raise ValueError(
            "expected quantiles (batch, n), taus (batch, n) or (n,), and targets (batch, m), but they have "
            f"{quantiles}, {taus} and {targets}; the quantiles of one action for each row are "
            "npnets.numpy.take_along_axis(quantiles, actions[:, None, None], 1)[:, 0]"
        )
    if not targets[1]:
        raise ValueError(f"expected at least one target for each row, but targets have {targets}")


def _check_fractions(taus: Array) -> None:
    """Check that fractions are in [0, 1], but not on a GPU, because that would wait for it."""
    if namespace(taus) is np and taus.size and not (taus.min() >= 0 and taus.max() <= 1):
        raise ValueError(
            f"taus must be in [0, 1], but are from {taus.min():g} to {taus.max():g}; the order is "
            "quantile_huber(quantiles, taus, targets)"
        )


def _reduced(losses: Array, weights: Any, reduction: object) -> Array:
    """Return losses times their weights, or the mean of that."""
    if reduction not in ("mean", "none"):
        raise ValueError(
            f"reduction must be 'mean' or 'none', but is {reduction!r:.40}; for a sum take numpy.sum of it"
        )
    if weights is not None:
        factors = as_input(weights, losses, "weights")
        losses = losses * _beside(factors, losses.shape)
    if reduction == "none":
        return losses
    if not bare(losses).size:
        raise ValueError(f"expected at least one entry, because there is no mean of none, but got shape {losses.shape}")
    return nnp.mean(losses)


def _beside(weights: Array, shape: tuple[int, ...]) -> Array:
    """Return weights with an axis of length one for each axis of the losses that they lack."""
    axes = weights.ndim
    if not axes or weights.shape != shape[:axes]:
        ensemble = "; for the rows of every member pass npnets.numpy.broadcast_to(weights[:, None], prediction.shape)"
        raise ValueError(
            f"expected weights with the first axes of the losses, {shape}, but they have {weights.shape}; a weight for "
            f"each row is {shape[:1]}, one for each entry {shape}" + ensemble * (weights.shape == shape[1:2])
        )
    return weights.reshape((*weights.shape, *(1,) * (len(shape) - axes)))
