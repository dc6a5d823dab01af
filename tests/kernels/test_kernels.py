"""Every fused operation against its own plain composition, and that against central differences in float64.

`kernel_cases.py` has the table of calls. Each kernel is compared with the composition that it itself falls back on,
so both must be right for a test to pass: the composition by central differences, the fused pair by the composition.
"""

from __future__ import annotations

import importlib
import pkgutil
import warnings

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, bits, on_backend, rounding
from finite_differences import assert_trees_close, check_first_order, check_second_order, direction_like, inner
from kernel_case import Case
from kernel_cases import ARGUMENTS, CASES, each_case, linear, of_chosen_arrays, subsets

import npnets
import npnets.kernels
import npnets.numpy as nnp
from npnets.kernels.activation_formulas import FORMULAS
from npnets.kernels.activations import Activation
from npnets.kernels.layer_norm import layer_norm

AGREEING = "test_backends_agree holds the other backends against this one"
CONSTANT_OF_ONE = ("layer_norm", "log_softmax")  # whose output for a single feature is constant


@pytest.mark.numpy_alone("reads the table")
def test_the_table_covers_every_kernel_and_every_activation() -> None:
    fused = set()
    for module in pkgutil.iter_modules(npnets.kernels.__path__):
        if hasattr(importlib.import_module(f"npnets.kernels.{module.name}"), "_apply"):
            fused.add(module.name)
    assert fused == {case.kernel for case in CASES}
    assert ARGUMENTS.keys() == FORMULAS.keys()


@pytest.mark.numpy_alone(AGREEING)
@each_case
def test_a_fused_operation_agrees_with_its_composition_and_that_with_central_differences(case: Case) -> None:
    arrays = case.arrays()
    assert_allclose(case.fun(*arrays), case.plain(*arrays), rtol=1e-12, atol=1e-13)
    for chosen in subsets(arrays):
        parts = [arrays[index] for index in chosen]
        value, pullback = npnets.vjp(of_chosen_arrays(case.fun, arrays, chosen), parts)
        expected, plain_pullback = npnets.vjp(of_chosen_arrays(case.plain, arrays, chosen), parts)
        g = direction_like(np.random.default_rng(1), value)
        assert_allclose(value, expected, rtol=1e-12, atol=1e-13)
        assert_trees_close(pullback(g), plain_pullback(g), 1e-10, 1e-11)
        if arrays[0].shape[-1] > 1 or case.kernel not in CONSTANT_OF_ONE:
            assert all(part.any() for part in pullback(g))
    check_first_order(of_chosen_arrays(case.fun, arrays, chosen), parts, np.random.default_rng(2))


@pytest.mark.numpy_alone(AGREEING)
@each_case
def test_derivatives_of_the_second_order_and_in_forward_mode_are_those_of_the_composition(case: Case) -> None:
    arrays = case.arrays()
    for chosen in subsets(arrays)[-2:]:
        parts = [arrays[index] for index in chosen]
        fun, plain = of_chosen_arrays(case.fun, arrays, chosen), of_chosen_arrays(case.plain, arrays, chosen)
        v = direction_like(np.random.default_rng(3), parts)
        assert_allclose(npnets.jvp(fun, parts, v)[1], npnets.jvp(plain, parts, v)[1], rtol=1e-12, atol=1e-13)
        check_second_order(fun, parts, np.random.default_rng(4))
        value, pullback = npnets.vjp(fun, parts)
        by_cotangent = npnets.grad(lambda g, v=v, pullback=pullback: inner(pullback(g), v))(np.ones_like(value))
        assert_allclose(by_cotangent, npnets.jvp(plain, parts, v)[1], rtol=1e-9, atol=1e-10)


@each_case
def test_arguments_cotangents_and_outputs_keep_their_bits(case: Case) -> None:
    arrays = case.arrays()
    parts = [array for array in arrays if array is not None]
    before = bits(parts)
    chosen = subsets(arrays)[-1]
    value, pullback = npnets.vjp(of_chosen_arrays(case.fun, arrays, chosen), parts)
    g = direction_like(np.random.default_rng(5), value)
    kept = bits([value, g])
    first = pullback(g)
    assert bits([value, g]) == kept
    assert bits(parts) == before
    assert_trees_close(pullback(g), first, 0, 0)
    assert bits(case.fun(*arrays)) == bits(value)
    value += 1
    assert bits(parts) == before


@pytest.mark.numpy_alone(AGREEING)
@each_case
def test_float32_stays_float32_and_close_to_float64(case: Case) -> None:
    narrow, wide = case.arrays(np.float32), case.arrays(np.float32)
    wide = tuple(None if array is None else array.astype(np.float64) for array in wide)
    chosen = subsets(narrow)[-1]
    value, pullback = npnets.vjp(of_chosen_arrays(case.fun, narrow, chosen), [narrow[i] for i in chosen])
    exact, exact_pullback = npnets.vjp(of_chosen_arrays(case.fun, wide, chosen), [wide[i] for i in chosen])
    gradients = pullback(np.ones_like(value))
    assert value.dtype == case.fun(*narrow).dtype == case.plain(*narrow).dtype == np.float32
    assert {g.dtype for g in gradients} == {np.dtype(np.float32)}
    assert_allclose(value, exact, rtol=1e-4, atol=1e-5)
    assert_trees_close(gradients, exact_pullback(np.ones_like(exact)), 1e-3, 1e-3)
    parts = [narrow[i] for i in chosen]
    product = npnets.hvp(lambda p: nnp.sum(of_chosen_arrays(case.fun, narrow, chosen)(p) ** 2))(parts, parts)
    assert {g.dtype for g in product} == {np.dtype(np.float32)}


# -- expected values that do not come from the composition ------------------------------------------------------------


def test_activations_have_the_values_that_their_formulas_give() -> None:
    z = np.array([-2.0, -0.5, 0.0, 0.5, 2.0, 30.0])
    normal = np.array([0.02275013194817921, 0.3085375387259869, 0.5, 0.6914624612740131, 0.9772498680518208, 1.0])
    logistic = 1 / (1 + np.exp(-z))
    expected = {
        "relu": [0, 0, 0, 0.5, 2, 30],
        "leaky_relu": [-0.02, -0.005, 0, 0.5, 2, 30],
        "tanh": np.tanh(z),
        "sigmoid": logistic,
        "silu": z * logistic,
        "softplus": np.append(np.log(1 + np.exp(z[:-1])), 30),
        "elu": [np.exp(-2) - 1, np.exp(-0.5) - 1, 0, 0.5, 2, 30],
        "gelu": z * normal,
        "clipped_exp": np.exp([-2, -0.5, 0, 0.5, 2, 2]),
        "selu": 1.0507009873554804 * np.append(1.6732632423543772 * (np.exp(z[:3]) - 1), z[3:]),
        "celu": [np.exp(-2) - 1, np.exp(-0.5) - 1, 0, 0.5, 2, 30],
        "softsign": [-2 / 3, -1 / 3, 0, 1 / 3, 2 / 3, 30 / 31],
        "mish": z * np.tanh(np.log(1 + np.exp(z))),
        "logsigmoid": np.log(logistic),
        "relu6": [0, 0, 0, 0.5, 2, 6],
        "hardtanh": [-1, -0.5, 0, 0.5, 1, 1],
        "hardsigmoid": [1 / 6, 2.5 / 6, 0.5, 3.5 / 6, 5 / 6, 1],
        "hardswish": [-2 / 6, -1.25 / 6, 0, 1.75 / 6, 10 / 6, 30],
    }
    assert expected.keys() == FORMULAS.keys()
    for name, values in expected.items():
        assert_allclose(Activation(name)(on_backend(z)), values, rtol=1e-12, atol=1e-15, err_msg=name)


def test_activations_at_exactly_zero_have_the_derivatives_of_pytorch() -> None:
    at_zero = {"relu": 0, "leaky_relu": 0.01, "elu": 1, "tanh": 1, "sigmoid": 0.25, "silu": 0.5, "softplus": 0.5}
    at_zero |= {"gelu": 0.5, "selu": 1.7580993408473766, "celu": 1, "softsign": 1, "mish": 0.6, "logsigmoid": 0.5}
    at_zero |= {"relu6": 0, "hardtanh": 1, "hardsigmoid": 1 / 6, "hardswish": 0.5, "clipped_exp": 1}
    assert at_zero.keys() == FORMULAS.keys()
    zeros = on_backend(np.zeros(2))
    for name, expected in at_zero.items():
        for fun in (Activation(name), FORMULAS[name].composition):
            assert_allclose(npnets.grad(lambda z, f=fun: nnp.sum(f(z)))(zeros), [expected] * 2, err_msg=name)
    x, w = on_backend((np.array([[1.0, 2.0]]), np.zeros((2, 3))))
    dead = npnets.grad(lambda w: nnp.sum(linear(x, w, None, Activation("relu"))))(w)
    assert_array_equal(dead, np.zeros((2, 3)))


def test_activations_where_they_become_constant_have_the_derivatives_of_pytorch() -> None:
    cases = {"relu6": (6,), "hardtanh": (-1, 1), "hardsigmoid": (-3, 3), "hardswish": (-3,)}
    for name, points in cases.items():
        z = on_backend(np.array(points, np.float64))
        for fun in (Activation(name), FORMULAS[name].composition):
            assert_array_equal(npnets.grad(lambda z, f=fun: nnp.sum(f(z)))(z), np.zeros(len(points)))
    one = npnets.grad(lambda z: nnp.sum(Activation("hardswish")(z)))(on_backend(np.array([3.0])))
    assert_array_equal(one, [1])


@pytest.mark.parametrize("name", FORMULAS)
def test_not_a_number_stays_one_in_every_activation(name: str) -> None:
    for dtype in (np.float32, np.float64):
        z = on_backend(np.array([0.5, np.nan, 1.0], dtype))
        for fun in (Activation(name), FORMULAS[name].composition):
            assert np.isnan(as_numpy(fun(z))).tolist() == [False, True, False]


def test_the_second_derivative_of_softplus_at_zero_is_that_of_a_smooth_function() -> None:
    zeros, ones = on_backend((np.zeros(3), np.ones(3)))
    for beta in (1.0, 2.0):
        found = npnets.hvp(lambda z, b=beta: nnp.sum(Activation("softplus", (b,))(z)))(zeros, ones)
        assert_allclose(found, np.full(3, beta / 4), rtol=1e-12)


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_inputs_stay_finite_in_value_and_derivatives_without_a_warning(name: str, dtype: str) -> None:
    z = on_backend(np.array([-1e4, -100.0, 100.0, 1e4], dtype))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, pullback = npnets.vjp(Activation(name), z)
        gradient = pullback(np.ones_like(z))
        second = npnets.hvp(lambda a: nnp.sum(Activation(name)(a)))(z, np.ones_like(z))
    constant = ("tanh", "sigmoid", "clipped_exp", "logsigmoid", "relu6", "hardtanh", "hardsigmoid", "softsign")
    above = 0 if name in constant else 1.0507009873554804 if name == "selu" else 1
    below = {"leaky_relu": 0.01, "logsigmoid": 1}.get(name, 0)
    assert np.isfinite(as_numpy(value)).all()
    near = 1e-3 if name == "softsign" else 1e-30  # which alone does not approach its limits exponentially
    assert_allclose(gradient, [below, below, above, above], atol=near)
    assert_allclose(second, np.zeros(4), atol=near)


def test_layer_norm_has_mean_zero_and_variance_one_at_any_scale() -> None:
    rng = np.random.default_rng(6)
    x = on_backend(rng.normal(3.0, 50.0, (4, 9)))
    y = layer_norm(x, None, None, 1e-12)
    assert_allclose(y.mean(1), 0, atol=1e-12)
    assert_allclose(y.var(1), 1, rtol=1e-9)
    assert_allclose(layer_norm(7 * x - 2, None, None, 1e-12), y, rtol=1e-9)
    constant, weights = on_backend((np.full((2, 3), 5.0), np.arange(3.0)))
    gradient = npnets.grad(lambda a: nnp.sum(layer_norm(a, None, None) * weights))(constant)
    assert_allclose(gradient, [[-(1e-5**-0.5), 0, 1e-5**-0.5]] * 2, atol=rounding(0.0, 1e-10))


def test_each_member_of_an_ensemble_is_a_linear_layer_of_its_own() -> None:
    rng = np.random.default_rng(7)
    x, w, b = rng.normal(size=(5, 3)), rng.normal(size=(4, 3, 2)), rng.normal(size=(4, 1, 2))
    y = as_numpy(linear(*on_backend((x, w, b)), Activation("tanh")))
    for member in range(4):
        np.testing.assert_allclose(y[member], np.tanh(x @ w[member] + b[member, 0]), rtol=1e-13)
