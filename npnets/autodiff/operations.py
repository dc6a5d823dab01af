"""Constructors of differentiable operations: `primitive` from two rules, `fused` from a composition and fast pairs.

A fused operation takes its fast path only where one single reverse pass is being traced. Any other use, such as nested
derivatives or forward mode, runs its plain composition, so that every order is right by construction.

Symbols: `g` is the cotangent of an operation's output; a *tangent* is the derivative of a value in the direction that
forward mode follows.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

from npnets.autodiff.derivatives import uncopied_vjp
from npnets.autodiff.tracing import (
    Pullback,
    define_rules,
    is_traced,
    opened,
    record,
    record_pullback,
    record_pullbacks,
)
from npnets.backend import Array, check_one_device, loaded_cupy, namespace
from npnets.underflow import ignoring_underflow

F = TypeVar("F", bound=Callable[..., Any])


def primitive(
    vjp: Callable[..., Any], jvp: Callable[..., Any], one_device: bool = True, copies_constants: bool = True
) -> Callable[[F], F]:
    """Make a function on bare arrays differentiable by giving its two rules.

    Parameters
    ----------
    vjp : callable
        `(argnum, g, output, args)` to the cotangent of argument `argnum`; written in `npnets.numpy`, so that
        it can be differentiated again.
    jvp : callable
        `(argnum, tangent, output, args)` to what that argument's tangent adds to the output's.
    one_device : bool
        Whether all arrays among the arguments must lie on one device.
    copies_constants : bool
        Whether constant arrays among the arguments are copied, unless they are read-only, so that refilling one later
        changes no gradient: not needed where the rules read no more than shapes and dtypes, or the caller has copied.

    Returns
    -------
    callable
        A decorator. Arguments given by keyword reach the rules by position. A result that is not floating point is a
        constant to every derivative.
    """

    def decorate(forward: F) -> F:
        parameters = inspect.signature(forward)

        @functools.wraps(forward)
        def operation(*args: object, **kwargs: object) -> object:
            if kwargs:
                args = _by_position(parameters, args, kwargs)
            trace, boxes, values, is_first_order = opened(args, copies_constants)
            if not is_first_order:
                return record(operation, operation(*values), values, trace, boxes)
            if one_device and loaded_cupy() is not None:
                _check_one_device(forward, values)
            output = forward(*values)
            if not boxes:
                return output
            argnums = [index for index, _ in boxes]
            return record_pullback(
                output, trace, boxes, lambda g: [vjp(argnum, g, output, values) for argnum in argnums]
            )

        def vjp_maker(argnums: tuple[int, ...], output: Array, args: object, kwargs: object) -> Pullback:
            return lambda g: [vjp(argnum, g, output, args) for argnum in argnums]

        @ignoring_underflow
        def jvp_maker(argnums: tuple[int, ...], tangents: Any, output: Any, args: Any, kwargs: object) -> object:
            parts = [jvp(n, tangent, output, args) for n, tangent in zip(argnums, tangents, strict=True)]
            return functools.reduce(lambda total, part: total + part, parts)

        define_rules(operation, vjp_maker, jvp_maker)
        return cast(F, operation)

    return decorate


class Pair(NamedTuple):
    """A fast forward and its backward by hand, for the arrays of one kind of processor.

    Parameters
    ----------
    forward : callable
        On bare arrays: from the arguments of the composition to `(output, residuals)`, with what the backward needs.
        An operation with several outputs returns a tuple of them.
    backward : callable
        On bare arrays: `(g, residuals, argnums, *args, **static)` to a tuple with the cotangents of the arguments at
        the positions `argnums`, in that order. With several outputs `g` is a list, `None` for those not used.
    evaluate : callable, optional
        On bare arrays: from the arguments to the output alone, where nothing is differentiated.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    evaluate: Callable[..., Any] | None = None


def fused(composition: F, cpu: Pair | None = None, gpu: Pair | None = None, compiled: Pair | None = None) -> F:
    """Join a plain composition with a fast forward and a hand-written backward for each kind of processor.

    Parameters
    ----------
    composition : callable
        The operation written in `npnets.numpy`. It defines the result and all derivatives, and computes them in every
        use but first-order reverse mode.
    cpu, gpu : Pair, optional
        For NumPy's arrays and for CuPy's: one pair given for both, if its code serves both. Without a pair for its
        arrays the operation runs its composition.
    compiled : Pair, optional
        In C, for NumPy's arrays in the place of `cpu`; `None` where the extension module is not in use.

    Returns
    -------
    callable
        With the signature of `composition`. Arrays are its positional arguments, and are not changed before the
        backward pass. Underflow inside is ignored.
    """
    composed, gpu = ignoring_underflow(composition), _ignoring_underflow(gpu)
    cpu = compiled or _ignoring_underflow(cpu)  # C reports no underflow

    def pair_for(args: Sequence[object]) -> Pair | None:
        """Choose the pair for arrays by their device."""
        _check_one_device(composition, args)
        return cpu if all(namespace(arg) is np for arg in args) else gpu

    @functools.wraps(composition)
    def operation(*args: object, **static: Any) -> Any:
        for key, value in static.items():
            if is_traced(value):
                raise _by_keyword(composition, key)
        trace, boxes, values, is_first_order = opened(args)
        if not is_first_order:
            return composed(*args, **static)
        pair = cpu if loaded_cupy() is None else pair_for(values)  # until CuPy is loaded, every array is NumPy's
        if pair is None:
            return composed(*args, **static)
        if not boxes:
            return pair.forward(*args, **static)[0] if pair.evaluate is None else pair.evaluate(*args, **static)
        output, residuals = pair.forward(*values, **static)
        argnums = tuple(index for index, _ in boxes)
        several = isinstance(output, tuple)

        def pullback(g: Any) -> Any:
            if any(is_traced(part) for part in g) if several else is_traced(g):
                whole = _whole(g, output) if several else g
                return _composed_pullback(composed, values, static, argnums)(whole)
            return pair.backward(g, residuals, argnums, *values, **static)

        return (record_pullbacks if several else record_pullback)(output, trace, boxes, pullback)

    return cast(F, operation)


def _ignoring_underflow(pair: Pair | None) -> Pair | None:
    if pair is None:
        return None
    evaluate = None if pair.evaluate is None else ignoring_underflow(pair.evaluate)
    return Pair(ignoring_underflow(pair.forward), ignoring_underflow(pair.backward), evaluate)


def _whole(g: list[Any], outputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return cotangents with zeros for the outputs that were not used."""
    return tuple(namespace(y).zeros_like(y) if part is None else part for part, y in zip(g, outputs, strict=True))


def _composed_pullback(composition: F, values: Sequence[object], static: Any, argnums: tuple[int, ...]) -> Any:
    """Return the composition's pullback for the arguments at `argnums`, which can be differentiated again."""

    def of_chosen(parts: list[object]) -> Any:
        args = list(values)
        for index, part in zip(argnums, parts, strict=True):
            args[index] = part
        return composition(*args, **static)

    return uncopied_vjp(of_chosen, [values[index] for index in argnums])[1]


def _by_position(
    parameters: inspect.Signature, args: tuple[object, ...], kwargs: dict[str, object]
) -> tuple[object, ...]:
    bound = parameters.bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.args


def _check_one_device(operation: Callable[..., Any], args: Sequence[object]) -> None:
    check_one_device(args, lambda: f"the arguments of {operation.__name__.lstrip('_')}")


def _by_keyword(operation: Callable[..., Any], key: str) -> TypeError:
    return TypeError(
        f"{operation.__name__} is differentiated with respect to arrays given by position, but {key!r} was given by "
        "keyword"
    )
