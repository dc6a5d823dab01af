"""Arguments of save and load: paths, trees and networks that are expected, and libraries that may be missing."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoint_files import each_ending, refusal, same, through_a_file

import npnets
from npnets import checkpoint

pytestmark = pytest.mark.numpy_alone("files hold NumPy's arrays")

ACTOR = npnets.Actor(npnets.Net(5, hidden_sizes=(4,)), 3)

# -- a tree that was expected -----------------------------------------------------------------------------------------


@each_ending
def test_parameters_like_those_expected_are_loaded(ending: str, tmp_path: Path) -> None:
    params = ACTOR.init(np.random.default_rng(0))
    assert same(through_a_file(tmp_path, ending, params, like=ACTOR.init(np.random.default_rng(1))).params, params)


def test_all_differences_from_the_tree_expected_are_named(tmp_path: Path) -> None:
    path, params = tmp_path / "pi.npz", ACTOR.init(np.random.default_rng(0))
    params["last"]["linear_0"]["weigth"] = params["last"]["linear_0"].pop("weight")
    params["last"]["linear_0"]["bias"] = np.zeros(4, np.float32)
    params["more"] = {}
    checkpoint.save(path, params)
    text = refusal(path, like=ACTOR.init(np.random.default_rng(0)))
    assert "lacks 'last.linear_0.weight' (is it 'last.linear_0.weigth'?)" in text
    assert "has besides 'last.linear_0.weigth', 'more'" in text
    assert "differs at 'last.linear_0.bias': expected float32 (3,), but it is float32 (4,)" in text


@pytest.mark.parametrize(
    ("like", "words"),
    [
        ({"w": np.zeros(2, np.float64)}, "expected float64 (2,), but it is float32 (2,)"),
        ({"w": [np.zeros(2)]}, "expected a list, but it is float32 (2,)"),
        ({"w": np.zeros((1, 2), np.float32)}, "expected float32 (1, 2)"),
        ({f"w{n}": 0 for n in range(9)}, "and 4 more"),
        ([np.zeros(2)], "expected a list, but it is a dict"),
    ],
)
def test_another_dtype_shape_or_structure_than_expected_is_refused(like: Any, words: str, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "pi.npz", {"w": np.zeros(2, np.float32)})
    assert words in refusal(tmp_path / "pi.npz", like=like)


def test_a_difference_at_the_root_is_named(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "pi.npz", {})
    assert "differs at the root: expected a list, but it is a dict" in refusal(tmp_path / "pi.npz", like=[])


def test_a_class_in_place_of_a_network_is_an_error_that_says_how_to_make_one(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "pi.npz", {})
    with pytest.raises(TypeError, match="like must be a network or a tree of arrays, .*Actor'>; call the class"):
        checkpoint.load(tmp_path / "pi.npz", like=npnets.Actor)


@dataclasses.dataclass(frozen=True)
class Trunk:
    """A preprocess net of the user's own, which declares no spec."""

    width: int
    output_dim: int = 2

    def init(self, rng: np.random.Generator) -> Any:
        return {"scale": rng.normal(size=(self.width,)).astype(np.float32)}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return obs[:, :2], state


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_of_a_network_are_compared_with_those_that_it_declares_and_nothing_is_drawn(
    dtype: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = ACTOR.init(np.random.default_rng(0), dtype)
    checkpoint.save(tmp_path / "pi.npz", params)
    monkeypatch.setattr(np.random, "default_rng", lambda *seed: pytest.fail("a generator was made"))
    assert same(checkpoint.load(tmp_path / "pi.npz", like=ACTOR).params, params)
    other = npnets.Actor(npnets.Net(5, hidden_sizes=(4,)), 7)
    dtype_name = np.dtype(dtype).name
    assert refusal(tmp_path / "pi.npz", like=other) == (
        f"its tree is not like the one that {other!r} declares: it differs at 'last.linear_0.weight': expected "
        f"{dtype_name} (4, 7), but it is {dtype_name} (4, 3), 'last.linear_0.bias': expected {dtype_name} (7,), but it "
        f"is {dtype_name} (3,); was it saved for another network?"
    )


@pytest.mark.parametrize("dtype", [np.float16, np.int64])
@pytest.mark.parametrize("place", ["weight", "bias"])
def test_parameters_of_a_network_of_another_dtype_or_of_two_are_refused(dtype: Any, place: str, tmp_path: Path) -> None:
    layer = npnets.Linear(2, 3)
    params = layer.init(np.random.default_rng(0))
    params[place] = params[place].astype(dtype)
    checkpoint.save(tmp_path / "layer.npz", params)
    text = refusal(tmp_path / "layer.npz", like=layer)
    assert f"it differs at '{place}': expected float32" in text and f"but it is {np.dtype(dtype)}" in text


def test_a_part_of_a_users_own_without_a_spec_is_compared_with_what_its_init_returns(tmp_path: Path) -> None:
    critic = npnets.Critic(Trunk(3))
    params = critic.init(np.random.default_rng(0))
    checkpoint.save(tmp_path / "critic.npz", params)
    assert same(checkpoint.load(tmp_path / "critic.npz", like=critic).params, params)
    text = refusal(tmp_path / "critic.npz", like=npnets.Critic(Trunk(4)))
    assert "it differs at 'preprocess.scale': expected float32 (4,), but it is float32 (3,)" in text


class LongTrunk(Trunk):
    def __repr__(self) -> str:
        return "LongTrunk(\n  \x1b[31mwidth=4,\n)"


def test_an_error_is_one_printable_line_whatever_the_path_and_the_network_are_called(tmp_path: Path) -> None:
    path = tmp_path / "two\nlines\x1b[31m.npz"
    checkpoint.save(path, {})
    with pytest.raises(checkpoint.CheckpointError) as caught:
        checkpoint.load(path, like=LongTrunk(4))
    assert str(caught.value).startswith(f"{tmp_path}/two\\nlines\\x1b[31m.npz: ")
    assert "LongTrunk(\\n  \\x1b[31mwidth=4" in str(caught.value)
    assert str(caught.value).isprintable()


def test_of_a_part_that_is_missing_its_name_alone_is_listed(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "pi.npz", {"more": {"deep": [1]}})
    assert "it lacks 'preprocess', 'last'; it has besides 'more'; was" in refusal(tmp_path / "pi.npz", like=ACTOR)


def test_shapes_that_a_spec_declares_can_be_the_tree_expected(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "pi.npz", ACTOR.init(np.random.default_rng(0)))
    assert checkpoint.load(tmp_path / "pi.npz", like=ACTOR.spec.shapes()).params.keys() == {"preprocess", "last"}
    assert "expected float64" in refusal(tmp_path / "pi.npz", like=ACTOR.spec.shapes(np.float64))


# -- paths and libraries -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pi", "pi.pt", "pi.npz.bak", "npz", ".npz"])
def test_another_suffix_is_refused_before_anything_is_written(name: str, tmp_path: Path) -> None:
    for act in (lambda: checkpoint.save(tmp_path / name, {}), lambda: checkpoint.load(tmp_path / name)):
        with pytest.raises(ValueError, match=r"ending in \.npz or \.safetensors"):
            act()
    assert list(tmp_path.iterdir()) == []


def test_paths_are_strings_or_paths_and_come_first(tmp_path: Path) -> None:
    checkpoint.save(str(tmp_path / "Pi.NPZ"), {"w": 1})
    assert checkpoint.load(tmp_path / "Pi.NPZ").params == {"w": 1}
    with pytest.raises(TypeError, match=r"got a dict: save\(path, params\)"):
        checkpoint.save({}, "pi.npz")  # type: ignore[arg-type]


@each_ending
def test_a_file_that_is_not_there_raises_what_open_raises(ending: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"):
        checkpoint.load(tmp_path / f"missing{ending}")


def test_without_the_library_a_safetensors_file_names_the_extra_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for act in (lambda p: checkpoint.save(p, {}), checkpoint.load):
        with pytest.raises(ImportError, match=r"pip install 'npnets\[safetensors\]'"):
            act(tmp_path / "pi.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_importing_checkpoint_imports_nothing_that_only_files_need() -> None:
    code = (
        "import sys, npnets; before = set(sys.modules); import npnets.checkpoint;"
        "print([n for n in ('zipfile', 'json', 'difflib', 'safetensors') if n in set(sys.modules) - before])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"
