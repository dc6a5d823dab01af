"""Trees of arrays: mapping, and the names and order of leaves."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from backends import as_numpy, assert_array_equal, on_backend

from npnets import tree


class Pair(NamedTuple):
    """A named tuple, such as the state of an optimizer."""

    first: Any
    second: Any


# -- map --------------------------------------------------------------------------------------------------------------


def test_map_applies_a_function_to_each_leaf_and_keeps_the_structure() -> None:
    x = on_backend({"b": [np.array([1.0, 2.0]), (np.array(3.0),)], "a": Pair(np.array(4.0), {"c": np.array(5.0)})})
    doubled = tree.map(lambda leaf: 2 * leaf, x)
    assert list(doubled) == ["b", "a"]
    assert type(doubled["b"]) is list and type(doubled["b"][1]) is tuple and type(doubled["a"]) is Pair
    assert_array_equal(doubled["b"][0], [2, 4])
    assert as_numpy((doubled["b"][1][0], doubled["a"].first, doubled["a"].second["c"])) == (6, 8, 10)
    assert as_numpy(x["a"].first) == 4


def test_map_of_several_trees_pairs_leaves_by_key_whatever_the_order_of_keys() -> None:
    a = {"x": np.array(1.0), "y": {"p": np.array(2.0), "q": np.array(3.0)}}
    b = {"y": {"q": np.array(30.0), "p": np.array(20.0)}, "x": np.array(10.0)}
    c = {"y": {"p": np.array(200.0), "q": np.array(300.0)}, "x": np.array(100.0)}
    sums = tree.map(lambda *parts: sum(parts), *on_backend((a, b, c)))
    assert as_numpy(sums) == {"x": 111.0, "y": {"p": 222.0, "q": 333.0}}


def test_map_of_a_bare_array_calls_the_function_on_it() -> None:
    assert_array_equal(tree.map(lambda a, b: a - b, *on_backend((np.array(5.0), np.array(3.0)))), 2.0)


@pytest.mark.numpy_alone("about leaves that are no arrays")
def test_map_takes_what_is_no_container_for_a_leaf() -> None:
    assert tree.map(lambda leaf: leaf is None, {"a": None, "b": 1}) == {"a": True, "b": False}


ONE = np.ones(2)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ({"p": {"a": ONE, "b": ONE}}, {"p": {"a": ONE, "c": ONE}}, r"differ at 'p'.*lacks \['b'\].*has \['c'\]"),
        ({"a": ONE}, {"a": ONE, "b": ONE}, r"differ at 'the root'.*lacks \[\].*has \['b'\].*two different networks"),
        ({"p": {"a": ONE}}, {"p": ONE}, r"expected a dict at 'p', but got a ndarray"),
        ({"p": [ONE, ONE]}, {"p": [ONE]}, r"sequence of length 2 at 'p', but got length 1"),
        ({"p": [ONE, ONE]}, {"p": {"a": ONE}}, r"sequence of length 2 at 'p', but got dict"),
        ({"p": [ONE, {"q": ONE}]}, {"p": [ONE, {"q": [ONE]}]}, r"expected one array at 'p\.1\.q', but got a list"),
        (ONE, {"a": ONE}, r"expected one array at 'the root', but got a dict"),
    ],
)
def test_trees_of_different_structure_are_refused_and_the_place_is_named(first: Any, second: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        tree.map(lambda a, b: a, *on_backend((first, second)))


# -- leaves and paths -------------------------------------------------------------------------------------------------


def test_unzip_gives_a_tree_for_each_value_that_a_function_returns() -> None:
    x, y = on_backend(({"b": np.ones(2), "a": [np.zeros(1)]}, {"a": [np.full(1, 3.0)], "b": np.full(2, 2.0)}))
    sums, pairs = tree.unzip(2, lambda p, q: (p + q, (p, q)), x, y)
    assert_array_equal(sums["b"], [3, 3])
    assert_array_equal(sums["a"][0], [3])
    assert pairs["b"][0] is x["b"] and pairs["a"][0][1] is y["a"][0]
    with pytest.raises(ValueError, match="two trees differ at 'the root'"):
        tree.unzip(2, lambda p, q: (p, q), x, {"b": y["b"]})


def test_leaves_and_paths_follow_sorted_keys_and_the_order_of_sequences() -> None:
    x = {"b": [np.array(3.0), np.array(4.0)], "a": {"z": np.array(2.0), "B": np.array(1.0)}, "c": (np.array(5.0),)}
    assert tree.paths(on_backend(x)) == ["a.B", "a.z", "b.0", "b.1", "c.0"]
    assert as_numpy(tree.leaves(on_backend(x))) == [1, 2, 3, 4, 5]


def test_more_than_nine_parts_of_a_list_keep_their_order() -> None:
    assert as_numpy(tree.leaves(on_backend([np.array(float(n)) for n in range(12)]))) == list(range(12))


def test_the_path_of_a_bare_array_is_empty() -> None:
    assert tree.paths(on_backend(np.ones(3))) == [""]
