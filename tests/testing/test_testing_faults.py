"""`check_network` finds faults of every kind, and its errors name the violated law, an example and a likely cause."""

from __future__ import annotations

import traceback
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from faults import CORRECT, FAULTS, Fault
from faulty_descriptions import ByIdentity
from faulty_memories import IgnoresTheState, Memory, TripledState, TruncatedState
from faulty_networks import Bounded, CrashesAtOne, CrashesOnce, Policy, SubtractsTheMean

import npnets.numpy as nnp
from npnets.testing import LAWS, NetworkLawError, check_network

pytestmark = pytest.mark.numpy_alone("draws hundreds of examples; test_testing_devices is for both backends")


def violation(net: Any, **options: Any) -> NetworkLawError:
    """Return the error that `check_network` raises."""
    with pytest.raises(NetworkLawError) as caught:
        check_network(net, **options)
    return caught.value


def all_but(law: str) -> list[str]:
    """Return all laws but one, to be skipped."""
    return [name for name in LAWS if name != law]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{type(fault.net).__name__}, {fault.law}")
def test_a_faulty_network_violates_its_law(fault: Fault) -> None:
    with pytest.raises(NetworkLawError, match=fault.words) as caught:
        check_network(fault.net, skip=all_but(fault.law))
    assert caught.value.law == fault.law
    assert f"violates the law {fault.law!r}: {LAWS[fault.law]}" in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{type(fault.net).__name__}, {fault.law}")
def test_a_faulty_network_violates_no_earlier_law(fault: Fault) -> None:
    if isinstance(fault.net, CrashesOnce):
        fault.net.calls.clear()  # or it would not crash again
    assert violation(fault.net, skip=fault.skip, max_examples=8).law == fault.law


def test_there_is_a_faulty_network_for_every_law() -> None:
    assert {fault.law for fault in FAULTS} == set(LAWS)


@pytest.mark.slow
@pytest.mark.parametrize("net", CORRECT, ids=lambda net: type(net).__name__)
def test_the_correct_networks_keep_every_law(net: Any) -> None:
    check_network(net, max_examples=40)


# -- errors -----------------------------------------------------------------------------------------------


def test_an_error_contains_the_smallest_example_and_prints_it() -> None:
    error = violation(SubtractsTheMean(), skip=all_but("rows"))
    assert error.law == "rows"
    assert error.example["batch"] == "2" and error.example["params"] == "parameters_from(net, 0, 0.0, 'float64')"
    assert sorted(error.example) == ["batch", "obs", "params", "row"]
    entries = error.example["obs"].split("(")[0].strip("[] ").replace("\n", "").replace("[", "").replace("]", "")
    assert sum(float(entry) != 0 for entry in entries.split(",")) <= 1, "hypothesis has not shrunk the observations"
    for part in (error.expected, error.came, error.cause, *error.example):
        assert part in str(error)


def test_an_error_carries_no_traceback_of_hypothesis() -> None:
    error = violation(SubtractsTheMean(), skip=all_but("rows"))
    assert error.__cause__ is None and error.__suppress_context__
    assert "hypothesis" not in "".join(traceback.format_exception(error))
    assert isinstance(error, AssertionError)


def test_an_error_without_an_example_does_not_announce_one() -> None:
    assert "smallest example" in str(violation(SubtractsTheMean(), skip=all_but("rows")))
    error = violation(ByIdentity())
    assert error.example == {} and "smallest example" not in str(error)


class StateThatWasNotTaken(Policy):
    def forward(self, params: Any, obs: Any) -> Any:  # type: ignore[override]
        return super().forward(params, obs)


def test_a_state_of_a_forward_that_takes_none_is_named_as_the_likely_cause() -> None:
    assert "a new state although it has no argument state" in violation(StateThatWasNotTaken()).cause


def test_an_exception_in_a_network_is_the_cause_of_the_error() -> None:
    error = violation(CrashesAtOne())
    assert isinstance(error.__cause__, IndexError)
    assert "in output" in "".join(traceback.format_exception(error))


def test_every_run_finds_the_same_example_and_another_seed_may_find_another() -> None:
    errors = [violation(SubtractsTheMean(), skip=all_but("rows")) for _ in range(2)]
    assert errors[0].example == errors[1].example
    errors = [violation(Bounded(max_action=-1.0), skip=all_but("bound"), seed=1) for _ in range(2)]
    assert str(errors[0]) == str(errors[1])


# -- arguments --------------------------------------------------------------------------------------------------------


def test_a_skipped_law_is_not_tested_and_the_others_are() -> None:
    check_network(SubtractsTheMean(), skip=["rows", "nan"], max_examples=5)
    assert violation(SubtractsTheMean(), skip=["rows"], max_examples=5).law == "nan"


@pytest.mark.parametrize("skip", [["row"], "rows", ["rows", "colour"]])
def test_skipping_an_unknown_law_is_an_error(skip: Any) -> None:
    with pytest.raises(ValueError, match="skip must be a list of names of laws.*laws are .'shape', 'arguments'"):
        check_network(Policy(), skip=skip)


class Inexact(Policy):
    """Returns slightly different outputs for a single row."""

    def output(self, z: Any) -> Any:
        return super().output(z) * (1 + 1e-4 * (len(z) == 1))


def test_the_tolerance_is_the_largest_difference_between_two_ways_to_compute_the_same() -> None:
    assert violation(Inexact(), skip=all_but("rows")).law == "rows"
    check_network(Inexact(), tolerance=1e-3, max_examples=5)
    assert violation(Inexact(), skip=all_but("rows"), tolerance=1e-5).law == "rows"


class RareFault(Policy):
    """Fails for a small range of observations."""

    def converted(self, params: Any, obs: Any) -> Any:
        return super().converted(params, obs) + nnp.where((obs > 6e5) & (obs < 9e5), np.nan, 0)


def test_more_examples_find_a_rarer_fault() -> None:
    check_network(RareFault(), skip=all_but("finite"), max_examples=2)
    assert violation(RareFault(), skip=all_but("finite"), max_examples=200).law == "finite"
    with pytest.raises(ValueError, match="max_examples must be at least 1"):
        check_network(Policy(), max_examples=0)


def test_the_argument_sequences_decides_whether_sequences_are_tested() -> None:
    check_network(IgnoresTheState(), skip=all_but("steps"), sequences=False)
    assert violation(IgnoresTheState(), skip=all_but("steps"), sequences=True).law == "steps"
    assert violation(IgnoresTheState(), skip=all_but("steps")).law == "steps"
    check_network(Memory(), sequences=False, max_examples=5)


@pytest.mark.parametrize("net", [TruncatedState(), TripledState()], ids=lambda net: type(net).__name__)
def test_a_wrong_derivative_by_the_state_is_found_in_a_single_step(net: Any) -> None:
    error = violation(net, skip=all_but("gradients"), sequences=False)
    assert error.law == "gradients" and "by state.hidden" in error.expected


@pytest.mark.parametrize("net", [None, 3, Policy, object()])
def test_an_object_that_is_not_a_network_is_an_error(net: Any) -> None:
    with pytest.raises(TypeError, match="a network has init.rng., forward.params, obs, ....* and output_dim, but is"):
        check_network(net)


class WithoutObservations(Policy):
    def forward(self, params: Any) -> Any:
        return params["bias"]


def test_a_forward_without_observations_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"is forward\(params, obs, ...\), but that of .* takes \(params\)"):
        check_network(WithoutObservations())


@pytest.mark.parametrize("output_dim", ["2", 2.0, True, (2,)])
def test_an_output_dim_that_is_not_an_integer_is_an_error(output_dim: Any) -> None:
    with pytest.raises(TypeError, match="output_dim must be an integer, the width of the output, but"):
        check_network(Policy(output_dim=output_dim))


def test_a_network_without_output_dim_is_an_error() -> None:
    net = SimpleNamespace(init=Policy().init, forward=Policy().forward, state_shape=4)
    with pytest.raises(TypeError, match="has no output_dim; a network has init, forward and output_dim"):
        check_network(net)
