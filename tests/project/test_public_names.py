"""The names after `import npnets` are the public ones and no others, and are imported when they are used."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest
from public_names import MODULES

import npnets
from npnets.public import imported_when_used

pytestmark = pytest.mark.numpy_alone("is about names")

LOADED_WHEN_USED = (
    *("hypothesis", "npnets.data", "npnets.installation", "npnets.interop", "npnets.losses", "npnets.testing"),
    "npnets.training",
)


def printed(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_the_public_modules_are_found() -> None:
    assert {"npnets", "npnets.autodiff", "npnets.interop.torch_file", "npnets.numpy.linalg"} <= MODULES.keys()


@pytest.mark.parametrize("module", MODULES)
def test_completion_shows_the_public_names_and_nothing_else(module: str) -> None:
    its = MODULES[module]
    assert dir(its) == sorted(its.__all__)
    assert len(set(its.__all__)) == len(its.__all__)
    assert [name for name in its.__all__ if not hasattr(its, name)] == []


def test_importing_the_package_loads_no_optional_module() -> None:
    code = f"import sys, npnets; print([name for name in {LOADED_WHEN_USED} if name in sys.modules])"
    assert printed(code) == "[]"


@pytest.mark.slow
@pytest.mark.parametrize(
    "expression",
    [
        "npnets.about()['npnets']",
        "npnets.data.discounted_returns",
        "npnets.interop.tianshou.split",
        "npnets.interop.torch_file.load",
        "npnets.losses.huber",
        "npnets.testing.check_network",
        "npnets.testing.LAWS",
        "npnets.training.Settings",
    ],
)
def test_one_import_is_enough_for_every_public_name(expression: str) -> None:
    assert printed(f"import npnets; {expression}") == ""


def test_a_name_that_is_imported_when_used_is_the_same_object_each_time() -> None:
    assert pickle.loads(pickle.dumps(npnets.about)) is npnets.about
    assert npnets.testing.LAWS is npnets.testing.LAWS


@pytest.mark.parametrize("module", [npnets, npnets.interop, npnets.testing], ids=lambda module: module.__name__)
def test_a_missing_name_raises_pythons_own_error(module: object) -> None:
    words = rf"^module '{module.__name__}' has no attribute 'frobnicate'$"  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match=words):
        module.frobnicate  # type: ignore[attr-defined]  # noqa: B018
    assert not hasattr(module, "frobnicate")


def test_a_star_import_needs_no_extra_and_gives_every_public_name() -> None:
    code = "import sys; sys.modules['hypothesis'] = None; from npnets import *; print(testing.__name__, Actor.__name__)"
    assert printed(code) == "npnets.testing Actor"


def test_another_error_of_such_an_import_is_passed_on() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        imported_when_used("npnets", {"thing": "no_such_module"})("thing")
