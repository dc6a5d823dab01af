"""`check_network` tests a network by every law, and reports the first violated law with its smallest example."""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from npnets.description import Shape, size
from npnets.testing import (
    laws_of_descriptions,
    laws_of_gradients,
    laws_of_outputs,
    laws_of_purity,
    laws_of_rows,
    laws_of_sequences,
    laws_of_states,
)
from npnets.testing.arrays import shown
from npnets.testing.forward_signature import Network
from npnets.testing.law import Law, NetworkLawError, Violation
from npnets.testing.network_under_test import NetworkUnderTest, network_under_test
from npnets.testing.trial import Trial
from npnets.tree import Tree

_ALL: tuple[Law, ...] = (
    laws_of_outputs.SHAPE,
    *laws_of_purity.LAWS,
    *laws_of_descriptions.LAWS,
    *laws_of_outputs.LAWS,
    *laws_of_rows.LAWS,
    *laws_of_gradients.LAWS,
    *laws_of_states.LAWS,
    *laws_of_sequences.LAWS,
)
LAWS = {law.name: law.sentence for law in _ALL}
"""The laws that `check_network` tests, in this order: the name of each law, and the law in words."""


_SEARCH = settings(  # without a database and without output of hypothesis' own
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    verbosity=Verbosity.quiet,
    report_multiple_bugs=False,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)


def check_network(
    net: Network,
    *,
    state_shape: Shape | None = None,
    action_shape: Shape | None = None,
    obs: Callable[[int], st.SearchStrategy[Tree]] | None = None,
    members: int | None = None,
    sequences: bool | None = None,
    skip: Sequence[str] = (),
    max_examples: int = 20,
    seed: int = 0,
    tolerance: float | None = None,
) -> None:
    """Property-test a network by the laws of `LAWS` that apply to it.

    Parameters
    ----------
    net : network
        Anything with `init(rng)`, `forward(params, obs, ...)` and `output_dim`.
    state_shape : int or sequence of int, optional
        Shape of one observation, for a network without `state_shape`.
    action_shape : int or sequence of int, optional
        Shape of one action, for a network that takes actions and has no `action_shape`.
    obs : callable, optional
        Takes a batch size and returns a strategy of observations, for those other than arbitrary floating-point
        numbers.
    members : int, optional
        For an ensemble of your own, whose outputs are `(members, batch, output_dim)`.
    sequences : bool, optional
        Whether observations may be `(batch, steps, ...)`; the default is whether `forward` has an argument `lengths`,
        `resets` or `all_steps`.
    skip : sequence of str
        Names of laws to skip.
    max_examples : int
        The maximum number of examples drawn for a law.
    seed : int
        Seed of the examples, which are the same in every run.
    tolerance : float, optional
        Maximum difference between two ways to compute the same number, relative to the largest entry; the default is
        the square root of the dtype's precision.

    Raises
    ------
    NetworkLawError
        If the network violates a law.
    TypeError
        If `net` is not a network, or a shape is not known.
    ValueError
        If there is no law with a name in `skip`.
    """
    unknown = [name for name in ([skip] if isinstance(skip, str) else skip) if name not in LAWS]
    if unknown or isinstance(skip, str):
        raise ValueError(f"skip must be a list of names of laws, but has {unknown or skip!r}; laws are {list(LAWS)}")
    under_test = network_under_test(net, state_shape, action_shape, obs, members, sequences)
    size("max_examples", max_examples)
    for law in _ALL:
        if law.name not in skip and law.applies_to(under_test):
            _check_law(law, under_test, min(max_examples, law.examples or max_examples), seed, tolerance)


def _check_law(law: Law, under_test: NetworkUnderTest, max_examples: int, seed: int, tolerance: float | None) -> None:
    """Search for an example that violates a law, and raise an error with the smallest one."""
    found: list[tuple[Violation, dict[str, str]]] = []

    def check(data: st.DataObject) -> None:
        trial = Trial(under_test, data, tolerance)
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                law.check(trial)
        except Violation as violation:
            found[:] = [(violation, {name: shown(value) for name, value in trial.drawn.items()})]
            raise

    try:
        seeded(seed)(settings(_SEARCH, max_examples=max_examples)(given(st.data())(check)))()
    except Violation:
        pass
    except Flaky:
        if not found:
            raise
        found[0][0].cause += "; the same example succeeds when repeated, so that something is kept between calls"
    if found:
        violation, example = found[0]
        raise NetworkLawError(law, under_test.net, violation, example) from violation.__cause__
