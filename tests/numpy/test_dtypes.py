"""npnets computes with plain arrays of float32 and float64: others are refused where they arrive, with a remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as onp
import pytest
from backends import as_numpy, assert_allclose, on_backend
from platforms import where_longdouble_is_wider

import npnets
import npnets.numpy as np
from npnets.distributions import Gaussian, SquashedGaussian

NET = npnets.Net(3, 2, (4,))
LARGE = npnets.Net(3, 2, (200, 200))
RECURRENT = npnets.RecurrentCritic(2, 3, hidden_layer_size=4)
OBS = onp.ones((2, 3))

HALF = (lambda x: x.astype(onp.float16), r"dtype float16, and npnets computes in float32 and float64 .*numpy\.float32")
LONG = (lambda x: x.astype(onp.longdouble), r"and npnets computes in float32 and float64 alone; .*numpy\.float64\)")
SWAPPED = (lambda x: x.astype(x.dtype.newbyteorder()), "in the byte order of another machine; convert it with astype")
COMPLEX = (lambda x: x.astype(complex), "dtype complex128, and npnets has no complex numbers")
MATRIX = (lambda x: x.view(onp.matrix) if x.ndim == 2 else x.astype(onp.float16), r"matrix, which may redefine|float16")
MASKED = (lambda x: onp.ma.masked_array(x, x > 9), r"is a masked array, whose mask would be lost; .*numpy\.ma\.filled")

each_fault = pytest.mark.parametrize(
    ("spoil", "words"),
    [HALF, pytest.param(*LONG, marks=where_longdouble_is_wider), SWAPPED, COMPLEX, MATRIX, MASKED],
    ids=["float16", "longdouble", "byte order", "complex", "matrix", "masked"],
)
numpy_alone = pytest.mark.numpy_alone("about dtypes and classes that CuPy does not have")


def _spoiled(net: Any, spoil: Callable[[Any], Any]) -> Any:
    return npnets.tree.map(spoil, net.init(onp.random.default_rng(0)))


@numpy_alone
@each_fault
@pytest.mark.parametrize("net", [NET, LARGE, RECURRENT, npnets.LayerNorm(3), npnets.Linear(3, 2)], ids=repr)
def test_a_network_refuses_parameters_of_other_kinds_whether_small_or_large(net: Any, spoil: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        net.forward(_spoiled(net, spoil), OBS)


@numpy_alone
@each_fault
def test_derivatives_refuse_to_begin_at_arrays_of_other_kinds(spoil: Any, words: str) -> None:
    for differentiate in (npnets.grad(np.sum), lambda x: npnets.vjp(np.tanh, x), lambda x: npnets.jvp(np.tanh, x, x)):
        with pytest.raises(TypeError, match=words):
            differentiate(spoil(OBS))


@numpy_alone
@each_fault
@pytest.mark.parametrize("make", [npnets.optim.sgd, npnets.optim.rmsprop, npnets.optim.adam, npnets.optim.adamw])
def test_optimizers_refuse_parameters_of_other_kinds(make: Any, spoil: Any, words: str) -> None:
    params = {"w": spoil(OBS)}
    optimizer = make(0.1)
    with pytest.raises(TypeError, match=words):
        optimizer.update(params=params, grads=params, state=optimizer.init(params))
    with pytest.raises(TypeError, match=words):
        npnets.optim.clip_by_global_norm(params, 1.0)
    with pytest.raises(TypeError, match=words):
        npnets.optim.soft_update(params, params, 0.5)


@numpy_alone
@each_fault
def test_distributions_refuse_means_and_deviations_of_other_kinds(spoil: Any, words: str) -> None:
    for make in (lambda: Gaussian(spoil(OBS), OBS), lambda: SquashedGaussian(OBS, spoil(OBS), -1, 1)):
        with pytest.raises(TypeError, match=words):
            make()


@numpy_alone
@pytest.mark.parametrize(
    "dtype", [onp.float16, pytest.param(onp.longdouble, marks=where_longdouble_is_wider), ">f4", int, complex]
)
def test_init_makes_no_parameters_of_other_dtypes(dtype: Any) -> None:
    with pytest.raises(
        TypeError, match="parameters must be floating-point numbers, but dtype is .*use float32 or float"
    ):
        NET.init(onp.random.default_rng(0), dtype)


@numpy_alone
@pytest.mark.parametrize(
    "spoil", [HALF[0], LONG[0], SWAPPED[0], lambda x: x.view(onp.matrix), lambda x: x.astype("i2")]
)
def test_observations_of_any_real_kind_are_brought_to_the_parameters(spoil: Any) -> None:
    params = NET.init(onp.random.default_rng(0))
    expected = NET.forward(params, OBS.astype(onp.float32))[0]
    found = NET.forward(params, spoil(OBS))[0]
    assert type(found) is onp.ndarray and found.dtype == onp.float32
    assert_allclose(found, expected, rtol=1e-6)


@numpy_alone
def test_observations_under_a_mask_are_refused() -> None:
    with pytest.raises(
        TypeError, match="obs must be an array of numbers, but is a masked array, whose mask would be lost"
    ):
        NET.forward(NET.init(onp.random.default_rng(0)), MASKED[0](OBS))


# -- scalars promote nothing ------------------------------------------------------------------------------------------

SCALARS = [onp.float64(2), onp.int64(2), onp.float32(2), onp.uint8(2)]


@pytest.mark.parametrize("scalar", SCALARS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize(
    "fun",
    [
        lambda x, s: np.multiply(x, s),
        lambda x, s: np.add(s, x),
        lambda x, s: np.subtract(x, s) / s,
        lambda x, s: np.divide(s, x),
        lambda x, s: np.power(x, s) + np.power(s, x),
        lambda x, s: np.maximum(x, s) + np.minimum(s, x),
        lambda x, s: np.where(x > 0, x, s),
        lambda x, s: np.clip(x, s * 0, s),
        lambda x, s: np.stack([x[0, 0], s, x[0, 1]]),
        lambda x, s: s * x + x * s - s / x + x**s,
    ],
)
def test_numpys_scalars_promote_no_float32(fun: Callable[[Any, Any], Any], scalar: Any) -> None:
    x = on_backend(onp.array([[0.5, 1.5], [2.0, 3.0]], onp.float32))
    value, pullback = npnets.vjp(lambda a: fun(a, scalar), x)
    assert (value.dtype, pullback(value).dtype) == (onp.float32, onp.float32)
    assert_allclose(value, as_numpy(npnets.vjp(lambda a: fun(a, 2.0), x)[0]), rtol=1e-6)


def test_numbers_among_arrays_promote_no_float32() -> None:
    x = on_backend(onp.array([0.5, 1.5], onp.float32))
    joined = {
        "stack": lambda a: np.stack([a[0], 0.5, onp.float64(2)]),
        "asarray": lambda a: np.asarray([a[0], 1]),
        "array": lambda a: np.array([[a[0], 2.0], [0.5, a[0]]]),
    }
    for join in joined.values():
        assert npnets.vjp(join, x)[0].dtype == onp.float32
    gradient = npnets.grad(lambda a: np.sum(np.array([[a[0], 2.0], [0.5, a[1] * 3]])))(x)
    assert_allclose(gradient, [1, 3])


def test_slopes_are_taken_in_the_dtype_of_the_result_and_not_of_a_narrower_constant() -> None:
    x, third = on_backend((onp.array([0.3]), onp.array([3], onp.float32)))
    assert_allclose(npnets.grad(lambda a: np.sum(a / third))(x), [1 / 3], rtol=1e-15)
    two = on_backend(onp.array([2], onp.int8))
    assert_allclose(npnets.grad(lambda a: np.sum(np.power(two, a)))(x), onp.log(2) * 2**0.3, rtol=1e-14)


# -- masks and matrices that would be lost ----------------------------------------------------------------------------


@numpy_alone
@pytest.mark.parametrize("spoil", [MASKED[0], lambda x: x.view(onp.matrix)], ids=["masked", "matrix"])
@pytest.mark.parametrize(
    "call",
    [
        lambda a: np.masked_mean(a, OBS > 0),
        lambda a: np.masked_sum(OBS, a > 0),
        lambda a: np.linalg.norm(a),
        lambda a: np.where(OBS > 0, OBS, a),
        lambda a: np.multiply(OBS, a),
        lambda a: np.logsumexp(a),
        lambda a: npnets.tree.ravel({"w": a}),
        lambda a: npnets.optim.soft_update({"w": OBS}, {"w": a}, 0.5),
        lambda a: npnets.optim.clip_by_global_norm({"w": a}, 1.0),
        lambda a: npnets.vjp(lambda x: x * 2, OBS)[1](a),
        lambda a: npnets.jvp(lambda x: x * 2, OBS, a),
    ],
)
def test_a_mask_or_another_product_is_lost_nowhere_in_silence(call: Any, spoil: Any) -> None:
    with pytest.raises(TypeError, match="whose mask would be lost|may redefine operators"):
        call(spoil(OBS))


@numpy_alone
def test_cotangents_and_directions_are_real() -> None:
    for call in (lambda: npnets.vjp(lambda x: x * 2, OBS)[1](OBS * 1j), lambda: npnets.jvp(np.tanh, OBS, OBS * 1j)):
        with pytest.raises(TypeError, match="expected a (cotangent|direction) of real numbers"):
            call()


def test_an_activation_that_returns_another_dtype_is_named() -> None:
    net = npnets.Net(3, hidden_sizes=(4,), activation=lambda z: z.astype(onp.float64))
    with pytest.raises(TypeError, match=r"activation .* returned float64 for an array of float32; .*Python's numbers"):
        net.forward(on_backend(net.init(onp.random.default_rng(0))), on_backend(OBS))
