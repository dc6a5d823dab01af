"""Mistakes of beginners, and unusual inputs that are valid: calls of networks, single numbers, empty batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_array_equal, on_backend
from small_networks import RECURRENT_CRITIC, RECURRENT_PROB, ones, params_of

import npnets
import npnets.numpy as nnp

PIXELS = npnets.Net((2, 3), 2, (4,))


def _params(net: Any) -> Any:
    return on_backend(net.init(np.random.default_rng(0)))


@pytest.mark.parametrize(
    ("net", "shapes", "expected"),
    [
        (PIXELS, [(0, 2, 3)], (0, 2)),
        (npnets.Net((2, 3), hidden_sizes=(4,), softmax=True), [(0, 2, 3)], (0, 4)),
        (npnets.Actor(npnets.Net((2, 3), hidden_sizes=(4,)), 2), [(0, 2, 3)], (0, 2)),
        (npnets.Critic(npnets.Net((2, 3), 3, hidden_sizes=(4,), concat=True)), [(0, 2, 3), (0, 3)], (0, 1)),
        (npnets.RecurrentCritic(1, (2, 3), hidden_layer_size=4), [(0, 5, 6)], (0, 1)),
    ],
    ids=["Net", "softmax", "Actor", "Critic", "RecurrentCritic"],
)
def test_zero_rows_of_several_axes_are_a_valid_input(net: Any, shapes: Any, expected: Any) -> None:
    inputs = on_backend([np.ones(shape, np.float32) for shape in shapes])

    def output(params: Any) -> Any:
        found = net.forward(params, *inputs)
        return found[0] if isinstance(found, tuple) else found

    assert output(_params(net)).shape == expected
    for leaf in npnets.tree.leaves(npnets.grad(lambda p: nnp.sum(output(p)))(_params(net))):
        assert_array_equal(leaf, np.zeros(leaf.shape))


def test_the_error_for_actions_without_an_axis_of_features_shows_a_remedy_that_works() -> None:
    critic = npnets.Critic(npnets.Net(3, 1, hidden_sizes=(4,), concat=True))
    params, obs, act = _params(critic), on_backend(np.ones((5, 3))), on_backend(np.ones(5))
    with pytest.raises(ValueError, match=r"act .* has shape \(5,\); .*for a batch of single numbers act\[:, None\]"):
        critic.forward(params, obs, act)
    assert critic.forward(params, obs, act[:, None]).shape == (5, 1)


@pytest.mark.numpy_alone("about descriptions, which hold no arrays")
@pytest.mark.parametrize(
    "net",
    [
        npnets.Actor(npnets.Net(3, hidden_sizes=(4,)), 2),
        npnets.Net(3),
        npnets.MLP(3, 2),
        npnets.Linear(3, 2),
        npnets.EnsembleLinear(2, 3, 2),
        npnets.LayerNorm(3),
        npnets.Recurrent(1, 3, 2),
        npnets.RecurrentCritic(1, 3),
    ],
    ids=repr,
)
def test_calling_a_network_is_an_error_that_names_forward(net: Any) -> None:
    name = type(net).__name__
    with pytest.raises(TypeError, match=rf"{name} is called by its forward method, {name.lower()}\.forward\(params"):
        net({}, np.ones((2, 3)))


@pytest.mark.numpy_alone("about descriptions, which hold no arrays")
def test_a_network_as_activation_or_linear_layer_is_an_error() -> None:
    for make in (
        lambda: npnets.MLP(3, 2, (4,), activation=npnets.Net(3)),
        lambda: npnets.MLP(3, 2, (4,), linear_layer=npnets.Linear(3, 4)),
        lambda: npnets.MLP(3, 2, (4,), norm_layer=npnets.LayerNorm(4)),
    ):
        with pytest.raises(TypeError, match="an activation must be|linear_layer must be|norm_layer must be"):
            make()


def test_an_empty_batch_of_sequences_is_a_valid_input() -> None:
    for obs in (ones(0, 5), ones(0, 7, 5)):
        (mu, sigma), state = RECURRENT_PROB.forward(params_of(RECURRENT_PROB), obs, all_steps=True)
        assert mu.shape == sigma.shape == (0, 1 if obs.ndim == 2 else 7, 3)
        assert as_numpy(state)["hidden"].shape == (0, 1, 4)
        value = npnets.grad(lambda p, obs=obs: nnp.sum(RECURRENT_PROB.forward(p, obs)[0][0]))
        assert not any(leaf.any() for leaf in npnets.tree.leaves(value(params_of(RECURRENT_PROB))))


def test_an_empty_batch_has_zero_gradients_with_respect_to_parameters_and_inputs() -> None:
    params, obs, act = params_of(RECURRENT_CRITIC), ones(0, 7, 5), ones(0, 3)
    found = npnets.grad(lambda arrays: nnp.sum(RECURRENT_CRITIC.forward(*arrays)))((params, obs, act))
    assert (found[1].shape, found[2].shape) == (obs.shape, act.shape)
    assert not any(leaf.any() for leaf in npnets.tree.leaves(found))
