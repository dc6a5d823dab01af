"""The metadata of the package: one version, one address, and links that work on GitHub and PyPI."""

from __future__ import annotations

import re
import runpy
from itertools import pairwise

import pytest
from repository_files import ROOT, settings_of, text_of

import npnets

PAGES = ("CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "README.md", "SECURITY.md")
REPOSITORY = "https://github.com/npnets/npnets"

pytestmark = pytest.mark.numpy_alone("reads files of the repository")


def test_the_version_is_in_one_file() -> None:
    assert settings_of("setup.cfg")["metadata"]["version"] == "attr: npnets.__version__"
    places = [
        path for path in ROOT.glob("npnets/**/*.py") if re.search("^__version__ =", path.read_text("utf-8"), re.M)
    ]
    assert places == [ROOT / "npnets" / "__init__.py"]
    stated = re.compile(rf"version\"?\s*[:=].*\b{re.escape(npnets.__version__)}\b")
    others = ("setup.cfg", "pyproject.toml", "tox.ini", "CITATION.cff", "docs/conf.py")
    assert stated.search(f"version: {npnets.__version__}")
    assert [name for name in others if stated.search(text_of(name))] == []


def links_of(text: str) -> list[str]:
    """Return the targets of the links and pictures of a page in Markdown."""
    return re.findall(r"\]\(([^)\s]+)\)", text)


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_to_this_repository_point_to_files(page: str) -> None:
    inside = re.compile(rf"^(?:{REPOSITORY}/(?:blob|raw|tree)/main/|(?!\w+:))")
    paths = [inside.sub("", link).partition("#")[0] for link in links_of(text_of(page)) if inside.match(link)]
    assert [path for path in paths if path and not (ROOT / path).exists()] == []


def test_links_and_pictures_of_the_readme_work_on_pypi_too() -> None:
    build = runpy.run_path(str(ROOT / "setup.py"))
    shown = build["description"](text_of("README.md"), build["repository"]())
    places = [*links_of(shown), *re.findall(r'(?:src|srcset)="([^"]+)"', shown)]
    assert f"{REPOSITORY}/blob/main/docs/gradients.rst" in places
    assert f"{REPOSITORY}/raw/main/docs/figures/learning_side_by_side-light.png" in places
    assert [place for place in places if not place.startswith(("https://", "#"))] == []


@pytest.mark.parametrize(
    "page, shown",
    [
        ("[a](docs/a.rst)", "[a](R/blob/main/docs/a.rst)"),
        ('[`a`](docs/a.rst#b "A title")', '[`a`](R/blob/main/docs/a.rst#b "A title")'),
        ("![a `b`](docs/a.png)", "![a `b`](R/raw/main/docs/a.png)"),
        ("[![a](a.png)](a.rst)", "[![a](R/raw/main/a.png)](R/blob/main/a.rst)"),
        ("[a]: docs/a.rst\n[^1]: a note", "[a]: R/blob/main/docs/a.rst\n[^1]: a note"),
        ('<a href="a.rst"><img src="a.png">', '<a href="R/blob/main/a.rst"><img src="R/raw/main/a.png">'),
        ('srcset="a.png 1x, b.png 2x"', 'srcset="R/raw/main/a.png 1x, R/raw/main/b.png 2x"'),
        ("`[a](b)` [c](d) ``e ` [f](g)``", "`[a](b)` [c](R/blob/main/d) ``e ` [f](g)``"),
        ('```python\nparams["last"](obs)\n```\n[a](b)', '```python\nparams["last"](obs)\n```\n[a](R/blob/main/b)'),
        ("[a](//cdn/x) [b](git+https://x) [c](#x) [d](<x>)", "[a](//cdn/x) [b](git+https://x) [c](#x) [d](<x>)"),
    ],
)
def test_a_relative_link_or_picture_becomes_absolute_and_nothing_else_changes(page: str, shown: str) -> None:
    assert runpy.run_path(str(ROOT / "setup.py"))["description"](page, "R") == shown


def test_the_readme_has_neither_indented_code_nor_placeholders_in_angle_brackets() -> None:
    lines = re.sub(r"^```.*?^```", "", text_of("README.md"), flags=re.M | re.S).splitlines()
    assert [line for before, line in pairwise(lines) if not before and line.startswith("    ")] == []
    assert "](<" not in text_of("README.md")


def test_the_repository_has_one_address() -> None:
    assert f"Repository = {REPOSITORY}\n" in text_of("setup.cfg")
    names = [*PAGES, "setup.cfg", "CITATION.cff", ".github/ISSUE_TEMPLATE/config.yml", "docs/conf.py"]
    found = {address for name in names for address in re.findall(r"https://github\.com/[\w-]+/npnets\b", text_of(name))}
    assert found == {REPOSITORY}
