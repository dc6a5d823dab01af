"""The LSTM kernel where the table of kernels does not reach: single outputs, every choice of arguments, its formula."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, on_backend
from finite_differences import assert_trees_close, direction_like
from kernel_case import COMPOSITIONS

import npnets
from npnets.kernels import buffers
from npnets.kernels.lstm import lstm

STEPS, BATCH, INPUTS, HIDDEN = 4, 3, 2, 5
RESET = np.zeros((STEPS, BATCH, 1), bool)
RESET[[0, 2, 2], [1, 0, 1]] = True  # that of row 1 at step 2 lies beyond its end
VALID = np.arange(STEPS)[:, None, None] < np.array([4, 1, 3])[:, None]
each_mask = pytest.mark.parametrize(
    ("reset", "valid"),
    list(itertools.product((None, RESET), (None, VALID))),
    ids=["no masks", "valid", "reset", "reset and valid"],
)


@pytest.fixture(scope="module", autouse=True)
def kept_memory() -> Iterator[None]:
    """Put even the smallest arrays into the pool, where otherwise only large ones are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buffers, "LEAST_BYTES", 0)
        yield


def _arrays(scale: float = 1.0, dtype: type = np.float64) -> list[Any]:
    rng = np.random.default_rng(0)
    weights = (INPUTS, 4 * HIDDEN), (HIDDEN, 4 * HIDDEN), (4 * HIDDEN,), (4 * HIDDEN,)
    shapes = ((STEPS, BATCH, INPUTS), *weights, (BATCH, HIDDEN), (BATCH, HIDDEN))
    return [(scale * rng.normal(size=shape)).astype(dtype) for shape in shapes]


def _fused(arrays: Any, reset: Any, valid: Any) -> tuple[Any, ...]:
    x, w_x, w_h, b_x, b_h, h, c = arrays
    return lstm(x, (w_x, w_h, b_x, b_h), h, c, on_backend(reset), on_backend(valid))


def _by_hand(arrays: list[Any], reset: Any, valid: Any) -> tuple[Any, Any, Any]:
    """The definition, one step and one sequence at a time."""
    x, w_x, w_h, b_x, b_h, h, c = (array.copy() for array in arrays)
    outputs = np.empty((len(x), *h.shape))
    for t, row in itertools.product(range(len(x)), range(len(h))):
        if reset is not None and reset[t, row, 0]:
            h[row], c[row] = 0, 0
        if valid is None or valid[t, row, 0]:
            i, f, g, o = np.split(x[t, row] @ w_x + b_x + h[row] @ w_h + b_h, 4)
            c[row] = c[row] / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
            h[row] = np.tanh(c[row]) / (1 + np.exp(-o))
        outputs[t, row] = h[row]
    return outputs, h, c


@each_mask
def test_an_lstm_has_the_values_that_its_formula_gives(reset: Any, valid: Any) -> None:
    arrays = _arrays()
    expected = _by_hand(arrays, reset, valid)
    for found in (_fused(on_backend(arrays), reset, valid), npnets.vjp(_of(reset, valid), on_backend(arrays))[0]):
        assert_trees_close(list(found), list(expected), 1e-12, 1e-14)


def _of(reset: Any, valid: Any) -> Any:
    return lambda arrays: list(_fused(arrays, reset, valid))


@each_mask
def test_gradients_from_any_choice_of_the_three_outputs_are_those_of_the_composition(reset: Any, valid: Any) -> None:
    arrays = on_backend(_arrays())
    masks = {"reset": on_backend(reset), "valid": on_backend(valid)}
    for used in (chosen for n in (1, 2, 3) for chosen in itertools.combinations(range(3), n)):
        fast = npnets.vjp(lambda a, used=used: [_fused(a, reset, valid)[index] for index in used], arrays)
        plain = npnets.vjp(lambda a, used=used: [COMPOSITIONS["lstm"](*a, **masks)[index] for index in used], arrays)
        g = direction_like(np.random.default_rng(1), fast[0])
        assert_trees_close(fast[1](g), plain[1](g), 1e-10, 1e-12)
        assert all(leaf.any() for leaf in as_numpy(fast[1](g)))


@pytest.mark.numpy_alone("test_backends_agree tries each argument, all but one, and all elsewhere")
@each_mask
def test_gradients_by_some_arguments_are_those_by_all_of_them(reset: Any, valid: Any) -> None:
    arrays = on_backend(_arrays())
    value, pullback = npnets.vjp(_of(reset, valid), arrays)
    g = direction_like(np.random.default_rng(2), value)
    everything = pullback(g)
    for chosen in (some for n in range(1, 7) for some in itertools.combinations(range(7), n)):
        parts = [arrays[index] for index in chosen]
        merged = lambda new, chosen=chosen: {**dict(enumerate(arrays)), **dict(zip(chosen, new, strict=True))}  # noqa: E731
        found = npnets.vjp(lambda new, merged=merged: list(_fused(merged(new).values(), reset, valid)), parts)[1](g)
        assert_trees_close(found, [everything[index] for index in chosen], 1e-12, 1e-14)


def test_steps_that_are_not_valid_are_not_read_even_where_they_are_nan() -> None:
    arrays = _arrays()
    poisoned = [np.where(VALID, arrays[0], np.nan), *arrays[1:]]
    value, pullback = npnets.vjp(_of(RESET, VALID), on_backend(arrays))
    again, pullback_again = npnets.vjp(_of(RESET, VALID), on_backend(poisoned))
    g = direction_like(np.random.default_rng(3), value)
    assert_trees_close(again, as_numpy(value), 0, 0)
    assert_trees_close(pullback_again(g), as_numpy(pullback(g)), 0, 0)
    assert_trees_close(list(_fused(on_backend(poisoned), RESET, VALID)), as_numpy(value), 1e-13, 1e-14)
    plain = COMPOSITIONS["lstm"](*on_backend(poisoned), reset=on_backend(RESET), valid=on_backend(VALID))
    assert_trees_close(list(plain), as_numpy(value), 1e-13, 1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gates_that_are_saturated_stay_finite_and_within_their_bounds_without_a_warning(dtype: type) -> None:
    arrays = on_backend(_arrays(1e3, dtype))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, pullback = npnets.vjp(_of(None, None), arrays)
        gradients = pullback([leaf * 0 + 1 for leaf in value])
    outputs, h, c = as_numpy(value)
    assert (abs(outputs) <= 1).all() and abs(outputs).max() > 0.5
    assert all(np.isfinite(leaf).all() for leaf in (h, c, *as_numpy(gradients)))


def test_both_biases_have_the_same_effect() -> None:
    x, w_x, w_h, b_x, b_h, h, c = on_backend(_arrays())
    whole = lstm(x, (w_x, w_h, b_x, b_h), h, c)[0]
    for biases in ((b_x + b_h, b_h * 0), (b_x * 0, b_x + b_h)):
        assert_allclose(lstm(x, (w_x, w_h, *biases), h, c)[0], whole, rtol=1e-12)


def test_in_float32_small_states_are_exact_to_some_ten_millionths() -> None:
    arrays = _arrays(0.01)
    exact = _by_hand(arrays, None, None)
    found = _fused(on_backend([array.astype(np.float32) for array in arrays]), None, None)
    assert_trees_close(list(found), list(exact), 0, 3e-7)
    assert 1e-5 < abs(exact[0]).max() < 2e-2
