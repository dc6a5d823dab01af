"""The faults in `tests/sabotage/planted.py` match the present source."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "sabotage"))
from fault import Fault  # noqa: E402
from planted import FAULTS, ROOT  # noqa: E402

pytestmark = pytest.mark.numpy_alone("reads the source")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_replaces_one_place_of_the_source_and_names_tests_that_are_there(fault: Fault) -> None:
    assert (ROOT / "npnets" / fault.file).read_text(encoding="utf-8").count(fault.old) == 1
    assert fault.new != fault.old and all((ROOT / path).exists() for path in fault.tests.split())
