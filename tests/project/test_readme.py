"""The README's Python code runs as printed, and does what its comments say."""

import re
from pathlib import Path

import numpy as np
import pytest

import npnets

pytestmark = pytest.mark.numpy_alone("runs what a page says")

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_example_of_the_readme_runs_with_the_results_of_its_comments() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    before = npnets.about()["blas_threads"]
    with npnets.threads(before):  # whatever the page sets is set back
        for block in reversed(blocks):  # each alone; the first one's names are looked at below
            names = {}
            exec(compile(block, str(README), "exec"), names)
        assert npnets.about()["blas_threads"] == 1
    assert names["action"].shape == (32, 6) and np.abs(names["action"]).max() <= 1
    assert names["action"].dtype == np.float32
    assert names["grads"].keys() == names["params"].keys()
    assert names["loss"](names["params"]) < names["value"]
    assert names["vector"].ndim == 1


def test_the_readme_has_no_placeholder() -> None:
    lines = [line.strip() for line in README.read_text(encoding="utf-8").splitlines()]
    assert [line for line in lines if re.fullmatch(r"[A-Z][A-Z_]+", line)] == []
