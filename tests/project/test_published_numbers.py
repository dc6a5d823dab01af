"""Every published number, table and picture is that of the result files, and a page that differs is found."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cpu.blas_threads import CASES, EACH, ONE
from benchmarks.publish import figures
from benchmarks.publish import pages as published_pages
from benchmarks.publish.__main__ import disagreeing
from benchmarks.publish.markup import Table
from benchmarks.publish.pages import pages
from benchmarks.publish.records import HEADER, RESULTS, ROOT, Records, Unpublishable, processor
from benchmarks.publish.regions import replaced

pytestmark = pytest.mark.numpy_alone("reads pages and result files")

MEASURED = re.compile(r"\d\s?±\s?\d|\b\d+(?:\.\d+)? (?:ms|us|MB)\b|\b0\.\d\d of Tianshou")
"""Numbers that only a measurement can give."""


def outside_regions(path: Path) -> str:
    """Return the text of a page outside the generated regions."""
    return replaced(path.read_text(encoding="utf-8"), path.suffix, lambda name: "")


def test_every_published_number_table_and_picture_is_that_of_its_result_file() -> None:
    assert disagreeing(Records()) == []


def test_every_result_file_is_published() -> None:
    records = Records()
    pages(records)
    records.used.update(source for sources in figures.SOURCES.values() for source in sources)
    assert records.unused() == []


def test_a_number_that_was_changed_in_a_result_file_is_found_on_every_page_that_shows_it(tmp_path: Path) -> None:
    changed = Path(shutil.copytree(RESULTS, tmp_path / "results"))
    file = changed / "offline_bcq-seed-0.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    record["results"]["returns"]["BCQ"]["mean"] -= 7
    file.write_text(json.dumps(record), encoding="utf-8")
    assert {Path(name).name for name in disagreeing(Records(changed))} == {"learning.rst"}


def test_a_picture_that_is_not_of_its_result_file_is_found(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(figures.FIGURES, tmp_path / "figures"))
    assert figures.outdated(folder) == []
    picture = folder / "sac-dark.png"
    picture.write_bytes(picture.read_bytes() + b"\0")
    assert figures.outdated(folder) == [picture]


@pytest.mark.parametrize("page", ["README.md", "docs/deploy.rst", "docs/learning.rst", "docs/recurrent.rst"])
def test_a_measured_number_is_on_a_page_only_in_a_generated_region(page: str) -> None:
    assert MEASURED.search("return -220 ± 23") and MEASURED.search("in 114 ms") and not MEASURED.search("in 20 steps")
    assert MEASURED.findall(outside_regions(ROOT / page)) == []


@pytest.mark.parametrize("file", sorted(RESULTS.glob("*.json")), ids=lambda file: file.stem)
def test_a_result_file_names_the_command_the_date_the_machine_and_the_versions(file: Path) -> None:
    record = json.loads(file.read_text(encoding="utf-8"))
    assert all(record[name] for name in HEADER)
    assert {"processor", "cores", "system"} <= record["machine"].keys() and "numpy" in record["versions"]
    _, program, *options = record["command"].split()
    module = options[0].replace(".", "/") if program == "-m" else program.removesuffix(".py")
    scripts = (f"{module}.py", f"{module}/__main__.py")
    assert any((ROOT / script).exists() for script in scripts), record["command"]


def test_a_region_keeps_its_marks_and_the_text_around_them() -> None:
    page = "before\n\n.. published: two\n\nold\n\n.. end of published\n\nafter\n"
    new = replaced(page, ".rst", lambda name: f"new {name}")
    assert new == "before\n\n.. published: two\n\nnew two\n\n.. end of published\n\nafter\n"
    assert replaced(new, ".rst", lambda name: f"new {name}") == new


@pytest.mark.parametrize("suffix, start", [(".md", "<!-- published: one -->"), (".rst", ".. published: one")])
def test_a_region_without_an_end_is_an_error(suffix: str, start: str) -> None:
    with pytest.raises(ValueError, match="expected one end for each start"):
        replaced(f"text\n{start}\n\nmore\n", suffix, lambda name: "")


def test_the_error_for_a_missing_result_file_names_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"speed\.json; benchmarks/README\.md has the command"):
        Records(tmp_path)["speed"]


WHOLE = {
    "command": "python -m benchmarks.cpu.speed",
    "date": "2026-01-01",
    "machine": {"processor": "A"},
    "versions": {"numpy": "2.0"},
    "results": {"returns": {}},
}


@pytest.mark.parametrize(
    "content, why",
    [
        (b"null", "expected an object of JSON in .*, but it is null"),
        (b"3", "but it is 3"),
        (b'"text"', 'but it is "text"'),
        (b"\xff{}", "expected JSON in .*, but 'utf-8' codec"),
        (b"<<<<<<<", "expected JSON in .*; was it merged by hand"),
        (b'{"results": NaN}', "finite numbers in .*, but there is NaN"),
        ({"results": []}, "but there is no results"),
        ({"results": [1]}, "'results' is no dict"),
        ({"machine": {"processor": ""}}, "machine has no processor name"),
        ({"command": "python -m benchmarks.cpu.speed --quick"}, "--quick in its command is for a short run"),
        ({"command": "python -m benchmarks.cpu.speed '--only=actor 1'"}, "--only in its command is for a short run"),
    ],
    ids=str,
)
def test_the_error_for_a_file_that_is_not_a_complete_result_names_it(
    content: bytes | dict[str, Any], why: str, tmp_path: Path
) -> None:
    file = tmp_path / "speed.json"
    file.write_text(json.dumps(WHOLE), encoding="utf-8")
    assert Records(tmp_path)["speed"] == WHOLE
    file = tmp_path / "footprint.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(WHOLE | content).encode())
    with pytest.raises(Unpublishable, match=why) as refused:
        Records(tmp_path)["footprint"]
    assert str(file) in str(refused.value)


def made(folder: Path, name: str, results: dict[str, Any]) -> Records:
    """Return the result files of a folder and one more."""
    folder.joinpath(f"{name}.json").write_text(json.dumps(WHOLE | {"results": results}), encoding="utf-8")
    return Records(folder)


BLAS = {"threads": 2, "NumPy": {ONE: dict.fromkeys(CASES, 0), EACH: dict.fromkeys(CASES, 5)}}

DIFFERENT = {"policies": {"a": {"npnets": {"returns": {"mean": -150.0}}, "C": {"returns": {"mean": -151.0}}}}}


@pytest.mark.parametrize(
    "block, name, results, why",
    [
        ("speed", "speed-x", {"rounds": 3}, "speed-x.json has no 'kernels' beside 'rounds'"),
        ("speed", "speed-x", {"kernels": {"npnets": "off"}}, "speed-x.json has no 'threads' beside 'kernels'"),
        ("speed", "sac-seed-0", {"seed": 0}, "expected .*speed-PROCESSOR.json, but there is none"),
        (
            "bcq-side-by-side",
            "bcq_side_by_side",
            {"runs": [{"threads": 1, "seed": 0, "library": "npnets"}]},
            "tianshou",
        ),
        ("blas-threads", "blas_threads", BLAS, "division by zero"),
        ("footprint", "footprint", {"sides": [1]}, "list indices"),
        ("footprint", "footprint", {"sides": {"npnets": {}}}, "footprint.json has no 'installed_mb' beside nothing"),
        ("own-optimizers", "lbfgs_cloning-seed-x", {"seed": 0}, "a number after 'seed-' in the name of lbfgs"),
        ("tour", "deploy", {"policies": {"a": {"npnets": {}}}}, "deploy.json has no 'returns' beside nothing"),
        ("tour", "deploy", DIFFERENT, "expected one return in every form, but they are -150.00, -151.00"),
        ("deployed", "deploy", {"policies": {"a": {"C": {}}}}, "deploy.json has no 'returns' beside nothing"),
        ("best", "sac-seed-0", {"seed": 0}, "expected the result file .*learning_side_by_side.json"),
    ],
)
def test_the_error_for_a_missing_result_names_the_page_the_block_and_the_file(
    block: str, name: str, results: dict[str, Any], why: str, tmp_path: Path
) -> None:
    records, page = made(tmp_path, name, results), published_pages.ROOT / "README.md"
    with pytest.raises(Unpublishable, match=why) as refused:
        published_pages.block_of(records, block, page, set())
    assert f"README.md, block {block!r}" in str(refused.value) and ".json" in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("page", ["docs/reference/networks.rst", "examples/README.md", "benchmarks/README.md"])
def test_marks_count_on_pages_below_the_guides_and_beside_the_programs(page: str) -> None:
    assert ROOT / page in published_pages.places()


def test_a_page_whose_marks_do_not_match_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "guide.rst").write_text(".. published: one\n", encoding="utf-8")
    monkeypatch.setattr(published_pages, "ROOT", tmp_path)
    monkeypatch.setattr(published_pages, "NUMBERS", tmp_path / "numbers.txt")
    monkeypatch.setattr(published_pages, "substitutions", lambda records: "")
    monkeypatch.setattr(published_pages, "places", lambda: [tmp_path / "guide.rst"])
    with pytest.raises(Unpublishable, match=r"^guide\.rst: expected one end for each start"):
        pages(Records(tmp_path))


@pytest.mark.parametrize(
    "text, why", [("[]", "an object of JSON"), ("{", "expected JSON in"), ('{"other.png": {}}', "found other.png")]
)
def test_the_error_for_an_invalid_digest_names_it(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "digests.json").write_text(text, encoding="utf-8")
    with pytest.raises(Unpublishable, match=why) as refused:
        figures.outdated(tmp_path)
    assert str(tmp_path / "digests.json") in str(refused.value)


def test_a_picture_that_nothing_draws_is_found(tmp_path: Path) -> None:
    for name in ("digests.json", "sac-dark.png", "sac-sepia.png"):
        (tmp_path / name).touch()
    assert figures.strays(tmp_path) == [tmp_path / "sac-sepia.png"]


def test_pictures_of_another_folder_have_their_digests_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path, "sac-seed-0", {"seed": 0})
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    monkeypatch.setattr(figures, "SOURCES", {"sac": ("sac-seed-0",)})
    monkeypatch.setattr(figures, "_drawer", lambda name: lambda results, path, dark: path.write_text(str(dark)))
    folder = tmp_path / "figures"
    assert len(figures.draw_outdated(folder)) == 2 and figures.outdated(folder) == []
    assert {path.name for path in folder.iterdir()} == {"digests.json", "sac-dark.png", "sac-light.png"}


def test_one_sentence_names_the_processor_of_results_from_one_processor_alone() -> None:
    one, other = ({"machine": {"processor": name}} for name in ("A", "B"))
    assert processor(one, one) == "an A"
    with pytest.raises(ValueError, match=r"of one processor, but found \['A', 'B'\]"):
        processor(one, other)


def test_a_table_has_the_same_cells_in_the_readme_and_in_the_documentation() -> None:
    table = Table(["a", "b"], [["1", ""]], "Above:")
    assert table.markdown() == "Above:\n\n| a | b |\n| --- | --- |\n| 1 |  |"
    assert table.rst().splitlines()[-5:] == ["   * - a", "     - b", "", "   * - 1", "     -"]
