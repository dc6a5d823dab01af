"""Laws of policies of any network: a row acts as alone, files keep every bit, bounds hold, and nothing is changed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backends import bits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import npnets
from npnets import Policy, discrete, normalization, testing
from npnets.normalization import Normalized
from npnets.normalization.network import normalizing_part, unwrapped
from npnets.policy.network import observation_shape

pytestmark = pytest.mark.numpy_alone("the strategies draw NumPy arrays")

ACTORS = (
    *(npnets.Actor, npnets.ActorProb, npnets.RecurrentActorProb, npnets.Recurrent, npnets.BranchingNet, npnets.Net),
    *(npnets.MLP, npnets.Linear, discrete.Actor, discrete.ImplicitQuantileNetwork, discrete.FullQuantileFunction),
    Normalized,
)
FEW = settings(max_examples=30, suppress_health_check=list(HealthCheck))


def _acts(net: Any) -> bool:
    inner = unwrapped(net)
    is_ensemble = getattr(getattr(inner, "model", inner), "is_ensemble", False)
    return not isinstance(inner, npnets.Critic) and not is_ensemble


@st.composite
def policies(draw: st.DrawFn) -> tuple[Policy, Any]:
    """Draw a policy of any network, with a normalization or without, and observations for it."""
    net: Any = draw(testing.networks(ACTORS).filter(_acts))
    shape: Any = observation_shape(net)
    obs = draw(st.integers(1, 4).flatmap(lambda n: testing.observations(net, n))).reshape(-1, *shape)
    params = draw(testing.parameters(net))
    given_settings: dict[str, Any] = {}
    if normalizing_part(net) is None and draw(st.booleans()):
        seed = draw(st.integers(0, 99))
        seen = np.random.default_rng(seed).normal(1.0, 3.0, (5, *shape))
        given_settings["normalization"] = normalization.update(normalization.init(shape), seen)
    if isinstance(unwrapped(net), discrete.FullQuantileFunction):
        proposal = discrete.FractionProposalNetwork(3, unwrapped(net).last.input_dim)
        given_settings["fraction_proposal"] = (proposal, proposal.init(np.random.default_rng(0)))
    return Policy(net, params, **given_settings), obs


@pytest.mark.slow
@FEW
@given(policies())
def test_each_row_acts_as_it_does_alone(drawn: tuple[Policy, Any]) -> None:
    policy, obs = drawn
    actions, state = policy.step(obs)
    for row, action in zip(obs, actions, strict=True):
        alone, its_state = policy.step(row)
        assert alone.shape == action.shape
        if policy.to_action != "greedy":  # whose largest entries may be equal up to rounding
            np.testing.assert_allclose(alone, action, rtol=1e-3, atol=1e-4)
        assert [np.shape(leaf)[1:] for leaf in npnets.tree.leaves(its_state)] == [
            np.shape(leaf)[1:] for leaf in npnets.tree.leaves(state)
        ]


@pytest.mark.slow
@FEW
@given(policies())
def test_a_file_keeps_every_bit_of_every_action(drawn: tuple[Policy, Any]) -> None:
    policy, obs = drawn
    with tempfile.TemporaryDirectory() as folder:
        policy.save(Path(folder, "policy.npz"))
        again = Policy.load(Path(folder, "policy.npz"))
    assert bits(again.step(obs)[0]) == bits(policy.step(obs)[0])
    assert repr(again) == repr(policy)


@pytest.mark.slow
@FEW
@given(policies())
def test_actions_lie_within_the_bounds_that_the_policy_names_and_nothing_is_changed(drawn: tuple[Policy, Any]) -> None:
    policy, obs = drawn
    before = bits([obs, policy.params])
    action, state = policy.step(obs)
    assert bits(policy.step(obs, None)[0]) == bits(action)
    if policy.low is not None:
        assert action.shape[1:] == policy.low.shape
        assert np.all((policy.low <= action) & (action <= policy.high))
    if state is not None:
        policy.step(obs, state)
    assert bits([obs, policy.params]) == before
