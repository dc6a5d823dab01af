"""Adjacent linear layers, across trunk and head, run as one operation, with the results of the single layers."""

from __future__ import annotations

import functools
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from backends import assert_allclose, bits, on_backend

import npnets
import npnets.numpy as nnp
from npnets.common import sequential

RNG = np.random.default_rng(5)
OBS, ACT, NOISE = (RNG.normal(size=(4, width)).astype(np.float32) for width in (5, 2, 3))
TWINS = functools.partial(npnets.EnsembleLinear, 2)
BOUNDS = (1.0, 2.0)


@dataclass(frozen=True)
class OwnTrunk:
    """A `Net` inside a class of the user's own, which runs by its own `forward`."""

    net: npnets.Net

    @property
    def output_dim(self) -> int:
        return self.net.output_dim

    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return self.net.init(rng, dtype)

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return self.net.forward(params, obs, state)


def _actor(trunk: Any) -> Any:
    return npnets.Actor(trunk(npnets.Net(5, hidden_sizes=(6, 3))), 2, (4,), BOUNDS)


def _prob(trunk: Any, **arguments: Any) -> Any:
    return npnets.ActorProb(trunk(npnets.Net(5, hidden_sizes=(6, 3))), 2, **arguments)


def _critics(trunk: Any) -> Any:
    net = npnets.Net(5, 2, (6, 3), concat=True, linear_layer=TWINS)
    return npnets.Critic(trunk(net), (4,), linear_layer=TWINS, flatten_input=False)


NETWORKS: dict[str, tuple[Callable[[Any], Any], tuple[Any, ...], int]] = {
    "actor": (_actor, (OBS,), 1),
    "probabilistic actor": (lambda trunk: _prob(trunk, max_action=BOUNDS), (OBS,), 1),
    "unbounded": (lambda trunk: _prob(trunk, unbounded=True), (OBS,), 1),
    "conditioned": (lambda trunk: _prob(trunk, conditioned_sigma=True), (OBS,), 3),
    "critic": (lambda trunk: npnets.Critic(trunk(npnets.Net(5, 2, (6, 3), concat=True))), (OBS, ACT), 1),
    "ensemble of critics": (_critics, (OBS, ACT), 1),
    "perturbation": (lambda trunk: npnets.Perturbation(trunk(npnets.Net(7, 2, (6,))), BOUNDS), (OBS, ACT), 1),
}
"""How to make each on a trunk, its inputs, and the number of operations that run its layers."""

each_network = pytest.mark.parametrize(("make", "inputs", "operations"), NETWORKS.values(), ids=NETWORKS)


def _itself(net: Any) -> Any:
    return net


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Collect the calls of the operation that runs linear layers."""
    made: list[Any] = []
    run = sequential.linear_layers
    monkeypatch.setattr(sequential, "linear_layers", lambda *args: made.append(args) or run(*args))
    yield made


def _outputs(net: Any, params: Any, inputs: Any) -> Any:
    leaves = npnets.tree.leaves(net.forward(params, *inputs))
    return [leaf for leaf in leaves if hasattr(leaf, "dtype")]


def _gradient(net: Any, params: Any, inputs: Any) -> Any:
    return npnets.grad(lambda p: sum(nnp.sum(nnp.sin(leaf)) for leaf in _outputs(net, p, inputs)))(params)


@each_network
def test_a_trunk_and_its_head_run_as_one_operation(make: Any, inputs: Any, operations: int, calls: list[Any]) -> None:
    net = make(_itself)
    net.forward(on_backend(net.init(np.random.default_rng(0))), *inputs)
    assert len(calls) == operations


@each_network
def test_a_trunk_and_head_as_one_operation_have_the_bits_and_gradients_of_the_two_apart(
    make: Any, inputs: Any, operations: int
) -> None:
    together, apart = make(_itself), make(OwnTrunk)
    params = on_backend(together.init(np.random.default_rng(0)))
    assert bits(_outputs(together, params, inputs)) == bits(_outputs(apart, params, inputs))
    expected = _gradient(apart, params, inputs)
    found = _gradient(together, params, inputs)
    assert npnets.tree.paths(found) == npnets.tree.paths(expected)
    for one, other in zip(npnets.tree.leaves(found), npnets.tree.leaves(expected), strict=True):
        assert_allclose(one, other, rtol=2e-5, atol=2e-6)


SHIFTED = {"activation": lambda z: nnp.sin(z) + 1}
LAYERS: dict[str, tuple[npnets.MLP, list[Callable[[Any], Any]]]] = {
    "one layer": (npnets.MLP(5, 2), []),
    "hidden layers": (npnets.MLP(5, 2, (4, 3)), [npnets.functional.relu] * 2),
    "without a last layer": (npnets.MLP(5, 0, (4, 3), activation="tanh"), [nnp.tanh] * 2),
    "different activations": (npnets.MLP(5, 2, (4, 3), activation=["silu", None]), [npnets.functional.silu, _itself]),
    "a function": (npnets.MLP(5, 2, (4,), **SHIFTED), [SHIFTED["activation"]]),
    "an ensemble": (npnets.MLP(5, 2, (4, 3), linear_layer=TWINS), [npnets.functional.relu] * 2),
    "norms": (npnets.MLP(5, 2, (4, 3), "layer_norm"), [npnets.functional.relu] * 2),
}


@pytest.mark.parametrize(("mlp", "activations"), LAYERS.values(), ids=LAYERS)
def test_layers_that_run_as_one_operation_give_what_each_of_them_gives_alone(mlp: Any, activations: Any) -> None:
    params = on_backend(mlp.init(np.random.default_rng(0), np.float64))
    x = on_backend(OBS.astype(np.float64))
    expected = x
    for index, activation in enumerate([*activations, _itself]):
        if f"linear_{index}" in params:
            weight = params[f"linear_{index}"]["weight"]
            expected = mlp.linear_layer(*weight.shape[-2:]).forward(params[f"linear_{index}"], expected)
        if f"norm_{index}" in params:
            expected = npnets.LayerNorm(expected.shape[-1]).forward(params[f"norm_{index}"], expected)
        expected = activation(expected)
    assert_allclose(mlp.forward(params, x), expected, rtol=1e-12, atol=1e-14)


@each_network
def test_parameters_of_another_network_are_an_error(make: Any, inputs: Any, operations: int) -> None:
    net = make(_itself)
    params = on_backend(net.init(np.random.default_rng(0)))
    for path in npnets.tree.paths(params):
        keys = path.split(".")
        for change in (_without, _wider, _beside):
            with pytest.raises((ValueError, TypeError)):
                net.forward(change(params, keys), *inputs)


@each_network
def test_parameters_of_two_dtypes_are_an_error(make: Any, inputs: Any, operations: int) -> None:
    net = make(_itself)
    params = on_backend(net.init(np.random.default_rng(0)))
    parts = [path.split(".")[:depth] for path in npnets.tree.paths(params) for depth in range(1, 5)]
    for keys in parts:
        changed = _changed(params, keys, _widen)
        dtypes = {leaf.dtype for leaf in npnets.tree.leaves(changed)}
        if len(dtypes) > 1:
            with pytest.raises(TypeError, match="dtype"):
                net.forward(changed, *inputs)


def _changed(params: Any, keys: list[str], change: Callable[[Any, str], None]) -> Any:
    copy = npnets.tree.map(_itself, params)
    part = copy
    for key in keys[:-1]:
        part = part[key]
    change(part, keys[-1])
    return copy


def _without(params: Any, keys: list[str]) -> Any:
    return _changed(params, keys, lambda part, key: part.pop(key))


def _beside(params: Any, keys: list[str]) -> Any:
    return _changed(params, keys, lambda part, key: part.update(further=part[key]))


def _wider(params: Any, keys: list[str]) -> Any:
    return _changed(params, keys, lambda part, key: part.update({key: nnp.concatenate([part[key], part[key]])}))


def _widen(part: Any, key: str) -> None:
    part[key] = npnets.tree.map(lambda leaf: leaf.astype(np.float64), part[key])


@dataclass(frozen=True)
class OwnCoder:
    """An `MLP` inside a class of the user's own."""

    mlp: npnets.MLP

    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return self.mlp.init(rng, dtype)

    def forward(self, params: Any, x: Any) -> Any:
        return self.mlp.forward(params, x)


def _vae(coder: Callable[[Any], Any]) -> Any:
    return npnets.VAE(coder(npnets.MLP(7, 0, (6,))), coder(npnets.MLP(8, 2, (4,))), 6, 3, BOUNDS)


def test_a_vae_runs_encoder_and_decoder_as_one_operation_each_with_the_bits_of_the_parts(calls: list[Any]) -> None:
    together, apart = _vae(_itself), _vae(OwnCoder)
    params = on_backend(together.init(np.random.default_rng(0)))
    found = bits(together.forward(params, OBS, ACT, noise=NOISE))
    assert len(calls) == 2
    assert found == bits(apart.forward(params, OBS, ACT, noise=NOISE))
    assert bits(together.decode(params, OBS, NOISE)) == bits(apart.decode(params, OBS, NOISE))


@pytest.mark.parametrize("of_own", [np.float32, np.float64])
def test_an_own_encoder_with_parameters_of_another_dtype_than_the_vaes_is_refused(of_own: Any) -> None:
    net = npnets.VAE(OwnCoder(npnets.MLP(7, 0, (6,))), npnets.MLP(8, 2, (4,)), 6, 3, BOUNDS)
    of_vae = np.float64 if of_own is np.float32 else np.float32
    encoder = net.init(np.random.default_rng(0), of_own)["encoder"]
    params = on_backend({**net.init(np.random.default_rng(0), of_vae), "encoder": encoder})
    with pytest.raises(TypeError, match=rf"VAE\(.* dtype {of_vae.__name__}, but its input has dtype {of_own.__name__}"):
        net.forward(params, OBS, ACT, noise=NOISE)


def test_observations_of_other_dtypes_types_and_shapes_give_the_same_bits() -> None:
    net, seen = _actor(_itself), on_backend(OBS)
    params = on_backend(net.init(np.random.default_rng(0)))
    expected = bits(_outputs(net, params, (seen,)))
    for obs in (OBS.astype(np.float64), OBS.tolist()):
        assert bits(_outputs(net, params, (obs,))) == expected
    assert bits(_outputs(net, OrderedDict(params), (seen,))) == expected
    image = npnets.Actor(npnets.Net((5, 1), hidden_sizes=(6, 3)), 2, (4,), BOUNDS)
    assert bits(_outputs(image, params, (seen.reshape(4, 5, 1),))) == expected


class Doubled(npnets.Net):
    """A `Net` with a `forward` of its own."""

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        logits, state = super().forward(params, obs, state)
        return 2 * logits, state


def test_a_subclass_of_net_runs_by_its_own_forward() -> None:
    net = npnets.Actor(Doubled(5, hidden_sizes=(3,)), 2)
    params = on_backend(net.init(np.random.default_rng(0)))
    features, _ = npnets.Net(5, hidden_sizes=(3,)).forward(params["preprocess"], OBS)
    assert_allclose(net.forward(params, OBS)[0], nnp.tanh(net.last.forward(params["last"], 2 * features)), rtol=1e-6)


class Negated(npnets.Linear):
    """A `Linear` whose output has the other sign."""

    def forward(self, params: Any, x: Any) -> Any:
        return -super().forward(params, x)


def test_a_subclass_of_a_layer_runs_by_its_own_forward() -> None:
    own, plain = npnets.MLP(5, 2, linear_layer=Negated), npnets.MLP(5, 2)
    params = on_backend(plain.init(np.random.default_rng(0)))
    assert bits(own.forward(params, OBS)) == bits(-plain.forward(params, OBS))


def test_an_activation_after_a_layer_with_an_activation_is_applied_to_its_output() -> None:
    rectified = npnets.Net(7, hidden_sizes=(2,))
    net = npnets.Perturbation(rectified, 1.0, phi=0.5)
    params = on_backend(net.init(np.random.default_rng(0)))
    features, _ = rectified.forward(params["preprocess"], np.concatenate([OBS, ACT], 1))
    expected = nnp.clip(0.5 * nnp.tanh(features) + on_backend(ACT), -1, 1)
    assert_allclose(net.forward(params, OBS, ACT), expected, rtol=1e-6)


@dataclass(frozen=True)
class Widened:
    """A layer of the user's own that returns float64 for any input."""

    features: int

    def init(self, rng: Any) -> Any:
        return {}

    def forward(self, params: Any, x: Any) -> Any:
        return x.astype(np.float64)


def test_a_layer_whose_output_has_another_dtype_than_the_parameters_is_an_error() -> None:
    for norm_layer in (Widened, [Widened, "layer_norm"]):
        hidden = (4,) if norm_layer is Widened else (4, 4)
        net = npnets.MLP(5, 2, hidden, norm_layer=norm_layer)
        params = on_backend(net.init(np.random.default_rng(0)))
        with pytest.raises(TypeError, match="its input has dtype float64: does a preprocess net or a layer of your"):
            net.forward(params, OBS)


def test_the_features_of_a_trunk_with_atoms_are_flattened_before_the_head() -> None:
    trunk = npnets.Net(5, 3, (6,), num_atoms=2)
    net = npnets.Actor(trunk, 2)
    params = on_backend(net.init(np.random.default_rng(0)))
    features, _ = trunk.forward(params["preprocess"], OBS)
    assert features.shape == (4, 3, 2)
    expected = nnp.tanh(net.last.forward(params["last"], features.reshape(4, 6)))
    assert_allclose(net.forward(params, OBS)[0], expected, rtol=1e-6)


def test_the_error_for_an_input_of_another_width_names_the_whole_mlp() -> None:
    for mlp in (npnets.MLP(5, 2, (4,)), npnets.MLP(5, 2, (4,), linear_layer=Negated), npnets.MLP(5)):
        with pytest.raises(ValueError, match=rf"^{re.escape(repr(mlp))} expected .* \(batch, 5\), but got \(4, 2\)"):
            mlp.forward(on_backend(mlp.init(np.random.default_rng(0))), ACT)
