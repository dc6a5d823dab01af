"""Every published number, table and picture is that of the result files, and a page that says otherwise is found."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from benchmarks.publish import figures
from benchmarks.publish.__main__ import disagreeing
from benchmarks.publish.markup import Table
from benchmarks.publish.pages import pages
from benchmarks.publish.records import HEADER, RESULTS, ROOT, Records, processor
from benchmarks.publish.regions import replaced

pytestmark = pytest.mark.numpy_alone("reads pages and result files")

MEASURED = re.compile(r"\d\s?±\s?\d|\b\d+(?:\.\d+)? (?:ms|us|MB)\b|\b0\.\d\d of Tianshou")
"""What only a measurement can say."""


def outside_regions(path: Path) -> str:
    """The text of a page that no program writes."""
    return replaced(path.read_text(encoding="utf-8"), path.suffix, lambda name: "")


def test_every_published_number_table_and_picture_is_that_of_its_result_file() -> None:
    assert disagreeing(Records()) == []


def test_every_result_file_is_published() -> None:
    records = Records()
    pages(records)
    records.used.update(figures.SOURCES.values())
    assert records.unused() == []


def test_a_number_that_was_changed_in_a_result_file_is_found_on_every_page_that_shows_it(tmp_path: Path) -> None:
    changed = Path(shutil.copytree(RESULTS, tmp_path / "results"))
    file = changed / "offline_bcq-seed-0.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    record["results"]["returns"]["BCQ"]["mean"] -= 7
    file.write_text(json.dumps(record), encoding="utf-8")
    assert {Path(name).name for name in disagreeing(Records(changed))} == {"README.md", "learning.rst"}


def test_a_picture_that_is_not_of_its_result_file_is_found(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(figures.FIGURES, tmp_path / "figures"))
    assert figures.outdated(folder) == []
    picture = folder / "sac-dark.png"
    picture.write_bytes(picture.read_bytes() + b"\0")
    assert figures.outdated(folder) == [picture]


@pytest.mark.parametrize("page", ["README.md", "docs/learning.rst", "docs/recurrent.rst"])
def test_a_measured_number_stands_on_a_page_only_where_a_program_wrote_it(page: str) -> None:
    assert MEASURED.search("return -220 ± 23") and MEASURED.search("in 114 ms") and not MEASURED.search("in 20 steps")
    assert MEASURED.findall(outside_regions(ROOT / page)) == []


@pytest.mark.parametrize("file", sorted(RESULTS.glob("*.json")), ids=lambda file: file.stem)
def test_a_result_file_names_the_command_the_date_the_machine_and_the_versions(file: Path) -> None:
    record = json.loads(file.read_text(encoding="utf-8"))
    assert all(record[name] for name in HEADER)
    assert {"processor", "cores", "system"} <= record["machine"].keys() and "numpy" in record["versions"]
    program = record["command"].split()[1:3]
    script = program[1].replace(".", "/") + ".py" if program[0] == "-m" else program[0]
    assert (ROOT / script).exists(), record["command"]


def test_a_region_keeps_its_marks_and_what_stands_around_them() -> None:
    page = "before\n\n.. published: two\n\nold\n\n.. end of published\n\nafter\n"
    new = replaced(page, ".rst", lambda name: f"new {name}")
    assert new == "before\n\n.. published: two\n\nnew two\n\n.. end of published\n\nafter\n"
    assert replaced(new, ".rst", lambda name: f"new {name}") == new


@pytest.mark.parametrize("suffix, start", [(".md", "<!-- published: one -->"), (".rst", ".. published: one")])
def test_a_region_without_an_end_is_an_error(suffix: str, start: str) -> None:
    with pytest.raises(ValueError, match="expected an end for every start"):
        replaced(f"text\n{start}\n\nmore\n", suffix, lambda name: "")


def test_a_result_file_that_is_missing_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"speed\.json; benchmarks/README\.md says who writes it"):
        Records(tmp_path)["speed"]


def test_one_sentence_names_the_processor_of_results_from_one_processor_alone() -> None:
    one, other = ({"machine": {"processor": name}} for name in ("A", "B"))
    assert processor(one, one) == "an A"
    with pytest.raises(ValueError, match=r"of one processor, but they are of \['A', 'B'\]"):
        processor(one, other)


def test_a_table_has_the_same_cells_in_the_readme_and_in_the_documentation() -> None:
    table = Table(["a", "b"], [["1", ""]], "Above:")
    assert table.markdown() == "Above:\n\n| a | b |\n| --- | --- |\n| 1 |  |"
    assert table.rst().splitlines()[-5:] == ["   * - a", "     - b", "", "   * - 1", "     -"]
