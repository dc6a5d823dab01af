"""Parts of the user's own convert their parameters themselves; the error for one that cannot names the two methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import npnets
from npnets.interop.tianshou import from_state_dict, to_state_dict

pytestmark = pytest.mark.numpy_alone("about names; the parts here know NumPy alone")


@dataclass(frozen=True)
class Plain:
    """A trunk with parameters and no translation."""

    output_dim: int = 3

    def init(self, rng: Any) -> Any:
        return {"kernel": rng.normal(size=(5, self.output_dim))}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return npnets.numpy.tanh(obs @ params["kernel"]), state


@dataclass(frozen=True)
class Translated(Plain):
    """The same with a translation; what PyTorch counts beside its parameters is no parameter here."""

    def from_state_dict(self, state_dict: Any) -> Any:
        assert list(state_dict) == ["conv.weight", "norm.steps"]
        assert state_dict["norm.steps"].dtype == np.int64
        return {"kernel": state_dict["conv.weight"].T}

    def to_state_dict(self, params: Any) -> Any:
        return {"conv.weight": params["kernel"].T, "norm.steps": np.array(8)}


@dataclass(frozen=True)
class Scale:
    """A norm layer that translates itself."""

    features: int

    def init(self, rng: Any) -> Any:
        return {"scale": np.ones(self.features)}

    def forward(self, params: Any, x: Any) -> Any:
        return x * params["scale"]

    def from_state_dict(self, state_dict: Any) -> Any:
        return {"scale": state_dict["gain"]}

    def to_state_dict(self, params: Any) -> Any:
        return {"gain": params["scale"]}


@dataclass(frozen=True)
class Bare:
    """A trunk without parameters."""

    output_dim: int = 5

    def init(self, rng: Any) -> Any:
        return {"inner": {}}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return obs, state


def arrays() -> dict[str, Any]:
    """Return a state dict of an actor behind a trunk of one's own."""
    rng = np.random.default_rng(0)
    return {
        "preprocess.conv.weight": rng.normal(size=(3, 5)),
        "preprocess.norm.steps": np.array(8),
        "last.model.0.weight": rng.normal(size=(2, 3)),
        "last.model.0.bias": rng.normal(size=2),
    }


def assert_same(found: Any, expected: Any) -> None:
    """Assert that two state dicts have the same names in the same order, and the same arrays."""
    assert list(found) == list(expected)
    for name, array in found.items():
        np.testing.assert_array_equal(array, expected[name])
        assert array.dtype == expected[name].dtype


@pytest.mark.parametrize("prefix", ["", "policy.actor"])
def test_a_trunk_of_ones_own_converts_the_arrays_below_its_name(prefix: str) -> None:
    actor = npnets.Actor(Translated(), 2)
    given = {f"{prefix}.{name}" if prefix else name: array for name, array in arrays().items()}
    params = from_state_dict(actor, given, prefix)
    np.testing.assert_array_equal(params["preprocess"]["kernel"], arrays()["preprocess.conv.weight"].T)
    obs = np.random.default_rng(1).normal(size=(4, 5))
    features = np.tanh(obs @ arrays()["preprocess.conv.weight"].T)
    z = features @ arrays()["last.model.0.weight"].T + arrays()["last.model.0.bias"]
    np.testing.assert_allclose(actor.forward(params, obs)[0], np.tanh(z), rtol=1e-12)
    assert_same(to_state_dict(actor, params, prefix), given)


def test_a_wrapper_around_a_trunk_of_ones_own_is_removed() -> None:
    actor = npnets.Actor(Translated(), 2)
    wrapped = {name.replace("preprocess.", "preprocess.module."): array for name, array in arrays().items()}
    assert_same(to_state_dict(actor, from_state_dict(actor, wrapped)), arrays())
    lagged = {f"actor_old.module.{name}": array for name, array in wrapped.items()}
    assert_same(to_state_dict(actor, from_state_dict(actor, lagged, "actor_old")), arrays())


def test_a_name_of_ones_own_that_contains_a_wrappers_name_is_not_changed() -> None:
    @dataclass(frozen=True)
    class Inner(Plain):
        def from_state_dict(self, state_dict: Any) -> Any:
            assert list(state_dict) == ["block.module.weight", "scale"]
            return {"kernel": state_dict["block.module.weight"]}

        def to_state_dict(self, params: Any) -> Any:
            return {"block.module.weight": params["kernel"], "scale": np.ones(1)}

    critic = npnets.Critic(Inner())
    written = to_state_dict(critic, critic.init(np.random.default_rng(0)))
    assert list(written)[:2] == ["preprocess.block.module.weight", "preprocess.scale"]
    assert_same(to_state_dict(critic, from_state_dict(critic, written)), written)


def test_a_trunk_of_ones_own_gets_arrays_that_share_no_memory() -> None:
    given = arrays()
    params = from_state_dict(npnets.Actor(Translated(), 2), given)
    given["preprocess.conv.weight"][...] = 7
    np.testing.assert_array_equal(params["preprocess"]["kernel"], arrays()["preprocess.conv.weight"].T)


def test_a_layer_of_ones_own_converts_its_arrays_at_its_place() -> None:
    mlp = npnets.MLP(4, 2, (3,), norm_layer=Scale, activation=None)
    params = mlp.init(np.random.default_rng(0), np.float64)
    written = to_state_dict(mlp, params)
    places = ["model.0.weight", "model.0.bias", "model.1.gain", "model.2.weight", "model.2.bias"]
    assert list(written) == places
    assert_same(to_state_dict(mlp, from_state_dict(mlp, written)), written)


def test_the_methods_of_a_network_are_used_wherever_it_is() -> None:
    trunk = Translated()
    given = {"conv.weight": arrays()["preprocess.conv.weight"], "norm.steps": np.array(8)}
    params = from_state_dict(trunk, given)
    assert_same(to_state_dict(trunk, params), given)
    assert_same(to_state_dict(trunk, params, "encoder"), {f"encoder.{name}": array for name, array in given.items()})


def test_a_trunk_without_parameters_needs_no_conversion() -> None:
    critic = npnets.Critic(Bare())
    params = critic.init(np.random.default_rng(0))
    written = to_state_dict(critic, params)
    assert list(written) == ["last.model.0.weight", "last.model.0.bias"]
    assert from_state_dict(critic, written)["preprocess"] == {"inner": {}}


@pytest.mark.parametrize("net", [npnets.Actor(Plain(), 2), npnets.ActorProb(Plain(), 2), npnets.Critic(Plain())])
def test_for_a_trunk_with_parameters_and_no_conversion_the_two_methods_are_named(net: Any) -> None:
    for call in (lambda: from_state_dict(net, {}), lambda: to_state_dict(net, net.init(np.random.default_rng(0)))):
        with pytest.raises(
            TypeError, match=r"of Plain\(output_dim=3\) in Tianshou are not known.*from_state_dict.* below 'preproc"
        ):
            call()


def test_names_beside_a_trunk_of_ones_own_are_still_checked() -> None:
    actor = npnets.Actor(Translated(), 2)
    for change, words in (("last.extra", "has 'last.extra'"), ("preprocessor.conv", "has 'preprocessor.conv'")):
        with pytest.raises(ValueError, match=words):
            from_state_dict(actor, {**arrays(), change: np.zeros(1)})
    params = from_state_dict(actor, arrays())
    with pytest.raises(ValueError, match="has 'extra' of shape"):
        to_state_dict(actor, {**params, "extra": np.zeros(1)})
    del params["preprocess"]
    with pytest.raises(ValueError, match="the parameters lack 'preprocess'"):
        to_state_dict(actor, params)
