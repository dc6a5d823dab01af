"""The strategies of `npnets.testing` draw inputs that fit a network, are reproducible, and shrink."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends import bits
from hypothesis import HealthCheck, find, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

import npnets
from npnets import discrete, testing

pytestmark = pytest.mark.numpy_alone("the strategies draw NumPy arrays")

ACTOR = npnets.Actor(npnets.Net((2, 3), hidden_sizes=(4,)), 2, max_action=(0.5, 2.0))
CRITIC = npnets.Critic(npnets.Net(5, (3, 1), (4,), concat=True))
BESIDE = npnets.Critic(npnets.Net(5), apply_preprocess_net_to_obs_only=True, action_shape=(3, 1))
MEMORY = npnets.RecurrentActorProb(2, 3, 2, 4)
PUBLIC = [getattr(module, name) for module in (npnets, discrete, npnets.normalization) for name in module.__all__]
CLASSES = [value for value in PUBLIC if callable(getattr(value, "forward", None))]


def drawn(strategy: st.SearchStrategy[Any], count: int = 50, seed: int = 0) -> list[Any]:
    """Return values drawn from a strategy."""
    found: list[Any] = []

    @seeded(seed)
    @settings(max_examples=count, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found


# -- networks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_networks_of_a_given_class_are_of_that_class_and_differ(kind: Any) -> None:
    nets = drawn(testing.networks([kind]), 15)
    assert {type(net) for net in nets} == {kind}
    assert len({repr(net) for net in nets}) > 5


@pytest.mark.slow
def test_networks_are_of_every_class_by_default() -> None:
    found = [net for seed in range(12) for net in drawn(testing.networks(), 100, seed)]
    assert {type(net) for net in found} == set(CLASSES)


OPTIONS = {
    "norm": (npnets.MLP, lambda net: net.norm_layer is not None),
    "activation": (npnets.MLP, lambda net: net.activation not in ("relu", ())),
    "activations": (npnets.MLP, lambda net: isinstance(net.activation, tuple) and net.activation),
    "ensemble": (npnets.MLP, lambda net: net.is_ensemble),
    "dueling": (npnets.Net, lambda net: net.dueling_param is not None),
    "atoms": (npnets.Net, lambda net: net.num_atoms > 1),
    "softmax": (npnets.Net, lambda net: net.softmax),
    "concat": (npnets.Net, lambda net: net.concat),
    "bounds": (npnets.Actor, lambda net: isinstance(net.max_action, tuple)),
    "low and high": (npnets.Actor, lambda net: net.low is not None),
    "a high for each entry": (npnets.VAE, lambda net: isinstance(net.high, tuple)),
    "actions that stay whole": (npnets.RecurrentActorProb, lambda net: not net.flatten_action),
    "recurrent trunk": (npnets.Actor, lambda net: isinstance(net.preprocess_net, npnets.Recurrent)),
    "unbounded": (npnets.ActorProb, lambda net: net.unbounded),
    "conditioned": (npnets.RecurrentActorProb, lambda net: net.conditioned_sigma),
    "ensemble of critics": (npnets.Critic, lambda net: not net.flatten_input),
    "features before actions": (npnets.Critic, lambda net: net.apply_preprocess_net_to_obs_only),
    "actions beside features": (npnets.Critic, lambda net: net.action_shape is not None),
    "probabilities": (discrete.Actor, lambda net: net.softmax_output),
    "memory before choices": (discrete.Critic, lambda net: isinstance(net.preprocess_net, npnets.Recurrent)),
    "values of actions": (discrete.Critic, lambda net: net.last_size > 1),
    "layers of branches": (npnets.BranchingNet, lambda net: net.action_hidden_sizes is not None),
    "layers before branches": (npnets.BranchingNet, lambda net: net.common_hidden_sizes is not None),
    "layers of curiosity": (discrete.IntrinsicCuriosityModule, lambda net: net.hidden_sizes != ()),
    "layers": (npnets.RecurrentCritic, lambda net: net.layer_num > 1),
    "actions": (npnets.RecurrentCritic, lambda net: net.action_shape != 0),
}


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "has"), OPTIONS.values(), ids=OPTIONS)
def test_networks_are_drawn_with_and_without_each_option(kind: Any, has: Any) -> None:
    assert {bool(has(net)) for net in drawn(testing.networks([kind]), 60)} == {False, True}


def test_networks_shrink_to_the_smallest_one() -> None:
    smallest = find(testing.networks([npnets.MLP]), lambda net: len(net.hidden_sizes) == 2)
    assert smallest == npnets.MLP(1, 1, (2, 2))


@pytest.mark.parametrize("classes", [[], [int], [npnets.Actor, "Critic"]])
def test_a_class_that_is_not_a_network_is_an_error(classes: Any) -> None:
    with pytest.raises(ValueError, match="classes must be some of .'Linear', 'EnsembleLinear'"):
        testing.networks(classes)


# -- parameters and inputs --------------------------------------------------------------------------------------------


@given(testing.parameters(ACTOR), testing.parameters(ACTOR, np.float64))
def test_parameters_have_the_structure_shapes_and_dtype_of_those_of_init(narrow: Any, wide: Any) -> None:
    like = ACTOR.init(np.random.default_rng(0))
    for params, dtype in ((narrow, np.float32), (wide, np.float64)):
        npnets.tree.map(lambda leaf, other: np.testing.assert_equal(leaf.shape, other.shape), params, like)
        assert {leaf.dtype for leaf in npnets.tree.leaves(params)} == {np.dtype(dtype)}


def test_parameters_shrink_to_the_initial_ones_of_the_first_seed_and_some_have_noise_everywhere() -> None:
    smallest = find(testing.parameters(MEMORY), lambda params: True)
    assert bits(smallest) == bits(MEMORY.init(np.random.default_rng(0)))
    noisy = find(testing.parameters(MEMORY), lambda params: params["log_sigma"].all())
    assert bits(noisy) == bits(testing.parameters_from(MEMORY, 0, 0.1))
    assert bits(testing.parameters_from(MEMORY, 1, 0.1)) != bits(noisy)


@given(st.data(), st.integers(1, 4))
def test_observations_fit_the_network_and_stay_within_the_limit(data: Any, batch: int) -> None:
    obs = data.draw(testing.observations(ACTOR, batch, limit=3.0, dtype=np.float64))
    assert obs.shape == (batch, 2, 3) and obs.dtype == np.float64 and (abs(obs) <= 3).all()
    assert data.draw(testing.observations(CRITIC)).shape[1:] == (5,)
    assert data.draw(testing.observations(CRITIC, st.just(7))).shape == (7, 5)
    assert data.draw(testing.observations(MEMORY, batch, steps=6)).shape == (batch, 6, 3)
    assert data.draw(testing.observations(npnets.MLP(8, 2), state_shape=(4, 2))).shape[1:] == (4, 2)


def test_observations_come_in_many_sizes_and_values_up_to_the_limit() -> None:
    found = drawn(testing.observations(CRITIC), 100)
    assert {len(obs) for obs in found} == {1, 2, 3, 4, 5}
    assert any(obs.all() for obs in found) and any(not obs.any() for obs in found)
    assert max(abs(obs).max() for obs in found) == 10.0
    assert max(abs(obs).max() for obs in drawn(testing.observations(CRITIC, limit=1e6))) > 1e5


@given(st.data())
def test_actions_fit_the_network_and_stay_within_its_bound(data: Any) -> None:
    act = data.draw(testing.actions(ACTOR, 3))
    assert act.shape == (3, 2) and act.dtype == np.float32 and (abs(act) <= np.array([0.5, 2.0])).all()
    for critic in (CRITIC, BESIDE):
        act = data.draw(testing.actions(critic, 2))
        assert act.shape == (2, 3, 1)
        critic.forward(testing.parameters_from(critic, 0), data.draw(testing.observations(critic, 2)), act)
    assert data.draw(testing.actions(npnets.Linear(2, 3), 2, action_shape=4)).shape == (2, 4)


@given(st.data())
def test_actions_stay_within_low_and_high(data: Any) -> None:
    net = npnets.Actor(npnets.Net(3), (2, 1), low=[[0.1], [-3.0]], high=[[0.3], [5.0]])
    act = data.draw(testing.actions(net, 3))
    assert act.shape == (3, 2) and act.dtype == np.float32
    assert (act.astype(float) >= [0.1, -3]).all() and (act.astype(float) <= [0.3, 5]).all()


def test_actions_reach_low_and_high() -> None:
    net = npnets.Actor(npnets.Net(3), 1, low=-1.0, high=4.0)
    found = np.concatenate(drawn(testing.actions(net)))
    assert (found.min(), found.max()) == (-1.0, 4.0)


CURIOSITY = discrete.IntrinsicCuriosityModule(npnets.MLP(5, 4), 4, 3)


@pytest.mark.parametrize(
    ("net", "row", "choices"),
    [
        (discrete.Actor(npnets.Net(5), 3), (), 3),
        (CURIOSITY, (), 3),
        (npnets.BranchingNet(5, 2, 4), (2,), 4),
    ],
    ids=["actor", "curiosity", "branches"],
)
def test_discrete_actions_are_integers_that_can_be_chosen(net: Any, row: tuple[int, ...], choices: int) -> None:
    found = drawn(testing.actions(net, 6))
    assert {(act.shape, act.dtype) for act in found} == {((6, *row), np.dtype(np.int64))}
    assert {int(entry) for act in found for entry in act.flat} == set(range(choices))


@given(testing.observations(CURIOSITY, 3), testing.actions(CURIOSITY, 3))
def test_observations_and_actions_fit_a_curiosity_module(obs: Any, act: Any) -> None:
    loss, act_hat = CURIOSITY.forward(testing.parameters_from(CURIOSITY, 0), obs, act, obs)
    assert loss.shape == (3,) and act_hat.shape == (3, 3)


def test_actions_reach_the_bound_and_a_network_without_actions_is_an_error() -> None:
    assert np.max([abs(act).max(0) for act in drawn(testing.actions(ACTOR))], 0).tolist() == [0.5, 2.0]
    with pytest.raises(TypeError, match="neither takes nor returns actions"):
        testing.actions(npnets.Linear(2, 3))


@given(testing.states(MEMORY, 3), testing.observations(MEMORY, 3))
def test_states_fit_a_recurrent_network(state: Any, obs: Any) -> None:
    (mu, _), after = MEMORY.forward(testing.parameters_from(MEMORY, 0), obs, state)
    assert mu.shape == (3, 2)
    for name in ("hidden", "cell"):
        assert state[name].shape == after[name].shape == (3, 2, 4) and state[name].any()


def test_a_network_without_memory_has_no_states() -> None:
    assert set(drawn(testing.states(ACTOR))) == {None}


def test_equal_seeds_draw_equal_values() -> None:
    for strategy in (testing.parameters(CRITIC), testing.observations(CRITIC), testing.states(MEMORY)):
        assert bits(drawn(strategy, 10)) == bits(drawn(strategy, 10))
    assert drawn(testing.networks(), 10) == drawn(testing.networks(), 10)
