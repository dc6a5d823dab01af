"""Tests over tables of many small cases: one test runs for a group of them, and names the cases in which it fails.

    each_case = grouped("case", {"matmul": {"(2, 3) by (3,)": case, ...}, "sum": {...}})

    @each_case
    def test_a_law(case: Case) -> None: ...

pytest sees one test for each group, `test_a_law[matmul]`; the test itself is written for a single case.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import pytest


def grouped(argument: str, groups: Mapping[str, Mapping[str, Any]]) -> Callable[[Callable[..., None]], Any]:
    """Return the decorator that runs a test for every case of each group: group's name, case's name, case."""

    def decorate(test: Callable[..., None]) -> Any:
        @functools.wraps(test)
        def of_group(**arguments: Any) -> None:
            cases = arguments.pop(argument)
            _run_all({name: functools.partial(test, **arguments, **{argument: case}) for name, case in cases.items()})

        params = [pytest.param(cases, id=name) for name, cases in groups.items() if cases]
        return pytest.mark.parametrize(argument, params)(of_group)

    return decorate


def _run_all(tests: dict[str, Callable[[], None]]) -> None:
    failures = {}
    for name, test in tests.items():
        try:
            test()
        except (Exception, pytest.fail.Exception) as error:
            failures[name] = error
    if failures:
        message = f"{len(failures)} of {len(tests)} cases fail, the first of them as above: {'; '.join(failures)}"
        raise AssertionError(message) from next(iter(failures.values()))
