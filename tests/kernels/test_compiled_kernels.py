"""Laws of the kernels where those in C may differ from NumPy's: odd sizes, layouts of memory, extremes, aliases.

They run on every instruction set of the processor. Each kernel is held against its own plain composition.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from backends import bits
from finite_differences import assert_trees_close
from instruction_sets import each_instruction_set, using
from kernel_case import Case
from sized_kernel_cases import SIZED, each_kernel, gradients, sized

from npnets.kernels.compiled.native import native

pytestmark = pytest.mark.numpy_alone("is about the extension module")

OF_ROWS = [name for name in SIZED if not name.startswith(("linear", "lstm", "latent"))]
"""The kernels that have no products."""

PARTS = (3, 1100)
"""Rows longer than the parts in which C computes."""

TASKS = (5000, 9)
"""More rows than one task has."""


@each_instruction_set
@each_kernel
def test_a_kernel_agrees_with_its_composition_at_sizes_around_those_of_vectors(
    instruction_set: str, kernel: str
) -> None:
    for case in sized(kernel):
        _check_composition(instruction_set, case, np.float64, 1e-10, 1e-11)
        _check_composition(instruction_set, case, np.float32, 1e-3, 1e-3)


@each_instruction_set
@pytest.mark.parametrize("kernel", OF_ROWS)
def test_rows_longer_than_a_part_and_more_rows_than_a_task_change_nothing(instruction_set: str, kernel: str) -> None:
    for size in (PARTS, TASKS):
        _check_composition(instruction_set, SIZED[kernel](*size), np.float64, 1e-9, 1e-9)


def _check_composition(instruction_set: str, case: Case, dtype: type, rtol: float, atol: float) -> None:
    arrays = case.arrays(dtype)
    with using(instruction_set):
        value, cotangents = gradients(case.fun, arrays)
    expected, of_composition = gradients(case.plain, arrays)
    assert value.dtype == dtype and {g.dtype for g in cotangents} <= {np.dtype(dtype)}
    assert_trees_close(value, expected, 0.01 * rtol, 0.01 * atol)
    assert_trees_close(cotangents, of_composition, rtol, atol)


@each_instruction_set
@each_kernel
def test_without_a_derivative_a_kernel_returns_the_same_bits(instruction_set: str, kernel: str) -> None:
    with using(instruction_set):
        for case in sized(kernel):
            arrays = case.arrays(np.float32)
            assert bits(case.fun(*arrays)) == bits(gradients(case.fun, arrays)[0]), case.name


# -- layouts of memory ------------------------------------------------------------------------------------------------


def _strided(x: np.ndarray) -> np.ndarray:
    wide = np.full((*x.shape[:-1], 2 * x.shape[-1]), np.nan, x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


def _reversed(x: np.ndarray) -> np.ndarray:
    return x[..., ::-1].copy()[..., ::-1]


def _transposed(x: np.ndarray) -> np.ndarray:
    return np.asfortranarray(x)


def _misaligned(x: np.ndarray) -> np.ndarray:
    memory = np.empty(x.nbytes + 1, np.uint8)[1:]
    view = memory.view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


def _off_a_vector(x: np.ndarray) -> np.ndarray:
    view = np.empty(x.size + 3, x.dtype)[3:].reshape(x.shape)
    view[...] = x
    return view


def _read_only(x: np.ndarray) -> np.ndarray:
    copy = x.copy()
    copy.setflags(write=False)
    return copy


def _of_other_bytes(x: np.ndarray) -> np.ndarray:
    return x.astype(x.dtype.newbyteorder())


LAYOUTS = (_strided, _reversed, _transposed, _misaligned, _off_a_vector, _read_only, _of_other_bytes)


@each_instruction_set
@each_kernel
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__.strip("_"))
def test_the_layout_of_the_arguments_changes_no_bit(
    instruction_set: str, kernel: str, layout: Callable[[np.ndarray], np.ndarray]
) -> None:
    with using(instruction_set):
        for size in ((5, 3), (17, 33)):
            case = SIZED[kernel](*size)
            plain = case.arrays(np.float32)
            laid_out = [None if array is None else layout(array) for array in plain]
            before = bits([array for array in laid_out if array is not None])
            assert bits(case.fun(*laid_out)) == bits(case.fun(*plain))
            if layout is not _of_other_bytes:  # which nothing differentiates
                assert bits(gradients(case.fun, laid_out)) == bits(gradients(case.fun, plain))
            assert bits([array for array in laid_out if array is not None]) == before


@each_instruction_set
@each_kernel
def test_arguments_may_be_one_array(instruction_set: str, kernel: str) -> None:
    case = SIZED[kernel](16, 16)
    first = case.arrays(np.float32)
    by_shape: dict[Any, Any] = {}
    aliased = [None if array is None else by_shape.setdefault(array.shape, array) for array in first]
    copies = [None if array is None else array.copy() for array in aliased]
    with using(instruction_set):
        assert bits(case.fun(*aliased)) == bits(case.fun(*copies))
        assert bits(gradients(case.fun, aliased)) == bits(gradients(case.fun, copies))


# -- NaN, infinity, saturation ----------------------------------------------------------------------------------------


@each_instruction_set
@each_kernel
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_spread_as_in_the_composition(instruction_set: str, kernel: str, value: float) -> None:
    for size in ((5, 3), (17, 33)):
        case = SIZED[kernel](*size)
        arrays = case.arrays(np.float64)
        for array in arrays:
            if array is None:
                continue
            before = array.flat[0]
            array.flat[0] = value
            with np.errstate(all="ignore"), using(instruction_set):
                found = case.fun(*arrays)
                expected = case.plain(*arrays)
            np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12, err_msg=case.name)
            array.flat[0] = before


@each_instruction_set
@each_kernel
def test_nan_reaches_the_cotangents_that_it_reaches_in_the_composition(instruction_set: str, kernel: str) -> None:
    case = SIZED[kernel](5, 17)
    arrays = case.arrays(np.float64)
    for array in arrays:
        if array is None:
            continue
        before = array.flat[0]
        array.flat[0] = np.nan
        with using(instruction_set), warnings.catch_warnings():
            warnings.simplefilter("error")  # NaN that comes in is no invalid operation
            _, found = gradients(case.fun, arrays)
        with np.errstate(all="ignore"):
            _, expected = gradients(case.plain, arrays)
        for part, of_composition in zip(map(np.isnan, found), map(np.isnan, expected), strict=True):
            if kernel == "lstm":  # where a step is masked, NaN may end
                assert part.any() == of_composition.any(), case.name
            else:
                np.testing.assert_array_equal(part, of_composition, err_msg=case.name)
        array.flat[0] = before


@each_instruction_set
@each_kernel
def test_large_numbers_raise_no_floating_point_error(instruction_set: str, kernel: str) -> None:
    case = SIZED[kernel](17, 3)
    for dtype, scale in ((np.float32, 5.0), (np.float64, 50.0)):
        arrays = case.arrays(dtype, scale)
        with using(instruction_set), np.errstate(over="raise", divide="raise", invalid="raise"):
            value, cotangents = gradients(case.fun, arrays)
        assert all(np.isfinite(part).all() for part in (value, *cotangents))


# -- threads ----------------------------------------------------------------------------------------------------------


@each_kernel
@pytest.mark.skipif(native is None, reason="is about the extension module")
def test_the_bits_do_not_depend_on_the_number_of_threads(kernel: str) -> None:
    case = SIZED[kernel](3000, 16)
    arrays = case.arrays(np.float32)
    before = native.threads(1)
    try:
        alone = bits(gradients(case.fun, arrays))
        native.threads(4)
        assert bits(gradients(case.fun, arrays)) == alone
    finally:
        native.threads(before)
