"""Actions of a policy: from each kind of network, mapped into bounds in each way, one observation or a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, on_backend
from hypothesis import given
from hypothesis import strategies as st

import npnets
import npnets.numpy as nnp
from npnets import Policy, discrete, normalization
from npnets.normalization import Normalized

NET = npnets.Net(3, hidden_sizes=(8,))
OBS = np.random.default_rng(4).normal(size=(6, 3)).astype(np.float32)
LOW, HIGH = np.array([-1.0, 0.5]), np.array([3.0, 0.75])


def drawn(net: Any, dtype: Any = np.float32) -> Any:
    """Return parameters with entries far enough from zero for actions to differ and some to leave bounds."""
    rng = np.random.default_rng(0)
    return on_backend(npnets.tree.map(lambda leaf: rng.normal(0, 1, leaf.shape).astype(dtype), net.init(rng)))


def mode(net: Any, params: Any) -> Any:
    return as_numpy(net.forward(params, on_backend(OBS))[0][0]).astype(np.float64)


UNBOUNDED = npnets.ActorProb(NET, 2, unbounded=True)
MAPS: dict[str, Any] = {
    "as_is": lambda x: x,
    "squash": lambda x: LOW + (HIGH - LOW) * (np.tanh(x) + 1) / 2,
    "clip": lambda x: np.clip(x, LOW, HIGH),
    "clip_and_scale": lambda x: LOW + (HIGH - LOW) * (np.clip(x, -1, 1) + 1) / 2,
}


@pytest.mark.parametrize("to_action", MAPS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_outputs_are_mapped_into_the_bounds_as_the_policy_says(to_action: Any, dtype: Any) -> None:
    params = drawn(UNBOUNDED, dtype)
    policy = Policy(UNBOUNDED, params, to_action=to_action, low=LOW, high=HIGH)
    action = policy.act(on_backend(OBS))
    assert action.dtype == dtype
    assert_allclose(action, MAPS[to_action](mode(UNBOUNDED, params)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("to_action", ["squash", "clip", "clip_and_scale"])
def test_no_action_leaves_bounds_that_its_dtype_cannot_hold(to_action: Any) -> None:
    low, high = np.array([0.1, -0.7]), np.array([0.3, -0.1])
    params = npnets.tree.map(lambda leaf: leaf * 50, drawn(UNBOUNDED))
    action = as_numpy(Policy(UNBOUNDED, params, to_action=to_action, low=low, high=high).act(on_backend(OBS)))
    assert np.all((low <= action) & (action <= high))
    assert np.any(action < low + 1e-6)
    assert np.any(action > high - 1e-6)


def test_a_clip_may_have_infinite_bounds() -> None:
    params = drawn(UNBOUNDED)
    policy = Policy(UNBOUNDED, params, to_action="clip", low=[-np.inf, 0], high=[0, np.inf])
    x = mode(UNBOUNDED, params)
    expected = np.stack([np.minimum(x[:, 0], 0), np.maximum(x[:, 1], 0)], 1)
    assert_allclose(policy.act(on_backend(OBS)), expected, rtol=1e-6)


def test_bounds_between_which_one_number_of_the_dtype_lies_give_that_number() -> None:
    policy = Policy(UNBOUNDED, drawn(UNBOUNDED), to_action="clip", low=1.0, high=1 + 1e-12)
    assert_array_equal(policy.act(on_backend(OBS)), np.ones((6, 2)))


def test_actions_as_they_are_may_have_infinite_bounds() -> None:
    params = drawn(UNBOUNDED)
    policy = Policy(UNBOUNDED, params, to_action="as_is", low=-np.inf, high=np.inf)
    assert_allclose(policy.act(on_backend(OBS)), mode(UNBOUNDED, params), rtol=1e-6)


BOX: Any = {"low": LOW, "high": HIGH}
OWN: dict[str, tuple[Any, str, Any]] = {
    "Actor": (npnets.Actor(NET, 2, max_action=2.0), "as_is", 2.0),
    "Actor with low and high": (npnets.Actor(NET, 2, **BOX), "as_is", HIGH),
    "ActorProb": (npnets.ActorProb(NET, 2, max_action=(1.0, 2.0)), "as_is", [1.0, 2.0]),
    "ActorProb without bounds": (UNBOUNDED, "as_is", None),
    "ActorProb that knows bounds": (npnets.ActorProb(NET, 2, unbounded=True, **BOX), "squash", HIGH),
    "RecurrentActorProb": (npnets.RecurrentActorProb(1, 3, 2, 4), "as_is", 1.0),
    "RecurrentActorProb that knows bounds": (
        npnets.RecurrentActorProb(1, 3, 2, 4, unbounded=True, **BOX),
        "squash",
        HIGH,
    ),
    "normalized Actor": (Normalized(npnets.Actor(NET, 2, max_action=2.0), 3), "as_is", 2.0),
    "discrete.Actor": (discrete.Actor(NET, 4), "greedy", None),
    "normalized discrete.Actor": (Normalized(discrete.Actor(NET, 4), 3), "greedy", None),
    "BranchingNet": (npnets.BranchingNet(3, 2, 4, (8,)), "greedy", None),
    "ImplicitQuantileNetwork": (discrete.ImplicitQuantileNetwork(NET, 4), "greedy", None),
    "Net": (npnets.Net(3, 4, (8,)), "as_is", None),
    "MLP": (npnets.MLP(3, 4, (8,)), "as_is", None),
}


@pytest.mark.parametrize("name", OWN)
def test_a_network_has_a_choice_and_bounds_of_its_own(name: str) -> None:
    net, to_action, high = OWN[name]
    policy = Policy(net, drawn(net))
    assert policy.to_action == to_action
    if high is None:
        assert policy.low is policy.high is None
    else:
        assert policy.high.tolist() == np.broadcast_to(high, 2).tolist()
        assert policy.high.dtype == np.float64
    action, _ = policy.step(on_backend(OBS))
    one, _ = policy.step(on_backend(OBS[2]))
    assert action.shape == (6, *one.shape)
    assert_allclose(one, as_numpy(action)[2], rtol=1e-5, atol=1e-6)


def test_a_bounded_actor_acts_by_what_its_forward_returns() -> None:
    for name in ("Actor", "Actor with low and high"):
        net = OWN[name][0]
        params = drawn(net)
        assert_array_equal(Policy(net, params).act(on_backend(OBS)), net.forward(params, on_backend(OBS))[0])


def test_a_probabilistic_actor_acts_by_its_mean_in_bounds_that_it_knows() -> None:
    net = OWN["ActorProb that knows bounds"][0]
    params = drawn(net)
    expected = MAPS["squash"](mode(net, params))
    assert_allclose(Policy(net, params).act(on_backend(OBS)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [npnets.ActorProb, npnets.Actor])
def test_an_action_of_several_axes_comes_out_whole_with_bounds_or_without(kind: Any) -> None:
    net = npnets.ActorProb(NET, (2, 3), unbounded=True) if kind is npnets.ActorProb else npnets.Actor(NET, (2, 3))
    assert Policy(net, drawn(net)).act(on_backend(OBS)).shape == (6, 2, 3)


def test_an_action_of_several_axes_is_the_same_flattened_or_not() -> None:
    for flatten_action in (True, False):
        net = npnets.Actor(NET, (2, 3), flatten_action=flatten_action)
        params = drawn(net)
        policy = Policy(net, params)
        expected = as_numpy(net.forward(params, on_backend(OBS))[0]).reshape(6, 2, 3)
        assert policy.low.shape == (2, 3)
        assert_array_equal(policy.act(on_backend(OBS)), expected)
        assert policy.act(on_backend(OBS[0])).shape == (2, 3)


@given(st.integers(0, 999), st.sampled_from(["squash", "clip", "clip_and_scale"]))
@pytest.mark.numpy_alone("draws many bounds")
def test_actions_lie_within_any_bounds_whatever_comes(seed: int, to_action: Any) -> None:
    rng = np.random.default_rng(seed)
    low = rng.normal(0, 10.0 ** rng.integers(-3, 4), 2)
    high = low + 10.0 ** rng.uniform(-2, 3, 2)
    params = UNBOUNDED.init(rng)
    action = Policy(UNBOUNDED, params, to_action=to_action, low=low, high=high).act(rng.normal(0, 1e3, (5, 3)))
    assert action.dtype == np.float32
    assert np.all((low <= action) & (action <= high))


def test_the_action_is_differentiable_by_the_observation() -> None:
    params = drawn(UNBOUNDED, np.float64)
    policy = Policy(UNBOUNDED, params, normalization=normalization.init(3), to_action="squash", low=LOW, high=HIGH)
    obs = on_backend(OBS.astype(np.float64))
    gradient = npnets.grad(lambda x: nnp.sum(policy.act(x)))(obs)
    step = 1e-6
    ahead, behind = (as_numpy(policy.act(obs + sign * step)) for sign in (1, -1))
    assert as_numpy(gradient).sum() == pytest.approx((ahead - behind).sum() / (2 * step), rel=1e-4)


# -- discrete actions -------------------------------------------------------------------------------------------------


def test_greedy_actions_are_indices_of_the_largest_entry_in_int64() -> None:
    net = discrete.Actor(NET, 4)
    params = drawn(net)
    obs = on_backend(OBS * 5)
    action = Policy(net, params).act(obs)
    assert action.dtype == np.int64
    assert_array_equal(action, as_numpy(net.forward(params, obs)[0]).argmax(1))
    assert len(set(as_numpy(action).tolist())) > 1


def test_the_values_of_a_net_are_chosen_from_if_the_policy_says_so() -> None:
    net = npnets.Net(3, 4, (8,))
    params = drawn(net)
    expected = as_numpy(net.forward(params, on_backend(OBS))[0])
    assert_array_equal(Policy(net, params, to_action="greedy").act(on_backend(OBS)), expected.argmax(1))
    assert_array_equal(Policy(net, params).act(on_backend(OBS)), expected)


def test_the_probabilities_of_a_net_are_chosen_from_too() -> None:
    net = npnets.Net(3, 4, (8,), softmax=True)
    params = drawn(net)
    expected = as_numpy(net.forward(params, on_backend(OBS))[0]).argmax(1)
    assert_array_equal(Policy(net, params, to_action="greedy").act(on_backend(OBS)), expected)


def test_the_quantiles_of_a_net_are_averaged_before_it_is_chosen() -> None:
    net = npnets.Net(3, 4, (8,), num_atoms=5)
    params = drawn(net)
    quantiles = as_numpy(net.forward(params, on_backend(OBS))[0])
    action = Policy(net, params, to_action="greedy").act(on_backend(OBS))
    assert_array_equal(action, quantiles.mean(2).argmax(1))
    assert quantiles.mean(2).argmax(1).tolist() != quantiles.max(2).argmax(1).tolist()


def test_each_branch_has_an_action_of_its_own() -> None:
    net = npnets.BranchingNet(3, 2, 4, (8,))
    params = drawn(net)
    expected = as_numpy(net.forward(params, on_backend(OBS))[0]).argmax(2)
    assert_array_equal(Policy(net, params).act(on_backend(OBS)), expected)
    assert Policy(net, params).act(on_backend(OBS[0])).shape == (2,)


def test_an_implicit_quantile_network_acts_with_evenly_spaced_fractions() -> None:
    net = discrete.ImplicitQuantileNetwork(NET, 4)
    params = drawn(net)
    taus = np.tile((np.arange(32) + 0.5) / 32, (6, 1))
    (quantiles, _), _ = net.forward(params, on_backend(OBS), 32, taus=on_backend(taus))
    assert_array_equal(Policy(net, params).act(on_backend(OBS)), as_numpy(quantiles).mean(2).argmax(1))


def test_a_full_quantile_function_weighs_quantiles_by_the_fractions_between_which_they_lie() -> None:
    net, proposal = discrete.FullQuantileFunction(NET, 4), discrete.FractionProposalNetwork(5, 8)
    params, its = drawn(net), npnets.tree.map(lambda leaf: leaf * 3, drawn(proposal))
    policy = Policy(net, params, fraction_proposal=(proposal, its))
    (quantiles, (taus, _, _), _), _ = net.forward(params, on_backend(OBS), proposal, its)
    quantiles, widths = as_numpy(quantiles), np.diff(as_numpy(taus))
    assert_array_equal(policy.act(on_backend(OBS)), (quantiles * widths[:, None]).sum(2).argmax(1))
    assert (quantiles * widths[:, None]).sum(2).argmax(1).tolist() != quantiles.mean(2).argmax(1).tolist()
