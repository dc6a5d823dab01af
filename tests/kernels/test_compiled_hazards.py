"""The extension module neither reads nor writes memory that is not its own, whatever happens during a call.

Outside these tests the functions are called by the kernels and optimizers alone.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pytest

from npnets.kernels.compiled.native import native

pytestmark = [
    pytest.mark.numpy_alone("is about the extension module"),
    pytest.mark.skipif(native is None, reason="is about the extension module"),
]


class Emptying:
    """A key, or a number, that empties a dict or list when it is compared or converted."""

    def __init__(self, container: Any, first: Any = None) -> None:
        self.container, self.first = container, first

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        self.container.clear()
        if self.first is not None and self.first() is None:
            raise MemoryError("an array was freed that the call still uses")
        return True

    def __float__(self) -> float:
        self.container.clear()
        self.reusing_memory = [(number, 7.0, 7.0, 7.0) for number in (7.0, 8.0)]
        return 0.5


def test_a_key_that_empties_a_tree_when_it_is_compared_frees_no_array_in_use() -> None:
    array = np.ones(5)
    parameters = {Emptying({}): array}
    targets = {Emptying(parameters, weakref.ref(array)): np.full(5, 3.0)}
    del array
    (new,) = native.lerp((0.5,), (parameters, targets))
    assert not parameters
    np.testing.assert_equal(list(new.values()), [np.full(5, 2.0)])


def test_a_number_that_empties_the_list_of_numbers_frees_none_in_use() -> None:
    numbers: list[Any] = []
    numbers.append((Emptying(numbers), 0.1, 0.0, 0.0))
    new, _ = native.sgd(numbers, (np.ones(5), np.ones(5), np.ones(5)))
    assert not numbers
    np.testing.assert_allclose(new, np.full(5, 1 - 0.1 * 1.5))


@pytest.mark.parametrize("numbers", [[], [(0.5,)]], ids=repr)
def test_fewer_numbers_than_leaves_are_an_error(numbers: list[Any]) -> None:
    with pytest.raises(TypeError, match="expected 1 numbers for each leaf"):
        native.scale(numbers, ({"a": np.ones(2), "b": np.ones(2)},))


TREES = [("sgd", 4, 2, 3), ("rmsprop", 5, 3, 4), ("adam", 6, 4, 4), ("lerp", 1, 2, 2), ("scale", 1, 1, 1)]


@pytest.mark.parametrize(("name", "numbers", "least", "most"), TREES, ids=[name for name, *_ in TREES])
def test_an_optimizer_refuses_too_few_or_too_many_trees(name: str, numbers: int, least: int, most: int) -> None:
    for count in range(7):
        args = (0.5,) * numbers, (np.ones(3),) * count
        if least <= count <= most:
            assert all(np.isfinite(new).all() for new in getattr(native, name)(*args))
        else:
            with pytest.raises(TypeError, match=f"expected numbers and a tuple of {least} to {most} trees"):
                getattr(native, name)(*args)


HUGE = [
    ("rows", [(2**40, 0), (0, 2**24), None, (2**24, 0), None]),
    ("columns", [(1, 0), (0, 2**57), None, (2**57, 0), None]),
    ("columns without rows", [(0, 0), (0, 2**60), None, (2**60, 0), None]),
    ("members", [(64, 4), (2**40, 4, 0), None]),
]


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(("name", "shapes"), HUGE, ids=[name for name, _ in HUGE])
def test_linear_layers_refuse_sizes_whose_products_overflow(name: str, shapes: list[Any], keep: bool) -> None:
    arrays = [None if shape is None else np.empty(shape, np.float32) for shape in shapes]
    with pytest.raises(ValueError, match="that memory can hold"):
        native.linear_forward((None,) * (len(shapes) // 2), keep, *arrays)
