"""Which kernels are in use: the choice of an instruction set, the reason for it, and errors for a wrong name."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import npnets
from npnets.kernels import buffers
from npnets.kernels.compiled import native

pytestmark = pytest.mark.numpy_alone("is about no arrays")


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A module in the place of the real one, for a processor that has two instruction sets."""
    module = SimpleNamespace(chosen=None, available=lambda: ["wide", "narrow"], set_allocator=lambda function: None)
    module.choose = lambda name: setattr(module, "chosen", name)
    monkeypatch.setattr(importlib, "import_module", lambda name: module)
    monkeypatch.setattr(buffers, "REFERENCES_ARE_COUNTED", True)
    return module


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(name: str) -> Any:
        raise error

    monkeypatch.setattr(importlib, "import_module", fail)


def test_the_best_instruction_set_of_the_processor_is_in_use(standin: SimpleNamespace) -> None:
    assert native._choose("") == (standin, "wide", "the best instruction set of this processor")
    assert standin.chosen == "wide"


def test_the_environment_chooses_an_instruction_set(standin: SimpleNamespace) -> None:
    assert native._choose("narrow") == (standin, "narrow", "NPNETS_COMPILED=narrow in the environment")
    assert standin.chosen == "narrow"


def test_off_does_not_load_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, AssertionError("loaded"))
    assert native._choose("off") == (None, "off", "NPNETS_COMPILED=off in the environment")


def test_an_instruction_set_that_the_processor_lacks_is_an_error_that_names_those_it_has(
    standin: SimpleNamespace,
) -> None:
    with pytest.raises(ImportError, match=r"instruction set of this processor \(wide, narrow\), but got 'wider'"):
        native._choose("wider")


def test_an_installation_without_the_module_gives_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ModuleNotFoundError(f"No module named {native.MODULE!r}", name=native.MODULE))
    monkeypatch.setattr(buffers, "REFERENCES_ARE_COUNTED", True)
    module, name, reason = native._choose("")
    assert (module, name) == (None, "off") and "install a C compiler" in reason
    with pytest.raises(ImportError, match="NPNETS_COMPILED=avx2 asks for compiled kernels, .* install a C compiler"):
        native._choose("avx2")


def test_a_module_that_cannot_be_loaded_leaves_the_numpy_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ImportError("undefined symbol: abacus"))
    monkeypatch.setattr(buffers, "REFERENCES_ARE_COUNTED", True)
    assert native._choose("")[:2] == (None, "off")
    assert "cannot be loaded (undefined symbol: abacus)" in native._choose("").reason


def test_a_python_without_its_global_lock_has_no_compiled_kernels(
    standin: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffers, "REFERENCES_ARE_COUNTED", False)
    module, name, reason = native._choose("")
    assert (module, name) == (None, "off") and "global lock" in reason
    assert standin.chosen is None


def test_about_says_which_kernels_are_in_use_and_why() -> None:
    facts = npnets.about()
    assert (facts["compiled"], facts["compiled_because"]) == native.choice[1:]
    assert (facts["compiled_threads"] is None) == (native.native is None)


@pytest.mark.parametrize("name", ["off", *(native.native.available() if native.native else [])])
def test_a_new_process_uses_the_instruction_set_of_its_environment(name: str, tmp_path: Path) -> None:
    code = "import npnets; facts = npnets.about(); print(facts['compiled'], facts['compiled_threads'])"
    environment = {**os.environ, "NPNETS_COMPILED": name, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", code]  # not in a checkout, whose sources lie beside no module
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.stdout.split() == [name, "None" if name == "off" else "1"]
