"""How tests are run: their backends, the names of their cases, and tables of many small cases."""

from __future__ import annotations

import functools
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from grouped_cases import grouped
from readable_ids import LONGEST, written

import npnets

pytestmark = pytest.mark.numpy_alone("is about how tests are run")

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", {"numpy"}),
        ("--backend numpy", {"numpy"}),
        ("--backend stand-in", {"stand-in"}),
        ("--backend all -m 'not gpu'", {"numpy", "stand-in"}),
        ("--backend gpu", {"gpu"}),
        ("-m gpu", {"gpu"}),
        ("-m 'not gpu'", {"numpy"}),
    ],
)
def test_a_backend_is_chosen_by_an_option_and_tests_of_others_are_left_out(options: str, expected: set[str]) -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *shlex.split(options), "tests/optim"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    assert set(re.findall(r"::\w+\[(numpy|stand-in|gpu)\b", listed)) == expected


def test_a_failure_in_a_table_names_every_case_that_fails_and_shows_the_first() -> None:
    cases = {"one": 1, "two": 2, "three": 3}

    @grouped("case", {"numbers": cases})
    def is_one(case: int, message: str) -> None:
        if case == 3:
            pytest.fail("a failure of pytest's own")
        assert case == 1, message

    with pytest.raises(AssertionError, match="2 of 3 cases fail, .*: two; three") as raised:
        is_one(case=cases, message="is it one?")
    assert "is it one?" in str(raised.value.__cause__)
    is_one(case={"one": 1}, message="")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="older Pythons do not know where a lambda ends")
def test_a_lambda_is_named_by_what_it_computes() -> None:
    assert written(lambda x: np.sort(x)[0]) == "np.sort(x)[0]"


def test_a_value_is_named_as_it_is_written_in_one_short_line() -> None:
    net = npnets.Net(3, hidden_sizes=(4,))
    assert written(net) == "Net(3, hidden_sizes=(4,))"
    assert written(functools.partial(npnets.Linear, bias=False)) == "Linear, bias=False"
    assert written(object()) == "<object object>"
    assert written(np.zeros((2, 1))) == "array([[0.], [0.]])"
    assert len(str(written([net] * 9))) == LONGEST
    assert written(3.5) is None and written("name") is None
