"""Whatever Python hands to a function of the extension module that computes rows, it refuses or computes, and no more.

Outside these tests the functions are called by the kernels alone, which hand over the right arguments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from npnets.kernels.compiled.native import native

pytestmark = [
    pytest.mark.numpy_alone("is about the extension module"),
    pytest.mark.skipif(native is None, reason="is about the extension module"),
]

ROWS, WIDTH = 5, 3
SHAPES = {"whole": (ROWS, WIDTH), "of rows": (ROWS,), "of columns": (WIDTH,), "statistics": (2, ROWS)}


@dataclass(frozen=True)
class Argument:
    """An array of a call: its shape, whether its dtype must be that of the others, whether `None` may replace it."""

    shape: str
    strict: bool = True
    optional: bool = False


WHOLE, COLUMNS, OPTIONAL = Argument("whole"), Argument("of columns"), Argument("of columns", optional=True)
COTANGENT = Argument("whole", strict=False)
CALLS: dict[str, tuple[Any, ...]] = {
    "gaussian_forward": (WHOLE, WHOLE, WHOLE),
    "gaussian_backward": ((0, 1, 2), Argument("of rows", strict=False), WHOLE, WHOLE, WHOLE),
    "squashed_gaussian_forward": (True, WHOLE, WHOLE, WHOLE, COLUMNS, COLUMNS, 1.5),
    "squashed_gaussian_backward": (
        (0, 2),
        Argument("whole", strict=False, optional=True),
        Argument("of rows", strict=False, optional=True),
        COLUMNS,
        WHOLE,
        WHOLE,
        WHOLE,
        WHOLE,
    ),
    "layer_norm_forward": (True, 1e-5, WHOLE, OPTIONAL, OPTIONAL),
    "layer_norm_backward": (
        (0, 1, 2),
        COTANGENT,
        Argument("statistics", strict=False),
        1e-5,
        WHOLE,
        OPTIONAL,
        OPTIONAL,
    ),
    "shared_sigma_forward": (COLUMNS, (2, ROWS, WIDTH)),
    "shared_sigma_backward": (COTANGENT, WHOLE),
}
"""The functions with their arguments: arrays by their shape, or the numbers themselves."""

each_call = pytest.mark.parametrize("name", CALLS)


def arguments(name: str) -> list[Any]:
    rng = np.random.default_rng(0)
    return [
        (0.5 + rng.random(SHAPES[each.shape])).astype(np.float32) if isinstance(each, Argument) else each
        for each in CALLS[name]
    ]


def replaced(name: str, values: Any) -> Iterator[tuple[int, list[Any]]]:
    """Yield the arguments with each array replaced by each of the values made of it."""
    args = arguments(name)
    for index, described in enumerate(CALLS[name]):
        if isinstance(described, Argument):
            for value in values(args[index], described):
                yield index, [*args[:index], value, *args[index + 1 :]]


@each_call
def test_the_right_arguments_are_computed(name: str) -> None:
    result = getattr(native, name)(*arguments(name))
    for part in result if isinstance(result, tuple) else (result,):
        assert part.dtype == np.float32 and np.isfinite(part).all()


@each_call
def test_an_array_of_another_shape_is_an_error(name: str) -> None:
    def others(array: np.ndarray, described: Argument) -> list[np.ndarray]:
        wider = np.concatenate([array, array], -1)
        return [array[..., :-1], wider, array[:-1], array[None], array[:, None], array.ravel(), array[..., 0]]

    alone = name == "layer_norm_forward"  # whose x has as many rows as it likes
    for index, args in replaced(name, others):
        shape, right = args[index].shape, SHAPES[CALLS[name][index].shape]
        if shape == right or (alone and shape[-1:] == right[-1:] and CALLS[name][index] is WHOLE):
            continue
        with pytest.raises((TypeError, ValueError)):
            getattr(native, name)(*args)


@each_call
def test_what_is_no_array_of_numbers_is_an_error(name: str) -> None:
    def others(array: np.ndarray, described: Argument) -> list[Any]:
        nothing = [] if described.optional else [None]
        return ["text", object(), np.full(array.shape, "text", object), *nothing]

    for _, args in replaced(name, others):
        with pytest.raises((TypeError, ValueError)):
            getattr(native, name)(*args)


@each_call
def test_an_array_of_another_dtype_is_an_error_unless_it_is_a_cotangent(name: str) -> None:
    several = sum(isinstance(each, Argument) and each.strict for each in CALLS[name]) > 1
    expected = getattr(native, name)(*arguments(name))
    for index, args in replaced(name, lambda array, described: [array.astype(np.float64)]):
        if CALLS[name][index].strict and several:
            with pytest.raises(TypeError, match="dtype"):
                getattr(native, name)(*args)
        elif not CALLS[name][index].strict:
            np.testing.assert_equal(getattr(native, name)(*args), expected)
    for index, args in replaced(name, lambda array, described: [array.astype(int), array.astype(np.float16)]):
        if CALLS[name][index].strict:
            with pytest.raises(TypeError, match="float32 or float64"):
                getattr(native, name)(*args)


@each_call
def test_a_wrong_number_of_arguments_is_an_error(name: str) -> None:
    args = arguments(name)
    for wrong in ([], args[:-1], [*args, args[-1]]):
        with pytest.raises(TypeError, match=r"expected \("):
            getattr(native, name)(*wrong)


@pytest.mark.parametrize("name", [name for name, args in CALLS.items() if isinstance(args[0], tuple)])
@pytest.mark.parametrize("argnums", [(), (3,), (-1,), (0, 10**30), ("0",), None, [0]], ids=repr)
def test_argnums_other_than_of_arguments_are_an_error(name: str, argnums: Any) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError), match="argnums"):
        getattr(native, name)(argnums, *arguments(name)[1:])


@pytest.mark.parametrize(
    "shape", [(), (4,), (2, 4), (-1, WIDTH), (1 << 62, WIDTH), (1 << 40, 1 << 40, WIDTH), (2.0, WIDTH), None, (1,) * 40]
)
def test_a_shape_that_sigma_cannot_have_is_an_error(shape: Any) -> None:
    with pytest.raises((TypeError, ValueError, MemoryError)):
        native.shared_sigma_forward(np.zeros(WIDTH, np.float32), shape)


def test_a_single_number_is_no_array_of_rows() -> None:
    with pytest.raises(ValueError, match="at least one axis"):
        native.layer_norm_forward(True, 1e-5, np.array(1.0), None, None)


def test_the_cotangent_of_a_single_number_may_be_a_scalar() -> None:
    x, mu, sigma = np.array([[0.5, 1.0], [0.25, 2.0], [1.0, 4.0]])
    by_scalar = native.gaussian_backward((0, 1, 2), 2.0, x, mu, sigma)
    np.testing.assert_equal(by_scalar, native.gaussian_backward((0, 1, 2), np.array(2.0), x, mu, sigma))
    np.testing.assert_equal(by_scalar, native.gaussian_backward((0, 1, 2), np.float64(2), x, mu, sigma))
    assert type(native.gaussian_forward(x, mu, sigma)) is np.float64
