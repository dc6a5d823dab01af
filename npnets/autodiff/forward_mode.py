"""Forward mode: `jvp`, and `hvp`, which takes it over reverse mode."""

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from npnets import tree
from npnets.autodiff.arguments import check_like, checked_leaf
from npnets.autodiff.derivatives import grad
from npnets.autodiff.devices import computing_where
from npnets.autodiff.hidden import untraced
from npnets.autodiff.ownership import in_dtype_of, own, own_copy, zeros_like
from npnets.autodiff.tracing import belongs_to, forward_root, new_trace, tangent_of
from npnets.tree import Tree

P = ParamSpec("P")
T = TypeVar("T")
Value = TypeVar("Value")


def jvp(fun: Callable[[T], Value], x: T, v: T) -> tuple[Value, Value]:
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
        `fun(x)`, and the Jacobian of `fun` at `x` times `v`, in arrays of their own.

    Raises
    ------
    TypeError
        If a leaf of `x` is no floating-point array, or `fun` returns an object other than a tree that holds arrays
        which are being differentiated.
    ValueError
        If `v` is shaped otherwise than `x`.
    """
    value, tangent = _push_forward(fun, x, v)
    own_value: Tree = tree.map(own_copy, value)
    return own_value, tangent


def _push_forward(fun: Callable[[Tree], Tree], x: Tree, v: Tree) -> tuple[Tree, Tree]:
    """Do as `jvp`; the value may share memory with `x`."""
    trace = new_trace()
    x = tree.map(checked_leaf, x)
    tree.map(functools.partial(check_like, "direction"), x, v)
    given_away = {id(g) for g in tree.leaves(v)}

    def tangent(leaf: Any) -> Any:
        return own(tangent_of(leaf), given_away) if belongs_to(leaf, trace) else zeros_like(leaf)

    with computing_where(x):
        output = fun(tree.map(lambda leaf, g: forward_root(leaf, trace, in_dtype_of(leaf, g)), x, v))
        return untraced(output, trace), tree.map(tangent, output)


def hvp(fun: Callable[Concatenate[Any, P], Any]) -> Callable[Concatenate[T, T, P], T]:
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

    def product(x: T, v: T, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return _push_forward(lambda point: gradient(point, *args, **kwargs), x, v)[1]

    return product
