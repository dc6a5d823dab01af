"""Derivatives inside derivatives, with plain autograd around or within, and after an exception: none is mistaken."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import autograd
import autograd.extend
import autograd.numpy as anp
import numpy as np
import pytest
from backends import assert_allclose, assert_array_equal, device, on_backend
from finite_differences import along, assert_trees_close, direction_like, inner
from kernel_cases import linear

import npnets
import npnets.numpy as nnp
from npnets.kernels.activations import Activation
from npnets.kernels.layer_norm import layer_norm

grad = npnets.grad


def _forward(fun: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The derivative of a function of one number, by forward mode."""
    return lambda x: npnets.jvp(fun, x, np.ones_like(npnets.stop_gradient(x)))[1]


MODES: dict[str, Callable[..., Any]] = {"npnets.grad": grad, "npnets.jvp": _forward, "autograd.grad": autograd.grad}
each_pair = pytest.mark.parametrize(
    ("outer", "inside"),
    [(a, b) for a in MODES.values() for b in MODES.values()],
    ids=[f"{a}-{b}" for a in MODES for b in MODES],
)


@pytest.fixture
def three() -> Any:
    return on_backend(np.asarray(3.0))


# -- telling one derivative from another ------------------------------------------------------------------------------


@each_pair
def test_a_nested_gradient_is_distinguished_from_the_outer_one(outer: Any, inside: Any, three: Any) -> None:
    assert_allclose(outer(lambda x: x * inside(lambda y: x + y)(2.0 * x))(three), 1)
    assert_allclose(outer(lambda x: x * inside(lambda y: x * y)(2.0 * x))(three), 6)
    assert_allclose(outer(lambda x: x * inside(lambda y: x * y * y)(x))(three), 6 * 9)


@each_pair
def test_a_derivative_of_a_derivative_is_the_second(outer: Any, inside: Any, three: Any) -> None:
    assert_allclose(outer(inside(lambda x: nnp.tanh(x) * x**3))(three), _second_derivative(3.0), rtol=1e-9)


def _second_derivative(x: float) -> float:
    t = np.tanh(x)
    return -2 * t * (1 - t**2) * x**3 + 2 * (1 - t**2) * 3 * x**2 + t * 6 * x  # type: ignore[no-any-return]


def test_four_derivatives_inside_each_other_are_the_fourth(three: Any) -> None:
    assert_allclose(grad(grad(_forward(grad(lambda x: x**5))))(three), 120 * 3)


def test_an_inner_derivative_with_respect_to_another_variable_depends_on_the_outer(three: Any) -> None:
    inner_one = lambda x: grad(lambda y: nnp.sin(x * y))(on_backend(np.asarray(2.0)))  # noqa: E731
    assert_allclose(grad(inner_one)(three), np.cos(6) - 6 * np.sin(6))


def test_an_inner_derivative_of_a_constant_function_of_its_argument_is_zero_and_warns(three: Any) -> None:
    with pytest.warns(UserWarning, match="does not depend"):
        gradient = grad(lambda x: x * grad(lambda y: x * 1.0)(x) + x)(three)
    assert_array_equal(gradient, 1)


def test_the_value_and_aux_of_an_inner_gradient_still_follow_the_outer(three: Any) -> None:
    def outer(x: Any) -> Any:
        (value, aux), inner_gradient = npnets.value_and_grad(lambda y: (x * y**2, x * y), has_aux=True)(x)
        return value * aux * inner_gradient

    assert_allclose(grad(outer)(three), 2 * 7 * 3**6)


def test_a_pullback_is_differentiable_in_its_cotangent_and_its_point() -> None:
    def outer(x: Any, g: Any) -> Any:
        return npnets.vjp(lambda y: nnp.sin(y) * x, x)[1](g * g)

    x, g = on_backend((np.asarray(0.7), np.asarray(1.3)))
    by_x, by_g = grad(outer, (0, 1))(x, g)
    assert_allclose(by_g, 2 * 1.3 * np.cos(0.7) * 0.7)
    assert_allclose(by_x, 1.69 * (np.cos(0.7) - 0.7 * np.sin(0.7)))


def test_stop_gradient_stops_the_outer_derivative_as_well(three: Any) -> None:
    assert_allclose(grad(grad(lambda x: x * npnets.stop_gradient(x) * x))(three), 6)


# -- exceptions -------------------------------------------------------------------------------------------------------


def test_an_exception_inside_the_traced_function_leaves_later_gradients_right(three: Any) -> None:
    def fail(x: Any) -> Any:
        raise KeyError("on purpose")

    for wrap in (grad, _forward, npnets.hvp, autograd.grad):
        for _ in range(3):
            with pytest.raises(KeyError, match="on purpose"):
                wrap(fail)(*[three] * (2 if wrap is npnets.hvp else 1))
            with pytest.raises(KeyError, match="on purpose"):
                grad(lambda x: x * wrap(fail)(*[x] * (2 if wrap is npnets.hvp else 1)))(three)  # noqa: B023
    for outer in MODES.values():
        assert_allclose(outer(lambda x: x * grad(lambda y: x * y)(2.0 * x))(three), 6)


def test_a_derivative_that_fails_inside_another_can_be_caught_and_the_outer_goes_on(three: Any) -> None:
    def outer(x: Any) -> Any:
        with pytest.raises(TypeError, match="no derivative"):
            grad(lambda y: np.median(x * y).sum())(x)
        return x * grad(lambda y: x * y * y)(x)

    assert_allclose(grad(outer)(three), 6 * 9)


# -- networks and kernels under autograd's own operators --------------------------------------------------------------

NET = npnets.Net(3, 2, (4,), norm_layer="layer_norm", activation="tanh")


def _observations() -> Any:
    return on_backend(np.random.default_rng(0).normal(size=(5, 3)))


def _kernel_loss(params: Any, x: Any = None) -> Any:
    x = _observations() if x is None else x
    hidden = layer_norm(linear(x, params["w"], params["b"], Activation("gelu")), params["g"], None)
    return nnp.sum(nnp.square(hidden) * nnp.exp(-0.1 * hidden))


def _network_loss(params: Any, x: Any = None) -> Any:
    x = _observations() if x is None else x
    return nnp.mean(nnp.square(NET.forward(params, x)[0] - 0.5))


def _kernel_params() -> Any:
    rng = np.random.default_rng(1)
    return {"w": rng.normal(size=(3, 4)), "b": rng.normal(size=4), "g": rng.normal(size=4)}


LOSSES = {
    "kernels": (_kernel_loss, _kernel_params()),
    "network": (_network_loss, NET.init(np.random.default_rng(2), np.float64)),
}


@pytest.fixture(params=LOSSES.values(), ids=LOSSES)
def problem(request: pytest.FixtureRequest) -> Any:
    """A loss, and parameters for it."""
    loss, params = request.param
    return loss, on_backend(params)


def test_autograds_operators_over_dicts_of_parameters_agree_with_ours(problem: Any) -> None:
    loss, params = problem
    rng = np.random.default_rng(3)
    v = direction_like(rng, params)
    gradient, product = grad(loss)(params), npnets.hvp(loss)(params, v)
    assert_allclose(inner(gradient, v), along(loss, params, v), rtol=1e-6)
    assert_trees_close(product, along(grad(loss), params, v), rtol=1e-5)
    assert_trees_close(autograd.grad(loss)(params), gradient, 1e-12)
    assert_allclose(autograd.make_jvp(loss)(params)(v)[1], inner(gradient, v), rtol=1e-12)
    assert_trees_close(autograd.make_hvp(loss)(params)[0](v), product, 1e-9)
    assert_trees_close(autograd.make_jvp(autograd.grad(loss))(params)(v)[1], product, 1e-9)


@pytest.mark.numpy_alone("autograd's jacobian and hessian stack what they find with NumPy")
def test_autograds_jacobian_and_hessian_over_a_flat_vector_agree_with_ours(problem: Any) -> None:
    loss, params = problem
    vector, _ = npnets.tree.ravel(params)

    def flat(w: Any) -> Any:
        pieces, start = [], 0
        for leaf in npnets.tree.leaves(params):
            pieces.append(nnp.reshape(w[start : start + leaf.size], leaf.shape))
            start += leaf.size
        rebuilt = npnets.tree.map(
            lambda leaf: pieces[[x is leaf for x in npnets.tree.leaves(params)].index(True)], params
        )
        return loss(rebuilt)

    gradient = npnets.tree.ravel(grad(loss)(params))[0]
    assert_allclose(autograd.jacobian(flat)(vector), gradient, rtol=1e-9, atol=1e-12)
    hessian = autograd.hessian(flat)(vector)
    columns = [npnets.hvp(flat)(vector, direction) for direction in on_backend(np.eye(len(vector)))]
    assert_allclose(hessian, columns, rtol=1e-8, atol=1e-10)
    assert_allclose(hessian, hessian.T, atol=1e-10)


def test_a_gradient_penalty_mixes_the_two_packages_in_either_order(problem: Any) -> None:
    loss, params = problem

    def penalty(inside: Any, p: Any) -> Any:
        return nnp.sum(nnp.square(inside(lambda x: loss(p, x))(_observations())))

    v = direction_like(np.random.default_rng(4), params)
    expected = along(functools.partial(penalty, grad), params, v)
    for outer in (grad, autograd.grad):
        for inside in (grad, autograd.grad):
            assert_allclose(inner(outer(functools.partial(penalty, inside))(params), v), expected, rtol=1e-5)


def _check_with_functions_of_autograd_numpy(total: Any) -> None:
    x = np.array([0.5, -1.0, 2.0])
    mixed = lambda a: total(nnp.tanh(a) * anp.sin(a) + anp.exp(a) / nnp.square(a))  # noqa: E731
    expected = (1 - np.tanh(x) ** 2) * np.sin(x) + np.tanh(x) * np.cos(x) + np.exp(x) * (x**-2 - 2 * x**-3.0)
    assert_allclose(grad(mixed)(on_backend(x)), expected)
    assert_allclose(autograd.grad(mixed)(on_backend(x)), expected)


def test_functions_of_autograd_numpy_work_on_our_arrays_and_ours_on_its() -> None:
    _check_with_functions_of_autograd_numpy(nnp.sum)


@pytest.mark.numpy_alone("the gradient of autograd's own sum is made of NumPy's arrays")
def test_the_sum_of_autograd_numpy_works_on_our_arrays_too() -> None:
    _check_with_functions_of_autograd_numpy(anp.sum)


def test_autograd_takes_arrays_for_vectors_of_one_space_if_their_shapes_and_dtypes_agree() -> None:
    def space(shape: tuple[int, ...], dtype: str) -> Any:
        return autograd.extend.vspace(on_backend(np.ones(shape, dtype)))

    assert space((2, 3), "f4") == space((2, 3), "f4")
    assert space((2, 3), "f4") != space((3, 2), "f4")
    assert space((2, 3), "f4") != space((2, 3), "f8")
    assert space((2, 3), "f4") != "float32"


@pytest.mark.numpy_alone("Python's floats are on no GPU")
def test_autograd_differentiates_our_functions_at_python_floats() -> None:
    assert_allclose(autograd.grad(lambda x: nnp.tanh(x) * nnp.maximum(x, 0.0))(1.0), np.tanh(1) + 1 - np.tanh(1) ** 2)
    assert_allclose(autograd.grad(autograd.grad(lambda x: nnp.exp(2 * x)))(1.0), 4 * np.exp(2))
    assert_allclose(autograd.grad(lambda x: nnp.sum(nnp.reshape(x, (1, 1)) * 3.0))(1.0), 3)


def test_a_plain_gradient_in_between_does_not_disturb_numbers_of_traces(three: Any) -> None:
    def outer(x: Any) -> Any:
        first = autograd.grad(lambda y: anp.sum(y * y))(2.0)
        second = grad(lambda y: x * y * first)(x)
        third = autograd.grad(lambda y: x * y * second)(2.0)
        return third * x

    assert_allclose(grad(outer)(three), 4 * 3 * 9)
    assert_array_equal(grad(outer)(three), autograd.grad(outer)(3.0 if device() == "cpu" else three))
