"""Functions that networks are made of and that hold no parameters: activations by name, squashing into bounds."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import bare
from npnets.backend import Array, device_of, to_device
from npnets.bounds import Edge, Rounded, bound, check_below, check_entries, edge, rounded, rounded_down
from npnets.caches import bounded_cache
from npnets.description import Bound, frozen
from npnets.kernels.activation_formulas import (
    FORMULAS,
    celu,
    clipped_exp,
    elu,
    gelu,
    leaky_relu,
    relu,
    selu,
    softsign,
    tanh,
)
from npnets.kernels.activations import TANH, Activation, parameters_of
from npnets.kernels.hard_activations import hardsigmoid, hardswish, hardtanh, relu6
from npnets.kernels.logistic import logsigmoid, mish, sigmoid, silu, softplus
from npnets.numpy import softmax
from npnets.public import listing

__all__ = [
    "celu",
    "clipped_exp",
    "elu",
    "gelu",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "logsigmoid",
    "mish",
    "relu",
    "relu6",
    "resolve_activation",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "squash",
    "tanh",
]

__dir__ = listing(__all__)

ActivationLike: TypeAlias = str | Callable[..., Array] | None
"""An activation as users name it."""


def resolve_activation(activation: ActivationLike, args: object = None) -> Activation | None:
    """Return the activation of a name, or of a function.

    Parameters
    ----------
    activation : str, callable or None
        One of `"relu"`, `"tanh"`, `"elu"`, `"gelu"`, `"silu"`, `"sigmoid"`, `"softplus"`, `"leaky_relu"`,
        `"clipped_exp"`, `"selu"`, `"celu"`, `"mish"`, `"relu6"`, `"hardtanh"`, `"softsign"`, `"hardsigmoid"`,
        `"hardswish"`, `"logsigmoid"`; a function of an array, written in `npnets.numpy`; or `None` for no activation.
    args : tuple or dict, optional
        Further arguments, such as `(0.2,)` for the slope of `"leaky_relu"`.

    Returns
    -------
    Activation or None
        A function of an array, which compares by value.

    Raises
    ------
    ValueError
        For a name that is not known.
    TypeError
        For anything else, and for arguments that the activation does not take.
    """
    if activation is None:
        return None
    positional, named = frozen(_arguments(args))
    if isinstance(activation, str):
        return _by_name(activation, positional, named)
    if isinstance(activation, type) or not callable(activation) or hasattr(activation, "forward"):
        raise TypeError(
            f"an activation must be a name such as 'relu', or a function of an array, but is {activation!r}; "
            "a framework's class is written by its name: 'relu' for torch.nn.ReLU"
        )
    return Activation(args=positional, kwargs=named, function=activation)


def squash(z: Array, max_action: Bound | None = None, *, low: Edge | None = None, high: Edge | None = None) -> Array:
    """Return `max_action * tanh(z)`, or `low + (high - low) * (tanh(z) + 1) / 2`: every entry within the bounds.

    Parameters
    ----------
    z : (..., actions) array
    max_action : float or tuple of float, optional
        One bound, or one for each entry of the last axis.
    low, high : float or (actions,) array, optional
        In place of it: the lower and the upper bound.

    Returns
    -------
    array of the shape and dtype of `z`
        Every entry is within its bounds, rounding included: bounds that the dtype cannot hold are rounded inwards.

    Raises
    ------
    TypeError, ValueError
        If a bound is no number, or not finite, `max_action` is not positive, or `low` is not below `high`.
    """
    if low is None and high is None:
        if type(max_action) not in (float, tuple):  # those two are checked once, where they are rounded
            max_action = bound("max_action", max_action)
        return scaled(TANH(z), max_action)
    if max_action is not None or low is None or high is None:
        raise TypeError("squash needs max_action, or both low and high")
    y = TANH(z)
    lowest, highest = (edge(name, value, y.shape[-1:], _FINITE) for name, value in (("low", low), ("high", high)))
    check_below(lowest, highest)
    return scaled(y, None, lowest, highest)


_FINITE = "for actions without bounds leave out squash"


def scaled(y: Array, max_action: Any, low: Any = None, high: Any = None) -> Array:
    """Return `max_action * y`, or `y` in [-1, 1] mapped to `[low, high]`, within the bounds."""
    if low is None:
        return y if max_action == 1 else y * bound_like(max_action, y)
    bounds = rounded_like(low, high, y)
    mapped: Array = bounds.middle + bounds.half * y
    return mapped


def limit(x: Array, max_action: Any, low: Any = None, high: Any = None) -> Array:
    """Return `x` with every entry clipped to within the bounds of `squash`."""
    if low is None:
        largest = bound_like(max_action, x)
        return nnp.clip(x, -largest, largest)
    bounds = rounded_like(low, high, x)
    return nnp.clip(x, bounds.low, bounds.high)


def rounded_like(low: Any, high: Any, x: Array) -> Rounded:
    """Return the bounds of actions as numbers of the dtype and on the device of `x`."""
    found: Rounded = rounded(low, high, x.shape[-1:], x.dtype.str, device_of(bare(x)))
    return found


def bound_like(max_action: Any, x: Array) -> float | Array:
    """Return a bound as a factor of `x` that changes neither its dtype nor its device.

    It is rounded toward zero in that dtype: the nearest float32 of 0.1 lies above 0.1.
    """
    if isinstance(max_action, (int, float)):
        return _inward(float(max_action), x.dtype.str)
    return _bounds(max_action, x.shape[-1:], x.dtype.str, device_of(bare(x)))


@bounded_cache(maxsize=256)
def _inward(max_action: Any, dtype: str) -> Any:
    """Return a bound, or a tuple of them, as the largest numbers of a dtype that are not beyond."""
    exact = np.asarray(bound("max_action", max_action))
    with np.errstate(over="ignore"):
        return rounded_down(exact, np.dtype(dtype)).tolist()


@bounded_cache(maxsize=256)
def _bounds(max_action: tuple[float, ...], entries: tuple[int, ...], dtype: str, device: str) -> Array:
    """Return bounds as an array, copied to a GPU once and not in each forward pass."""
    check_entries("max_action", (len(max_action),), entries)
    return to_device(np.asarray(_inward(max_action, dtype), dtype), device)


def _by_name(name: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Activation:
    if name not in FORMULAS:
        import difflib  # here, because it would make up a tenth of the package's import

        close = difflib.get_close_matches(name.lower(), FORMULAS, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"unknown activation {name!r}: expected one of {', '.join(FORMULAS)}, or a function{hint}")
    try:
        activation = Activation(name, args, kwargs)
    except TypeError as error:
        raise TypeError(f"activation {name!r} takes the arguments {parameters_of(name)}: {error}") from None
    if args or kwargs:
        _try_out(activation)
    return activation


def _try_out(activation: Activation) -> None:
    """Apply an activation once, so that arguments that make no sense raise an error here and not in a forward pass."""
    name, args = activation.name, activation.args
    try:
        with np.errstate(all="ignore"):
            y = FORMULAS[name].composition(np.array([-0.5, 0.5], np.float32), *args)
    except (TypeError, ZeroDivisionError) as error:
        raise TypeError(f"activation {name!r} does not take the arguments {args!r}: {error}") from error
    if not np.all(np.isfinite(y)):
        raise ValueError(f"activation {name!r} with the arguments {args!r} does not give finite numbers")


def _arguments(args: object) -> tuple[tuple[object, ...], dict[str, object]]:
    if isinstance(args, tuple):
        return args, {}
    if args is None or isinstance(args, dict):
        return (), args or {}
    raise TypeError(f"an activation's arguments must be a tuple or a dict, but are {args!r}")
