"""The noisy linear layer: its formula, its noise as part of the parameters, and its place in every network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, on_backend
from finite_differences import check_first_order, check_second_order

import npnets
import npnets.numpy as nnp
from npnets.discrete import ImplicitQuantileNetwork, NoisyLinear, sample_noise, zero_noise

LAYER = NoisyLinear(3, 2)
NET = npnets.Net(3, 2, (4,), linear_layer=NoisyLinear)
NOISE = ("eps_p", "eps_q")


def _given(net: Any = LAYER, dtype: Any = np.float64) -> tuple[Any, Any]:
    """Return parameters and five inputs."""
    params = net.init(np.random.default_rng(0), dtype)
    return on_backend((params, np.random.default_rng(1).normal(size=(5, 3))))  # type: ignore[no-any-return]


def _outputs(net: Any, params: Any, x: Any) -> Any:
    output = net.forward(params, x)
    return output[0] if isinstance(output, tuple) else output


def test_the_output_is_that_of_a_linear_layer_with_weight_and_bias_moved_by_the_noise() -> None:
    params, x = _given()
    host, x_host = as_numpy((params, x))
    weight = host["mu_weight"] + host["sigma_weight"] * np.outer(host["eps_p"], host["eps_q"])
    expected = x_host @ weight + host["mu_bias"] + host["sigma_bias"] * host["eps_q"]
    assert_allclose(LAYER.forward(params, x), expected, rtol=1e-12)


@pytest.mark.parametrize("order", [check_first_order, check_second_order])
def test_derivatives_are_finite_differences_and_none_reaches_the_noise(order: Any) -> None:
    params, x = _given()
    noise = {name: params[name] for name in NOISE}
    learned = {name: leaf for name, leaf in params.items() if name not in NOISE}
    order(lambda at: LAYER.forward({**at["params"], **noise}, at["x"]), {"params": learned, "x": x}, _rng())
    gradient = npnets.grad(lambda p: nnp.sum(LAYER.forward(p, x) ** 2))(params)
    assert all((as_numpy(gradient[name]) == 0).all() for name in NOISE)
    assert all((as_numpy(gradient[name]) != 0).any() for name in learned)


def _rng(seed: int = 7) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.numpy_alone("initial values are drawn in NumPy")
def test_initial_values_follow_the_sizes_of_the_layer_and_the_noise_is_a_signed_root_of_normal_numbers() -> None:
    params = NoisyLinear(400, 300, noisy_std=0.2).init(_rng(), np.float64)
    for name in ("mu_weight", "mu_bias"):
        assert 0.049 < params[name].max() <= 0.05 and -0.05 <= params[name].min() < -0.049
    assert_array_equal(params["sigma_weight"], np.full((400, 300), 0.01))
    assert_array_equal(params["sigma_bias"], np.full(300, 0.01))
    for name in NOISE:  # E[|z|] of normal numbers is sqrt(2 / pi), and their median size 0.6745
        assert abs((params[name] ** 2).mean() - np.sqrt(2 / np.pi)) < 0.1
        assert abs(np.median(np.abs(params[name])) - np.sqrt(0.6745)) < 0.1
        assert abs(np.sign(params[name]).mean()) < 0.15


def test_sample_noise_draws_every_layers_noise_again_and_leaves_all_else() -> None:
    params, _ = _given(NET, np.float32)
    drawn = sample_noise(NET, params, _rng())
    assert npnets.tree.paths(drawn) == npnets.tree.paths(params)
    for name, layer in drawn["model"].items():
        before = params["model"][name]
        assert all(layer[key] is before[key] for key in layer if key not in NOISE)
        for key in NOISE:
            assert layer[key].dtype == np.float32 and layer[key].shape == before[key].shape
            assert (as_numpy(layer[key]) != as_numpy(before[key])).all()


def test_equal_seeds_draw_equal_noise_whatever_the_order_of_a_dict() -> None:
    params, _ = _given(NET)
    reversed_ = {"model": dict(reversed(params["model"].items()))}
    first, again = sample_noise(NET, params, _rng()), sample_noise(NET, reversed_, _rng())
    other = sample_noise(NET, params, _rng(8))
    assert list(again["model"]) == list(reversed_["model"])
    for layer in ("linear_0", "linear_1"):
        assert_array_equal(again["model"][layer]["eps_p"], first["model"][layer]["eps_p"])
        assert (as_numpy(other["model"][layer]["eps_p"]) != as_numpy(first["model"][layer]["eps_p"])).all()


def test_without_noise_a_network_is_that_of_the_means() -> None:
    params, x = _given(NET)
    quiet, plain = zero_noise(NET, params), npnets.Net(3, 2, (4,))
    means = {name: {"weight": layer["mu_weight"], "bias": layer["mu_bias"]} for name, layer in params["model"].items()}
    assert_array_equal(NET.forward(quiet, x)[0], as_numpy(plain.forward({"model": means}, x)[0]))
    assert np.abs(as_numpy(NET.forward(params, x)[0] - NET.forward(quiet, x)[0])).max() > 1e-3


def test_noise_can_be_drawn_inside_a_function_that_is_differentiated() -> None:
    params, x = _given(NET)

    def loss(p: Any, draw: Any) -> Any:
        return nnp.sum(NET.forward(draw(p), x)[0] ** 2)

    inside = npnets.grad(lambda p: loss(p, lambda q: sample_noise(NET, q, _rng())))(params)
    before = npnets.grad(lambda p: loss(p, lambda q: q))(sample_noise(NET, params, _rng()))
    for name, layer in inside["model"].items():
        assert_array_equal(layer["mu_weight"], as_numpy(before["model"][name]["mu_weight"]))
        assert_array_equal(layer["sigma_bias"], as_numpy(before["model"][name]["sigma_bias"]))


DUELING = ({"linear_layer": NoisyLinear, "hidden_sizes": (4,)}, {"linear_layer": NoisyLinear})
NETWORKS = {
    "an MLP": npnets.MLP(3, 2, (4,), "layer_norm", linear_layer=NoisyLinear),
    "a net that duels": npnets.Net(3, 2, (4,), dueling_param=DUELING),
    "an actor": npnets.Actor(npnets.Net(3, hidden_sizes=(4,), linear_layer=NoisyLinear), 2),
    "a critic": npnets.Critic(npnets.Net(3, hidden_sizes=(4,)), (5,), linear_layer=NoisyLinear),
    "a layer": LAYER,
}


@pytest.mark.parametrize("net", NETWORKS.values(), ids=NETWORKS)
def test_the_noise_of_any_network_changes_its_output(net: Any) -> None:
    params, x = _given(net)
    before, drawn = _outputs(net, params, x), _outputs(net, sample_noise(net, params, _rng()), x)
    quiet = _outputs(net, zero_noise(net, params), x)
    assert np.abs(as_numpy(before - drawn)).max() > 1e-4
    assert np.abs(as_numpy(before - quiet)).max() > 1e-4


class _Own:
    """A trunk of one's own, which holds its layers in a list."""

    output_dim = 2

    def init(self, rng: np.random.Generator) -> Any:
        return [LAYER.init(rng), {"scale": np.ones(2, np.float32)}]

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return LAYER.forward(params[0], obs) * params[1]["scale"], state


def test_noise_is_drawn_again_inside_a_trunk_of_ones_own() -> None:
    net = npnets.Actor(_Own(), 2)
    params, _ = _given(net, np.float32)
    drawn = sample_noise(net, params, _rng())
    layer, scale = drawn["preprocess"]
    assert (as_numpy(layer["eps_q"]) != as_numpy(params["preprocess"][0]["eps_q"])).all()
    assert scale["scale"] is params["preprocess"][1]["scale"]


class _Scaled:
    """A noisy layer with one parameter more."""

    def init(self, rng: np.random.Generator) -> Any:
        return {**LAYER.init(rng), "scale": np.ones(2, np.float32)}

    def forward(self, params: Any, x: Any) -> Any:
        return LAYER.forward({name: leaf for name, leaf in params.items() if name != "scale"}, x) * params["scale"]


def test_noise_is_drawn_again_in_a_noisy_layer_with_more_parameters() -> None:
    params = on_backend(_Scaled().init(_rng()))
    for changed in (sample_noise(_Scaled(), params, np.random.default_rng(8)), zero_noise(_Scaled(), params)):
        assert list(changed) == list(params)
        assert {name for name, leaf in changed.items() if leaf is not params[name]} == set(NOISE)
        assert (as_numpy(changed["eps_q"]) != as_numpy(params["eps_q"])).all()


def test_noise_is_drawn_again_in_an_actor_and_a_critic_at_once() -> None:
    both = npnets.ActorCritic(npnets.discrete.Actor(NET, 2), npnets.discrete.Critic(NET), share_preprocess=True)
    params = on_backend(both.init(_rng()))
    for changed in (sample_noise(both, params, np.random.default_rng(8)), zero_noise(both, params)):
        assert npnets.tree.paths(changed) == npnets.tree.paths(params)
        pairs = zip(npnets.tree.paths(params), *map(npnets.tree.leaves, (params, changed)), strict=True)
        assert all((old is not new) == (path.split(".")[-1] in ("eps_p", "eps_q")) for path, old, new in pairs)


def test_a_network_without_noise_keeps_its_arrays() -> None:
    net = ImplicitQuantileNetwork(npnets.Net(3, hidden_sizes=(4,)), 2)
    params, _ = _given(net)
    for same in (sample_noise(net, params, _rng()), zero_noise(net, params)):
        assert all(a is b for a, b in zip(npnets.tree.leaves(same), npnets.tree.leaves(params), strict=True))


def test_adam_leaves_the_noise_as_it_is() -> None:
    params, x = _given(NET)
    optimizer = npnets.optim.adam(0.1)
    gradient = npnets.grad(lambda p: nnp.sum(NET.forward(p, x)[0] ** 2))(params)
    updated, _ = optimizer.update(params, gradient, optimizer.init(params))
    for name, layer in updated["model"].items():
        assert_array_equal(layer["eps_p"], as_numpy(params["model"][name]["eps_p"]))
        assert (as_numpy(layer["sigma_weight"]) != as_numpy(params["model"][name]["sigma_weight"])).any()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda p, x: NoisyLinear(0, 2), ValueError, "in_features must be at least 1"),
        (lambda p, x: NoisyLinear(3, 2, -0.5), ValueError, "noisy_std must be finite and not negative, but is -0.5"),
        (lambda p, x: NoisyLinear(3, 2, float("nan")), ValueError, "noisy_std must be finite and not negative"),
        (lambda p, x: NoisyLinear(3, 2, "much"), TypeError, "noisy_std must be a number, but is 'much'"),
        (lambda p, x: LAYER.forward(p, x[:, :2]), ValueError, r"NoisyLinear\(3, 2\) expected an input of shape"),
        (lambda p, x: LAYER.forward({**p, "eps_p": p["eps_q"]}, x), ValueError, "'eps_p' of .*NoisyLinear.* shape"),
        (lambda p, x: sample_noise(LAYER, p, 3), TypeError, r"the order is sample_noise\(net, params, rng\)"),
        (lambda p, x: sample_noise(p, LAYER, _rng()), TypeError, "net must be a network"),
        (lambda p, x: zero_noise(NET, p), ValueError, r"must have the keys \['model'\]"),
    ],
    ids=["no inputs", "negative", "nan", "text", "a narrow input", "a vector", "no rng", "swapped", "other parameters"],
)
def test_arguments_that_make_no_sense_are_an_error(call: Any, error: Any, words: str) -> None:
    params, x = _given()
    with pytest.raises(error, match=words):
        call(params, x)
