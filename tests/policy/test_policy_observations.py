"""What a policy takes: observations of any numbers and axes, normalized first, and the states of one with a memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, on_backend

import npnets
from npnets import Policy, normalization

NET = npnets.Net(3, hidden_sizes=(8,))
OBS = np.random.default_rng(4).normal(size=(6, 3)).astype(np.float32)


def drawn(net: Any) -> Any:
    """Return parameters with entries far enough from zero for actions to differ."""
    rng = np.random.default_rng(0)
    return on_backend(npnets.tree.map(lambda leaf: rng.normal(0, 1, leaf.shape).astype(np.float32), net.init(rng)))


def test_observations_are_normalized_in_float64_before_the_network() -> None:
    net = npnets.Actor(NET, 2)
    obs = 1e5 + np.random.default_rng(0).normal(size=(6, 3))
    state = normalization.update(normalization.init(3), obs)
    params = drawn(net)
    expected = net.forward(params, on_backend(np.asarray(normalization.normalize(state, obs), np.float32)))[0]
    policy = Policy(net, params, normalization=state)
    assert_array_equal(policy.act(on_backend(obs)), expected)
    assert not np.allclose(as_numpy(Policy(net, params).act(on_backend(obs))), as_numpy(expected))


@pytest.mark.parametrize("state_shape", [6, (2, 3), (3, 2)])
def test_an_observation_of_several_axes_is_laid_out_for_the_network(state_shape: Any) -> None:
    net = npnets.Actor(npnets.Net(state_shape, hidden_sizes=(8,)), 2)
    params, obs = drawn(net), np.random.default_rng(0).normal(size=(4, 2, 3)).astype(np.float32)
    state = normalization.update(normalization.init((2, 3)), obs)
    normalized = normalization.normalize(state, obs).reshape(4, 6)
    policy = Policy(net, params, normalization=state)
    expected = net.forward(params, on_backend(normalized.reshape(4, *np.atleast_1d(state_shape))))[0]
    assert_array_equal(policy.act(on_backend(obs)), expected)
    assert_allclose(policy.act(on_backend(obs[1])), as_numpy(expected)[1], rtol=1e-5, atol=1e-6)
    assert_array_equal(policy.act(on_backend(obs.reshape(4, 6))), expected)


@pytest.mark.numpy_alone("NumPy's observations and lists")
def test_observations_of_any_numbers_act() -> None:
    net = npnets.Actor(NET, 2)
    params, state = net.init(np.random.default_rng(0)), normalization.init(3)
    for normalizes in (None, state):
        policy = Policy(net, params, normalization=normalizes)
        expected = policy.act(np.array([1.0, 0.0, 2.0], np.float32))
        for obs in ([1.0, 0.0, 2.0], (1, 0, 2), np.array([1, 0, 2]), np.array([1, 0, 2], np.uint8)):
            np.testing.assert_allclose(policy.act(obs), expected, rtol=1e-6)
            np.testing.assert_allclose(policy.act([obs, obs])[1], expected, rtol=1e-6)


@pytest.mark.numpy_alone("compares digits")
def test_integers_are_normalized_in_full_for_parameters_in_float64() -> None:
    net, params = npnets.Linear(1, 1, bias=False), {"weight": np.ones((1, 1))}
    state = normalization.Normalization(np.array([2.0**24]), np.array([9.0]), 1.0, None, 0.0)
    assert Policy(net, params, normalization=state).act(np.array([2**24 + 1])).tolist() == [1 / 3]


class Trunk:
    """A trunk of one's own, for observations in a dict."""

    output_dim = 2

    def init(self, rng: Any) -> Any:
        return {"scale": rng.normal(size=2).astype(np.float32)}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        x = obs["position"] if isinstance(obs, dict) else obs
        return x.astype(np.float32) * params["scale"], state


def test_a_trunk_of_ones_own_takes_batches_of_anything_and_single_rows() -> None:
    net = npnets.Actor(Trunk(), 2)
    params = on_backend(net.init(np.random.default_rng(0)))
    policy = Policy(net, params)
    rows = on_backend(OBS[:, :2])
    expected = net.forward(params, rows)[0]
    assert_array_equal(policy.act({"position": rows}), expected)
    assert_array_equal(policy.act(rows), expected)
    assert_allclose(policy.act(rows[0]), as_numpy(expected)[0], rtol=1e-5, atol=1e-6)


@pytest.mark.numpy_alone("its observations lie where they lie")
def test_a_network_without_parameters_acts_too() -> None:
    net = npnets.Net(3)
    policy = Policy(net, net.init(np.random.default_rng(0)), to_action="clip", low=-0.5, high=0.5)
    assert_array_equal(policy.act(on_backend(OBS)), np.clip(OBS, -0.5, 0.5))


def test_a_net_of_observations_and_actions_takes_both_in_one_row() -> None:
    net = npnets.Net(3, 2, hidden_sizes=(8,), concat=True)
    policy, rows = Policy(net, drawn(net)), on_backend(np.concatenate([OBS, OBS[:, :2]], 1))
    assert_array_equal(policy.act(rows), net.forward(policy.params, rows)[0])
    with pytest.raises(ValueError, match=r"one observation, of shape \(5,\), or a batch"):
        policy.act(on_backend(OBS))


def test_an_empty_batch_has_no_actions() -> None:
    net = npnets.Actor(NET, (2, 2))
    assert Policy(net, drawn(net)).act(on_backend(OBS[:0])).shape == (0, 2, 2)


# -- memory -----------------------------------------------------------------------------------------------------------


def test_steps_remember_what_one_call_over_the_sequence_does() -> None:
    net = npnets.RecurrentActorProb(2, 3, 2, 4, max_action=2.0)
    params = drawn(net)
    policy, state, actions = Policy(net, params), None, []
    for obs in OBS:
        action, state = policy.step(on_backend(obs), state)
        actions.append(as_numpy(action))
    (mu, _), last = net.forward(params, on_backend(OBS[None]), all_steps=True)
    np.testing.assert_allclose(np.array(actions), as_numpy(mu)[0], rtol=1e-4, atol=1e-5)
    assert state["hidden"].shape == (1, 2, 4)
    assert_allclose(state["cell"], as_numpy(last["cell"]), rtol=1e-4, atol=1e-5)


def test_a_recurrent_trunk_is_remembered_too() -> None:
    net = npnets.Actor(npnets.Recurrent(1, 3, 4, hidden_layer_size=4), 2)
    policy = Policy(net, drawn(net), normalization=normalization.init(3))
    first, state = policy.step(on_backend(OBS))
    second, _ = policy.step(on_backend(OBS), state)
    assert not np.allclose(as_numpy(first), as_numpy(second))


def test_a_policy_without_memory_steps_as_it_acts() -> None:
    net = npnets.Actor(NET, 2)
    policy = Policy(net, drawn(net))
    action, state = policy.step(on_backend(OBS))
    assert state is None
    assert_array_equal(action, policy.act(on_backend(OBS)))
