"""The way from a tree of arrays, or some of its leaves, to one vector and back."""

from __future__ import annotations

import pickle
from typing import Any, NamedTuple

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, on_backend
from hypothesis import given
from hypothesis import strategies as st

import npnets
import npnets.numpy as nnp
from npnets import tree


class Pair(NamedTuple):
    """A named tuple, such as the state of an optimizer."""

    first: Any
    second: Any


SHAPES = st.sampled_from([(), (1,), (3,), (2, 3), (0,), (2, 1, 2)])
KEYS = st.text("abcXYZ_019", min_size=1, max_size=3)


def _trees(dtype: type) -> st.SearchStrategy[Any]:
    """Nested dicts, lists, tuples and named tuples with arrays of numbers at their leaves."""
    leaves = st.builds(
        lambda shape, seed: np.random.default_rng(seed).standard_normal(shape).astype(dtype), SHAPES, st.integers(0, 99)
    )
    return st.recursive(
        leaves.map(np.asarray),
        lambda parts: st.one_of(
            st.dictionaries(KEYS, parts, max_size=3),
            st.lists(parts, max_size=3),
            st.lists(parts, max_size=3).map(tuple),
            st.builds(Pair, parts, parts),
        ),
        max_leaves=6,
    )


def _types(x: Any) -> Any:
    """The containers of a tree, with the shape and dtype of each leaf."""
    if isinstance(x, dict):
        return {key: _types(part) for key, part in x.items()}
    if isinstance(x, (list, tuple)):
        return type(x), [_types(part) for part in x]
    return x.shape, x.dtype


@given(st.sampled_from([np.float32, np.float64, np.int64]).flatmap(_trees))
def test_unravel_undoes_ravel_in_structure_shape_dtype_and_value(x: Any) -> None:
    host, x = x, on_backend(x)
    if not tree.leaves(x):
        with pytest.raises(ValueError, match="no leaves"):
            tree.ravel(x)
        return
    vector, unravel = tree.ravel(x)
    assert vector.shape == (sum(leaf.size for leaf in tree.leaves(x)),)
    assert vector.dtype == tree.leaves(x)[0].dtype
    assert_array_equal(vector, np.concatenate([leaf.ravel() for leaf in tree.leaves(host)]))
    again = unravel(vector)
    assert _types(again) == _types(x)
    tree.map(assert_array_equal, again, host)


@given(_trees(np.float64), st.integers(0, 99))
def test_ravel_undoes_unravel(x: Any, seed: int) -> None:
    if tree.leaves(x):
        vector, unravel = tree.ravel(on_backend(x))
        other = np.random.default_rng(seed).standard_normal(vector.shape)
        assert_array_equal(tree.ravel(unravel(on_backend(other)))[0], other)


def test_equal_trees_give_equal_vectors_in_whatever_order_their_keys_were_set() -> None:
    a = on_backend({"x": np.arange(3.0), "y": {"q": np.array(7.0), "p": np.array([8.0, 9.0])}})
    b = on_backend({"y": {"p": np.array([8.0, 9.0]), "q": np.array(7.0)}, "x": np.arange(3.0)})
    assert_array_equal(tree.ravel(a)[0], [0, 1, 2, 8, 9, 7])
    assert_array_equal(tree.ravel(b)[0], tree.ravel(a)[0])
    assert list(tree.ravel(b)[1](tree.ravel(a)[0])) == ["y", "x"]


def test_ravel_copies_and_unravel_gives_views_of_the_vector() -> None:
    x = on_backend({"a": np.zeros(2), "b": np.zeros((2, 2))})
    vector, unravel = tree.ravel(x)
    vector += 1
    assert not x["a"].any() and not x["b"].any()
    views = unravel(vector)
    vector[3] = 7
    assert_array_equal(views["b"][0, 1], 7)
    views["a"][1] = 5
    assert_array_equal(vector[1], 5)


def test_ravel_of_a_single_leaf_is_a_copy_too() -> None:
    x = on_backend(np.zeros(3))
    tree.ravel(x)[0][:] = 1
    assert not x.any()


def test_unravel_keeps_the_dtype_of_the_vector_that_it_is_given() -> None:
    vector, unravel = tree.ravel(on_backend({"a": np.ones(2, np.float32)}))
    assert vector.dtype == np.float32
    assert unravel(vector.astype(np.float64))["a"].dtype == np.float64


def test_leaves_of_two_dtypes_are_refused_and_each_is_named() -> None:
    with pytest.raises(TypeError, match=r"one dtype, but got float32 \(at 'a'\), float64 \(at 'b\.c'\)"):
        tree.ravel(on_backend({"a": np.ones(2, np.float32), "b": {"c": np.ones(2)}}))


@pytest.mark.numpy_alone("about trees without arrays")
@pytest.mark.parametrize("empty", [{}, [], (), {"a": {}, "b": []}])
def test_a_tree_without_leaves_is_refused(empty: Any) -> None:
    with pytest.raises(ValueError, match="no leaves; expected at least one array"):
        tree.ravel(empty)


def test_a_leaf_that_is_no_array_is_refused_and_named() -> None:
    with pytest.raises(TypeError, match=r"expected an array at 'b\.0', but got a float"):
        tree.ravel(on_backend({"a": np.ones(2), "b": [1.0]}))


@pytest.mark.parametrize("shape", [(4,), (6,), (5, 1), ()])
def test_unravel_refuses_a_vector_of_another_shape(shape: tuple[int, ...]) -> None:
    unravel = tree.ravel(on_backend({"a": np.ones(2), "b": np.ones(3)}))[1]
    with pytest.raises(ValueError, match=r"vector of shape \(5,\) as ravel gave it, but got shape"):
        unravel(on_backend(np.ones(shape)))


def test_unravel_refuses_integers_and_what_is_no_array() -> None:
    unravel = tree.ravel(on_backend({"a": np.ones(2)}))[1]
    for wrong in (on_backend(np.ones(2, int)), [1.0, 2.0]):
        with pytest.raises(TypeError, match="expected an array of the kind that ravel gave, float64"):
            unravel(wrong)


# -- which part of the vector is which leaf, and vectors of some leaves -----------------------------------------------


@given(_trees(np.float32), st.data())
def test_slices_say_which_part_of_the_vector_each_path_names_and_leave_no_gap(x: Any, data: Any) -> None:
    if not tree.leaves(x):
        return
    x = on_backend(x)
    taken = data.draw(st.sets(st.sampled_from(tree.paths(x)), min_size=1))
    vector, unravel = tree.ravel(x, only=taken.__contains__)
    assert list(unravel.slices) == [path for path in tree.paths(x) if path in taken]
    ends = [0, *(piece.stop for piece in unravel.slices.values())]
    assert [piece.start for piece in unravel.slices.values()] == ends[:-1]
    assert ends[-1] == unravel.size == len(vector)
    named = dict(zip(tree.paths(x), tree.leaves(x), strict=True))
    for path, piece in unravel.slices.items():
        assert_array_equal(vector[piece], as_numpy(named[path]).reshape(-1))


@given(_trees(np.float64), st.data())
def test_unravel_puts_new_leaves_where_some_were_taken_and_the_very_arrays_where_they_were_not(
    x: Any, data: Any
) -> None:
    if not tree.leaves(x):
        return
    x = on_backend(x)
    taken = data.draw(st.sets(st.sampled_from(tree.paths(x)), min_size=1))
    vector, unravel = tree.ravel(x, only=taken.__contains__)
    again = unravel(vector + 1)
    assert _types(again) == _types(x)
    for path, before, after in zip(tree.paths(x), tree.leaves(x), tree.leaves(again), strict=True):
        if path in taken:
            assert_array_equal(after, as_numpy(before) + 1)
        else:
            assert after is before


@pytest.mark.numpy_alone("asks NumPy whether arrays share memory")
@given(_trees(np.float32))
def test_unravel_copies_nothing_of_the_vector(x: Any) -> None:
    if not tree.leaves(x):
        return
    vector, unravel = tree.ravel(x)
    for leaf, piece in zip(tree.leaves(unravel(vector)), unravel.slices.values(), strict=True):
        assert leaf.size == 0 or np.shares_memory(leaf, vector[piece])
        assert leaf.size == 0 or leaf.ctypes.data == vector[piece].ctypes.data


def test_frozen_leaves_may_be_of_another_dtype() -> None:
    x = on_backend({"counts": np.arange(3), "weight": np.ones(2, np.float32)})
    vector, unravel = tree.ravel(x, only=lambda path: path == "weight")
    assert vector.dtype == unravel.dtype == np.float32
    assert unravel(vector)["counts"] is x["counts"]


def test_a_gradient_by_the_vector_of_some_leaves_is_their_part_of_the_whole_gradient() -> None:
    actor = npnets.Actor(npnets.Net(3, hidden_sizes=(4,)), 2)
    params = on_backend(actor.init(np.random.default_rng(0), np.float64))
    observations = on_backend(np.random.default_rng(1).normal(size=(5, 3)))

    def loss(params: Any) -> Any:
        return nnp.mean(actor.forward(params, observations)[0] ** 2)

    def is_last(path: str) -> bool:
        return path.startswith("last")

    vector, unravel = tree.ravel(params, only=is_last)
    found = npnets.grad(lambda vector: loss(unravel(vector)))(vector)
    assert vector.shape == (10,)
    assert_allclose(found, tree.ravel(npnets.grad(loss)(params), only=is_last)[0], rtol=1e-12)


@pytest.mark.numpy_alone("another process gets NumPy's arrays")
def test_unravel_can_be_sent_to_another_process_and_takes_along_only_what_is_frozen() -> None:
    x = {"big": np.ones((100, 100)), "state": Pair([np.zeros(2)], np.full(3, 7.0))}
    vector, unravel = tree.ravel(x, only=lambda path: path != "state.1")
    sent = pickle.dumps(unravel)
    assert len(sent) < 1000
    again = pickle.loads(sent)
    assert again.slices == unravel.slices
    assert _types(again(vector)) == _types(x)
    tree.map(assert_array_equal, again(vector), x)


@pytest.mark.parametrize("only", ["last", ["last"], True, 0])
def test_a_selection_that_is_no_function_is_refused(only: Any) -> None:
    with pytest.raises(TypeError, match="only must be a function that says of a path whether its leaf is taken"):
        tree.ravel(on_backend({"last": np.ones(2)}), only=only)


def test_a_selection_without_leaves_is_refused_and_the_paths_are_named() -> None:
    with pytest.raises(ValueError, match=r"only accepts none of the paths \['a', 'b\.c'\]; expected at least one"):
        tree.ravel(on_backend({"a": np.ones(2), "b": {"c": np.ones(1)}}), only=lambda path: path == "c")


def test_two_leaves_of_one_path_are_refused_because_a_name_must_name_one() -> None:
    one = np.ones(2)
    with pytest.raises(ValueError, match=r"two leaves have the path 'a\.b'.*must hold a dot"):
        tree.ravel(on_backend({"a": {"b": one}, "a.b": one}))


def test_a_vector_of_another_dtype_than_frozen_leaves_is_refused_and_the_cast_is_named() -> None:
    params = on_backend({"last": np.ones(2, "f"), "first": np.ones(3, "f")})
    vector, unravel = tree.ravel(params, only=lambda path: path == "last")
    with pytest.raises(TypeError, match=r"expected a vector of float32.*unravel\(vector.astype\(unravel.dtype\)\)"):
        unravel(vector.astype(np.float64))
