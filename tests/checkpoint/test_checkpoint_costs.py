"""The cost of reading a file is bounded by its length and by limits that no real file reaches; errors are short."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from counted_comparisons import CountsComparisons

import npnets
from npnets import checkpoint
from npnets.checkpoint import manifest

pytestmark = pytest.mark.numpy_alone("files hold NumPy's arrays")

ACTOR = npnets.Actor(npnets.Net(5, hidden_sizes=(4,)), 3)
LONGEST_MESSAGE = 2000


def _written(path: Path, text: str, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("npnets/checkpoint.json", text)
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def _with_header(path: Path, header: str) -> Path:
    head = header.encode("latin-1")
    member = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + bytes(8)
    return _written(path, manifest.write({"arrays": {}, "params": {}, "metadata": {}}, {}), {"w.npy": member})


LAYOUT = "{{'descr': '<f8', 'fortran_order': False, 'shape': ({}), }}\n"


@pytest.mark.parametrize(
    "header",
    [
        "-" * 9000 + "1",
        "(" * 9000,
        LAYOUT.format("-" * 9000 + "1"),
        LAYOUT.format("1" * 9000),
        LAYOUT.format("1, " * 9000),
        LAYOUT.format("1,") * 2,
        LAYOUT.format("1,").replace("<f8", "O"),
        LAYOUT.format("1,").replace("<f8", "|f8"),
        LAYOUT.format("1,").replace("<f8", ">f8"),
        LAYOUT.format("9999999999999999999,"),
        LAYOUT.format("1,").replace("False", "True"),
        LAYOUT.format("-1,"),
        "",
    ],
)
def test_a_header_that_save_does_not_write_is_refused_and_never_evaluated(header: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"pi\.npz: ") as raised:
        checkpoint.load(_with_header(tmp_path / "pi.npz", header))
    assert len(str(raised.value)) < LONGEST_MESSAGE


def test_headers_of_every_shape_and_dtype_that_save_writes_are_read(tmp_path: Path) -> None:
    shapes = [(), (0,), (3,), (2, 3), (1,) * 32, (2, 0, 5)]
    dtypes = ["f4", "f8", "f2", "i1", "i8", "u2", "?", "u8"]
    params = {f"a{i}": {d: np.ones(shape, d) for d in dtypes} for i, shape in enumerate(shapes)}
    checkpoint.save(tmp_path / "pi.npz", params)
    found = checkpoint.load(tmp_path / "pi.npz").params
    assert npnets.tree.paths(found) == npnets.tree.paths(params)
    for one, other in zip(npnets.tree.leaves(found), npnets.tree.leaves(params), strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape) and (one == other).all()


def _manifest(params: Any, metadata: Any) -> str:
    head = json.loads(manifest.write({"arrays": {}, "params": {}, "metadata": {}}, {}))
    return json.dumps({**head, "content": {"arrays": {}, "params": params, "metadata": metadata}})


@pytest.mark.slow
@pytest.mark.parametrize(
    "metadata",
    [
        lambda n: [{"$tuple": []}] * n,
        lambda n: [[]] * n,
        lambda n: {str(i): None for i in range(n)},
        lambda n: list(range(n)),
    ],
    ids=["tuples", "lists", "keys", "numbers"],
)
def test_a_manifest_of_more_values_than_any_real_one_is_refused_before_they_are_decoded(
    metadata: Callable[[int], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _written(tmp_path / "pi.npz", _manifest({}, {"net": metadata(300_000)}), {})
    monkeypatch.setattr(checkpoint.api, "decode", lambda *args: pytest.fail("values were made"))
    with pytest.raises(ValueError, match=f"manifest has more than {manifest.MOST_VALUES} values"):
        checkpoint.load(path)


@pytest.mark.parametrize("size", [65, 200_000])
def test_a_description_with_more_axes_than_an_array_can_have_is_refused(size: int) -> None:
    for make in (lambda: npnets.Net(state_shape=[2] * size), lambda: npnets.Actor(npnets.Net(3), [1] * size)):
        with pytest.raises(ValueError, match=f"_shape must be a shape of at most 64 axes, .* but has {size}"):
            make()


def test_descriptions_of_absurd_sizes_are_refused_with_a_short_message() -> None:
    for make in (
        lambda: npnets.Net(3, hidden_sizes=[2] * 200_000),
        lambda: npnets.Net(10**4000),
        lambda: npnets.Linear(3, 10**4000),
        lambda: npnets.Net(3, hidden_sizes=(10**4000,)),
    ):
        with pytest.raises(ValueError, match="must be at most") as raised:
            make()
        assert len(str(raised.value)) < LONGEST_MESSAGE


def test_trees_with_very_many_similar_names_are_compared_in_few_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint.save(tmp_path / "pi.npz", {f"weight_{n}_x": 1.0 for n in range(30_000)})
    counter = CountsComparisons(monkeypatch)
    with pytest.raises(ValueError, match=r"lacks 'weight_0_y'.* and 29995 more") as raised:
        checkpoint.load(tmp_path / "pi.npz", like={f"weight_{n}_y": 1.0 for n in range(30_000)})
    assert len(str(raised.value)) < LONGEST_MESSAGE
    assert counter.number <= 5 * 200


def test_swapped_arguments_of_save_name_the_order(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"expected a path .* but got a dict: save\(path, params\)"):
        checkpoint.save({"w": np.ones(2)}, tmp_path / "pi.npz")  # type: ignore[arg-type]
