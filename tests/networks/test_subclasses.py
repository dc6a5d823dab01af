"""Subclasses of the package's networks: what they override and what they add counts wherever the network is used."""

from __future__ import annotations

import copy
import functools
import pickle
from typing import Any

import numpy as np
import pytest
from backends import bits

import npnets

OBS = np.random.default_rng(1).normal(size=(4, 5)).astype(np.float32)
pytestmark = pytest.mark.numpy_alone("which method is called does not depend on the backend")


class Doubled(npnets.MLP):
    """An MLP that returns twice what an MLP returns."""

    def forward(self, params: Any, obs: Any) -> Any:
        return super().forward(params, obs) * 2


class Zero(npnets.Linear):
    """A linear layer whose parameters begin at zero."""

    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return npnets.tree.map(np.zeros_like, super().init(rng, dtype))


def _doubled(head: npnets.MLP) -> Doubled:
    return Doubled(head.input_dim, head.output_dim, head.hidden_sizes)


def _zero(layer: npnets.Linear) -> Zero:
    return Zero(layer.in_features, layer.out_features)


class DoubledActor(npnets.Actor):
    @functools.cached_property
    def last(self) -> Any:
        return _doubled(super().last)


class DoubledActorProb(npnets.ActorProb):
    @functools.cached_property
    def head(self) -> Any:
        return _doubled(super().head)


class DoubledCritic(npnets.Critic):
    @functools.cached_property
    def last(self) -> Any:
        return _doubled(super().last)


class ZeroRecurrent(npnets.Recurrent):
    @functools.cached_property
    def last(self) -> Any:
        return _zero(super().last)


class ZeroRecurrentActorProb(npnets.RecurrentActorProb):
    @functools.cached_property
    def head(self) -> Any:
        return _zero(super().head)


class ZeroRecurrentCritic(npnets.RecurrentCritic):
    @functools.cached_property
    def last(self) -> Any:
        return _zero(super().last)


class Scaled(npnets.Net):
    """A `Net` with an attribute that is no argument of its constructor."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "scale", 3.0)

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        logits, state = super().forward(params, obs, state)
        return logits * self.scale, state


class RecordsDtype:
    """A trunk that returns observations, and whose parameter records the dtype that its `init` was called with."""

    output_dim = 5

    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return {"name": np.zeros(len(getattr(dtype, "__name__", "")), dtype)}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return obs.astype(params["name"].dtype), state


@pytest.mark.parametrize("hidden", [(), (3,)])
def test_a_head_of_a_subclass_runs_by_its_own_forward(hidden: tuple[int, ...]) -> None:
    net = npnets.Net(5, hidden_sizes=(4,))
    rng = functools.partial(np.random.default_rng, 0)
    pairs: list[Any] = [
        (DoubledActor(net, 2, hidden), npnets.Actor(net, 2, hidden), lambda found: np.arctanh(found[0])),
        (DoubledCritic(net, hidden), npnets.Critic(net, hidden), lambda found: found),
        (
            DoubledActorProb(net, 2, hidden, unbounded=True),
            npnets.ActorProb(net, 2, hidden, unbounded=True),
            lambda found: found[0][0],
        ),
        (
            DoubledActorProb(net, 2, hidden, conditioned_sigma=True),
            npnets.ActorProb(net, 2, hidden, conditioned_sigma=True),
            lambda found: np.log(found[0][1]),
        ),
    ]
    for doubled, plain, last in pairs:
        params = plain.init(rng(), np.float64)
        assert bits(doubled.init(rng(), np.float64)) == bits(params)
        expected = 2 * last(plain.forward(params, OBS))
        np.testing.assert_allclose(last(doubled.forward(params, OBS)), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("net", "name"),
    [
        (ZeroRecurrent(1, 5, 2, hidden_layer_size=3), "last"),
        (ZeroRecurrentActorProb(1, 5, 2, 3, conditioned_sigma=True), "mu"),
        (ZeroRecurrentActorProb(1, 5, 2, 3, conditioned_sigma=True), "sigma"),
        (ZeroRecurrentCritic(1, 5, hidden_layer_size=3), "last"),
    ],
)
def test_a_layer_of_a_subclass_draws_by_its_own_init(net: Any, name: str) -> None:
    params = net.init(np.random.default_rng(0))
    assert not params[name]["weight"].any() and params["lstm"]["layer_0"]["weight_ih"].any()
    net.forward(params, OBS)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_and_pickles_keep_the_attributes_that_a_subclass_adds(copied: Any) -> None:
    net = Scaled(5, hidden_sizes=(4,))
    params = net.init(np.random.default_rng(0))
    expected = bits(net.forward(params, OBS)[0])
    assert bits(copied(net).forward(params, OBS)[0]) == expected
    assert sorted(vars(copied(net))) == sorted(vars(Scaled(5, hidden_sizes=(4,))).keys() - {"model", "Q", "V"})


@pytest.mark.parametrize("dtype", [np.float32, np.dtype(np.float32)])
def test_a_part_of_the_users_own_gets_the_dtype_as_it_was_given(dtype: Any) -> None:
    params = npnets.Actor(RecordsDtype(), 2).init(np.random.default_rng(0), dtype)
    assert len(params["preprocess"]["name"]) == len(getattr(dtype, "__name__", ""))


def test_a_network_may_be_pickled_while_another_thread_computes_with_it() -> None:
    net = Scaled(5, hidden_sizes=(4,))

    class Interrupting:
        """Lets the other thread compute in the middle of the pickling, when a class attribute is read."""

        def __get__(self, instance: Any, owner: Any) -> None:
            net.forward(net.init(np.random.default_rng(0)), OBS)

    Scaled.scale = Interrupting()  # type: ignore[attr-defined]
    try:
        assert sorted(net.__getstate__()) == sorted(Scaled(5, hidden_sizes=(4,)).__getstate__())
    finally:
        del Scaled.scale  # type: ignore[attr-defined]
