"""The workflows, tox.ini, setup.cfg and CONTRIBUTING.md agree with each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from repository_files import ROOT, settings_of, text_of

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SETUP, TOX = settings_of("setup.cfg"), settings_of("tox.ini")
ENVIRONMENTS = {section.partition(":")[2] for section in TOX.sections() if section.startswith("testenv:")}

pytestmark = pytest.mark.numpy_alone("reads files of the repository")


def asked_for(text: str) -> set[str]:
    """Return the environments that a text runs with `tox run -e`."""
    return {name for names in re.findall(r"tox run -e (\w[\w,]*)", text) for name in names.split(",")}


def test_the_suite_runs_on_every_python_that_the_classifiers_name() -> None:
    classified = re.findall(r"Programming Language :: Python :: (3\.\d+)$", SETUP["metadata"]["classifiers"], re.M)
    (tested,) = re.findall(r"python: (\[.*\])\n    runs-on: ubuntu-latest", text_of(".github/workflows/tests.yml"))
    assert re.findall(r"3\.\d+", tested) == classified
    assert SETUP["options"]["python_requires"] == f">={classified[0]}"


def test_other_systems_run_the_oldest_and_the_newest_python() -> None:
    every, ends = re.findall(r"python: (\[.*\])", text_of(".github/workflows/tests.yml"))
    versions = re.findall(r"3\.\d+", every)
    assert re.findall(r"3\.\d+", ends) == [versions[0], versions[-1]]


def test_every_environment_that_contributing_names_exists() -> None:
    text = text_of("CONTRIBUTING.md")
    (on_request,) = re.findall(r"On request, .*?\n\n", text, re.S)
    named = asked_for(text) | set(re.findall(r"`(\w+)`", on_request))
    assert {"fast", "types", "sabotage"} <= named
    assert named - ENVIRONMENTS == set()


def test_contributing_names_every_environment() -> None:
    text = text_of("CONTRIBUTING.md")
    run_by_all = set(re.findall(r"\w+", TOX["tox"]["env_list"]))
    assert {name for name in ENVIRONMENTS - run_by_all if not re.search(rf"`{name}`|-e {name}\b", text)} == set()


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_environment_that_a_workflow_runs_exists(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    matrix = re.findall(r"environments: \[(.*)\]", text)
    named = asked_for(text) | {name for names in matrix for name in re.findall(r"\w+", names)}
    assert named and named - ENVIRONMENTS == set()


def test_the_workflows_run_everything_that_tox_runs() -> None:
    text = text_of(".github/workflows/tests.yml")
    run = asked_for(text) | set(re.findall(r"\w+", "".join(re.findall(r"environments: \[(.*)\]", text))))
    assert set(re.findall(r"\w+", TOX["tox"]["env_list"])) - run == set()


def test_every_workflow_and_form_is_checked_against_its_schema() -> None:
    files = [*WORKFLOWS, *sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))]
    assert len(files) >= 8
    commands = TOX["testenv:project"]["commands"]
    assert [path.name for path in files if path.relative_to(ROOT).as_posix() not in commands] == []


def test_the_hooks_before_a_commit_run_the_ruff_that_tox_runs() -> None:
    (version,) = re.findall(r"ruff\S+", TOX["testenv:lint"]["deps"])
    found = re.findall(r'"(ruff[^"]+)"', text_of(".pre-commit-config.yaml"))
    assert len(found) == 2 and set(found) == {version}
