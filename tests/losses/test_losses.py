"""Losses have PyTorch's values and derivatives, keep their dtype, and refuse shapes that NumPy would broadcast."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, bits, on_backend
from finite_differences import check_first_order, check_second_order
from hypothesis import given
from hypothesis import strategies as st

import npnets
import npnets.numpy as nnp
from npnets import losses
from npnets.autodiff import is_traced

PREDICTION = np.array([[0.5], [-1.25], [3.0], [2.0]])
TARGET = np.array([[0.0], [1.0], [2.5], [-4.0]])
QUANTILES = np.array([[0.5, -1.0, 2.0], [3.0, 0.25, -0.5]])
TAUS = np.array([[0.1, 0.5, 0.9], [0.25, 0.5, 0.75]])
TARGETS = np.array([[1.0, -2.0, 0.0, 4.0], [0.5, 0.25, -3.0, 2.0]])

# PyTorch 2.13.0's mse_loss, smooth_l1_loss, and huber_loss with delta=2: each entry's loss, and the mean's gradient.
OF_PYTORCH = {
    "squared_error": ({}, [0.25, 5.0625, 0.25, 36.0], [0.25, -1.125, 0.25, 3.0]),
    "huber": ({}, [0.125, 1.75, 0.125, 5.5], [0.125, -0.25, 0.125, 0.25]),
    "huber, delta=2": ({"delta": 2.0}, [0.125, 2.5, 0.125, 10.0], [0.125, -0.5, 0.125, 0.5]),
}
PAIRS = [losses.squared_error, losses.huber]


def _loss(name: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(losses, name.split(",")[0])
    return found


# -- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OF_PYTORCH)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_gradients_are_those_of_pytorch_and_keep_their_dtype(name: str, dtype: Any) -> None:
    settings, entries, gradient = OF_PYTORCH[name]
    prediction, target = on_backend(PREDICTION.astype(dtype)), on_backend(TARGET.astype(dtype))
    each = _loss(name)(prediction, target, **settings, reduction="none")
    assert_allclose(each[:, 0], np.array(entries))
    value, grad = npnets.value_and_grad(lambda p: _loss(name)(p, target, **settings))(prediction)
    assert_allclose(value, np.mean(entries))
    assert_allclose(grad[:, 0], np.array(gradient))
    assert each.dtype == value.dtype == grad.dtype == dtype


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_the_loss_of_quantiles_keeps_their_dtype_whatever_is_beside_them(reduction: Any) -> None:
    narrow = on_backend(QUANTILES.astype(np.float32))
    beside = on_backend(TARGETS), np.float64(1)
    for taus in (on_backend(TAUS), TAUS[0].tolist()):
        found = losses.quantile_huber(narrow, taus, *beside, weights=on_backend(np.ones(2)), reduction=reduction)
        assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("delta", "rows", "gradient"),
    [
        (1.0, [1.90625, 3.072265625], [[0.15, -0.125, -0.075], [0.375, -0.015625, -0.2265625]]),
        (2.0, [1.434375, 2.4208984375], [[0.125, -0.125, -0.08125], [0.328125, 0.0, -0.14453125]]),
    ],
)
def test_the_quantile_loss_and_its_gradient_are_those_of_the_paper_in_pytorch(
    delta: float, rows: list[float], gradient: list[list[float]]
) -> None:
    quantiles, taus, targets = map(on_backend, (QUANTILES, TAUS, TARGETS))
    assert_allclose(losses.quantile_huber(quantiles, taus, targets, delta=delta, reduction="none"), np.array(rows))
    value, grad = npnets.value_and_grad(lambda q: losses.quantile_huber(q, taus, targets, delta=delta))(quantiles)
    assert_allclose(value, np.mean(rows))
    assert_allclose(grad, np.array(gradient), atol=1e-15)


def test_the_quantile_loss_of_one_row_is_its_definition_pair_by_pair() -> None:
    def pair(quantile: float, tau: float, target: float) -> float:
        error = target - quantile
        huber = error**2 / 2 if abs(error) <= 1 else abs(error) - 0.5
        return abs(tau - (error < 0)) * huber

    expected = [
        sum(sum(pair(q, tau, target) for target in targets) / 4 for q, tau in zip(quantiles, taus, strict=True))
        for quantiles, taus, targets in zip(QUANTILES, TAUS, TARGETS, strict=True)
    ]
    found = losses.quantile_huber(*map(on_backend, (QUANTILES, TAUS, TARGETS)), reduction="none")
    assert_allclose(found, np.array(expected))


def test_one_row_of_fixed_fractions_is_that_of_every_row() -> None:
    quantiles, targets, fixed = on_backend(QUANTILES), on_backend(TARGETS), (np.arange(3) + 0.5) / 3
    every = losses.quantile_huber(quantiles, on_backend(np.tile(fixed, (2, 1))), targets)
    assert bits(losses.quantile_huber(quantiles, on_backend(fixed), targets)) == bits(every)


def test_the_quantile_loss_is_least_at_the_quantiles_of_the_targets() -> None:
    """With a small threshold it is the loss of quantile regression, whose minimum is the quantile."""
    draws, taus = np.linspace(0.0, 1.0, 101)[None], np.array([0.1, 0.5, 0.9])
    at = lambda shift: float(  # noqa: E731
        as_numpy(losses.quantile_huber(*map(on_backend, (taus[None] + shift, taus, draws)), delta=1e-6))
    )
    assert at(0.0) < min(at(-0.02), at(0.02))


@given(st.floats(-(2.0**100), 2.0**100, width=32), st.floats(1e-3, 1e3))
def test_hubers_loss_is_quadratic_up_to_its_threshold_and_linear_beyond(error: float, delta: float) -> None:
    found = as_numpy(losses.huber(on_backend(np.array([error], np.float32)), on_backend(np.zeros(1)), delta=delta))
    size = abs(error)
    assert found == pytest.approx(size**2 / 2 if size <= delta else delta * (size - delta / 2), rel=1e-5)


def test_an_error_whose_square_overflows_has_a_finite_huber_loss_and_gradient() -> None:
    prediction = on_backend(np.array([1e30, -1e30], np.float32))
    value, grad = npnets.value_and_grad(lambda p: losses.huber(p, on_backend(np.zeros(2))))(prediction)
    assert np.isfinite(as_numpy(value))
    assert_allclose(grad, np.array([0.5, -0.5]))


# -- derivatives ------------------------------------------------------------------------------------------------------


@pytest.mark.numpy_alone("finite differences")
@pytest.mark.parametrize("loss", PAIRS)
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_derivatives_of_both_arguments_and_the_weights_are_finite_differences(loss: Any, reduction: str) -> None:
    rng = np.random.default_rng(0)
    given = {"p": 2 * rng.normal(size=(5, 3)), "t": 2 * rng.normal(size=(5, 3)), "w": rng.random(5)}
    run = lambda x: loss(x["p"], x["t"], weights=x["w"], reduction=reduction)  # noqa: E731
    check_first_order(run, given, rng)
    check_second_order(run, given, rng)


@pytest.mark.numpy_alone("finite differences")
@pytest.mark.parametrize("delta", [0.3, 1.0])
def test_derivatives_of_the_quantile_loss_are_finite_differences(delta: float) -> None:
    rng = np.random.default_rng(1)
    given = {"q": rng.normal(size=(4, 3)), "t": rng.normal(size=(4, 5)), "w": rng.random(4)}
    taus = rng.random((4, 3))
    run = lambda x: losses.quantile_huber(x["q"], taus, x["t"], delta, weights=x["w"])  # noqa: E731
    check_first_order(run, given, rng)
    check_second_order(run, given, rng)


def test_hubers_derivatives_at_its_threshold_and_at_zero_are_those_of_both_sides() -> None:
    loss = lambda p: nnp.sum(losses.huber(p, on_backend(np.zeros(3)), reduction="none"))  # noqa: E731
    at = on_backend(np.array([-1.0, 0.0, 1.0]))
    assert_allclose(npnets.grad(loss)(at), np.array([-1.0, 0.0, 1.0]))
    curvature = npnets.hvp(loss)(at, on_backend(np.ones(3)))
    assert_allclose(curvature[1], 1.0)


def test_fractions_are_constants_to_every_derivative() -> None:
    quantiles, taus, targets = map(on_backend, (QUANTILES, TAUS, TARGETS))
    grads = npnets.grad(lambda taus: losses.quantile_huber(quantiles * 1.0, taus, targets) + 0 * nnp.sum(taus))(taus)
    assert_allclose(grads, np.zeros_like(TAUS))


# -- weights and reductions -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", PAIRS)
def test_a_weight_multiplies_the_losses_of_its_row_and_the_mean_is_over_all_entries(loss: Any) -> None:
    rng = np.random.default_rng(2)
    prediction, target, weights = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.random(4)
    given = on_backend(prediction), on_backend(target)
    each = as_numpy(loss(*given, reduction="none"))
    weighted = loss(*given, weights=on_backend(weights), reduction="none")
    assert_allclose(weighted, weights[:, None] * each)
    assert_allclose(loss(*given, weights=on_backend(weights)), (weights[:, None] * each).mean())
    full = rng.random((4, 3))
    assert_allclose(loss(*given, weights=on_backend(full)), (full * each).mean())


def test_a_weight_multiplies_the_quantile_loss_of_its_row() -> None:
    given, weights = [on_backend(x) for x in (QUANTILES, TAUS, TARGETS)], np.array([0.5, 2.0])
    each = as_numpy(losses.quantile_huber(*given, reduction="none"))
    assert_allclose(losses.quantile_huber(*given, weights=on_backend(weights)), (weights * each).mean())


@pytest.mark.parametrize("loss", PAIRS)
def test_targets_and_weights_follow_the_predictions_dtype(loss: Any) -> None:
    prediction = on_backend(PREDICTION.astype(np.float32))
    for target, weights in [(TARGET, np.ones(4)), (TARGET.astype(np.int64), np.ones(4, np.int64))]:
        assert loss(prediction, target, weights=weights, reduction="none").dtype == np.float32
    assert loss(prediction, TARGET.tolist()).dtype == np.float32


def test_numbers_of_numpy_as_a_threshold_do_not_promote_float32() -> None:
    prediction = on_backend(PREDICTION.astype(np.float32))
    assert losses.huber(prediction, TARGET, delta=np.float64(2.0)).dtype == np.float32  # type: ignore[arg-type]


def test_a_gradient_reaches_the_target_unless_it_is_stopped() -> None:
    prediction, target = on_backend(PREDICTION), on_backend(TARGET)
    grad = npnets.grad(lambda t: losses.squared_error(prediction, t))(target)
    assert_allclose(grad, -2 * (PREDICTION - TARGET) / 4)
    stopped = npnets.grad(lambda p: losses.squared_error(p, npnets.stop_gradient(p * 0 + target)))(prediction)
    assert_allclose(stopped, 2 * (PREDICTION - TARGET) / 4)


def test_an_ensembles_loss_with_one_target_for_all_is_the_mean_of_its_members_losses() -> None:
    values = np.random.default_rng(3).normal(size=(2, 4, 1))
    found = losses.squared_error(on_backend(values), nnp.broadcast_to(on_backend(TARGET), (2, 4, 1)))
    assert_allclose(found, np.mean([np.mean((member - TARGET) ** 2) for member in values]))


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", PAIRS)
@pytest.mark.parametrize(
    ("prediction", "target", "remedy"),
    [
        ((64, 1), (64,), "pass target[..., None], or prediction[..., 0]"),
        ((64,), (64, 1), "pass prediction[..., None], or target[..., 0]"),
        ((2, 64, 1), (64, 1), "pass npnets.numpy.broadcast_to(target, prediction.shape)"),
        ((64, 1), (), "pass npnets.numpy.broadcast_to(target, prediction.shape)"),
        ((64, 1), (1, 64), "are both of the same batch, and is one of them transposed?"),
        ((64, 1), (32, 1), "are both of the same batch"),
    ],
)
def test_two_shapes_are_an_error_that_names_both_and_what_makes_them_one(
    loss: Any, prediction: tuple[int, ...], target: tuple[int, ...], remedy: str
) -> None:
    given = on_backend(np.zeros(prediction, np.float32)), on_backend(np.zeros(target, np.float32))
    with pytest.raises(ValueError, match=re.escape(f"they have {prediction} and {target}; ")) as raised:
        loss(*given)
    assert remedy in str(raised.value)


@pytest.mark.parametrize("remedied", [lambda p, t: (p, t[..., None]), lambda p, t: (p[..., 0], t)])
def test_both_remedies_of_a_missing_axis_work(remedied: Any) -> None:
    prediction, target = remedied(on_backend(PREDICTION), on_backend(TARGET[:, 0]))
    assert_allclose(losses.squared_error(prediction, target), 10.390625)


@pytest.mark.parametrize(
    ("quantiles", "taus", "targets"),
    [
        ((4, 3), (4, 5), (4, 5)),
        ((4, 3), (4, 3), (5, 5)),
        ((4, 3), (3, 4), (4, 5)),
        ((4, 2, 3), (4, 3), (4, 5)),
        ((4, 3), (4, 3), (4,)),
        ((4, 3), (4, 3), (4, 0)),
    ],
)
def test_shapes_that_do_not_fit_in_the_quantile_loss_are_an_error_that_names_them(
    quantiles: tuple[int, ...], taus: tuple[int, ...], targets: tuple[int, ...]
) -> None:
    given = [on_backend(np.zeros(shape)) for shape in (quantiles, taus, targets)]
    with pytest.raises(ValueError, match=re.escape(f"{targets}")):
        losses.quantile_huber(*given)


@pytest.mark.numpy_alone("fractions on a GPU are not read")
def test_swapped_fractions_and_targets_are_an_error() -> None:
    with pytest.raises(ValueError, match=re.escape("taus must be in [0, 1], but are from -3 to 1; the order is")):
        losses.quantile_huber(QUANTILES, TARGETS[:, :3], TAUS)
    with pytest.raises(ValueError, match="taus must be in"):
        losses.quantile_huber(QUANTILES, np.full((2, 3), np.nan), TARGETS)


@pytest.mark.parametrize("shape", [(1, 4), (3,), (), (4, 3, 1), (4, 1)])
def test_weights_of_another_shape_are_an_error(shape: tuple[int, ...]) -> None:
    given = on_backend(np.zeros((4, 3))), on_backend(np.zeros((4, 3)))
    with pytest.raises(ValueError, match=re.escape(f"first axes of the losses, (4, 3), but they have {shape}")):
        losses.squared_error(*given, weights=on_backend(np.ones(shape)))


def test_weights_of_rows_reach_every_member_of_an_ensemble_by_the_remedy_in_the_error() -> None:
    values, target = np.arange(6.0).reshape(2, 3, 1), np.zeros((2, 3, 1))
    given, weights = (on_backend(values), on_backend(target)), on_backend(np.array([1.0, 0.0, 2.0]))
    with pytest.raises(ValueError, match=re.escape("npnets.numpy.broadcast_to(weights[:, None], prediction.shape)")):
        losses.squared_error(*given, weights=weights)
    for_all = nnp.broadcast_to(weights[:, None], (2, 3, 1))
    assert_allclose(losses.squared_error(*given, weights=for_all), (0 + 2 * 4 + 9 + 2 * 25) / 6)


@pytest.mark.numpy_alone("is about arguments")
def test_other_arguments_are_refused_in_the_users_words() -> None:
    with pytest.raises(TypeError, match="prediction must be a float32 or float64 array, but it has dtype int64"):
        losses.squared_error(np.arange(3), np.arange(3))
    with pytest.raises(TypeError, match="prediction must be a float32 or float64 array, but it has dtype float16"):
        losses.huber(np.zeros(3, np.float16), np.zeros(3))
    with pytest.raises(TypeError, match="target must be an array of real numbers"):
        losses.squared_error(np.zeros(3), ["a", "b", "c"])
    with pytest.raises(ValueError, match="reduction must be 'mean' or 'none', but is 'sum'"):
        losses.squared_error(np.zeros(3), np.zeros(3), reduction="sum")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one entry"):
        losses.squared_error(np.zeros((0, 1)), np.zeros((0, 1)))
    for delta in (1e-50, 1e50):  # zero and infinite in float32
        with pytest.raises(ValueError, match="delta must be positive and finite in float32"):
            losses.quantile_huber(*(part.astype(np.float32) for part in (QUANTILES, TAUS, TARGETS)), delta=delta)
    for delta in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="delta must be positive and finite"):
            losses.huber(np.zeros(3), np.zeros(3), delta=delta)
    with pytest.raises(TypeError, match="delta must be a number, but is array"):  # weights in its place
        losses.huber(np.zeros(2), np.zeros(2), np.ones(2))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="delta must be a number, but is array"):
        losses.quantile_huber(QUANTILES, TAUS, TARGETS, delta=np.ones(2))  # type: ignore[arg-type]


def test_an_empty_batch_has_no_losses_of_entries() -> None:
    empty = on_backend(np.zeros((0, 1), np.float32))
    assert losses.squared_error(empty, empty, reduction="none").shape == (0, 1)


def test_a_loss_is_traced_where_its_prediction_is() -> None:
    seen: list[bool] = []

    def loss(p: Any) -> Any:
        value = losses.squared_error(p, on_backend(TARGET))
        seen.append(is_traced(value))
        return value

    npnets.grad(loss)(on_backend(PREDICTION))
    assert seen == [True]
