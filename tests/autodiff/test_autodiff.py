"""`grad`, `value_and_grad`, `vjp`, `jvp`, `hvp`, `stop_gradient`: values, structure, ownership, and what is refused.

How derivatives nest is in `test_nesting.py`, and how they share a process with threads in `test_threads.py`.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, on_backend, rounding
from finite_differences import along, assert_trees_close, check_first_order, check_second_order, direction_like, inner
from hypothesis import given
from hypothesis import strategies as st
from ownership import assert_owned

import npnets
import npnets.numpy as nnp
from npnets.autodiff import Pair, fused


class Layer(NamedTuple):
    """A named tuple in a tree of parameters."""

    weight: Any
    bias: Any


def _params(seed: int = 0, dtype: type = np.float64) -> Any:
    rng = np.random.default_rng(seed)
    draw = lambda *shape: rng.normal(size=shape).astype(dtype)  # noqa: E731
    return on_backend({"b": [draw(3, 4), (draw(4),)], "a": Layer(draw(4, 1), draw(1)), "scale": draw()})


def _network(params: Any, x: Any) -> Any:
    hidden = nnp.tanh(x @ params["b"][0] + params["b"][1][0])
    return (hidden @ params["a"].weight + params["a"].bias) * params["scale"]


X = np.random.default_rng(1).normal(size=(5, 3))


def _loss(params: Any, x: Any = X) -> Any:
    return nnp.mean(nnp.square(_network(params, on_backend(x)) - 1.0))


# -- values -----------------------------------------------------------------------------------------------------------


@given(st.integers(0, 999))
def test_gradients_of_nested_trees_agree_with_central_differences(seed: int) -> None:
    params, rng = _params(seed), np.random.default_rng(seed + 1)
    v = direction_like(rng, params)
    value, gradient = npnets.value_and_grad(_loss)(params)
    assert_allclose(value, _loss(params), rtol=1e-14)
    assert_allclose(inner(gradient, v), along(_loss, params, v), rtol=1e-6, atol=1e-8)
    assert_trees_close(npnets.grad(_loss)(params), gradient, 0, 0)


@given(st.integers(0, 999))
def test_vjp_jvp_and_hvp_agree_with_central_differences(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def outputs(params: Any) -> Any:
        return {"output": _network(params, on_backend(X)), "norm": [nnp.sum(params["b"][0] ** 2), params["scale"]]}

    check_first_order(outputs, _params(seed), rng)
    check_second_order(outputs, _params(seed), rng)


def test_a_gradient_is_what_one_computes_by_hand() -> None:
    x = on_backend({"x": np.array(2.0), "y": np.array(5.0)})
    output = npnets.value_and_grad(lambda p, k: k * p["x"] ** 3 + p["y"])(x, 4.0)
    assert as_numpy(output) == (37.0, {"x": 48.0, "y": 1.0})


def test_argnum_chooses_the_argument_and_a_tuple_gives_a_tuple() -> None:
    def fun(x: Any, y: Any, z: Any, power: int = 1) -> Any:
        return nnp.sum(x * y**power) + nnp.sum(z["w"])

    x, y, z = on_backend((np.array([1.0, 2.0]), np.array([3.0, 4.0]), {"w": np.ones(2)}))
    assert_allclose(npnets.grad(fun, 1)(x, y, z, power=2), 2 * x * y, rtol=rounding(0.0, 1e-12))
    assert_allclose(npnets.grad(fun)(x, y, z, power=2), y**2, rtol=rounding(0.0, 1e-12))
    for_z, for_x = npnets.grad(fun, (2, 0))(x, y, z)
    assert_array_equal(for_x, y)
    assert_array_equal(for_z["w"], [1, 1])
    assert isinstance(npnets.grad(fun, (1,))(x, y, z), tuple)
    value, (for_y, _) = npnets.value_and_grad(fun, argnum=(1, 2))(x, y, z)
    assert_array_equal(value, 13)
    assert_array_equal(for_y, x)
    assert_array_equal(npnets.grad(fun, -2)(x, y, z), x)


@pytest.mark.numpy_alone("Python's floats become NumPy's arrays")
def test_python_floats_are_leaves_too() -> None:
    assert npnets.value_and_grad(lambda x: x * x)(3.0) == (9.0, 6.0)
    assert npnets.jvp(lambda x: x * x, 3.0, 2.0) == (9.0, 12.0)


def test_aux_is_returned_beside_the_value_as_plain_arrays() -> None:
    def loss(x: Any) -> Any:
        y = nnp.tanh(x)
        return nnp.sum(y), {"y": y, "parts": [y[0], "text", None], "x": x}

    x = np.array([0.5, -1.0])
    (value, aux), gradient = npnets.value_and_grad(loss, has_aux=True)(on_backend(x))
    assert_allclose(value, np.tanh(x).sum())
    assert type(aux["y"]) is type(aux["x"]) is type(on_backend(x))
    assert_allclose(aux["y"], np.tanh(x))
    assert_allclose(float(as_numpy(aux["parts"][0])), np.tanh(0.5))
    assert aux["parts"][1:] == ["text", None]
    assert_allclose(gradient, 1 - np.tanh(x) ** 2)


def test_stop_gradient_makes_a_constant_of_a_tree_for_every_derivative() -> None:
    x = on_backend(np.array([2.0, 3.0]))
    assert_array_equal(npnets.grad(lambda a: nnp.sum(a * npnets.stop_gradient({"k": [a * a]})["k"][0]))(x), x * x)
    assert_array_equal(npnets.jvp(lambda a: a * npnets.stop_gradient(a * a), x, np.ones_like(x))[1], x * x)
    assert_array_equal(npnets.stop_gradient(x), x)


def test_a_pullback_can_be_called_again_and_is_linear() -> None:
    value, pullback = npnets.vjp(lambda p: _network(p, on_backend(X)), _params())
    g = direction_like(np.random.default_rng(2), value)
    once = pullback(g)
    assert_trees_close(pullback(g), once, 0, 0)
    assert_trees_close(pullback(3 * g), npnets.tree.map(lambda leaf: 3 * leaf, once), 1e-12)


def test_an_output_that_appears_twice_gets_both_cotangents() -> None:
    x, ones = on_backend((np.array([1.0, 2.0]), np.ones(2)))
    _, pullback = npnets.vjp(lambda a: (lambda y: [y, y, a])(a * a), x)
    assert_array_equal(pullback([ones, 10 * ones, 100 * ones]), 22 * x + 100)


# -- structure, dtype and ownership -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_have_the_structure_shapes_and_dtypes_of_the_argument(dtype: type) -> None:
    params = _params(dtype=dtype)
    value, gradient = as_numpy(npnets.value_and_grad(_loss)(params, X.astype(dtype)))
    assert value.dtype == dtype
    assert type(gradient["b"][1]) is tuple and type(gradient["a"]) is Layer
    assert [(g.shape, g.dtype) for g in npnets.tree.leaves(gradient)] == [
        (p.shape, p.dtype) for p in npnets.tree.leaves(params)
    ]


def test_leaves_of_several_dtypes_each_get_their_own() -> None:
    x = on_backend({"a": np.ones(2, np.float32), "b": np.ones(2, np.float64)})
    gradient = as_numpy(npnets.grad(lambda p: nnp.sum(p["a"] * p["b"] * 2))(x))
    assert (gradient["a"].dtype, gradient["b"].dtype) == (np.float32, np.float64)


def test_cotangents_and_directions_of_another_dtype_are_brought_to_the_arrays_own() -> None:
    x = on_backend(np.ones(3, np.float32))
    for other in on_backend((np.full(3, 2.0), np.full(3, 2))):
        tangent = npnets.jvp(lambda a: a, x, other)[1]
        cotangent = npnets.vjp(lambda a: a, x)[1](other)
        assert tangent.dtype == cotangent.dtype == np.float32
        assert_array_equal(tangent, [2, 2, 2])
        assert_array_equal(cotangent, [2, 2, 2])


def test_the_cotangent_or_direction_of_an_array_of_no_dimension_may_be_a_python_number() -> None:
    x = on_backend(np.asarray(3.0))
    assert_array_equal(npnets.vjp(lambda a: a * a, x)[1](2.0), 12)
    assert_array_equal(npnets.jvp(lambda a: a * a, x, 2.0)[1], 12)


def test_leaves_that_are_not_used_get_zeros_without_a_warning() -> None:
    x = on_backend({"used": np.ones(2), "not": np.ones((2, 3), np.float32)})
    gradient = npnets.grad(lambda p: nnp.sum(p["used"]))(x)
    assert_array_equal(gradient["not"], np.zeros((2, 3)))
    assert gradient["not"].dtype == np.float32
    tangents = npnets.jvp(lambda p: [p["used"], on_backend(np.ones(2))], x, x)[1]
    assert_array_equal(tangents[1], [0, 0])


def test_an_output_that_depends_on_nothing_gives_zeros_with_a_warning() -> None:
    x = on_backend({"a": np.ones(2)})
    for fun in (lambda p: nnp.sum(npnets.stop_gradient(p["a"])), lambda p: 3.0, lambda p: np.float32(1)):
        with pytest.warns(UserWarning, match="does not depend on the arrays that it is differentiated by.*zero"):
            gradient = npnets.grad(fun)(x)
        assert_array_equal(gradient["a"], [0, 0])


OWNERSHIP = {
    "identity": lambda p: p["x"],
    "both the same": lambda p: p["x"] + p["y"],
    "views": lambda p: [nnp.reshape(p["x"], -1), p["y"].T, nnp.broadcast_to(p["x"], (4, 2, 3)), p["x"][0]],
    "in a row": lambda p: [p["x"] - p["y"], p["x"], nnp.concatenate([p["x"], p["y"]])],
    "sums": lambda p: [nnp.sum(p["x"]), nnp.sum(p["y"], 1), nnp.sum(p["x"] + p["y"], 0)],
    "linear": lambda p: p["x"] @ p["y"].T,
}


@pytest.mark.parametrize("name", OWNERSHIP)
def test_derivatives_are_arrays_of_ones_own(name: str) -> None:
    rng = np.random.default_rng(0)
    x = on_backend({"x": rng.normal(size=(2, 3)), "y": rng.normal(size=(2, 3))})
    value, pullback = npnets.vjp(OWNERSHIP[name], x)
    cotangent = direction_like(rng, value)
    v = direction_like(rng, x)
    gradient, tangent = pullback(cotangent), npnets.jvp(OWNERSHIP[name], x, v)[1]
    before = pullback(cotangent)
    for result in (gradient, tangent):
        assert_owned(result, [x, v, cotangent, value])
    assert_trees_close(pullback(cotangent), before, 0, 0)


# -- what is refused --------------------------------------------------------------------------------------------------

ONES = np.ones((2, 3))


@pytest.mark.parametrize(
    ("fun", "x", "error", "words"),
    [
        (lambda x: x * 2, ONES, ValueError, r"scalar loss of shape \(\), .* shape \(2, 3\); reduce it with .*mean"),
        (lambda x: nnp.sum(x, keepdims=True), ONES, ValueError, r"returned shape \(1, 1\)"),
        (lambda x: [nnp.sum(x)], ONES, TypeError, "scalar loss, but the function returned a list"),
        (lambda x: None, ONES, TypeError, "scalar loss, but the function returned a NoneType"),
        (
            nnp.sum,
            np.ones(2, int),
            TypeError,
            r"floating-point arrays .* dtype int64; convert it with astype\(numpy.float32",
        ),
        (nnp.sum, {"a": ONES, "b": 3}, TypeError, "floating-point arrays .* but got int 3"),
        (nnp.sum, ONES > 0, TypeError, "dtype bool"),
        (nnp.sum, {"a": ONES, "b": "text"}, TypeError, "floating-point arrays .* but got str 'text'"),
    ],
)
def test_losses_and_leaves_that_have_no_gradient_are_refused(fun: Any, x: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        npnets.grad(fun)(on_backend(x))


def test_argnum_must_name_different_arguments_that_are_given_by_position() -> None:
    ones = on_backend(ONES)
    with pytest.raises(ValueError, match=r"argnum is 1, .* 1 positional arguments; .* by position, not by keyword"):
        npnets.grad(lambda x, y: nnp.sum(x * y), 1)(ones, y=ones)
    for wrong in ((0, 0), (0, -1), (), "x", True):
        with pytest.raises(ValueError, match="argnum must be a number or a tuple of"):
            npnets.grad(lambda x: nnp.sum(x), wrong)(ones)


def test_has_aux_needs_a_pair() -> None:
    for output in (lambda x: nnp.sum(x), lambda x: (nnp.sum(x), 1, 2), lambda x: [nnp.sum(x), 1]):
        with pytest.raises(TypeError, match=r"has_aux the function must return a pair \(loss, aux\)"):
            npnets.value_and_grad(output, has_aux=True)(on_backend(ONES))


def test_a_loss_with_other_values_beside_it_gets_an_error_that_names_has_aux() -> None:
    with pytest.raises(TypeError, match="returned a tuple; to return other values beside the loss, pass has_aux=True"):
        npnets.grad(lambda x: (nnp.sum(x), x))(on_backend(ONES))


@pytest.mark.parametrize("wrong", [np.ones(3), np.ones((3, 2)), np.ones(()), 1.0, np.ones((2, 3, 1))])
def test_cotangents_and_directions_of_another_shape_are_refused(wrong: Any) -> None:
    ones, wrong = on_backend((ONES, wrong))
    with pytest.raises(ValueError, match=r"cotangent of shape \(2, 3\), but got"):
        npnets.vjp(lambda x: x * 2, ones)[1](wrong)
    with pytest.raises(ValueError, match=r"direction of shape \(2, 3\), but got"):
        npnets.jvp(lambda x: x * 2, ones, wrong)
    with pytest.raises(ValueError, match="direction of shape"):
        npnets.hvp(nnp.sum)(ones, wrong)
    with pytest.raises(ValueError, match="differ at 'the root'"):
        npnets.jvp(lambda x: x["a"], {"a": ones}, {"b": ones})


def test_the_gradient_leaves_no_warning_behind_on_a_usual_loss() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        as_numpy(npnets.hvp(_loss)(_params(), _params(1)))


def test_the_gradient_of_an_array_of_no_dimension_is_an_array_of_no_dimension() -> None:
    params = on_backend({"log_alpha": np.zeros((), np.float32)})
    gradient = npnets.grad(lambda params: nnp.exp(params["log_alpha"]))(params)
    assert type(gradient["log_alpha"]) is type(params["log_alpha"])
    assert gradient["log_alpha"].shape == () and gradient["log_alpha"].dtype == np.float32
    assert_array_equal(gradient["log_alpha"], 1)
    gradient["log_alpha"][...] = 2  # an array of one's own


def test_a_fused_operation_refuses_to_differentiate_an_array_given_by_keyword() -> None:
    def scaled(x: Any, *, by: Any) -> Any:
        return x * by

    ones = on_backend(ONES)
    pair = Pair(lambda x, *, by: (x * by, None), lambda g, residuals, argnums, x, *, by: (g * by,))
    operation = fused(scaled, cpu=pair, gpu=pair)
    with pytest.raises(TypeError, match="scaled .* given by position, but 'by' was given by keyword"):
        npnets.grad(lambda by: nnp.sum(operation(ones, by=by)))(ones)
