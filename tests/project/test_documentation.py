"""The documentation is complete: every public name is in the reference, and every Python block is run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from public_names import MODULES, public_names

import npnets

DOCS = Path(__file__).resolve().parents[2] / "docs"
MAP = DOCS / "reference.rst"
DIRECTIVE = r"^\.\. (?:autoclass|autofunction|autoexception|py:data):: (\S+)$"
pytestmark = pytest.mark.numpy_alone("is about the documentation")


def resolved(path: str) -> Any:
    """Return the object of a dotted path, from the package or from the module `npnets`."""
    parts = path.removeprefix("npnets.").split(".")
    value: Any = npnets
    for part in parts:
        value = getattr(value, part)
    return value


def pages() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((DOCS / "reference").glob("*.rst")))


def documented() -> list[Any]:
    """Return every name that the pages of the reference describe."""
    return [resolved(name) for name in re.findall(DIRECTIVE, pages(), re.M)]


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_in_the_reference(module: str) -> None:
    described = {id(value) for value in documented()}
    names = public_names(module)
    if module == "npnets.numpy":  # the next test is about the names from NumPy
        names = {name for name in names if _is_ours(getattr(npnets.numpy, name))}
    assert sorted(name for name in names if id(resolved(f"{module}.{name}")) not in described) == []


def test_the_reference_names_everything_that_npnets_numpy_reexports_from_numpy() -> None:
    names = {name for name in public_names("npnets.numpy") if not _is_ours(getattr(npnets.numpy, name))}
    told = set(re.findall(r"`(\w+)`", (DOCS / "reference" / "numpy.rst").read_text(encoding="utf-8")))
    assert {"argmax", "float32", "pi"} <= names
    assert names <= told


def test_the_reference_describes_only_public_names() -> None:
    public = {id(getattr(its, name)) for module, its in MODULES.items() for name in public_names(module)}
    names = re.findall(DIRECTIVE, pages(), re.M)
    assert [name for name in names if id(resolved(name)) not in public] == []


def _is_ours(value: Any) -> bool:
    return str(getattr(value, "__module__", "")).startswith("npnets")


def test_the_map_of_the_reference_has_a_line_for_every_name_that_a_page_describes() -> None:
    lines = {id(resolved(name)) for name in re.findall(r"^   ([\w.]+)$", MAP.read_text(encoding="utf-8"), re.M)}
    names = re.findall(r"^\.\. auto(?:class|function|exception):: (\S+)$", pages(), re.M)
    assert len(names) > 80
    elsewhere = [name for name in names if name.startswith("npnets.numpy.")]
    assert [name for name in names if id(resolved(name)) not in lines and name not in elsewhere] == []


def test_every_page_of_the_reference_can_be_reached_from_its_map() -> None:
    listed = set(re.findall(r"^   reference/(\w+)$", MAP.read_text(encoding="utf-8"), re.M))
    assert listed == {path.stem for path in (DOCS / "reference").glob("*.rst")}


def test_every_python_block_on_the_pages_is_run() -> None:
    unrun = re.compile(r"^\.\. (?:code-block|code|sourcecode):: *(?:python|py|python3|pycon)?$", re.M)
    assert unrun.search(".. code-block:: python") and not unrun.search(".. code-block:: sh")
    found = [path.name for path in DOCS.rglob("*.rst") if unrun.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_no_class_of_another_library_is_written_as_a_link_to_ours() -> None:
    """A name in single backticks is a link to npnets: "Tianshou's `Actor`" would be a link to npnets' class."""
    theirs = re.compile(r"\b(?:Tianshou|PyTorch|JAX|SciPy|Gymnasium)'s `([A-Za-z_]\w*)`")
    assert theirs.search("Tianshou's `Actor`") and not theirs.search("Tianshou's ``Actor``")
    texts = [*DOCS.rglob("*.rst"), *(DOCS.parent / "npnets").rglob("*.py")]
    found = [f"{path.name}: {name}" for path in texts for name in theirs.findall(path.read_text(encoding="utf-8"))]
    assert found == []
