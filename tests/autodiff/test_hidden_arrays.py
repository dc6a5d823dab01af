"""No traced array leaves a derivative unnoticed: objects that are no trees map over their arrays, or are refused."""

from __future__ import annotations

import collections
import functools
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, on_backend

import npnets
import npnets.numpy as nnp
from npnets.distributions import Gaussian, SquashedGaussian

X = np.array([[0.5, -1.5], [1.0, 0.25]])
SIGMA = np.full((2, 2), 0.5)


def _distribution(kind: str, mu: Any) -> Any:
    sigma = on_backend(SIGMA)
    return Gaussian(mu, sigma) if kind == "Gaussian" else SquashedGaussian(mu, sigma, -1.0, 2.0)


@pytest.mark.parametrize("kind", ["Gaussian", "SquashedGaussian"])
def test_stop_gradient_stops_at_a_distribution_as_at_its_arrays(kind: str) -> None:
    def loss(mu: Any) -> Any:
        stopped = npnets.stop_gradient({"policy": [_distribution(kind, mu * mu)]})["policy"][0]
        assert type(stopped).__name__ == kind
        return nnp.sum(stopped.mu * mu + stopped.sigma)

    assert_allclose(npnets.grad(loss)(on_backend(X)), X * X)


def test_stop_gradient_keeps_the_bounds_of_a_squashed_distribution() -> None:
    stopped = npnets.stop_gradient(SquashedGaussian(on_backend(X), on_backend(SIGMA), np.array([-1.0, 0.0]), 2.0))
    assert (stopped.low, stopped.high) == ((-1.0, 0.0), 2.0)


def test_a_distribution_in_aux_comes_out_with_plain_arrays() -> None:
    def loss(mu: Any) -> Any:
        policy = Gaussian(mu * 2, on_backend(SIGMA))
        return nnp.sum(policy.log_prob(on_backend(np.zeros((2, 2))))), {"policy": policy, "name": "text"}

    (_, aux), _ = npnets.value_and_grad(loss, has_aux=True)(on_backend(X))
    assert type(aux["policy"].mu) is type(on_backend(X))
    assert_array_equal(aux["policy"].mu, 2 * X)
    assert aux["name"] == "text"


@dataclass(frozen=True)
class Belief:
    """A user's own object with an array, which maps over it."""

    mean: Any
    name: str

    def map_arrays(self, fun: Callable[[Any], Any]) -> Belief:
        return Belief(fun(self.mean), self.name)


def test_an_object_of_ones_own_takes_part_by_map_arrays() -> None:
    def loss(x: Any) -> Any:
        return nnp.sum(x * npnets.stop_gradient(Belief({"deep": x * 3}["deep"], "b")).mean), Belief(x, "aux")

    (_, aux), gradient = npnets.value_and_grad(loss, has_aux=True)(on_backend(X))
    assert_allclose(gradient, 3 * X)
    assert aux.name == "aux"
    assert_array_equal(aux.mean, X)


@dataclass
class Opaque:
    """An object that nothing maps over."""

    array: Any


class Slotted:
    """An object without a `__dict__`."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array


def _objects(x: Any) -> Any:
    array = np.empty(2, object)
    array[0], array[1] = 1.0, x
    return array


def _generator(x: Any) -> Any:
    yield x


HIDING_PLACES: dict[str, Callable[[Any], Any]] = {
    "a deque": lambda x: collections.deque([1, x]),
    "a view of a dict": lambda x: {"a": x}.values(),
    "a namespace": lambda x: types.SimpleNamespace(deep=[{"a": x}]),
    "a mapping that is no dict": lambda x: types.MappingProxyType({"a": x}),
    "an array of objects": _objects,
    "a dataclass": Opaque,
    "slots": Slotted,
    "a list inside": lambda x: Opaque([Slotted({"a": x})]),
    "a closure": lambda x: lambda: x,
    "a default": lambda x: functools.wraps(_objects)(lambda y=x: y),
    "a partial": lambda x: functools.partial(_objects, x),
    "a set": lambda x: frozenset([Slotted(x)]),
    "an iterator": lambda x: iter([x]),
    "a generator": _generator,
    "the way back from a vector": lambda x: npnets.tree.ravel({"a": x, "b": x * 1}, only=lambda path: path == "a")[1],
}
each_place = pytest.mark.parametrize("hide", HIDING_PLACES.values(), ids=HIDING_PLACES)
INSIDE = (
    "holds an array that is being differentiated inside of a .*, which is no tree; put its arrays into nested dicts"
)


@each_place
def test_stop_gradient_refuses_an_object_that_hides_a_traced_array(hide: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=f"stop_gradient was given {INSIDE}.*or give the class a method map_arrays"):
        npnets.grad(lambda x: nnp.sum(x * 1 + 0 * len([npnets.stop_gradient([hide(x)])])))(on_backend(X))


@each_place
def test_aux_and_the_outputs_of_vjp_and_jvp_refuse_an_object_that_hides_a_traced_array(
    hide: Callable[[Any], Any],
) -> None:
    x = on_backend(X)
    with pytest.raises(TypeError, match=f"aux {INSIDE}.*or give the class a method map_arrays"):
        npnets.value_and_grad(lambda a: (nnp.sum(a), {"aux": hide(a)}), has_aux=True)(x)
    with pytest.raises(TypeError, match=f"the function returned {INSIDE}"):
        npnets.vjp(lambda a: [a, hide(a)], x)
    with pytest.raises(TypeError, match=f"the function returned {INSIDE}"):
        npnets.jvp(lambda a: [a, hide(a)], x, x)


@each_place
def test_objects_without_traced_arrays_pass_as_they_are(hide: Callable[[Any], Any]) -> None:
    hidden = hide(on_backend(X))
    stopped = npnets.stop_gradient([hidden])[0]
    assert stopped is hidden or stopped.base is hidden  # an array of objects becomes a read-only view
    (_, aux), _ = npnets.value_and_grad(lambda a: (nnp.sum(a), hidden), has_aux=True)(on_backend(X))
    assert aux is hidden


def test_vjp_and_jvp_say_that_a_distribution_is_no_tree_of_outputs() -> None:
    x = on_backend(X)
    fun = lambda mu: Gaussian(mu, on_backend(SIGMA))  # noqa: E731
    for differentiate in (lambda: npnets.vjp(fun, x), lambda: npnets.jvp(fun, x, x)):
        with pytest.raises(
            TypeError, match=r"inside of a Gaussian, which is no tree; put its arrays into nested dicts"
        ):
            differentiate()


def test_an_object_may_carry_an_array_of_an_outer_derivative_out_of_an_inner_one() -> None:
    def outer(x: Any) -> Any:
        (_, aux), _ = npnets.value_and_grad(lambda y: (nnp.sum(y), Opaque(x)), has_aux=True)(on_backend(X))
        return nnp.sum(aux.array * aux.array)

    assert_allclose(npnets.grad(outer)(on_backend(X)), 2 * X)


def test_an_object_that_leads_to_itself_is_searched_once() -> None:
    loop = types.SimpleNamespace()
    loop.itself = [loop, {"a": loop}]
    assert npnets.stop_gradient(loop) is loop
    loop.array = None
    with pytest.raises(TypeError, match="SimpleNamespace"):
        npnets.grad(lambda x: (setattr(loop, "array", x), npnets.stop_gradient(loop), nnp.sum(x))[2])(on_backend(X))


@pytest.mark.numpy_alone("no array is reached")
@pytest.mark.parametrize("hide", [collections.deque, lambda x: types.SimpleNamespace(a=x)])
def test_what_is_differentiated_must_be_a_tree(hide: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match="expected floating-point arrays to differentiate with respect to, but got"):
        npnets.grad(lambda x: 0.0)(hide([as_numpy(on_backend(X))]))


def test_a_traced_array_as_a_key_of_a_dict_is_refused() -> None:
    x = on_backend(X)
    with pytest.raises(TypeError, match="aux holds an array that is being differentiated as a key of a dict"):
        npnets.value_and_grad(lambda a: (nnp.sum(a), [{a * 2: 1}]), has_aux=True)(x)
    (_, aux), _ = npnets.value_and_grad(lambda a: (nnp.sum(a), {1: a, ("a", 2): 3}), has_aux=True)(x)
    assert_array_equal(aux[1], X)


class Counted(int):
    """A number with an attribute."""


@pytest.mark.parametrize("kind", ["an attribute of a number", "a field of a structured array"])
def test_arrays_hidden_in_numbers_and_structured_arrays_are_found(kind: str) -> None:
    def hide(x: Any) -> Any:
        if kind == "an attribute of a number":
            number = Counted(1)
            number.array = x
            return number
        structured = np.zeros(1, [("a", object), ("b", float)])
        structured["a"][0] = x
        return structured

    with pytest.raises(TypeError, match=INSIDE):
        npnets.grad(lambda x: nnp.sum(x) + 0 * len([npnets.stop_gradient(hide(x))]))(on_backend(X))
