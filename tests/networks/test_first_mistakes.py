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


@pytest.mark.numpy_alone("about parameters of other origin")
def test_the_errors_for_weights_of_pytorch_and_for_lists_show_remedies_that_work() -> None:
    layer = npnets.Linear(3, 2)
    params, obs = layer.init(np.random.default_rng(0)), np.ones((1, 3))
    theirs, listed = npnets.tree.map(np.transpose, params), npnets.tree.map(np.ndarray.tolist, params)
    with pytest.raises(
        ValueError, match=r"'weight' of .* shape \(2, 3\); weights are .* \(out, in\) in PyTorch: .* x\.T"
    ):
        layer.forward(theirs, obs)
    with pytest.raises(
        ValueError, match=r"'weight' of .* is a list; make it an array with numpy\.asarray\(x, numpy\.fl"
    ):
        layer.forward(listed, obs)
    expected = layer.forward(params, obs)
    assert_array_equal(layer.forward({**theirs, "weight": theirs["weight"].T}, obs), expected)
    as_arrays = {name: np.asarray(x, np.float32) for name, x in listed.items()}
    assert_array_equal(layer.forward(as_arrays, obs), expected)


@pytest.mark.numpy_alone("about descriptions, which hold no arrays")
def test_the_error_for_a_specification_in_place_of_its_shape_says_to_pass_the_shape() -> None:
    class Specification:
        shape = (3,)

    for make in (lambda: npnets.Net(Specification()), lambda: npnets.Actor(npnets.Net(3), Specification())):
        with pytest.raises(TypeError, match=r"_shape must be an integer, a sequence .* or a Box, .*; pass its shape"):
            make()


def test_the_error_for_what_the_reset_of_an_environment_returns_says_that_it_is_a_pair() -> None:
    net = npnets.Net(3, 2)
    with pytest.raises(TypeError, match=r"obs must be an array of numbers, .*; .* a pair: obs, info = env\.reset\(\)"):
        net.forward(_params(net), (np.ones((1, 3)), {}))


@pytest.mark.numpy_alone("about parts of the user's own")
def test_the_error_for_a_part_of_the_users_own_that_returns_something_else_names_the_part() -> None:
    class Part:
        output_dim = 4

        def __init__(self, *sizes: int) -> None:
            self.drawn: Any = {"weight": np.ones(1)}
            self.returned: Any = None

        def init(self, rng: Any) -> Any:
            return self.drawn

        def forward(self, params: Any, x: Any, state: Any = None) -> Any:
            return self.returned

    layer = npnets.MLP(3, 2, linear_layer=Part)
    with pytest.raises(TypeError, match=r"the linear_0 must return an array, .*<.* returned a NoneType"):
        layer.forward(layer.init(np.random.default_rng(0)), np.ones((1, 3)))
    trunk = Part()
    trunk.returned = np.ones((1, 3), np.float32), None
    actor = npnets.Actor(trunk, 2)
    with pytest.raises(ValueError, match=r"features of shape \(1, 3\), but 4 .* is its output_dim, .* another number"):
        actor.forward(actor.init(np.random.default_rng(0)), np.ones((1, 3)))
    trunk.drawn = {"weight": [1.0]}
    with pytest.raises(TypeError, match=r"init of <.* a tree of arrays, but it holds 1\.0; make each leaf"):
        actor.init(np.random.default_rng(0))
