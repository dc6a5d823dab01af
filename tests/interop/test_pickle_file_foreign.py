"""Objects of other classes in a file become inert stand-ins, are left out, or are an error, as the caller chooses."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from torch_archives import SIX, called, name, program, storage, tensor, tensor_v3, text, write_pickle

from npnets.interop import Foreign, pickle_file, torch_file

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

PROTOCOLS = range(6)


class Statistics:
    """An object with a state."""

    def __init__(self, **entries: Any) -> None:
        self.__dict__.update(entries)


class Names(list[Any]):
    """A list of a class of its own."""


class Settings(dict[str, Any]):
    """A dict of a class of its own."""


def _path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_object_of_another_class_is_kept_with_its_name_and_state(protocol: int) -> None:
    pickled = _pickled(Statistics(mean=np.ones(2), count=3, inner=Statistics(a=1)), protocol)
    kept = pickle_file.load(pickled, foreign="keep")
    inner = Foreign("somewhere.Statistics", {"a": 1}, ())
    assert kept == Foreign("somewhere.Statistics", {"mean": np.ones(2), "count": 3, "inner": inner}, ())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_object_of_another_class_is_left_out_of_dicts_lists_and_tuples(protocol: int) -> None:
    stray = Statistics(a=1)
    pickled = _pickled({"a": stray, "b": [1, stray, 2], "c": (stray, 3), "d": 4}, protocol)
    assert pickle_file.load(pickled, foreign="omit") == {"b": [1, 2], "c": (3,), "d": 4}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_object_of_another_class_is_an_error_that_names_it_and_the_remedy(protocol: int) -> None:
    words = "it uses 'somewhere.Statistics', .* not executed. Pass foreign='keep' for .*, or foreign='omit' to leave it"
    with pytest.raises(ValueError, match=words):
        pickle_file.load(_pickled({"a": Statistics(a=1)}, protocol))


def test_an_object_alone_cannot_be_left_out() -> None:
    with pytest.raises(ValueError, match="an object of somewhere.Statistics alone, .* pass foreign='keep'"):
        pickle_file.load(_pickled(Statistics(a=1), 4), foreign="omit")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_members_and_entries_of_lists_and_dicts_of_other_classes_are_items(protocol: int) -> None:
    pickled = _pickled([Names([1, 2]), Settings(a=1)], protocol)
    kept = pickle_file.load(pickled, foreign="keep")
    items = [one.items if one.items is not None else one.arguments[0] for one in kept]  # protocols 0, 1: arguments
    assert items == [[1, 2], {"a": 1}]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_object_that_holds_itself_has_its_name_alone_inside(protocol: int) -> None:
    stray = Statistics(count=1)
    stray.own = stray  # type: ignore[attr-defined]
    kept = pickle_file.load(_pickled(stray, protocol), foreign="keep")
    assert kept.state == {"count": 1, "own": Foreign("somewhere.Statistics")}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_class_itself_has_no_arguments_and_a_call_has_them(protocol: int) -> None:
    pickled = pickle.dumps([SimpleNamespace, range(3), slice(1, 2)], protocol)
    kept = pickle_file.load(pickled, foreign="keep")
    assert [one.arguments for one in kept] == [None, (0, 3, 1), (1, 2, None)]
    assert kept[0] == Foreign("types.SimpleNamespace")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_dict_with_other_keys_is_the_call_that_makes_it(protocol: int) -> None:
    odd = {(1, 2): "a", "b": 3, None: 4, 2.5: 5, 2**40: 6}
    pickled = pickle.dumps([odd], protocol)
    assert pickle_file.load(pickled, foreign="keep") == [Foreign("builtins.dict", None, (list(odd.items()),))]
    assert pickle_file.load(pickled, foreign="omit") == [{"b": 3}]
    with pytest.raises(ValueError, match="a dict with a tuple as a key, not text or a small integer"):
        pickle_file.load(pickled)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", [set, frozenset])
def test_a_set_of_other_members_is_the_call_that_makes_it(kind: Any, protocol: int) -> None:
    pickled = pickle.dumps([kind([2.5, "a"])], protocol)
    (kept,) = pickle_file.load(pickled, foreign="keep")
    assert kept.name == f"builtins.{kind.__name__}" and sorted(kept.arguments[0], key=str) == [2.5, "a"]
    assert pickle_file.load(pickled, foreign="omit") == [kind(["a"])]
    with pytest.raises(ValueError, match="at '0' it holds a set with a float, .* Pass foreign='keep'"):
        pickle_file.load(pickled)


def test_arguments_by_name_are_a_dict_at_the_end() -> None:
    kept = pickle_file.load(b"\x80\x04" + name("a.B") + b"K\x01\x85}" + text("size") + b"K\x02s\x92.", foreign="keep")
    assert kept == Foreign("a.B", None, (1, {"size": 2}))


def test_what_a_function_of_a_function_makes_is_a_stand_in_of_bounded_name() -> None:
    kept = pickle_file.load(b"\x80\x02" + called("a.b") + b")R" * 50 + b".", foreign="keep")
    assert kept == Foreign("a.b()", None, ())


def test_a_file_of_torch_keeps_objects_and_leaves_them_out_too(tmp_path: Path) -> None:
    stray = called("a.B", b"K\x01")
    path = write_pickle(tmp_path / "x.pt", program(rms=stray, epoch=b"K\x02", dtype=name("torch.float32")))
    assert torch_file.load(path, foreign="omit") == {"epoch": 2}
    kept = torch_file.load(path, foreign="keep")
    assert kept == {"rms": Foreign("a.B", None, (1,)), "epoch": 2, "dtype": Foreign("torch.float32")}
    with pytest.raises(ValueError, match="uses 'a.B', .* Pass foreign='keep'"):
        torch_file.load(path)


def test_tensors_of_dtypes_that_are_not_read_are_stand_ins_beside_others(tmp_path: Path) -> None:
    quantized = called("torch._utils._rebuild_qtensor", storage("torch.QInt8Storage"), b"K\x00")
    pickled = program(a=tensor_v3(name("torch.float8_e5m2")), b=quantized, c=tensor(storage(key="s1")))
    path = write_pickle(tmp_path / "x.pt", pickled, s0=bytes(24), s1=SIX)
    kept = torch_file.load(path, foreign="keep")
    assert kept["a"].name == "torch._utils._rebuild_tensor_v3" and kept["a"].arguments[-1].name == "torch.float8_e5m2"
    assert kept["b"] == Foreign("torch._utils._rebuild_qtensor", None, (Foreign("torch.QInt8Storage"), 0))
    assert kept["c"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert list(torch_file.load(path, foreign="omit")) == ["c"]
    with pytest.raises(ValueError, match=r"uses 'torch.float8_e5m2', .* float8, .* are not read"):
        torch_file.load(path)


def _pickled(value: Any, protocol: int) -> bytes:
    """Pickle a value whose classes seem to be in a module that is not there."""
    kinds = (Statistics, Names, Settings)
    before = [kind.__module__ for kind in kinds]
    module = SimpleNamespace(**{kind.__name__: kind for kind in kinds})
    sys.modules["somewhere"] = module  # type: ignore[assignment]
    try:
        for kind in kinds:
            kind.__module__ = "somewhere"
        return pickle.dumps(value, protocol)
    finally:
        del sys.modules["somewhere"]
        for kind, name in zip(kinds, before, strict=True):
            kind.__module__ = name


# -- stand-ins -------------------------------------------------------------------------------------------------------


def test_a_stand_in_prints_what_it_has() -> None:
    assert repr(Foreign("a.B")) == "Foreign('a.B')"
    assert repr(Foreign("a.B", {"x": 1}, (2,), [3])) == "Foreign('a.B', state={'x': 1}, arguments=(2,), items=[3])"


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (Foreign("a"), Foreign("b")),
        (Foreign("a", 1), Foreign("a", 2)),
        (Foreign("a", 1), Foreign("a", True)),
        (Foreign("a", None, ()), Foreign("a")),
        (Foreign("a", items=[1]), Foreign("a", items=[2])),
        (Foreign("a", [1]), Foreign("a", [1, 2])),
        (Foreign("a", {"x": 1}), Foreign("a", {"y": 1})),
        (Foreign("a", np.ones(2)), Foreign("a", np.ones(3))),
        (Foreign("a", np.ones(2)), Foreign("a", np.ones(2, np.float32))),
        (Foreign("a", np.ones(2)), Foreign("a", np.zeros(2))),
        (Foreign("a"), "a"),
    ],
)
def test_stand_ins_that_differ_anywhere_are_unequal(one: Any, two: Any) -> None:
    assert one != two and two != one and one == one and two == two  # noqa: PLR0124


def test_equal_stand_ins_may_hold_arrays_and_nan() -> None:
    makes = [Foreign("a", {"x": np.array([1.0, np.nan]), "y": (float("nan"), np.float32(2))}, ()) for _ in range(2)]
    assert makes[0] == makes[1]
    assert makes[0] == pickle.loads(pickle.dumps(makes[1]))


def test_a_stand_in_cannot_be_changed_or_hashed() -> None:
    with pytest.raises(AttributeError):
        Foreign("a").name = "b"  # type: ignore[misc]
    with pytest.raises(TypeError, match="unhashable"):
        hash(Foreign("a"))
