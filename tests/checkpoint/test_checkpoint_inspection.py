"""A checkpoint as `python -m npnets summary` shows it: everything in it, with control characters escaped."""

from __future__ import annotations

import collections
import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoint_files import changed, each_ending

import npnets
from npnets import checkpoint
from npnets.checkpoint.inspection import inspect

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

Pair = collections.namedtuple("Pair", ("first", "second"))  # noqa: PYI024 (this form too must be shown)


@dataclasses.dataclass(frozen=True)
class Trunk:
    """A network of a user's own, which no reader of a file knows."""

    output_dim: int = 3
    inner: Any = None

    def init(self, rng: np.random.Generator, dtype: Any = np.float32) -> Any:
        return {}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return obs, state


def shown_metadata(folder: Path, value: Any) -> str:
    checkpoint.save(folder / "file.npz", {}, {"it": value})
    return inspect(folder / "file.npz").metadata["it"]


@each_ending
def test_params_are_shown_with_the_fields_of_named_tuples_of_unknown_classes(tmp_path: Path, ending: str) -> None:
    weight = np.arange(3, dtype=np.float32)
    checkpoint.save(tmp_path / f"file{ending}", {"a": [Pair(weight, (1, None))], "$odd": {"b": weight[:2]}})
    params = inspect(tmp_path / f"file{ending}").params
    assert list(params) == ["a", "$odd"] and list(params["a"][0]) == ["first", "second"]
    assert (params["a"][0]["first"] == weight).all() and params["a"][0]["second"] == (1, None)
    assert (params["$odd"]["b"] == weight[:2]).all()


def test_a_network_is_shown_as_it_prints(tmp_path: Path) -> None:
    net = npnets.Net(3, 2, (4,), linear_layer=functools.partial(npnets.EnsembleLinear, 2))
    assert shown_metadata(tmp_path, npnets.Critic(net)) == repr(npnets.Critic(net))


def test_a_network_of_an_unknown_class_is_shown_as_the_call_that_makes_it(tmp_path: Path) -> None:
    assert shown_metadata(tmp_path, Trunk(2, npnets.MLP(3, 2))) == f"Trunk(output_dim=2, inner={npnets.MLP(3, 2)!r})"
    assert "preprocess_net=Trunk(output_dim=3, inner=None)" in shown_metadata(tmp_path, npnets.Actor(Trunk(), 2))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": 1, "b": [1.5, "x", None]}, "{'a': 1, 'b': [1.5, 'x', None]}"),
        ([Trunk()], "[Trunk(output_dim=3, inner=None)]"),
        ((Trunk(),), "(Trunk(output_dim=3, inner=None),)"),
        ((Trunk(), 1), "(Trunk(output_dim=3, inner=None), 1)"),
        ({"k": Trunk()}, "{'k': Trunk(output_dim=3, inner=None)}"),
        ({"$k": Trunk()}, "{'$k': Trunk(output_dim=3, inner=None)}"),
        (Pair(1, Trunk), "Pair(first=1, second=Trunk)"),
        (functools.partial(Trunk, 2, inner=1), "partial(Trunk, 2, inner=1)"),
        (np.float32(0.5), repr(np.float32(0.5))),
        (float("inf"), "inf"),
    ],
    ids=repr,
)
def test_metadata_is_shown_as_python_writes_it(tmp_path: Path, value: Any, text: str) -> None:
    assert shown_metadata(tmp_path, value) == text


def test_metadata_with_a_key_of_the_formats_own_is_shown(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "file.npz", {}, {"$it": 1, "that": 2})
    assert inspect(tmp_path / "file.npz").metadata == {"$it": "1", "that": "2"}


def test_control_characters_of_a_file_are_escaped(tmp_path: Path) -> None:
    evil = "\x1b[2Jx"

    @dataclasses.dataclass
    class Named:
        it: Any

    Named.__name__ = evil
    checkpoint.save(tmp_path / "file.npz", {evil: np.ones(1)}, {evil: evil, "n": Named(evil), "d": [{evil: Named(1)}]})
    metadata, params = inspect(tmp_path / "file.npz")
    text = "".join([*metadata, *metadata.values(), *params])
    assert "x" in text and "\x1b" not in text


@each_ending
def test_a_file_that_is_not_a_checkpoint_is_refused_as_by_load(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"file{ending}"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="cannot be read") as shown:
        inspect(path)
    with pytest.raises(ValueError) as loaded:
        checkpoint.load(path)
    assert str(shown.value) == str(loaded.value)


def test_metadata_of_another_form_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.npz"
    checkpoint.save(path, {})

    def spoil(manifest: Any, arrays: Any) -> None:
        manifest["content"]["metadata"] = 3

    changed(path, spoil)
    with pytest.raises(ValueError, match=f"{path}: .*digest"):
        inspect(path)
