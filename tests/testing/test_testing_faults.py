"""The property-test kit catches a fault of every kind, by the law that it breaks, and says what went wrong."""

from __future__ import annotations

import traceback
from typing import Any

import numpy as np
import pytest
from faults import FAULTS, SOUND, Fault
from faulty_memories import IgnoresTheState, Memory, TripledState, TruncatedState
from faulty_networks import Bounded, CrashesAtOne, CrashesOnce, Policy, SubtractsTheMean

import npnets.numpy as nnp
from npnets.testing import LAWS, NetworkLawError, check_network

pytestmark = pytest.mark.numpy_alone("draws hundreds of examples; test_testing_devices runs the kit on both backends")


def broken(net: Any, **options: Any) -> NetworkLawError:
    """Return the error that a network's check ends with."""
    with pytest.raises(NetworkLawError) as caught:
        check_network(net, **options)
    return caught.value


def but(law: str) -> list[str]:
    """All laws but one, to be skipped where that one alone is tried."""
    return [name for name in LAWS if name != law]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{type(fault.net).__name__}, {fault.law}")
def test_a_faulty_network_is_caught_by_the_law_that_it_breaks(fault: Fault) -> None:
    with pytest.raises(NetworkLawError, match=fault.words) as caught:
        check_network(fault.net, skip=but(fault.law))
    assert caught.value.law == fault.law
    assert f"breaks the law {fault.law!r}: {LAWS[fault.law]}" in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{type(fault.net).__name__}, {fault.law}")
def test_a_faulty_network_breaks_no_law_before_the_one_that_it_is_caught_by(fault: Fault) -> None:
    if isinstance(fault.net, CrashesOnce):
        fault.net.calls.clear()  # or it would not crash again
    assert broken(fault.net, skip=fault.skip, max_examples=8).law == fault.law


def test_there_is_a_faulty_network_for_every_law() -> None:
    assert {fault.law for fault in FAULTS} == set(LAWS)


@pytest.mark.slow
@pytest.mark.parametrize("net", SOUND, ids=lambda net: type(net).__name__)
def test_the_sound_networks_that_the_faulty_ones_are_made_from_keep_every_law(net: Any) -> None:
    check_network(net, max_examples=40)


# -- what an error says -----------------------------------------------------------------------------------------------


def test_an_error_holds_the_smallest_example_and_shows_it() -> None:
    error = broken(SubtractsTheMean(), skip=but("rows"))
    assert error.law == "rows"
    assert error.example["batch"] == "2" and error.example["params"] == "parameters_from(net, 0, 0.0, 'float64')"
    assert sorted(error.example) == ["batch", "obs", "params", "row"]
    entries = error.example["obs"].split("(")[0].strip("[] ").replace("\n", "").replace("[", "").replace("]", "")
    assert sum(float(entry) != 0 for entry in entries.split(",")) <= 1, "hypothesis has not shrunk the observations"
    for part in (error.expected, error.came, error.cause, *error.example):
        assert part in str(error)


def test_an_error_carries_no_traceback_of_hypothesis() -> None:
    error = broken(SubtractsTheMean(), skip=but("rows"))
    assert error.__cause__ is None and error.__suppress_context__
    assert "hypothesis" not in "".join(traceback.format_exception(error))
    assert isinstance(error, AssertionError)


def test_an_exception_in_a_network_is_the_cause_of_the_error() -> None:
    error = broken(CrashesAtOne())
    assert isinstance(error.__cause__, IndexError)
    assert "in answer" in "".join(traceback.format_exception(error))


def test_every_run_finds_the_same_example_and_another_seed_may_find_another() -> None:
    errors = [broken(SubtractsTheMean(), skip=but("rows")) for _ in range(2)]
    assert errors[0].example == errors[1].example
    errors = [broken(Bounded(max_action=-1.0), skip=but("bound"), seed=1) for _ in range(2)]
    assert str(errors[0]) == str(errors[1])


# -- arguments --------------------------------------------------------------------------------------------------------


def test_a_law_that_is_skipped_does_not_hold_and_the_others_do() -> None:
    check_network(SubtractsTheMean(), skip=["rows", "nan"], max_examples=5)
    assert broken(SubtractsTheMean(), skip=["rows"], max_examples=5).law == "nan"


@pytest.mark.parametrize("skip", [["row"], "rows", ["rows", "colour"]])
def test_a_law_to_skip_that_does_not_exist_is_refused(skip: Any) -> None:
    with pytest.raises(ValueError, match="skip must be a list of names of laws.*laws are .'shape', 'arguments'"):
        check_network(Policy(), skip=skip)


class Inexact(Policy):
    """Answers a single row a little otherwise than a row among others."""

    def answer(self, z: Any) -> Any:
        return super().answer(z) * (1 + 1e-4 * (len(z) == 1))


def test_the_tolerance_decides_how_far_two_ways_to_compute_the_same_may_lie_apart() -> None:
    assert broken(Inexact(), skip=but("rows")).law == "rows"
    check_network(Inexact(), tolerance=1e-3, max_examples=5)
    assert broken(Inexact(), skip=but("rows"), tolerance=1e-5).law == "rows"


class RareFault(Policy):
    """Fails in a small part of the space."""

    def brought(self, params: Any, obs: Any) -> Any:
        return super().brought(params, obs) + nnp.where((obs > 6e5) & (obs < 9e5), np.nan, 0)


def test_more_examples_find_a_rarer_fault() -> None:
    check_network(RareFault(), skip=but("finite"), max_examples=2)
    assert broken(RareFault(), skip=but("finite"), max_examples=200).law == "finite"
    with pytest.raises(ValueError, match="max_examples must be at least 1"):
        check_network(Policy(), max_examples=0)


def test_sequences_are_tried_where_they_are_said_to_be_taken() -> None:
    check_network(IgnoresTheState(), skip=but("steps"), sequences=False)
    assert broken(IgnoresTheState(), skip=but("steps"), sequences=True).law == "steps"
    assert broken(IgnoresTheState(), skip=but("steps")).law == "steps"
    check_network(Memory(), sequences=False, max_examples=5)


@pytest.mark.parametrize("net", [TruncatedState(), TripledState()], ids=lambda net: type(net).__name__)
def test_a_wrong_derivative_by_the_state_is_found_in_a_single_step(net: Any) -> None:
    error = broken(net, skip=but("gradients"), sequences=False)
    assert error.law == "gradients" and "by state.hidden" in error.expected


@pytest.mark.parametrize("net", [None, 3, Policy, object()])
def test_what_is_no_network_is_refused(net: Any) -> None:
    with pytest.raises(TypeError, match="a network has init.rng., forward.params, obs, ....* and output_dim, but is"):
        check_network(net)


class WithoutObservations(Policy):
    def forward(self, params: Any) -> Any:
        return params["bias"]


def test_a_forward_that_takes_no_observations_is_refused() -> None:
    with pytest.raises(TypeError, match=r"is forward\(params, obs, ...\), but that of .* takes \(params\)"):
        check_network(WithoutObservations())


@pytest.mark.parametrize("output_dim", ["2", 2.0, True, (2,)])
def test_an_output_dim_that_is_no_integer_is_refused(output_dim: Any) -> None:
    with pytest.raises(TypeError, match="output_dim must be an integer, the width of the output, but"):
        check_network(Policy(output_dim=output_dim))
