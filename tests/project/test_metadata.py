"""What the package says of itself: one version, one address, and links that work wherever the page is shown."""

from __future__ import annotations

import re

import pytest
from repository_files import ROOT, settings_of, text_of

import npnets

PAGES = ("CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "README.md", "SECURITY.md")
REPOSITORY = "https://github.com/npnets/npnets"
RAW = "https://raw.githubusercontent.com/npnets/npnets/main/"

pytestmark = pytest.mark.numpy_alone("reads files of the repository")


def test_the_version_stands_in_one_file() -> None:
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
    """Return where the links and pictures of a page in Markdown lead."""
    return re.findall(r"\]\(([^)\s]+)\)", text)


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_to_this_repository_lead_to_files(page: str) -> None:
    inside = re.compile(rf"^(?:{REPOSITORY}/(?:blob|raw|tree)/main/|{RAW}|(?!\w+:))")
    paths = [inside.sub("", link).partition("#")[0] for link in links_of(text_of(page)) if inside.match(link)]
    assert [path for path in paths if path and not (ROOT / path).exists()] == []


def test_links_and_pictures_of_the_readme_work_on_pypi_too() -> None:
    links = links_of(text_of("README.md"))
    assert len(links) > 1
    assert [link for link in links if not link.startswith(("https://", "#"))] == []


def test_the_repository_has_one_address() -> None:
    assert f"Repository = {REPOSITORY}\n" in text_of("setup.cfg")
    names = [*PAGES, "setup.cfg", "CITATION.cff", ".github/ISSUE_TEMPLATE/config.yml", "docs/conf.py"]
    found = {address for name in names for address in re.findall(r"https://github\.com/[\w-]+/npnets\b", text_of(name))}
    assert found == {REPOSITORY}
