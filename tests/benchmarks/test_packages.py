"""The disk space of a library: its files and its requirements, each once, without bytecode."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.cpu import packages

pytestmark = pytest.mark.numpy_alone("measures installed files")


def install(folder: Path, name: str, size: int, *requires: str) -> None:
    """Install a package with one file of some number of bytes."""
    facts = folder / f"{name}-1.0.dist-info"
    facts.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {one}" for one in requires)]
    (facts / "METADATA").write_text("\n".join(lines))
    (folder / f"{name}.py").write_bytes(b"#" * size)
    (folder / f"{name}.pyc").write_bytes(b"#" * size)
    (facts / "RECORD").write_text(f"{name}.py,,\n{name}.pyc,,\n{name}_gone.py,,\n")


def test_indirect_requirements_are_counted_once_and_extras_and_absent_packages_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "aaa", 1_000_000, "bbb>=1", "ccc; extra == 'more'", "ddd; python_version < '3'", "absent")
    install(tmp_path, "bbb", 500_000, "aaa", "eee")
    for name in ("ccc", "ddd"):
        install(tmp_path, name, 7_000_000)
    install(tmp_path, "eee", 250_000)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(packages.INSTALLED, "made up", ("aaa",))
    assert packages.megabytes("made up") == {"aaa": 1.0, "bbb": 0.5, "eee": 0.25}


def test_the_size_of_npnets_is_that_of_its_files_and_the_requirements_in_setup_cfg() -> None:
    assert {"numpy", "autograd", "scipy"} <= set(packages.required_by_npnets())
    found = packages.megabytes("npnets")
    assert 0 < found["npnets"] < 5 < found["numpy"]
