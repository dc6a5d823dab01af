"""The error for a file that is refused: one short line, safe to print, with fitting advice."""

from __future__ import annotations

import dataclasses
import re
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoint_files import CONTAINERS, changed, each_ending, refusal

import npnets
from npnets import checkpoint
from npnets.interop import torch_file

pytestmark = pytest.mark.numpy_alone("files hold NumPy's arrays")

LONGEST = 800
RED, LONG = "A\n\x1b[31m\u202e", "k" * 1_000_000
OPTIMIZER_STATES = sorted(name for name in npnets.optim.__all__ if name.endswith("State"))


@dataclasses.dataclass(frozen=True)
class Given:
    """A class of the user's own that refuses what it is given with all of it."""

    x: str

    def __post_init__(self) -> None:
        raise ValueError(f"wrong: {self.x}")


def _planted(folder: Path, ending: str, value: Any) -> Path:
    """A checkpoint with something in its metadata that `save` did not write, and the digest right."""
    path = folder / f"pi{ending}"
    checkpoint.save(path, {"w": np.zeros(2)})

    def plant(manifest: Any, arrays: Any) -> None:
        manifest["content"]["metadata"]["network"] = value
        manifest["digest"] = checkpoint.manifest._digest(manifest["content"], arrays)

    changed(path, plant)
    return path


def _is_safe_to_print(text: str) -> bool:
    return len(text) < LONGEST and text.isprintable()


# -- text of a file's -------------------------------------------------------------------------------------------------


@each_ending
@pytest.mark.parametrize("text", [RED, LONG], ids=["escapes", "long"])
@pytest.mark.parametrize(
    "made",
    [
        lambda text: {"$call": text, "arguments": {}},
        lambda text: {"$namedtuple": text, "fields": {}},
        lambda text: {"$class": text},
        lambda text: {"$function": text},
        lambda text: {f"${text}": 1},
        lambda text: {text: {"$class": "Unknown"}},
        lambda text: {text: {"$namedtuple": "Linear", "fields": {}}},
        lambda text: {text: {"$function": "print"}},
        lambda text: {text: {"$pickle": 1}},
        lambda text: {"$call": "Linear", "arguments": {text: 1}},
        lambda text: {"$call": "Linear", "arguments": {"in_features": text, "out_features": 2}},
        lambda text: {"$array": text},
        lambda text: {"$float": text},
        lambda text: {"$scalar": text, "bytes": ""},
    ],
)
def test_text_of_a_file_is_cut_off_and_escaped_in_an_error(made: Any, text: str, ending: str, tmp_path: Path) -> None:
    assert _is_safe_to_print(refusal(_planted(tmp_path, ending, made(text))))


@pytest.mark.parametrize("text", [RED, LONG], ids=["escapes", "long"])
def test_the_traceback_of_a_refusal_shows_no_more_of_a_file_than_its_message(text: str, tmp_path: Path) -> None:
    for value in ({"$call": "Given", "arguments": {"x": text}}, {"$array": text}):
        with pytest.raises(ValueError) as caught:
            checkpoint.load(_planted(tmp_path, ".npz", value), classes=(Given,))
        printed = "".join(traceback.format_exception(caught.value))
        assert len(printed) < 5000 and all(line.isprintable() for line in printed.split("\n"))


@each_ending
@pytest.mark.parametrize("head", [{"version": LONG}, {"version": 10**4000}, {"version": 2, "needs": RED}])
def test_a_version_of_any_form_is_cut_off_and_escaped(head: Any, ending: str, tmp_path: Path) -> None:
    path = _planted(tmp_path, ending, 0)
    changed(path, lambda manifest, arrays: manifest.update(head))
    assert _is_safe_to_print(refusal(path))


@each_ending
def test_of_many_missing_and_added_arrays_a_few_are_named_and_the_others_counted(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"pi{ending}"
    checkpoint.save(path, {f"w{n}": np.zeros(1) for n in range(9)})

    def rename(manifest: Any, arrays: Any) -> None:
        for n in range(9):
            arrays["x" * 300 + str(n)] = arrays.pop(f"w{n}")

    changed(path, rename)
    text = refusal(path)
    assert _is_safe_to_print(text) and "lacks 'w0', 'w1', 'w2', 'w3', 'w4' and 4 more" in text
    assert text.count(" and 4 more") == 2


@each_ending
def test_the_name_dtype_and_shape_of_an_array_are_cut_off(ending: str, tmp_path: Path) -> None:
    for row in ({"shape": [1] * 9999}, {"dtype": "f4," * 999}, {"dtype": LONG}):
        path = _planted(tmp_path, ending, 0)
        changed(path, lambda manifest, arrays, row=row: manifest["content"]["arrays"]["w"].update(row))  # type: ignore[misc]
        assert _is_safe_to_print(refusal(path))


@each_ending
def test_the_keys_of_a_tree_that_is_not_like_the_one_expected_are_cut_off(ending: str, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / f"pi{ending}", {RED: 1, LONG: 1})
    assert _is_safe_to_print(refusal(tmp_path / f"pi{ending}", like={"w": 1}))


# -- classes ----------------------------------------------------------------------------------------------------------


def test_the_error_for_an_optimizers_state_names_a_call_that_loads_it(tmp_path: Path) -> None:
    for name in OPTIMIZER_STATES:
        state = getattr(npnets.optim, name)
        checkpoint.save(tmp_path / "run.npz", {"state": state(*[0] * len(state._fields))})
        text = refusal(tmp_path / "run.npz")
        assert text == (
            f"params.state names the class '{name}', which load needs: load(path, classes=(npnets.optim.{name},))"
        )
        assert type(checkpoint.load(tmp_path / "run.npz", classes=(state,)).params["state"]) is state
    assert len(OPTIMIZER_STATES) == 3


OPTIMIZERS = [
    *(npnets.optim.sgd(0.1), npnets.optim.rmsprop(), npnets.optim.adam(), npnets.optim.adamw()),
    *(npnets.optim.linear_schedule(0.1, 0.0, 5), npnets.optim.cosine_schedule(0.1, 0.0, 5)),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda value: type(value).__name__)
def test_the_error_for_an_optimizer_or_schedule_names_a_call_that_loads_it(optimizer: Any, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "run.npz", {}, metadata={"optimizer": optimizer})
    name = type(optimizer).__name__
    assert refusal(tmp_path / "run.npz").endswith(f"load(path, classes=(npnets.optim.{name},))")
    assert checkpoint.load(tmp_path / "run.npz", classes=(type(optimizer),)).metadata == {"optimizer": optimizer}


@pytest.mark.parametrize("name", ["os.system", "f(),", "", RED, LONG, 3, None])
def test_a_name_that_no_class_can_have_is_not_put_into_the_advice(name: Any, tmp_path: Path) -> None:
    text = refusal(_planted(tmp_path, ".npz", {"$call": name, "arguments": {}}))
    assert "which is not the name of a class; it was probably cut off, or changed" in text and "classes=" not in text


def test_a_class_of_another_kind_than_when_it_was_saved_is_refused(tmp_path: Path) -> None:
    text = refusal(_planted(tmp_path, ".npz", {"$namedtuple": "Linear", "fields": {}}))
    assert "metadata.network names the class 'Linear', which is of another kind than when it was saved" in text


# -- files of others --------------------------------------------------------------------------------------------------


def test_the_error_for_a_file_of_another_library_names_the_function_that_reads_it(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    np.savez(tmp_path / "plain.npz", w=np.zeros(2))
    np.savez_compressed(tmp_path / "small.npz", w=np.array([None]))
    save_file({"w": np.zeros(2)}, tmp_path / "plain.safetensors")
    save_file({"w": np.zeros(2)}, tmp_path / "noted.safetensors", {"format": "pt"})
    begin = "expected a file that npnets.checkpoint.save wrote, but it has no manifest; was it written by "
    for name in ("plain.npz", "small.npz"):
        assert refusal(tmp_path / name) == f"{begin}numpy.savez? numpy.load reads it"
    for name in ("plain.safetensors", "noted.safetensors"):
        assert refusal(tmp_path / name) == f"{begin}another library? safetensors.numpy.load_file reads it"


@each_ending
def test_the_error_for_a_file_with_the_suffix_of_the_other_format_names_its_format(ending: str, tmp_path: Path) -> None:
    other = next(one for one in CONTAINERS if one != ending)
    checkpoint.save(tmp_path / f"pi{other}", {"w": np.zeros(2)})
    (tmp_path / f"pi{other}").rename(tmp_path / f"pi{ending}")
    expected = f"expected a whole {ending} file, but it begins as a {other} file does; was it renamed?"
    assert refusal(tmp_path / f"pi{ending}") == expected


@pytest.mark.parametrize("ending", [".pt", ".pth", ".ckpt", ".PTH"])
def test_the_error_for_a_file_of_pytorch_names_the_function_that_reads_it(ending: str, tmp_path: Path) -> None:
    name = f"{torch_file.__name__}.{torch_file.load.__name__}"
    with pytest.raises(ValueError, match=re.escape(f"{name} reads files of PyTorch's")):
        checkpoint.load(tmp_path / f"policy{ending}")
