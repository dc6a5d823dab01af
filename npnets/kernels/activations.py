"""Activations as layers apply them: one type for a named function and for a user's own, and the pairs of named ones.

Symbols: `y = f(z)`, `g` the cotangent of `y`.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from npnets.autodiff import Pair, fused
from npnets.backend import Array
from npnets.caches import bounded_cache
from npnets.description import cached_property, uncached
from npnets.kernels.activation_formulas import FORMULAS
from npnets.kernels.compiled import activations as compiled
from npnets.kernels.cuda import activations as cuda


@dataclass(frozen=True)
class Activation:
    """An activation with its arguments: a named one, or a function of the user's.

    Parameters
    ----------
    name : str
        A key of `FORMULAS`, unless there is a function.
    args, kwargs : tuple and mapping
        Further arguments, such as `(0.2,)` for the slope of `"leaky_relu"`. Those of a named activation all end up in
        `args`, completed by its defaults.
    function : callable, optional
        The user's function of an array.

    Raises
    ------
    TypeError
        For arguments that a named activation does not take.
    """

    name: str = ""
    args: tuple[object, ...] = ()
    kwargs: Mapping[str, object] = field(default_factory=dict, hash=False)
    function: Callable[..., Array] | None = None

    def __post_init__(self) -> None:
        if self.function is None:
            arguments = parameters_of(self.name).bind(*self.args, **self.kwargs)
            arguments.apply_defaults()  # without it an argument given by name would be lost behind one left out
            object.__setattr__(self, "args", arguments.args)
            object.__setattr__(self, "kwargs", {})

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields, without the code that is computed from them."""
        return uncached(self)

    @cached_property
    def code(self) -> tuple[int, float, float]:
        """Number and arguments of a named activation for the kernels in C."""
        return compiled.code_of(self.name, self.args)

    def __call__(self, z: Array) -> Array:
        """Return the activation of an array, of its shape and dtype."""
        if self.function is None:
            return _apply(z, activation=self)
        y = self.function(z, *self.args, **self.kwargs)
        if getattr(y, "dtype", z.dtype) != z.dtype:
            raise TypeError(
                f"the activation {self.function!r:.80} returned {y.dtype} for an array of {z.dtype}; write its "
                "constants as Python's numbers, or return y.astype(z.dtype)"
            )
        return y


@bounded_cache(maxsize=len(FORMULAS))
def parameters_of(name: str) -> inspect.Signature:
    """Return the signature of a named activation's arguments after `z`."""
    signature = inspect.signature(FORMULAS[name].composition)
    after_z = list(signature.parameters.values())[1:]
    return signature.replace(parameters=after_z, return_annotation=inspect.Signature.empty)


def _composition(z: Array, *, activation: Activation) -> Array:
    return FORMULAS[activation.name].composition(z, *activation.args)


def _forward(z: Array, *, activation: Activation) -> tuple[Array, Array]:
    formulas, z = FORMULAS[activation.name], np.asarray(z)  # for `out=` a scalar is no array
    y = formulas.forward(z if formulas.needs_z else z.copy(), *activation.args)
    return y, y


def _forward_on_gpu(z: Array, *, activation: Activation) -> tuple[Array, Array]:
    y = cuda.activated(z, None, activation)
    return y, y


def _backward(
    cotangent: Callable[..., Array], g: Array, y: Array, argnums: tuple[int, ...], z: Array, *, activation: Activation
) -> tuple[Array]:
    return (cotangent(g, y, z, activation),)


def cotangent(g: Array, y: Array, z: Array | None, activation: Activation, own: bool = False) -> Array:
    """Return the cotangent of `z`; an activation whose derivative follows from `y` needs no `z`.

    If `g` is the caller's `own` it may be overwritten.
    """
    formulas = FORMULAS[activation.name]
    if own and formulas.backward_in_place is not None:
        return formulas.backward_in_place(g, y)
    return formulas.backward(g, y, z, *activation.args)


_NUMPY = Pair(_forward, partial(_backward, cotangent))
_apply = fused(
    _composition,
    cpu=_NUMPY,
    gpu=Pair(_forward_on_gpu, partial(_backward, cuda.cotangent)),
    compiled=compiled.pair_beside(_NUMPY),
)

TANH = Activation("tanh")
