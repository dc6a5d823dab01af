"""Compares derivatives with central differences in float64, along one random direction at a time.

A wrong derivative agrees with the right one along a random direction with probability zero, so one direction is enough.
A function here takes one tree of float64 arrays to a tree of arrays. Both sides of a comparison are printed when they
differ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from backends import assert_allclose, on_backend

import npnets

Tree = Any
STEP = 1e-6


def direction_like(rng: np.random.Generator, x: Tree) -> Tree:
    """Return a tree of random arrays of the shapes and dtypes of another."""
    like = npnets.tree.to_numpy(x)
    drawn = npnets.tree.map(lambda leaf: rng.standard_normal(np.shape(leaf)).astype(np.asarray(leaf).dtype), like)
    return on_backend(drawn)


def inner(a: Tree, b: Tree) -> Any:
    """Return the inner product of two trees of one structure."""
    return sum(((p * q).sum() for p, q in zip(npnets.tree.leaves(a), npnets.tree.leaves(b), strict=True)), 0.0)


def along(fun: Callable[[Tree], Tree], x: Tree, v: Tree, step: float = STEP) -> Tree:
    """Return the derivative of a function at `x` in the direction `v`, by a central difference."""
    plus = fun(npnets.tree.map(lambda p, q: p + step * q, x, v))
    minus = fun(npnets.tree.map(lambda p, q: p - step * q, x, v))
    return npnets.tree.map(lambda p, q: (p - q) / (2 * step), plus, minus)


def assert_trees_close(actual: Tree, expected: Tree, rtol: float = 1e-6, atol: float = 1e-7) -> None:
    """Fail unless two trees have the same paths, and arrays of the same shapes and nearly the same values."""
    assert npnets.tree.paths(actual) == npnets.tree.paths(expected)
    for path, a, e in zip(
        npnets.tree.paths(actual), npnets.tree.leaves(actual), npnets.tree.leaves(expected), strict=True
    ):
        assert np.shape(a) == np.shape(e), path
        assert_allclose(a, e, rtol=rtol, atol=atol, err_msg=path)


def check_first_order(fun: Callable[[Tree], Tree], x: Tree, rng: np.random.Generator) -> None:
    """Compare forward mode with a central difference, and reverse mode with forward mode."""
    v = direction_like(rng, x)
    value, tangent = npnets.jvp(fun, x, v)
    assert_trees_close(value, fun(x), rtol=1e-12, atol=1e-12)
    assert_trees_close(tangent, along(fun, x, v))
    value, pullback = npnets.vjp(fun, x)
    assert_trees_close(value, fun(x), rtol=1e-12, atol=1e-12)
    cotangent = direction_like(rng, value)
    assert_allclose(inner(pullback(cotangent), v), inner(cotangent, tangent), rtol=1e-9, atol=1e-10)


def check_second_order(fun: Callable[[Tree], Tree], x: Tree, rng: np.random.Generator) -> None:
    """Compare forward over reverse with a difference of gradients, and reverse over reverse with it."""
    weights = direction_like(rng, fun(x))

    def loss(point: Tree) -> Any:
        output = fun(point)
        return inner(weights, npnets.tree.map(lambda a: a * a + a, output))

    v = direction_like(rng, x)
    product = npnets.hvp(loss)(x, v)
    assert_trees_close(product, along(npnets.grad(loss), x, v), rtol=1e-5, atol=1e-6)
    again = npnets.grad(lambda point: inner(npnets.grad(loss)(point), v))(x)
    assert_trees_close(again, product, rtol=1e-9, atol=1e-10)


def check_third_order(fun: Callable[[Tree], Tree], x: Tree, rng: np.random.Generator) -> None:
    """Compare forward over forward over reverse with a difference of products, and reverse thrice with it."""
    weights = direction_like(rng, fun(x))

    def loss(point: Tree) -> Any:
        output = fun(point)
        return inner(weights, npnets.tree.map(lambda a: a * a * a + a, output))

    v, w = direction_like(rng, x), direction_like(rng, x)
    product = lambda point: npnets.hvp(loss)(point, v)  # noqa: E731
    third = npnets.jvp(product, x, w)[1]
    scale = max([float(abs(npnets.tree.to_numpy(leaf)).max(initial=1.0)) for leaf in npnets.tree.leaves(third)])
    assert_trees_close(third, along(product, x, w), rtol=1e-5, atol=1e-6 * scale)
    slope = lambda point: inner(npnets.grad(loss)(point), v)  # noqa: E731
    again = npnets.grad(lambda point: inner(npnets.grad(slope)(point), w))(x)
    assert_trees_close(again, third, rtol=1e-9, atol=1e-10 * scale)
