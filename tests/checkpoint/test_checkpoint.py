"""A loaded checkpoint equals the saved one: structure, dtypes, shapes and every bit, in both formats."""

from __future__ import annotations

import math
from collections import OrderedDict, namedtuple
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from backends import on_backend
from checkpoint_files import each_ending, same, through_a_file
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from platforms import where_longdouble_is_wider

import npnets
from npnets import checkpoint, tree

DTYPES = "? i1 u1 <i2 >i2 <u2 <i4 <u4 <i8 >i8 <u8 <f2 >f2 <f4 >f4 <f8 >f8".split()
SHAPES: list[tuple[int, ...]] = [(), (1,), (3,), (2, 3), (0,), (2, 0, 3), (2, 1, 2)]
KEYS = st.one_of(st.sampled_from(["a", "b", "a.b", "0", "", "$tuple", "__metadata__", "ü/..\\", "\0"]), st.text())
ACTOR = npnets.Actor(npnets.Net(5, hidden_sizes=(4,)), 3)
in_a_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
on_numpy_alone = pytest.mark.numpy_alone("no other arrays in it than files hold, which are NumPy's")


class Pair(NamedTuple):
    """A named tuple of the user's own."""

    first: Any
    second: Any


def _array(dtype: str, shape: tuple[int, ...], seed: int) -> Any:
    """An array of any bits, NaNs with payloads among them."""
    kind, size = np.dtype(dtype), math.prod(shape)
    if kind.kind == "b":
        return np.random.default_rng(seed).integers(0, 2, shape).astype(bool)
    return np.frombuffer(np.random.default_rng(seed).bytes(kind.itemsize * size), kind).reshape(shape)


ARRAYS = st.builds(_array, st.sampled_from(DTYPES), st.sampled_from(SHAPES), st.integers(0, 99))
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text())


def _nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda parts: st.one_of(
            st.dictionaries(KEYS, parts, max_size=4),
            st.lists(parts, max_size=3),
            st.lists(parts, max_size=3).map(tuple),
            st.builds(Pair, parts, parts),
        ),
        max_leaves=8,
    )


# -- parameters -------------------------------------------------------------------------------------------------------


@on_numpy_alone
@each_ending
@in_a_folder
@given(params=_nested(st.one_of(ARRAYS, ARRAYS.map(lambda array: array.ravel()[:1].sum()), PLAIN)))
def test_a_tree_comes_back_with_its_structure_dtypes_shapes_and_bits(ending: str, tmp_path: Path, params: Any) -> None:
    assert same(through_a_file(tmp_path, ending, params, classes=(Pair,)).params, params)


@on_numpy_alone
@each_ending
def test_special_numbers_keep_their_bits(ending: str, tmp_path: Path) -> None:
    nan = np.array([0x7FC00001, 0xFFC12345, 0x7F800001], np.uint32).view(np.float32)
    params = {"nan": nan, "swapped": nan.astype(">f4"), "zero": np.array([-0.0, 0.0]), "few": np.array(5e-324)}
    assert same(through_a_file(tmp_path, ending, params).params, params)


@on_numpy_alone
@each_ending
def test_every_layout_in_memory_comes_back_as_the_same_array_in_c_order(ending: str, tmp_path: Path) -> None:
    whole = np.arange(24.0).reshape(4, 6)
    params = {
        "F": np.asfortranarray(whole),
        "T": whole.T,
        "step": whole[::2, ::-1],
        "wide": np.broadcast_to(1.0, (2, 3)),
    }
    found = through_a_file(tmp_path, ending, params).params
    assert same(found, {name: np.ascontiguousarray(array) for name, array in params.items()})
    assert all(array.flags.c_contiguous and array.flags.writeable for array in found.values())


@on_numpy_alone
@each_ending
def test_keys_that_would_have_one_path_stay_apart(ending: str, tmp_path: Path) -> None:
    x, y = np.zeros(2), np.ones(2)
    params = {
        "a": {"b": x},
        "a.b": y,
        "%1": x,
        "": {"": y},
        ".": x,
        "a/b": y,
        "\ud800": x,
        "k" * 999: y,
        "__metadata__": x,
    }
    assert same(through_a_file(tmp_path, ending, params).params, params)


@on_numpy_alone
@each_ending
def test_trees_without_arrays_and_arrays_without_trees_come_back(ending: str, tmp_path: Path) -> None:
    trees: list[Any] = [{}, {"a": {}, "b": [], "c": ()}, np.arange(3), np.array(2.5), None, 7]
    for params in trees:
        assert same(through_a_file(tmp_path, ending, params).params, params)


@on_numpy_alone
def test_dicts_and_arrays_of_other_classes_come_back_as_plain_ones(tmp_path: Path) -> None:
    mapped = np.memmap(tmp_path / "mapped", np.float32, "w+", shape=(3,))
    mapped[:] = [1, 2, 3]
    found = through_a_file(tmp_path, ".npz", OrderedDict(x=mapped)).params
    assert same(found, {"x": np.array([1, 2, 3], np.float32)})


@each_ending
def test_arrays_of_any_backend_are_saved_and_come_back_as_numpys(ending: str, tmp_path: Path) -> None:
    params = ACTOR.init(np.random.default_rng(0))
    found = through_a_file(tmp_path, ending, on_backend(params), {"network": ACTOR})
    assert same(found.params, params)
    there = on_backend(np.ones((2, 5), np.float32))
    action, _ = found.metadata["network"].forward(on_backend(found.params), there)
    expected, _ = ACTOR.forward(on_backend(params), there)
    assert npnets.tree.to_numpy(action).tobytes() == npnets.tree.to_numpy(expected).tobytes()


@each_ending
def test_training_resumes_from_a_checkpoint_with_the_same_bits(ending: str, tmp_path: Path) -> None:
    adam = npnets.optim.adam()
    params = on_backend(ACTOR.init(np.random.default_rng(0)))
    grads = tree.map(lambda leaf: leaf + 1, params)
    params, state = adam.update(params, grads, adam.init(params))
    found = through_a_file(tmp_path, ending, {"actor": params, "adam": state}, classes=(npnets.optim.AdamState,)).params
    assert type(found["adam"]) is npnets.optim.AdamState and found["adam"].step == 1
    going_on = adam.update(on_backend(found["actor"]), grads, on_backend(found["adam"]))
    expected = adam.update(params, grads, state)
    assert same(tree.to_numpy(going_on), tree.to_numpy(expected))


FORMER_STATES: dict[str, tuple[str, ...]] = {
    "AdamState": ("step", "mean", "square"),
    "RMSpropState": ("step", "square", "velocity"),
}


@on_numpy_alone
@pytest.mark.parametrize("name", FORMER_STATES)
@each_ending
def test_a_state_from_a_file_with_the_former_names_of_its_fields_is_loaded(
    name: str, ending: str, tmp_path: Path
) -> None:
    parts = 3, {"w": np.float32([1.0])}, {"w": np.float32([2.0])}
    former, kind = namedtuple(name, FORMER_STATES[name]), getattr(npnets.optim, name)
    checkpoint.save(tmp_path / f"run{ending}", {"state": former(*parts)})
    found = checkpoint.load(tmp_path / f"run{ending}", classes=(kind,)).params
    assert type(found["state"]) is kind and same(found, {"state": kind(*parts)})
    own = checkpoint.load(tmp_path / f"run{ending}", classes=(former,)).params  # a class of the user's own of this name
    assert type(own["state"]) is former


@on_numpy_alone
def test_the_arrays_of_an_npz_are_read_by_numpy_under_their_paths(tmp_path: Path) -> None:
    params = ACTOR.init(np.random.default_rng(0))
    checkpoint.save(tmp_path / "pi.npz", params)
    with np.load(tmp_path / "pi.npz") as found:
        assert set(found.files) == {*tree.paths(params), "npnets/checkpoint.json"}
        assert all(same(found[path], leaf) for path, leaf in zip(tree.paths(params), tree.leaves(params), strict=True))


@on_numpy_alone
def test_the_arrays_of_a_safetensors_file_are_read_by_its_own_library_under_their_paths(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    params = ACTOR.init(np.random.default_rng(0))
    checkpoint.save(tmp_path / "pi.safetensors", params)
    found = load_file(tmp_path / "pi.safetensors")
    assert same(dict(sorted(found.items())), dict(zip(tree.paths(params), tree.leaves(params), strict=True)))


@pytest.mark.parametrize(
    ("leaf", "words"),
    [
        (np.array(["a"]), "<U1"),
        (np.array([None]), "object"),
        (np.ones(2, complex), "complex128"),
        pytest.param(np.ones(2, np.longdouble), str(np.dtype(np.longdouble)), marks=where_longdouble_is_wider),
        (np.ones(2, "M8[s]"), "datetime64"),
        (np.ones(2, [("a", "f4")]), "('a', '<f4')"),
        pytest.param(np.longdouble(1), str(np.dtype(np.longdouble)), marks=where_longdouble_is_wider),
        (np.ma.masked_array([1.0]), "MaskedArray"),
        (ACTOR, "the network itself goes into metadata"),
        (len, "built-in function len"),
        (b"bytes", "b'bytes'"),
        ({1: np.zeros(2)}, "strings as keys, but has 1"),
    ],
)
@on_numpy_alone
def test_a_leaf_that_a_file_cannot_hold_is_refused_with_its_place(leaf: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError) as caught:
        checkpoint.save(tmp_path / "pi.npz", {"net": [0, {"w": leaf}]})
    assert "params.net.1.w" in str(caught.value) and words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_parameters_that_are_being_differentiated_are_refused(tmp_path: Path) -> None:
    def loss(params: Any) -> Any:
        checkpoint.save(tmp_path / "pi.npz", params)
        return params["w"]

    with pytest.raises(TypeError, match="params.w is being differentiated"):
        npnets.grad(loss)({"w": on_backend(np.array(1.0))})


@on_numpy_alone
def test_a_tree_that_holds_itself_is_refused(tmp_path: Path) -> None:
    params: dict[str, Any] = {}
    params["again"] = params
    with pytest.raises(ValueError, match="hold itself"):
        checkpoint.save(tmp_path / "pi.npz", params)


@on_numpy_alone
def test_an_integer_of_more_digits_than_python_parses_is_refused_with_its_place(tmp_path: Path) -> None:
    for sign in (1, -1):
        most = sign * (10**4300 - 1)
        assert same(
            through_a_file(tmp_path, ".npz", {"a": most}, {"b": most}), checkpoint.Checkpoint({"a": most}, {"b": most})
        )
        for params, metadata, place in [
            ({"a": [most + sign]}, {}, "params.a.0"),
            ({}, {"b": most + sign}, "metadata.b"),
        ]:
            with pytest.raises(
                ValueError, match=f"{place} must be an integer of at most 4300 digits, but has about 4300"
            ):
                checkpoint.save(tmp_path / "pi.npz", params, metadata)


# -- metadata ---------------------------------------------------------------------------------------------------------


@on_numpy_alone
@each_ending
@in_a_folder
@given(metadata=st.dictionaries(KEYS, _nested(PLAIN), max_size=4))
def test_metadata_comes_back_with_its_types(ending: str, tmp_path: Path, metadata: Any) -> None:
    assert same(through_a_file(tmp_path, ending, {}, metadata, classes=(Pair,)).metadata, metadata)


@on_numpy_alone
@each_ending
def test_numbers_that_json_lacks_come_back(ending: str, tmp_path: Path) -> None:
    numbers = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 2**300, True, np.float32(0.1), np.int8(-3), np.bool_(True)]
    assert same(through_a_file(tmp_path, ending, {}, {"numbers": numbers}).metadata["numbers"], numbers)
    written = (tmp_path / f"file{ending}").read_bytes()
    assert not any(word in written for word in (b"NaN", b"Infinity"))  # which no reader of strict JSON takes


@on_numpy_alone
@each_ending
def test_metadata_that_was_left_out_is_an_empty_dict(ending: str, tmp_path: Path) -> None:
    assert through_a_file(tmp_path, ending, {"w": np.ones(2)}).metadata == {}


@on_numpy_alone
@each_ending
def test_a_generator_continues_from_its_state_in_metadata(ending: str, tmp_path: Path) -> None:
    rng, again = np.random.default_rng(3), np.random.default_rng(0)
    rng.normal(size=5)
    again.bit_generator.state = through_a_file(tmp_path, ending, {}, {"rng": rng.bit_generator.state}).metadata["rng"]
    assert same(again.normal(size=5), rng.normal(size=5))


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"mean": np.zeros(2)}, "metadata.mean is an array; arrays go into params"),
        ({"a": {2: "b"}}, "metadata.a must have strings as keys, but has 2"),
        ({"a": {"b": {1, 2}}}, "metadata.a.b must be None, a bool"),
        ([1, 2], "metadata must be a dict"),
    ],
)
@on_numpy_alone
def test_metadata_that_a_file_cannot_hold_are_refused_with_their_place(
    metadata: Any, words: str, tmp_path: Path
) -> None:
    with pytest.raises(TypeError) as caught:
        checkpoint.save(tmp_path / "pi.npz", {}, metadata)
    assert words in str(caught.value)
