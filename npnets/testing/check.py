"""`check_network`: a network is held to every law, and the first one that it breaks is reported with an example."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from npnets.description import Shape, size
from npnets.testing import laws_of_answers as answers
from npnets.testing import laws_of_descriptions as descriptions
from npnets.testing import laws_of_gradients as gradients
from npnets.testing import laws_of_interference as interference
from npnets.testing import laws_of_memory as memory
from npnets.testing import laws_of_purity as purity
from npnets.testing import laws_of_rows as of_rows
from npnets.testing import laws_of_sequences as sequences_
from npnets.testing.law import Breach, Law, NetworkLawError
from npnets.testing.subject import Subject, subject_of
from npnets.testing.trial import Trial

_ALL: tuple[Law, ...] = (
    answers.SHAPE,
    purity.ARGUMENTS,
    purity.RANDOMNESS,
    purity.REPETITION,
    purity.SEEDS,
    interference.INTERRUPTION,
    descriptions.PICKLING,
    descriptions.EQUALITY,
    answers.DTYPE,
    answers.INITIAL_DTYPE,
    answers.FINITE,
    answers.BOUND,
    answers.SIGMA,
    of_rows.ROWS,
    of_rows.NAN,
    gradients.GRADIENTS,
    gradients.FLOW,
    gradients.FINITE_GRADIENTS,
    interference.REFILLED_INPUTS,
    memory.STATE,
    memory.STATE_ROWS,
    memory.ZERO_STATE,
    memory.HEED,
    sequences_.STEPS,
    sequences_.PARTS,
    sequences_.LENGTHS,
    sequences_.RESETS,
)
LAWS = {law.name: law.sentence for law in _ALL}
"""What networks are held to, in this order: the name of each law, and the law in words."""


def check_network(
    net: Any,
    *,
    state_shape: Shape | None = None,
    action_shape: Shape | None = None,
    obs: Callable[[int], st.SearchStrategy[Any]] | None = None,
    members: int | None = None,
    sequences: bool | None = None,
    skip: Sequence[str] = (),
    max_examples: int = 20,
    seed: int = 0,
    tolerance: float | None = None,
) -> None:
    """Hold a network to the laws that are about it, those of `LAWS`.

    Parameters
    ----------
    net : network
        Anything with `init(rng)`, `forward(params, obs, ...)` and `output_dim`.
    state_shape : int or sequence of int, optional
        Shape of one observation, for a network without `state_shape`.
    action_shape : int or sequence of int, optional
        Shape of one action, for a network that takes actions and has no `action_shape`.
    obs : callable, optional
        Takes a batch size and returns a strategy of observations, for those that are not any floating-point numbers.
    members : int, optional
        For an ensemble of your own: its outputs are `(members, batch, output_dim)`.
    sequences : bool, optional
        Whether observations may be `(batch, steps, ...)`; if left out, whether `forward` has an argument `lengths`,
        `resets` or `all_steps`.
    skip : sequence of str
        Names of laws that are not to hold.
    max_examples : int
        The most examples drawn for a law.
    seed : int
        What the examples are drawn with: the same in every run.
    tolerance : float, optional
        How far two ways to compute the same may lie apart, as a share of the largest entry; by default the root of the
        dtype's precision.

    Raises
    ------
    NetworkLawError
        If a law is broken.
    TypeError
        If it is no network, or a shape is not known.
    ValueError
        If there is no law of a name in `skip`.
    """
    unknown = [name for name in ([skip] if isinstance(skip, str) else skip) if name not in LAWS]
    if unknown or isinstance(skip, str):
        raise ValueError(f"skip must be a list of names of laws, but has {unknown or skip!r}; laws are {list(LAWS)}")
    subject = subject_of(net, state_shape, action_shape, obs, members, sequences)
    size("max_examples", max_examples)
    for law in _ALL:
        if law.name not in skip and law.concerns(subject):
            _hold(law, subject, min(max_examples, law.examples or max_examples), seed, tolerance)


def _hold(law: Law, subject: Subject, max_examples: int, seed: int, tolerance: float | None) -> None:
    """Look for an example that breaks a law, and report the smallest one."""
    found: list[tuple[Breach, dict[str, str]]] = []

    def judge(data: Any) -> None:
        trial = Trial(subject, data, tolerance)
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                law.hold(trial)
        except Breach as breach:
            found[:] = [(breach, trial.example)]
            raise

    quiet = settings(
        max_examples=max_examples,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        seeded(seed)(quiet(given(st.data())(judge)))()
    except Breach:
        pass
    except Flaky:
        if not found:
            raise
        found[0][0].cause += "; with this same example it did not happen again, so that something is kept between calls"
    if found:
        breach, example = found[0]
        raise NetworkLawError(law, subject.net, breach, example) from breach.__cause__
