"""Files that an earlier npnets wrote are loaded as what was saved; tests/support/saved_contents.py wrote them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoint_files import same
from saved_contents import ACTOR, CONTENTS, RECURRENT, SUFFIXES, FormerAdamState, FormerRMSpropState, actor_params

import npnets
from npnets import checkpoint, tree
from npnets.checkpoint.inspection import inspect

pytestmark = pytest.mark.numpy_alone("files hold NumPy's arrays")

FOLDER = Path(__file__).parent / "written_before"
FORMER = {FormerAdamState: npnets.optim.AdamState, FormerRMSpropState: npnets.optim.RMSpropState}
each_file = pytest.mark.parametrize(
    "path", sorted(FOLDER.glob("*/*.*")), ids=lambda path: f"{path.parent.name}/{path.name}"
)


def with_current_names(value: Any) -> Any:
    """Return a tree with the optimizer states of today in the place of former ones."""
    if type(value) in FORMER:
        return FORMER[type(value)](*value)
    if isinstance(value, dict):
        return {key: with_current_names(part) for key, part in value.items()}
    return value


def test_there_is_a_file_of_each_kind_in_both_formats() -> None:
    assert {path.name for path in FOLDER.glob("version_1/*")} == {name + end for name in CONTENTS for end in SUFFIXES}


@each_file
def test_a_file_of_an_earlier_npnets_is_loaded_as_what_was_saved(path: Path) -> None:
    content = CONTENTS[path.stem]
    found = checkpoint.load(path, classes=content.classes)
    assert same(found.params, with_current_names(content.params))
    assert same(found.metadata, content.metadata or {})


@each_file
def test_a_file_of_an_earlier_npnets_is_shown(path: Path) -> None:
    contents = inspect(path)
    assert list(contents.metadata) == list(CONTENTS[path.stem].metadata or {})
    assert len(tree.leaves(contents.params)) == len(tree.leaves(CONTENTS[path.stem].params))


def hidden_by_hand(params: Any, observations: Any) -> Any:
    first = params["preprocess"]["model"]["linear_0"]
    return np.maximum(observations @ first["weight"] + first["bias"], 0)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["policy", "policy_float64", "policy_without_metadata"])
def test_a_policy_of_an_earlier_npnets_acts_as_its_parameters_say(name: str, suffix: str) -> None:
    params = checkpoint.load(FOLDER / "version_1" / f"{name}{suffix}").params
    observations = np.float32([[1.0, -2.0, 0.5], [0.0, 1.0, -1.0]])
    last = actor_params()["last"]["linear_0"]
    expected = 2 * np.tanh(hidden_by_hand(actor_params(), observations) @ last["weight"] + last["bias"])
    action, _ = ACTOR.forward(params, observations)
    np.testing.assert_allclose(action, expected, rtol=1e-5)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_recurrent_policy_of_an_earlier_npnets_continues_from_its_state(suffix: str) -> None:
    params = checkpoint.load(FOLDER / "version_1" / f"recurrent_policy{suffix}").params
    (mu, _), state = RECURRENT.forward(params["actor"], np.zeros((5, 3), np.float32), params["state"])
    (without, _), _ = RECURRENT.forward(params["actor"], np.zeros((5, 3), np.float32))
    assert state["hidden"].shape == (5, 1, 2) and np.abs(mu - without).max() > 1e-3
