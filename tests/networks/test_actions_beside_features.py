"""How many inputs a critic's head has where actions join its features, and the errors for other numbers of them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from backends import bits, on_backend
from gymnasium import spaces

import npnets

ALONE: dict[str, Any] = {"apply_preprocess_net_to_obs_only": True}
NET = npnets.Net(5, hidden_sizes=(4,))
OBS, ACT = np.ones((3, 5), np.float32), np.ones((3, 2), np.float32)


def _value(critic: Any, *inputs: Any) -> Any:
    return critic.forward(on_backend(critic.init(np.random.default_rng(0))), *on_backend(inputs))


@pytest.mark.numpy_alone("no arrays in it")
def test_an_action_shape_widens_the_head_by_the_numbers_of_an_action() -> None:
    assert npnets.Critic(NET, **ALONE).last.input_dim == 4
    for shape, actions in ((2, 2), ((3, 2), 6), ([2], 2), (np.int64(2), 2)):
        assert npnets.Critic(NET, **ALONE, action_shape=shape).last.input_dim == 4 + actions
    box = spaces.Box(-np.inf, 1.0, (3, 2))
    critic = npnets.Critic(NET, **ALONE, action_shape=box)
    assert critic == npnets.Critic(NET, **ALONE, action_shape=(3, 2)) and critic.last.input_dim == 10


@pytest.mark.numpy_alone("no arrays in it")
def test_a_critic_prints_as_the_call_that_made_it() -> None:
    critic = npnets.Critic(NET, **ALONE, action_shape=(2,))
    assert repr(critic) == f"Critic({NET!r}, apply_preprocess_net_to_obs_only=True, action_shape=(2,))"
    assert repr(npnets.Critic(NET)) == f"Critic({NET!r})"


def test_a_number_of_features_counts_the_actions_without_an_action_shape_and_does_not_with_it() -> None:
    told = npnets.Critic(NET, preprocess_net_output_dim=6, **ALONE)
    counted = npnets.Critic(NET, preprocess_net_output_dim=4, **ALONE, action_shape=2)
    assert told.last == counted.last
    assert bits(_value(told, OBS, ACT)) == bits(_value(counted, OBS, ACT))
    wrong: list[dict[str, Any]] = [
        {"preprocess_net_output_dim": 3},
        {"preprocess_net_output_dim": 6, "action_shape": 2},
    ]
    for given in wrong:
        with pytest.raises(ValueError, match="returns 4 features, but preprocess_net_output_dim is"):
            npnets.Critic(NET, **ALONE, **given)
    with pytest.raises(ValueError, match="returns 4 features, but preprocess_net_output_dim is 6"):
        npnets.Critic(NET, preprocess_net_output_dim=6)


@pytest.mark.parametrize(
    ("arguments", "inputs", "words"),
    [
        ({"action_shape": 2}, (OBS,), r"pass act of shape \(batch, 2\); for the value of observations alone"),
        ({"action_shape": 2}, (OBS, np.ones((3, 3))), r"expected act of shape \(batch, 2\), .* got 3 numbers"),
        (
            {"action_shape": 2},
            (OBS, np.ones((2, 2))),
            "the preprocess net's output and act must have a row for each of the same batch, but have 3 and 2",
        ),
        ({"action_shape": 2}, (OBS, np.ones(2)), r"act must have a batch axis .* pass act\[None\]"),
        ({}, (OBS, ACT), r"a head of 4 inputs, .* \(3, 4\), and act has 2 numbers; .* action_shape=2,"),
        ({"preprocess_net_output_dim": 6}, (OBS,), "a head of 6 inputs, .* no act came; pass act, if 2 of the inputs"),
        ({"preprocess_net_output_dim": 6}, (OBS, np.ones((3, 1))), "act has 1 numbers; is its output_dim, or"),
    ],
)
def test_the_error_for_actions_of_another_number_than_the_head_counts_has_the_remedy(
    arguments: Any, inputs: Any, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        _value(npnets.Critic(NET, **ALONE, **arguments), *inputs)


@pytest.mark.parametrize("rows", [1, 2])
def test_the_error_for_actions_of_another_batch_behind_an_ensemble_names_both_batches(rows: int) -> None:
    ensemble = functools.partial(npnets.EnsembleLinear, 2)
    net = npnets.Net(5, hidden_sizes=(4,), linear_layer=ensemble)
    critic = npnets.Critic(net, **ALONE, action_shape=2, linear_layer=ensemble, flatten_input=False)
    with pytest.raises(ValueError, match=f"output and act must have a row .* but have 3 and {rows}"):
        _value(critic, OBS, ACT[:rows])


def test_the_remedy_for_a_head_that_does_not_count_actions_works() -> None:
    assert _value(npnets.Critic(NET, **ALONE, action_shape=2), OBS, ACT).shape == (3, 1)


def test_an_action_shape_without_the_flag_is_an_error_whose_remedies_work() -> None:
    with pytest.raises(
        ValueError,
        match=r"action_shape=2 counts .*apply_preprocess_net_to_obs_only=True; .*action_shape, concat=True\)",
    ):
        npnets.Critic(NET, action_shape=2)
    assert _value(npnets.Critic(npnets.Net(5, 2, (4,), concat=True)), OBS, ACT).shape == (3, 1)


def test_a_net_that_expects_actions_where_they_join_its_features_is_an_error_whose_remedy_works() -> None:
    with pytest.raises(ValueError, match=r"sees observations alone; make it without concat=True and its action_shape"):
        npnets.Critic(npnets.Net(5, 2, (4,), concat=True), **ALONE, action_shape=2)
    with pytest.raises(ValueError, match=r"sees observations alone; make it without concat=True and its action_shape"):
        npnets.Critic(npnets.Net(5, 2, (4,), concat=True), **ALONE)
    assert _value(npnets.Critic(npnets.Net(5, hidden_sizes=(4,)), **ALONE, action_shape=2), OBS, ACT).shape == (3, 1)


@pytest.mark.numpy_alone("no arrays in it")
@pytest.mark.parametrize("flag", ["yes", 1, None])
def test_a_flag_other_than_true_or_false_is_an_error(flag: Any) -> None:
    with pytest.raises(TypeError, match="apply_preprocess_net_to_obs_only must be True or False"):
        npnets.Critic(NET, apply_preprocess_net_to_obs_only=flag)


@pytest.mark.numpy_alone("no arrays in it")
@pytest.mark.parametrize("shape", [0, -1, "2", 2.5, (), spaces.Discrete(2)])
def test_an_action_shape_that_is_none_is_an_error(shape: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="action_shape"):
        npnets.Critic(NET, **ALONE, action_shape=shape)


def test_actions_change_the_value_only_through_the_head() -> None:
    critic = npnets.Critic(NET, **ALONE, action_shape=2)
    params = on_backend(critic.init(np.random.default_rng(0)))
    obs, act = on_backend((OBS, ACT))
    slope = npnets.grad(lambda a: npnets.numpy.sum(critic.forward(params, obs, a)))(act)
    rows = npnets.numpy.broadcast_to(params["last"]["linear_0"]["weight"][4:, 0], (3, 2))
    assert bits(slope) == bits(on_backend(np.array(npnets.tree.to_numpy(rows))))
