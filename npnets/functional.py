"""Functions that networks are made of and that hold no parameters: activations by name, squashing into bounds."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import bare
from npnets.backend import Array, device_of, to_device
from npnets.caches import bounded_cache
from npnets.description import Bound, bound, frozen
from npnets.kernels.activations import (
    ACTIVATIONS,
    activate,
    elu,
    gelu,
    leaky_relu,
    parameters_of,
    relu,
    sigmoid,
    silu,
    softplus,
    tanh,
)
from npnets.numpy import softmax
from npnets.public import listing

__all__ = [
    "elu",
    "gelu",
    "leaky_relu",
    "relu",
    "resolve_activation",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "squash",
    "tanh",
]

__dir__ = listing(__all__)

Activation: TypeAlias = str | Callable[..., Array] | None


class ResolvedActivation(NamedTuple):
    """An activation with its arguments, as a layer applies it.

    `fused` is its name and arguments as kernels take them, `None` for a function of the user's.
    """

    fused: tuple[Any, ...] | None
    function: Callable[..., Array] | None = None
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] | None = None

    def apply(self, z: Array) -> Array:
        """Return the activation of an array."""
        if self.fused is not None:
            return activate(z, self.fused[0], self.fused[1:])
        assert self.function is not None
        y = self.function(z, *self.args, **(self.kwargs or {}))
        if getattr(y, "dtype", z.dtype) != z.dtype:
            raise TypeError(
                f"the activation {self.function!r:.80} returned {y.dtype} for an array of {z.dtype}; write its "
                "constants as Python's numbers, or return y.astype(z.dtype)"
            )
        return y


def resolve_activation(activation: Activation, args: Any = None) -> ResolvedActivation | None:
    """Find an activation by its name, or take a function for one.

    Parameters
    ----------
    activation : str, callable or None
        One of `"relu"`, `"tanh"`, `"elu"`, `"gelu"`, `"silu"`, `"sigmoid"`, `"softplus"`, `"leaky_relu"`; a function of
        an array, written in `npnets.numpy`; or `None` for no activation.
    args : tuple or dict, optional
        Further arguments, such as `(0.2,)` for the slope of `"leaky_relu"`.

    Returns
    -------
    ResolvedActivation or None

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
    return ResolvedActivation(None, activation, positional, named)


def squash(z: Array, max_action: Bound) -> Array:
    """Return `max_action * tanh(z)`: every entry within the bound.

    Parameters
    ----------
    z : (..., actions) array
    max_action : float or tuple of float
        One bound, or one for each entry of the last axis.

    Returns
    -------
    array of the shape and dtype of `z`
        No entry is beyond its bound, not by a rounding either: the bound itself is rounded toward zero.

    Raises
    ------
    TypeError, ValueError
        If a bound is no number, or not positive and finite.
    """
    if type(max_action) not in (float, tuple):  # those two are checked where they are rounded, which is done once
        max_action = bound("max_action", max_action)
    return scaled(activate(z, "tanh"), max_action)


def scaled(y: Array, max_action: Bound) -> Array:
    """Return `max_action * y`, as `squash` does it."""
    return y if max_action == 1 else y * bound_like(max_action, y)


def limit(x: Array, max_action: Bound) -> Array:
    """Return `x` with every entry clipped to within the bound, as `squash` understands it."""
    largest = bound_like(max_action, x)
    return nnp.clip(x, -largest, largest)


def bound_like(max_action: Any, x: Array) -> Any:
    """Return a bound as something that multiplies `x` without changing its dtype or device.

    It is rounded toward zero in that dtype: the nearest float32 of 0.1 lies above 0.1.
    """
    if isinstance(max_action, (int, float)):
        return _inward(float(max_action), x.dtype.str)
    return _bounds(max_action, x.dtype.str, device_of(bare(x)))


@bounded_cache(maxsize=256)
def _inward(max_action: Any, dtype: str) -> Any:
    """Return a bound, or a tuple of them, as the largest numbers of a dtype that are not beyond."""
    exact = np.asarray(bound("max_action", max_action))
    with np.errstate(over="ignore"):
        nearest = exact.astype(dtype)
    return np.where(nearest > exact, np.nextafter(nearest, np.zeros_like(nearest)), nearest).tolist()


@bounded_cache(maxsize=256)
def _bounds(max_action: tuple[float, ...], dtype: str, device: str) -> Array:
    """Return bounds as an array, copied to a GPU once and not in each forward pass."""
    return to_device(np.asarray(_inward(max_action, dtype), dtype), device)


def _by_name(name: str, positional: tuple[Any, ...], named: dict[str, Any]) -> ResolvedActivation:
    if name not in ACTIVATIONS:
        import difflib  # here, because it would make up a tenth of the package's import

        close = difflib.get_close_matches(name.lower(), ACTIVATIONS, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"unknown activation {name!r}: expected one of {', '.join(ACTIVATIONS)}, or a function{hint}")
    try:
        arguments = parameters_of(name).bind(*positional, **named)
    except TypeError as error:
        raise TypeError(f"activation {name!r} takes the arguments {parameters_of(name)}: {error}") from None
    arguments.apply_defaults()  # without it an argument given by name would be lost behind one that was left out
    if positional or named:
        _try_out(name, arguments.args)
    return ResolvedActivation((name, *arguments.args))


def _try_out(name: str, args: tuple[Any, ...]) -> None:
    """Apply an activation once, so that arguments which make no sense are found here and not in a forward pass."""
    try:
        with np.errstate(all="ignore"):
            answer = ACTIVATIONS[name].composition(np.array([-0.5, 0.5], np.float32), *args)
    except (TypeError, ZeroDivisionError) as error:
        raise TypeError(f"activation {name!r} does not take the arguments {args!r}: {error}") from error
    if not np.all(np.isfinite(answer)):
        raise ValueError(f"activation {name!r} with the arguments {args!r} does not give finite numbers")


def _arguments(args: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if args is None:
        return (), {}
    if isinstance(args, dict):
        return (), args
    if isinstance(args, tuple):
        return args, {}
    raise TypeError(f"an activation's arguments must be a tuple or a dict, but are {args!r}")
