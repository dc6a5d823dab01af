"""Derivatives of functions of trees: `grad`, `value_and_grad`, `vjp`, `jvp`, `hvp`, `stop_gradient`.

What is traced is each leaf array, never the dicts around it: containers that are traced themselves cost more time than
the networks in them.
"""

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from npnets import tree
from npnets.autodiff.arguments import (
    arguments,
    checked_leaf,
    device_of_leaves,
    require_alike,
    require_scalar,
    split_aux,
    with_arguments,
)
from npnets.autodiff.tracing import (
    Traced,
    backward_pass,
    bare,
    belongs_to,
    forward_root,
    is_traced,
    new_trace,
    reverse_root,
    tangent_of,
    untrace,
)
from npnets.backend import namespace
from npnets.tree import Tree

_NUMPY = (np.ndarray, np.float32, np.float64)


def grad(fun: Callable[..., Any], argnum: int | tuple[int, ...] = 0) -> Callable[..., Tree]:
    """Return a function that computes the gradient of a scalar function of trees.

    Parameters
    ----------
    fun : callable
        Returns a scalar, made with `npnets.numpy`, networks and operators.
    argnum : int or tuple of int
        Which positional argument to differentiate with respect to.

    Returns
    -------
    callable
        Takes the arguments of `fun`; returns a tree with the structure, shapes and dtypes of that argument, or a tuple
        of trees for a tuple of numbers.

    Raises
    ------
    TypeError
        If a leaf to differentiate with respect to is no floating-point array, or the loss is no array.
    ValueError
        If the loss is not a scalar.
    """
    value_and_gradient = value_and_grad(fun, argnum)

    @functools.wraps(fun)
    def gradient(*args: Any, **kwargs: Any) -> Tree:
        return value_and_gradient(*args, **kwargs)[1]

    return gradient


def value_and_grad(
    fun: Callable[..., Any], argnum: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., tuple[Any, Tree]]:
    """Return a function that computes a scalar function of trees and its gradient in one go.

    Parameters
    ----------
    fun : callable
        Returns a scalar, made with `npnets.numpy`, networks and operators; or, with `has_aux`, a pair of a scalar and
        anything else (a tree of arrays, such as statistics to log).
    argnum : int or tuple of int
        Which positional argument to differentiate with respect to.
    has_aux : bool
        Whether `fun` returns such a pair.

    Returns
    -------
    callable
        Takes the arguments of `fun`; returns `(value, gradient)`, or `((value, aux), gradient)` with `has_aux`. The
        gradient has the structure, shapes and dtypes of the argument.

    Raises
    ------
    TypeError, ValueError
        As `grad`.
    """

    @functools.wraps(fun)
    def evaluate(*args: Any, **kwargs: Any) -> tuple[Any, Tree]:
        chosen, x = arguments(args, argnum)
        with device_of_leaves(x):
            trace = new_trace()
            roots = _roots(x, trace)
            answer = fun(*with_arguments(args, chosen, roots, isinstance(argnum, tuple)), **kwargs)
            loss, aux = split_aux(answer) if has_aux else (answer, None)
        value = untrace(loss, trace)
        require_scalar(value)
        with device_of_leaves((value, x)):
            gradient = _pull_back([loss], [_one_like(bare(value))], roots, trace)
        return ((value, tree.map(lambda leaf: untrace(leaf, trace), aux)) if has_aux else value), gradient

    return evaluate


def vjp(fun: Callable[[Tree], Tree], x: Tree) -> tuple[Tree, Callable[[Tree], Tree]]:
    """Evaluate a function and return the pullback that applies its transposed Jacobian.

    Parameters
    ----------
    fun : callable
        From a tree of arrays to a tree of arrays.
    x : tree
        Where to evaluate it.

    Returns
    -------
    value : tree
        `fun(x)`.
    pullback : callable
        From a cotangent, a tree shaped as `value`, to a tree shaped as `x`. It can be called any number of times, as
        long as the arrays of `x` are not changed in place.

    Raises
    ------
    TypeError
        If a leaf of `x` is no floating-point array.
    ValueError
        From the pullback, if the cotangent is shaped otherwise than `value`.
    """
    trace = new_trace()
    roots = _roots(x, trace)
    with device_of_leaves(x):
        answer = fun(roots)
    value = tree.map(lambda leaf: untrace(leaf, trace), answer)

    def pullback(cotangent: Tree) -> Tree:
        tree.map(functools.partial(require_alike, "cotangent"), value, cotangent)
        with device_of_leaves((value, x)):
            return _pull_back(tree.leaves(answer), tree.leaves(cotangent), roots, trace)

    return value, pullback


def jvp(fun: Callable[[Tree], Tree], x: Tree, v: Tree) -> tuple[Tree, Tree]:
    """Evaluate a function and its derivative in one direction, by forward mode.

    Parameters
    ----------
    fun : callable
        From a tree of arrays to a tree of arrays.
    x : tree
        Where to evaluate it.
    v : tree
        The direction, shaped as `x`.

    Returns
    -------
    value, tangent : tree
        `fun(x)`, and the Jacobian of `fun` at `x` times `v`.

    Raises
    ------
    TypeError
        If a leaf of `x` is no floating-point array.
    ValueError
        If `v` is shaped otherwise than `x`.
    """
    trace = new_trace()
    x = tree.map(checked_leaf, x)
    tree.map(functools.partial(require_alike, "direction"), x, v)
    given_away = {id(g) for g in tree.leaves(v)}

    def tangent(leaf: Any) -> Any:
        return _own(tangent_of(leaf), given_away) if belongs_to(leaf, trace) else _zeros_like(leaf)

    with device_of_leaves(x):
        answer = fun(tree.map(lambda leaf, g: forward_root(leaf, trace, _in_dtype_of(leaf, g)), x, v))
        return tree.map(lambda leaf: untrace(leaf, trace), answer), tree.map(tangent, answer)


def hvp(fun: Callable[..., Any]) -> Callable[..., Tree]:
    """Return a function that multiplies the Hessian of a scalar function by a vector, forward over reverse.

    Parameters
    ----------
    fun : callable
        From a tree of arrays, and further arguments if any, to a scalar.

    Returns
    -------
    callable
        Takes `(x, v, *args)`, with `v` shaped as `x`; returns the product, shaped as `x`.
    """
    gradient = grad(fun)

    def product(x: Tree, v: Tree, *args: Any, **kwargs: Any) -> Tree:
        return jvp(lambda point: gradient(point, *args, **kwargs), x, v)[1]

    return product


def stop_gradient(x: Tree) -> Tree:
    """Return a tree of the same values that every derivative takes for constants."""
    return tree.map(bare, x)


def _roots(x: Tree, trace: int) -> Tree:
    return tree.map(lambda leaf: reverse_root(checked_leaf(leaf), trace), x)


def _pull_back(outputs: list[Any], cotangents: list[Any], roots: Tree, trace: int) -> Tree:
    pairs = [pair for pair in zip(outputs, cotangents, strict=True) if belongs_to(pair[0], trace)]
    ends = [(out, _in_dtype_of(out, g)) for out, g in pairs]
    if not ends:
        warnings.warn(
            "the function's answer does not depend on what it is differentiated with respect to: every gradient is "
            "zero; was it computed from other arrays, or behind stop_gradient?",
            stacklevel=3,
        )
    reached = backward_pass(ends) if ends else {}
    given_away = {id(g) for g in cotangents}
    return tree.map(lambda root: _gradient_of(root, reached, given_away), roots)


def _gradient_of(root: Traced, reached: dict[Any, Any], given_away: set[int]) -> Any:
    """Return a root's gradient in the root's dtype, as an array of its own."""
    g = reached.get(root._node)
    if g is None:
        return _zeros_like(root._value)
    if type(g) is np.ndarray and g.base is None and g.dtype == root._value.dtype and id(g) not in given_away:
        given_away.add(id(g))
        return g
    return _own(_in_dtype_of(root, g), given_away)


def _one_like(value: Any) -> Any:
    """Return a one of a scalar's dtype, where that scalar lies."""
    return value.dtype.type(1) if type(value) in _NUMPY else namespace(value).ones_like(value)


def _own(g: Any, given_away: set[int]) -> Any:
    """Return an array that a caller may change in place: a copy where others have it, or see the same memory."""
    if isinstance(g, np.generic):
        return np.asarray(g)
    shared = not is_traced(g) and (g.base is not None or id(g) in given_away)
    given_away.add(id(g))
    return g.copy() if shared else g


def _in_dtype_of(x: Any, g: Any) -> Any:
    """Return the cotangent or direction of an array in that array's dtype."""
    g = g if hasattr(g, "dtype") else namespace(bare(x)).asarray(g)
    return g if g.dtype == x.dtype else g.astype(x.dtype)


def _zeros_like(x: Any) -> Any:
    return namespace(bare(x)).zeros_like(bare(x))
