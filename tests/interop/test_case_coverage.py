"""The cases recorded from Tianshou miss no class, no argument and no odd input, and the documentation says how close.

A case counts for an argument only if the output would differ without it.
"""

from __future__ import annotations

import functools
import inspect

import pytest
from case_coverage import CONDITIONS, WITHOUT_EFFECT, constructor_arguments, given, matters, network_of
from conformance_table import FIGURES, NONE, TABLES, read, rounded_up, tables
from golden.npnets_side import CASES, CLASSES, GRADIENT_TOLERANCE, OUTPUT_TOLERANCE

pytestmark = pytest.mark.numpy_alone("is about what the cases cover; whether they pass is tested on both backends")

OTHER_PROCESSORS = 10.0
"""How much larger an error may be on a processor that rounds sums in another order."""

WITHOUT_A_DEFAULT = {("BranchingNet", "num_branches"), ("Perturbation", "max_action"), ("VAE", "max_action")}
"""Arguments that Tianshou requires, or whose default makes no network there; here a bound may be `low` and `high`."""

ARGUMENTS = [(network, argument) for network in CLASSES for argument in constructor_arguments(network)]
REQUIRED = [
    (network, argument.name)
    for network, argument in ARGUMENTS
    if argument.default is inspect.Parameter.empty or (network, argument.name) in WITHOUT_A_DEFAULT
]
OPTIONAL = [(network, argument.name) for network, argument in ARGUMENTS if (network, argument.name) not in REQUIRED]

measured = functools.cache(tables)


@pytest.mark.parametrize(("network", "argument"), OPTIONAL)
def test_every_optional_argument_has_a_case_whose_output_depends_on_it(network: str, argument: str) -> None:
    cases = [case for case in CASES if (network, argument) in {found[:2] for found in given(case["call"])}]
    depends = any(matters(case, network, argument) for case in cases)
    assert depends != (argument in WITHOUT_EFFECT), f"{network}({argument}=...) has {len(cases)} cases"


@pytest.mark.parametrize(("network", "argument"), REQUIRED)
def test_every_required_argument_has_cases_with_several_values(network: str, argument: str) -> None:
    found = {repr(value) for case in CASES for *key, value in given(case["call"]) if key == [network, argument]}
    assert len(found) > 1


@pytest.mark.parametrize(
    ("network", "condition"), [(network, name) for name, (_, classes) in CONDITIONS.items() for network in classes]
)
def test_every_class_has_cases_of_odd_inputs(network: str, condition: str) -> None:
    holds, _ = CONDITIONS[condition]
    assert any(holds(case) for case in CASES if network_of(case) == network)


def test_a_case_counts_for_an_argument_only_if_its_output_depends_on_it() -> None:
    case = next(case for case in CASES if case["name"] == "an actor with a bound")
    assert matters(case, "Actor", "max_action")
    assert not matters(case, "Actor", "hidden_sizes")
    assert not matters(next(case for case in CASES if case["name"] == "an actor"), "Net", "act_args")


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_the_documentations_tables_have_the_rows_and_counts_of_the_suite(name: str) -> None:
    found = (read(name), measured()[name])
    page, now = ([{k: v for k, v in row.items() if k not in FIGURES} for row in rows] for rows in found)
    assert page == now, "write the tables anew: python tests/support/conformance_table.py --keep"


@pytest.mark.parametrize("name", TABLES)
def test_the_documentations_figures_are_no_smaller_than_what_is_measured_and_keep_the_bars(name: str) -> None:
    for row, now in zip(read(name), measured()[name], strict=True):
        for figure, bar in zip(FIGURES, (OUTPUT_TOLERANCE, GRADIENT_TOLERANCE), strict=True):
            assert (row[figure] == NONE) == (now[figure] == NONE) == (row["cases"] == "0")
            if row[figure] != NONE:
                assert float(now[figure]) <= OTHER_PROCESSORS * float(row[figure]), (row, now)
                assert float(row[figure]) <= bar, row


@pytest.mark.parametrize(
    ("error", "written"), [(0.0, "1e-7"), (1.2e-6, "2e-6"), (2e-6, "2e-6"), (9.4e-6, "1e-5"), (3.1e-4, "4e-4")]
)
def test_figures_are_rounded_up_to_one_digit(error: float, written: str) -> None:
    assert rounded_up(error) == written
    assert float(written) >= error
