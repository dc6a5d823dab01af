"""npnets computes with plain arrays of float32 and float64: others are refused where they arrive, with a remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, on_backend
from platforms import where_longdouble_is_wider

import npnets
import npnets.numpy as nnp
from npnets.distributions import Gaussian, SquashedGaussian

NET = npnets.Net(3, 2, (4,))
LARGE = npnets.Net(3, 2, (200, 200))
RECURRENT = npnets.RecurrentCritic(2, 3, hidden_layer_size=4)
OBS = np.ones((2, 3))

HALF = (lambda x: x.astype(np.float16), r"dtype float16, and npnets computes in float32 and float64 .*numpy\.float32")
LONG = (lambda x: x.astype(np.longdouble), r"and npnets computes in float32 and float64 alone; .*numpy\.float64\)")
SWAPPED = (lambda x: x.astype(x.dtype.newbyteorder()), "in the byte order of another machine; convert it with astype")
COMPLEX = (lambda x: x.astype(complex), "dtype complex128, and npnets has no complex numbers")
MATRIX = (lambda x: x.view(np.matrix) if x.ndim == 2 else x.astype(np.float16), r"matrix, which may redefine|float16")
MASKED = (lambda x: np.ma.masked_array(x, x > 9), r"is a masked array, whose mask would be lost; .*numpy\.ma\.filled")

each_fault = pytest.mark.parametrize(
    ("spoil", "words"),
    [HALF, pytest.param(*LONG, marks=where_longdouble_is_wider), SWAPPED, COMPLEX, MATRIX, MASKED],
    ids=["float16", "longdouble", "byte order", "complex", "matrix", "masked"],
)
numpy_alone = pytest.mark.numpy_alone("about dtypes and classes that CuPy does not have")


def _spoiled(net: Any, spoil: Callable[[Any], Any]) -> Any:
    return npnets.tree.map(spoil, net.init(np.random.default_rng(0)))


@numpy_alone
@each_fault
@pytest.mark.parametrize("net", [NET, LARGE, RECURRENT, npnets.LayerNorm(3), npnets.Linear(3, 2)], ids=repr)
def test_a_network_refuses_parameters_of_other_kinds_whether_small_or_large(net: Any, spoil: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        net.forward(_spoiled(net, spoil), OBS)


@numpy_alone
@each_fault
def test_derivatives_refuse_to_begin_at_arrays_of_other_kinds(spoil: Any, words: str) -> None:
    for differentiate in (
        npnets.grad(nnp.sum),
        lambda x: npnets.vjp(nnp.tanh, x),
        lambda x: npnets.jvp(nnp.tanh, x, x),
    ):
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
    "dtype", [np.float16, pytest.param(np.longdouble, marks=where_longdouble_is_wider), ">f4", int, complex]
)
def test_init_makes_no_parameters_of_other_dtypes(dtype: Any) -> None:
    with pytest.raises(
        TypeError, match="parameters must be floating-point numbers, but dtype is .*use float32 or float"
    ):
        NET.init(np.random.default_rng(0), dtype)


@numpy_alone
@pytest.mark.parametrize("spoil", [HALF[0], LONG[0], SWAPPED[0], lambda x: x.view(np.matrix), lambda x: x.astype("i2")])
def test_observations_of_any_real_kind_are_brought_to_the_parameters(spoil: Any) -> None:
    params = NET.init(np.random.default_rng(0))
    expected = NET.forward(params, OBS.astype(np.float32))[0]
    found = NET.forward(params, spoil(OBS))[0]
    assert type(found) is np.ndarray and found.dtype == np.float32
    assert_allclose(found, expected, rtol=1e-6)


@numpy_alone
def test_observations_under_a_mask_are_refused() -> None:
    with pytest.raises(
        TypeError, match="obs must be an array of numbers, but is a masked array, whose mask would be lost"
    ):
        NET.forward(NET.init(np.random.default_rng(0)), MASKED[0](OBS))


# -- scalars promote nothing ------------------------------------------------------------------------------------------

SCALARS = [np.float64(2), np.int64(2), np.float32(2), np.uint8(2)]


@pytest.mark.parametrize("scalar", SCALARS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize(
    "fun",
    [
        lambda x, s: nnp.multiply(x, s),
        lambda x, s: nnp.add(s, x),
        lambda x, s: nnp.subtract(x, s) / s,
        lambda x, s: nnp.divide(s, x),
        lambda x, s: nnp.power(x, s) + nnp.power(s, x),
        lambda x, s: nnp.maximum(x, s) + nnp.minimum(s, x),
        lambda x, s: nnp.where(x > 0, x, s),
        lambda x, s: nnp.clip(x, s * 0, s),
        lambda x, s: nnp.stack([x[0, 0], s, x[0, 1]]),
        lambda x, s: s * x + x * s - s / x + x**s,
    ],
)
def test_numpys_scalars_promote_no_float32(fun: Callable[[Any, Any], Any], scalar: Any) -> None:
    x = on_backend(np.array([[0.5, 1.5], [2.0, 3.0]], np.float32))
    value, pullback = npnets.vjp(lambda a: fun(a, scalar), x)
    assert (value.dtype, pullback(value).dtype) == (np.float32, np.float32)
    assert_allclose(value, as_numpy(npnets.vjp(lambda a: fun(a, 2.0), x)[0]), rtol=1e-6)


def test_numbers_among_arrays_promote_no_float32() -> None:
    x = on_backend(np.array([0.5, 1.5], np.float32))
    joined = {
        "stack": lambda a: nnp.stack([a[0], 0.5, np.float64(2)]),
        "asarray": lambda a: nnp.asarray([a[0], 1]),
        "array": lambda a: nnp.array([[a[0], 2.0], [0.5, a[0]]]),
    }
    for join in joined.values():
        assert npnets.vjp(join, x)[0].dtype == np.float32
    gradient = npnets.grad(lambda a: nnp.sum(nnp.array([[a[0], 2.0], [0.5, a[1] * 3]])))(x)
    assert_allclose(gradient, [1, 3])


LISTS: dict[str, Callable[[Any], Any]] = {
    "concatenate": lambda x: nnp.concatenate([x, [1.5, 2]]),
    "where": lambda x: nnp.where([True, False, True], x, (1.5, 2, 3)),
    "maximum": lambda x: nnp.maximum([1.5, 2, 3], x),
    "add": lambda x: nnp.add(x, [[1.5, np.float64(2), 3]]),
    "matmul": lambda x: nnp.matmul([[1.5, 2, 3]], x),
    "clip": lambda x: nnp.clip([1.5, 2, 3], x, x),
    "clip of a number": lambda x: nnp.clip(1.5, x, x),
    "clip of a number from below": lambda x: nnp.clip(2, x),
}


@pytest.mark.numpy_alone("a list beside an array of a GPU is refused, except in stack")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("fun", LISTS.values(), ids=LISTS)
def test_lists_of_numbers_take_the_dtype_of_the_arrays_beside_them(fun: Callable[[Any], Any], dtype: Any) -> None:
    x = np.array([0.5, 1.75, 2.25], dtype)
    assert fun(x).dtype == dtype
    assert_allclose(fun(x), fun(x.astype(np.float64)))


@pytest.mark.numpy_alone("a list beside an array of a GPU is refused, except in stack")
def test_a_list_beside_arrays_whose_result_is_float64_is_not_rounded_to_float32() -> None:
    narrow, counts = np.zeros(1, np.float32), np.zeros(1, np.int32)
    assert nnp.concatenate([narrow, [0.1], counts])[1] == 0.1
    assert nnp.clip(narrow, [0.1], counts + 1) == 0.1


def test_slopes_are_taken_in_the_dtype_of_the_result_and_not_of_a_narrower_constant() -> None:
    x, third = on_backend((np.array([0.3]), np.array([3], np.float32)))
    assert_allclose(npnets.grad(lambda a: nnp.sum(a / third))(x), [1 / 3], rtol=1e-15)
    two = on_backend(np.array([2], np.int8))
    assert_allclose(npnets.grad(lambda a: nnp.sum(nnp.power(two, a)))(x), np.log(2) * 2**0.3, rtol=1e-14)


# -- masks and matrices that would be lost ----------------------------------------------------------------------------


@numpy_alone
@pytest.mark.parametrize("spoil", [MASKED[0], lambda x: x.view(np.matrix)], ids=["masked", "matrix"])
@pytest.mark.parametrize(
    "call",
    [
        lambda a: nnp.masked_mean(a, OBS > 0),
        lambda a: nnp.masked_sum(OBS, a > 0),
        lambda a: nnp.linalg.norm(a),
        lambda a: nnp.where(OBS > 0, OBS, a),
        lambda a: nnp.multiply(OBS, a),
        lambda a: nnp.logsumexp(a),
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
    for call in (lambda: npnets.vjp(lambda x: x * 2, OBS)[1](OBS * 1j), lambda: npnets.jvp(nnp.tanh, OBS, OBS * 1j)):
        with pytest.raises(TypeError, match="expected a (cotangent|direction) of real numbers"):
            call()


def test_an_activation_that_returns_another_dtype_is_named() -> None:
    net = npnets.Net(3, hidden_sizes=(4,), activation=lambda z: z.astype(np.float64))
    with pytest.raises(TypeError, match=r"activation .* returned float64 for an array of float32; .*Python's numbers"):
        net.forward(on_backend(net.init(np.random.default_rng(0))), on_backend(OBS))
