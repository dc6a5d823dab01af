"""The LSTM in C where its rows are divided into blocks and groups, its steps into parts, and its arrays lie anywhere.

Each test runs on every instruction set of the processor.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from backends import bits
from finite_differences import assert_trees_close
from instruction_sets import each_instruction_set, using
from kernel_case import COMPOSITIONS

import npnets
from npnets.kernels.compiled import lstm as compiled
from npnets.kernels.compiled.native import native
from npnets.kernels.lstm import lstm

pytestmark = [
    pytest.mark.numpy_alone("is about the extension module"),
    pytest.mark.skipif(native is None, reason="is about the extension module"),
]

BLOCKS = 2, 600, 2, 3
"""More blocks of rows than there are groups of them."""

PARTS = 20, 33, 3, 5
"""More steps than one part of the backward has."""

ONE_ROW = 300, 1, 3, 17
FEW_ROWS = 9, 2, 3, 17
ONE_STEP = 1, 5, 3, 17
SHORT = 2, 4, 40, 9
"""Rows and steps at which weights are used as they lie, in one direction or in both."""

each_size = pytest.mark.parametrize("size", [BLOCKS, PARTS, ONE_ROW, FEW_ROWS, ONE_STEP, SHORT], ids=str)


def _arrays(size: tuple[int, int, int, int], dtype: Any = np.float64) -> list[np.ndarray]:
    steps, batch, inputs, hidden = size
    rng = np.random.default_rng(0)
    weights = (inputs, 4 * hidden), (hidden, 4 * hidden), (4 * hidden,), (4 * hidden,)
    shapes = ((steps, batch, inputs), *weights, (batch, hidden), (batch, hidden))
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def _masks(size: tuple[int, int, int, int]) -> dict[str, np.ndarray]:
    steps, batch, *_ = size
    rng = np.random.default_rng(1)
    lengths = rng.integers(1, steps + 1, (batch, 1))
    return {"reset": rng.random((steps, batch, 1)) < 0.2, "valid": np.arange(steps)[:, None, None] < lengths}


def _pulled_back(arrays: Any, cotangents: Any, **masks: Any) -> tuple[Any, Any]:
    def run(parts: Any) -> list[Any]:
        return list(lstm(parts[0], tuple(parts[1:5]), *parts[5:], **masks))

    value, pullback = npnets.vjp(run, arrays)
    return value, pullback(cotangents)


def _cotangents(arrays: list[np.ndarray]) -> list[np.ndarray]:
    rng = np.random.default_rng(2)
    return [
        rng.normal(size=shape).astype(arrays[0].dtype) for shape in (_outputs_shape(arrays), *[arrays[5].shape] * 2)
    ]


def _outputs_shape(arrays: list[np.ndarray]) -> tuple[int, ...]:
    return (len(arrays[0]), *arrays[5].shape)


@each_instruction_set
@each_size
@pytest.mark.parametrize("masked", [False, True])
def test_blocks_of_rows_and_parts_of_steps_have_the_results_of_the_composition(
    instruction_set: str, size: tuple[int, int, int, int], masked: bool
) -> None:
    arrays, masks = _arrays(size), _masks(size) if masked else {"reset": None, "valid": None}
    g = _cotangents(arrays)
    with using(instruction_set):
        value, cotangents = _pulled_back(arrays, g, **masks)
    expected, pullback = npnets.vjp(lambda parts: list(COMPOSITIONS["lstm"](*parts, **masks)), arrays)
    assert_trees_close(value, expected, 1e-11, 1e-12)
    assert_trees_close(cotangents, pullback(g), 1e-9, 1e-10)


@each_instruction_set
@each_size
def test_without_a_derivative_any_path_has_the_same_bits(instruction_set: str, size: tuple[int, int, int, int]) -> None:
    arrays, masks = _arrays(size, np.float32), _masks(size)
    with using(instruction_set):
        assert bits(lstm(arrays[0], tuple(arrays[1:5]), *arrays[5:], **masks)) == bits(
            _pulled_back(arrays, _cotangents(arrays), **masks)[0]
        )


@each_instruction_set
@each_size
def test_a_step_that_is_not_valid_is_never_read(instruction_set: str, size: tuple[int, int, int, int]) -> None:
    arrays, masks = _arrays(size, np.float32), _masks(size)
    poisoned = [np.where(masks["valid"], arrays[0], np.float32("nan")), *arrays[1:]]
    g = _cotangents(arrays)
    with using(instruction_set), np.errstate(all="raise", under="ignore"):
        found, expected = _pulled_back(poisoned, g, **masks), _pulled_back(arrays, g, **masks)
    assert bits(found) == bits(expected)
    assert not found[1][0][~masks["valid"][..., 0]].any()


@each_instruction_set
@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))), ids=str)
def test_sequences_cotangents_and_masks_may_lie_in_any_order_of_their_axes(
    instruction_set: str, axes: tuple[int, ...]
) -> None:
    def laid_out(array: np.ndarray) -> np.ndarray:
        back = np.argsort(axes)
        return np.ascontiguousarray(array.transpose(axes)).transpose(back)

    arrays, masks = _arrays(PARTS, np.float32), _masks(PARTS)
    g = _cotangents(arrays)
    with using(instruction_set):
        expected = _pulled_back(arrays, g, **masks)
        others = {name: laid_out(mask) for name, mask in masks.items()}
        found = _pulled_back([laid_out(arrays[0]), *arrays[1:]], [laid_out(g[0]), *g[1:]], **others)
    assert bits(found) == bits(expected)


@each_instruction_set
@pytest.mark.parametrize("size", [PARTS, ONE_ROW], ids=str)
def test_any_choice_of_arguments_and_outputs_has_the_bits_of_all(
    instruction_set: str, size: tuple[int, int, int, int]
) -> None:
    arrays, masks = _arrays(size, np.float32), _masks(size)
    pair = compiled.PAIR
    assert pair is not None
    with using(instruction_set):
        residuals = pair.forward(*arrays, **masks)[1]
        for used in itertools.product((False, True), repeat=3):
            g = [part if is_used else None for part, is_used in zip(_cotangents(arrays), used, strict=True)]
            zeros = [
                np.zeros_like(part) if one is None else one for part, one in zip(_cotangents(arrays), g, strict=True)
            ]
            everything = pair.backward(zeros, residuals, tuple(range(7)), *arrays, **masks)
            for chosen in ((0,), (1,), (4,), (5,), (6,), (6, 2, 0), tuple(range(7))):
                found = pair.backward(g, residuals, chosen, *arrays, **masks)
                for argnum, part in zip(chosen, found, strict=True):
                    np.testing.assert_array_equal(part, everything[argnum])


def test_sizes_beyond_all_memory_are_an_error() -> None:
    empty = np.zeros((1, 0), np.float32)
    x = np.broadcast_to(np.float32(0), (1 << 40, 1, 1 << 20))
    with pytest.raises(ValueError, match="fit into memory"):
        lstm(x, (np.zeros((1 << 20, 0), np.float32), empty[:0], empty[0], empty[0]), empty, empty)


@pytest.mark.parametrize("index", range(7))
def test_an_array_of_a_wrong_shape_is_an_error_that_names_both_shapes(index: int) -> None:
    arrays = _arrays(PARTS)
    arrays[index] = np.concatenate([arrays[index], arrays[index]], -1)
    with pytest.raises(ValueError, match=r"expected .* of shape \(.*\), but got \("):
        native.lstm_forward(True, *arrays, None, None)


def test_residuals_of_another_size_are_an_error() -> None:
    arrays = _arrays(PARTS)
    *outputs, residuals = native.lstm_forward(True, *arrays, None, None)
    with pytest.raises(ValueError, match="expected the residuals of shape"):
        native.lstm_backward((0,), residuals[1:], *outputs, *arrays, None, None)
