"""Reverse mode for functions of trees: `grad`, `value_and_grad`, `vjp`; and `stop_gradient`.

Each leaf array is traced, never the dicts around it: traced containers would cost more time than the networks in them.
"""

import functools
import warnings
from collections.abc import Callable
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, overload

import numpy as np

from npnets import tree
from npnets.autodiff.arguments import arguments, check_like, check_scalar, checked_leaf, split_aux, with_arguments
from npnets.autodiff.backward import backward_pass
from npnets.autodiff.devices import computing_where
from npnets.autodiff.hidden import map_arrays, untraced
from npnets.autodiff.ownership import in_dtype_of, own, own_copy, read_only, zeros_like
from npnets.autodiff.tracing import Traced, bare, belongs_to, is_traced, new_trace, reverse_root, untrace
from npnets.backend import namespace
from npnets.tree import Tree
from npnets.underflow import ignoring_underflow

P = ParamSpec("P")
T = TypeVar("T")
Value = TypeVar("Value")
Aux = TypeVar("Aux")

_NUMPY = (np.ndarray, np.float32, np.float64)


@overload
def grad(fun: Callable[Concatenate[Any, P], Any], argnum: Literal[0] = 0) -> Callable[Concatenate[T, P], T]: ...


@overload
def grad(fun: Callable[P, Any], argnum: tuple[int, ...]) -> Callable[P, tuple[Tree, ...]]: ...


@overload
def grad(fun: Callable[..., Any], argnum: int) -> Callable[..., Tree]: ...


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


@overload
def value_and_grad(
    fun: Callable[Concatenate[Any, P], Value], argnum: Literal[0] = 0, has_aux: Literal[False] = False
) -> Callable[Concatenate[T, P], tuple[Value, T]]: ...


@overload
def value_and_grad(
    fun: Callable[Concatenate[Any, P], tuple[Value, Aux]], argnum: Literal[0] = 0, *, has_aux: Literal[True]
) -> Callable[Concatenate[T, P], tuple[tuple[Value, Aux], T]]: ...


@overload
def value_and_grad(
    fun: Callable[P, Value], argnum: tuple[int, ...], has_aux: Literal[False] = False
) -> Callable[P, tuple[Value, tuple[Tree, ...]]]: ...


@overload
def value_and_grad(
    fun: Callable[..., Any], argnum: int | tuple[int, ...], has_aux: bool = False
) -> Callable[..., tuple[Any, Tree]]: ...


def value_and_grad(
    fun: Callable[..., Any], argnum: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., tuple[Any, Tree]]:
    """Return a function that computes a scalar function of trees and its gradient in one go.

    Parameters
    ----------
    fun : callable
        Returns a scalar, made with `npnets.numpy`, networks and operators; or, with `has_aux`, a pair of a scalar and
        anything else: a tree of arrays, such as statistics to log, in which distributions may stand.
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
    TypeError
        As `grad`; and if an array that is being differentiated hides inside of an object in `aux` that is no tree.
    ValueError
        As `grad`.
    """

    @functools.wraps(fun)
    def evaluate(*args: Any, **kwargs: Any) -> tuple[Any, Tree]:
        chosen, x = arguments(args, argnum)
        trace = new_trace()
        traced, roots = _roots(x, trace)
        with computing_where(traced):
            output = fun(*with_arguments(args, chosen, traced, isinstance(argnum, tuple)), **kwargs)
            loss, aux = split_aux(output) if has_aux else (output, None)
        value = own_copy(untrace(loss, trace))
        check_scalar(value)
        with computing_where((value, x)):
            gradient = _pull_back([loss], [_one_like(bare(value))], x, roots, trace)
        return ((value, untraced(aux, trace, is_aux=True)) if has_aux else value), gradient

    return evaluate


def vjp(fun: Callable[[T], Value], x: T) -> tuple[Value, Callable[[Value], T]]:
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
        `fun(x)`, in arrays of its own.
    pullback : callable
        From a cotangent, a tree shaped as `value`, to a tree shaped as `x`. It can be called any number of times, and
        depends on nothing that is changed in place meanwhile, `x` and `value` included.

    Raises
    ------
    TypeError
        If a leaf of `x` is no floating-point array, or `fun` returns an object other than a tree that holds arrays
        which are being differentiated.
    ValueError
        From the pullback, if the cotangent is shaped otherwise than `value`.
    """
    value, pullback = uncopied_vjp(fun, tree.map(own_copy, x))
    own_value: Tree = tree.map(own_copy, value)
    return own_value, pullback


def uncopied_vjp(fun: Callable[[Tree], Tree], x: Tree) -> tuple[Tree, Callable[[Tree], Tree]]:
    """Do as `vjp`; the value and the arrays that the pullback reads may share memory with `x` and with each other."""
    trace = new_trace()
    traced, roots = _roots(x, trace)
    with computing_where(traced):
        outputs = fun(traced)
    value = untraced(outputs, trace)

    def pullback(cotangent: Tree) -> Tree:
        tree.map(functools.partial(check_like, "cotangent"), value, cotangent)
        with computing_where((value, x)):
            return _pull_back(tree.leaves(outputs), tree.leaves(cotangent), x, roots, trace)

    return value, pullback


def stop_gradient(x: T) -> T:
    """Return a tree of the same values that every derivative takes for constants.

    Parameters
    ----------
    x : tree
        Arrays, or objects with a method `map_arrays(fun)` such as distributions; what holds no array stays as it is.

    Returns
    -------
    tree
        NumPy arrays as read-only views, because other operations may still need their numbers: take a `copy()` of one
        to change it. Arrays on a GPU, where nothing is read-only, as copies.

    Raises
    ------
    TypeError
        If an array that is being differentiated hides inside of another object.
    """
    return map_arrays(lambda leaf: read_only(bare(leaf)), x, is_traced, "what stop_gradient was given")


def _roots(x: Tree, trace: int) -> tuple[Tree, list[Traced]]:
    """Return a tree of traced arrays from which reverse mode starts, and these arrays."""
    roots: list[Traced] = []

    def root(leaf: object) -> Traced:
        roots.append(reverse_root(checked_leaf(leaf), trace))
        return roots[-1]

    return tree.map(root, x), roots


def _pull_back(outputs: list[Any], cotangents: list[Any], x: Tree, roots: list[Traced], trace: int) -> Tree:
    """Return a tree of the structure of `x` with the gradient of each root."""
    pairs = [pair for pair in zip(outputs, cotangents, strict=True) if belongs_to(pair[0], trace)]
    if not pairs:
        warnings.warn(
            "the function's output does not depend on the arrays that it is differentiated by: every gradient is "
            "zero; was it computed from other arrays, or behind stop_gradient?",
            stacklevel=3,
        )
    ends = [out for out, _ in pairs]
    reached = _backward(ends, [in_dtype_of(out, g) for out, g in pairs]) if pairs else {}
    given_away = {id(g) for g in cotangents}
    gradients = iter([_gradient_of(root, reached, given_away) for root in roots])
    return tree.map(lambda leaf: next(gradients), x)


_backward = ignoring_underflow(backward_pass)


def _gradient_of(root: Traced, reached: dict[object, Any], given_away: set[int]) -> Any:
    """Return a root's gradient in the root's dtype, as an array of its own."""
    g = reached.get(root._node)
    if g is None:
        return zeros_like(root._value)
    if type(g) is np.ndarray and g.base is None and g.dtype == root._value.dtype and id(g) not in given_away:
        given_away.add(id(g))
        return g
    return own(in_dtype_of(root, g), given_away)


def _one_like(value: Any) -> Any:
    """Return a one of a scalar's dtype, where that scalar lies."""
    return value.dtype.type(1) if type(value) in _NUMPY else namespace(value).ones_like(value)
