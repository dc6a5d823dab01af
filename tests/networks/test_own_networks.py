"""Networks of the user's own as parts of actors and critics: three members are enough, and states are passed on."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from autograd import grad as autograd_grad
from backends import assert_allclose, bits, device, on_backend
from finite_differences import check_first_order

import npnets
import npnets.numpy as nnp
from npnets.backend import device_of

OBS = np.random.default_rng(1).normal(size=(4, 5))
"""Observations on NumPy; tests of a trunk of the user's own move them to the running backend."""


@dataclass(frozen=True)
class Trunk:
    """A preprocess net whose `init` has no dtype, and whose state counts its calls."""

    output_dim: int = 3

    def init(self, rng: Any) -> Any:
        return {"weight": rng.normal(size=(5, self.output_dim))}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        obs = np.asarray(obs, params["weight"].dtype) if isinstance(obs, list) else obs
        return nnp.tanh(obs.astype(params["weight"].dtype) @ params["weight"]), {
            "calls": 1 + (state or {"calls": 0})["calls"]
        }


@dataclass(frozen=True)
class Bare:
    """A preprocess net without `output_dim`."""

    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return {}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return obs.astype(np.float32)[:, :2], state


@dataclass(frozen=True)
class Coder:
    """A layer without `output_dim`."""

    inputs: int
    outputs: int

    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return {"weight": rng.normal(size=(self.inputs, self.outputs)).astype(dtype)}

    def forward(self, params: Any, x: Any) -> Any:
        return x @ params["weight"]


class WithoutOutputDim(Coder):
    """The layer as a preprocess net."""

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return super().forward(params, obs), state


@dataclass(frozen=True)
class Halved:
    """A layer that returns half of the first features of its input."""

    inputs: int
    outputs: int

    def init(self, rng: Any) -> Any:
        return {"half": np.full(self.outputs, 0.5)}

    def forward(self, params: Any, x: Any) -> Any:
        return x[..., : self.outputs] * params["half"]


@dataclass(frozen=True)
class Scale:
    """A norm layer."""

    features: int
    start: float = 1.0

    def init(self, rng: Any) -> Any:
        return {"scale": np.full(self.features, self.start)}

    def forward(self, params: Any, x: Any) -> Any:
        return x * params["scale"]


def _with_bare(kind: str, width: int | None = 2) -> Any:
    if kind == "Critic":
        return npnets.Critic(Bare(), preprocess_net_output_dim=width)
    return getattr(npnets, kind)(Bare(), 2, preprocess_net_output_dim=width)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_of_a_part_whose_init_takes_only_rng_are_converted_to_the_dtype_of_init(dtype: type) -> None:
    for net in (npnets.Actor(Trunk(), 2), npnets.ActorProb(Trunk(), 2), npnets.Critic(Trunk())):
        params = net.init(np.random.default_rng(0), dtype)
        assert {leaf.dtype for leaf in npnets.tree.leaves(params)} == {np.dtype(dtype)}
        expected = Trunk().init(np.random.default_rng(0))["weight"].astype(dtype)
        np.testing.assert_array_equal(params["preprocess"]["weight"], expected)
    mlp = npnets.MLP(4, 2, (3,), norm_layer=Scale, linear_layer=Halved, device=device())
    params = mlp.init(np.random.default_rng(0), dtype)
    assert {leaf.dtype for leaf in npnets.tree.leaves(params)} == {np.dtype(dtype)}
    assert {device_of(leaf) for leaf in npnets.tree.leaves(params)} == {device()}


def test_the_features_of_a_trunk_of_the_users_own_are_the_input_of_the_head() -> None:
    actor = npnets.Actor(Trunk(), 2, max_action=3.0)
    params = actor.init(np.random.default_rng(0), np.float64)
    last = params["last"]["linear_0"]
    features = np.tanh(OBS @ params["preprocess"]["weight"])
    expected = 3 * np.tanh(features @ last["weight"] + last["bias"])
    params, obs = on_backend((params, OBS))
    assert_allclose(actor.forward(params, obs)[0], expected, rtol=1e-12)
    check_first_order(lambda p: actor.forward(p, obs)[0], params, np.random.default_rng(2))
    assert actor.get_preprocess_net() == Trunk() and actor.get_output_dim() == 2


@pytest.mark.parametrize("kind", ["Actor", "ActorProb"])
def test_the_new_state_of_the_trunk_is_passed_on(kind: str) -> None:
    net = getattr(npnets, kind)(Trunk(), 2)
    params, obs = on_backend((net.init(np.random.default_rng(0)), OBS))
    _, state = net.forward(params, obs)
    assert state == {"calls": 1}
    assert net.forward(params, obs, state)[1] == {"calls": 2}
    assert net.forward(params, obs, state={"calls": 7}, info={"anything": 1})[1] == {"calls": 8}


def test_a_net_without_memory_returns_the_given_state() -> None:
    net = npnets.Actor(npnets.Net(5, hidden_sizes=(4,)), 2)
    mark = object()
    assert net.forward(on_backend(net.init(np.random.default_rng(0))), OBS, mark)[1] is mark


@pytest.mark.parametrize("kind", ["Actor", "ActorProb", "Critic"])
def test_a_trunk_without_output_dim_works_with_preprocess_net_output_dim(kind: str) -> None:
    net = _with_bare(kind)
    params = net.init(np.random.default_rng(0))
    head = params["mu" if kind == "ActorProb" else "last"]["linear_0"]
    z = OBS.astype(np.float32)[:, :2] @ head["weight"] + head["bias"]
    for obs in (OBS, on_backend(OBS)):
        output = net.forward(on_backend(params), obs)
        found = {"Actor": lambda a: a[0], "ActorProb": lambda a: a[0][0], "Critic": lambda a: a}[kind](output)
        assert_allclose(found, z if kind == "Critic" else np.tanh(z), rtol=1e-5)
    with pytest.raises(ValueError, match="Bare.* has no output_dim; give preprocess_net_output_dim"):
        _with_bare(kind, None)


def test_a_trunk_without_output_dim_perturbs_actions() -> None:
    net = npnets.Perturbation(WithoutOutputDim(7, 2), (1.0, 2.0))
    params, action = net.init(np.random.default_rng(0), np.float64), np.full((4, 2), 0.5)
    z = np.concatenate([OBS, action], 1) @ params["preprocess"]["weight"]
    found = net.forward(*on_backend((params, OBS, action)))
    assert_allclose(found, 0.05 * np.tanh(z) * [1.0, 2.0] + 0.5, rtol=1e-12)


def test_coders_without_output_dim_make_a_vae() -> None:
    net = npnets.VAE(Coder(7, 6), Coder(8, 2), 6, 3, (1.0, 2.0))
    params, action, noise = net.init(np.random.default_rng(0), np.float64), OBS[:, :2], OBS[:, 2:]
    features = np.concatenate([OBS, action], 1) @ params["encoder"]["weight"]
    mean = features @ params["mean"]["weight"] + params["mean"]["bias"]
    std = np.exp(np.clip(features @ params["log_std"]["weight"] + params["log_std"]["bias"], -4, 15))
    z = np.concatenate([OBS, mean + std * noise], 1) @ params["decoder"]["weight"]
    found = net.forward(*on_backend((params, OBS, action)), noise=on_backend(noise))
    for part, expected in zip(found, (np.tanh(z) * [1.0, 2.0], mean, std), strict=True):
        assert_allclose(part, expected, rtol=1e-9)


def test_an_mlp_uses_layers_and_norms_of_the_users_own() -> None:
    mlp = npnets.MLP(4, 2, (3,), norm_layer=Scale, norm_args=(10.0,), activation=None, linear_layer=Halved)
    params = on_backend(mlp.init(np.random.default_rng(0), np.float64))
    assert sorted(params) == ["linear_0", "linear_1", "norm_0"]
    x = np.array([[1.0, -2.0, 3.0, 4.0]])
    assert_allclose(mlp.forward(params, x), x[:, :2] * 0.5 * 10 * 0.5)
    lists = npnets.MLP(4, 0, (3, 2), norm_layer=[Scale, None], norm_args=[{"start": 2.0}, None], linear_layer=Halved)
    params = on_backend(lists.init(np.random.default_rng(0), np.float64))
    assert sorted(params) == ["linear_0", "linear_1", "norm_0"]
    x = abs(x)
    assert_allclose(lists.forward(params, x), x[:, :2] / 2)


def test_an_activation_of_the_users_own_gets_its_arguments_and_has_a_gradient() -> None:
    def shifted(z: Any, shift: float, scale: float = 1.0) -> Any:
        return nnp.sin(z * scale) + shift

    mlp = npnets.MLP(5, 2, (3,), activation=shifted, act_args=(0.5,))
    named = npnets.MLP(5, 2, (3,), activation=shifted, act_args={"shift": 0.5, "scale": 2.0})
    params = mlp.init(np.random.default_rng(0), np.float64)
    first, last = params["linear_0"], params["linear_1"]
    for net, scale in ((mlp, 1.0), (named, 2.0)):
        hidden = np.sin(scale * (OBS @ first["weight"] + first["bias"])) + 0.5
        there = on_backend(params)
        assert_allclose(net.forward(there, OBS), hidden @ last["weight"] + last["bias"], rtol=1e-12)
        check_first_order(lambda p, n=net: n.forward(p, OBS), there, np.random.default_rng(2))


def test_an_ensemble_after_a_single_trunk_returns_one_value_for_each_member() -> None:
    critic = npnets.Critic(Trunk(), linear_layer=functools.partial(npnets.EnsembleLinear, 3))
    params = critic.init(np.random.default_rng(0), np.float64)
    features = np.tanh(OBS @ params["preprocess"]["weight"])
    head = params["last"]["linear_0"]
    output = critic.forward(*on_backend((params, OBS)))
    assert_allclose(output, features @ head["weight"] + head["bias"], rtol=1e-12)


@dataclass(frozen=True)
class Members:
    """An ensemble of linear layers of the user's own."""

    inputs: int
    outputs: int

    def init(self, rng: Any) -> Any:
        return {"weight": rng.normal(size=(2, self.inputs, self.outputs))}

    def forward(self, params: Any, x: Any) -> Any:
        return x @ params["weight"]


def test_the_error_for_an_ensemble_of_the_users_own_layers_under_an_actor_names_it() -> None:
    net = npnets.Net(5, hidden_sizes=(3,), linear_layer=Members)
    actor, critic = npnets.Actor(net, 2), npnets.Critic(net, flatten_input=False)
    params, obs = on_backend((actor.init(np.random.default_rng(0)), OBS))
    with pytest.raises(ValueError, match=r"an ensemble: its features of shape \(2, 4, 3\)"):
        actor.forward(params, obs)
    assert critic.forward(on_backend(critic.init(np.random.default_rng(0))), obs).shape == (2, 4, 1)


@pytest.mark.numpy_alone("about subclasses of numpy.ndarray")
@pytest.mark.parametrize(
    ("obs", "words"),
    [
        (np.ma.array(OBS), "net's output as a plain array, but it is a masked array"),
        (OBS.view(np.recarray), r"net's output as a plain array, but it is a numpy\S*\.recarray"),
        (OBS.tolist(), "must return an array of features, but .*Same.* returned a list"),
    ],
)
def test_features_that_are_no_plain_array_are_an_error(obs: Any, words: str) -> None:
    class Same(Trunk):
        def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
            return obs, state

    for net in (npnets.Actor(Same(5), 2), npnets.ActorProb(Same(5), 2)):
        with pytest.raises(TypeError, match=words):
            net.forward(net.init(np.random.default_rng(0), np.float64), obs)


@pytest.mark.numpy_alone("about mappings and autograd's own dicts")
def test_a_trunk_of_the_users_own_may_hold_its_parameters_in_any_mapping() -> None:
    net, action = npnets.Perturbation(WithoutOutputDim(7, 2), 1.0), OBS[:, :2]
    params = net.init(np.random.default_rng(0), np.float64)
    views = {"preprocess": MappingProxyType(params["preprocess"])}
    assert bits(net.forward(views, OBS, action)) == bits(net.forward(params, OBS, action))
    theirs = autograd_grad(lambda p: net.forward(p, OBS, action).sum())(params)
    ours = npnets.grad(lambda p: net.forward(p, OBS, action).sum())(params)
    np.testing.assert_allclose(theirs["preprocess"]["weight"], ours["preprocess"]["weight"], rtol=1e-12)


@pytest.mark.numpy_alone("dtypes of NumPy")
@pytest.mark.parametrize(("dtype", "words"), [(int, "one has dtype int64"), (np.float16, "one has dtype float16")])
def test_a_trunk_whose_only_parameter_is_no_float32_or_float64_is_an_error(dtype: Any, words: str) -> None:
    class Single(Bare):
        def init(self, rng: Any, dtype: Any = np.float32) -> Any:
            return np.ones(3, dtype)

    critic = npnets.Critic(Single(), preprocess_net_output_dim=2)
    params = critic.init(np.random.default_rng(0))
    with pytest.raises(TypeError, match=words):
        critic.forward({**params, "preprocess": params["preprocess"].astype(dtype)}, OBS)


@dataclass(frozen=True)
class Unchanged:
    """A trunk without parameters, which returns its observations."""

    output_dim: int = 5

    def init(self, rng: Any) -> Any:
        return {}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return obs, state


def test_the_features_of_a_trunk_without_parameters_are_converted_to_the_dtype_of_the_head() -> None:
    actor = npnets.Actor(Unchanged(), 2)
    params = on_backend(actor.init(np.random.default_rng(0)))
    action, _ = actor.forward(params, on_backend(OBS))
    assert action.dtype == np.float32
    expected, _ = actor.forward(params, on_backend(OBS.astype(np.float32)))
    assert bits(action) == bits(expected)


@dataclass(frozen=True)
class Encoder(Coder):
    """An encoder whose output is cast to a dtype."""

    dtype: Any = np.float32

    def forward(self, params: Any, x: Any) -> Any:
        return super().forward(params, x).astype(self.dtype)


@pytest.mark.parametrize(
    ("encoder", "error", "words"),
    [
        (Encoder(7, 5), ValueError, r"Linear\(6, 3\) expected .* \(batch, 6\), but got \(4, 5\)"),
        (Encoder(7, 6, np.float64), TypeError, r"VAE\(.* parameters of dtype float32, but its input has dtype float64"),
    ],
)
def test_the_error_for_features_of_another_width_or_dtype_from_an_encoder_names_both(
    encoder: Any, error: Any, words: str
) -> None:
    net = npnets.VAE(encoder, Coder(8, 2), 6, 3, 1.0)
    params = on_backend(net.init(np.random.default_rng(0)))
    with pytest.raises(error, match=words):
        net.forward(params, *on_backend((OBS, OBS[:, :2])), noise=np.zeros((4, 3)))
