"""An actor and a critic in one network: one tree of parameters, with trunks of their own or one for both."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, bits, on_backend
from finite_differences import assert_trees_close
from small_networks import error_cases, params_of

import npnets
import npnets.numpy as nnp
from npnets import checkpoint, discrete

NET = npnets.Net(5, hidden_sizes=(4,))
ACTOR, CRITIC = discrete.Actor(NET, 3, (6,), softmax_output=False), discrete.Critic(NET)
APART, SHARED = (npnets.ActorCritic(ACTOR, CRITIC, share_preprocess=shared) for shared in (False, True))
CONTINUOUS = npnets.ActorCritic(npnets.ActorProb(NET, 2), npnets.Critic(NET, (3,)), share_preprocess=True)
each = pytest.mark.parametrize("both", [APART, SHARED, CONTINUOUS], ids=["apart", "shared", "continuous"])


def _obs() -> Any:
    return on_backend(np.random.default_rng(1).normal(size=(4, 5)))


def _loss(both: npnets.ActorCritic, parts: Any, name: str) -> Any:
    output = getattr(both, name).forward(parts[name], _obs())
    arrays = [leaf for leaf in npnets.tree.leaves(output) if leaf is not None]
    return sum((nnp.sum(nnp.sin(array)) for array in arrays), 0.0)


@each
def test_split_gives_the_parameters_that_actor_and_critic_take(both: npnets.ActorCritic) -> None:
    parts = both.split(params_of(both))
    for name in ("actor", "critic"):
        alone = params_of(getattr(both, name))
        assert npnets.tree.map(np.shape, parts[name]) == npnets.tree.map(np.shape, alone)
        assert np.isfinite(float(as_numpy(_loss(both, parts, name))))


def test_a_shared_trunk_stands_once_in_the_parameters_and_in_both_parts_without_a_copy() -> None:
    params = params_of(SHARED)
    assert list(params) == ["preprocess", "actor", "critic"]
    assert list(params["actor"]) == list(params["critic"]) == ["last"]
    parts = SHARED.split(params)
    assert parts["actor"]["preprocess"] is parts["critic"]["preprocess"] is params["preprocess"]
    apart = params_of(APART)
    assert list(apart) == ["actor", "critic"]
    assert bits(apart["actor"]["preprocess"]) != bits(apart["critic"]["preprocess"])
    assert APART.split(apart)["actor"] is apart["actor"]


@pytest.mark.parametrize("both", [SHARED, CONTINUOUS], ids=["discrete", "continuous"])
def test_the_gradient_of_a_shared_trunk_is_the_sum_of_those_of_actor_and_critic(both: npnets.ActorCritic) -> None:
    params = params_of(both, np.float64)

    def loss(params: Any) -> Any:
        parts = both.split(params)
        return _loss(both, parts, "actor") + _loss(both, parts, "critic")

    together = npnets.grad(loss)(params)
    parts = both.split(params)
    actor, critic = (npnets.grad(lambda p, n=name: _loss(both, {n: p}, n))(parts[name]) for name in ("actor", "critic"))
    expected = npnets.tree.map(lambda one, other: one + other, actor["preprocess"], critic["preprocess"])
    assert_trees_close(together["preprocess"], expected, 1e-10)
    assert_trees_close(together["critic"]["last"], critic["last"], 1e-10)
    assert all(np.abs(as_numpy(leaf)).max() > 0 for leaf in npnets.tree.leaves(together))


@each
def test_join_is_the_inverse_of_split(both: npnets.ActorCritic) -> None:
    params = params_of(both)
    again = both.join(both.split(params))
    assert bits(again) == bits(params) and npnets.tree.paths(again) == npnets.tree.paths(params)


@each
def test_gradients_pass_join_as_they_pass_split(both: npnets.ActorCritic) -> None:
    params = params_of(both, np.float64)

    def loss(params: Any) -> Any:
        return _loss(both, both.split(params), "actor") + _loss(both, both.split(params), "critic")

    again = npnets.grad(lambda p: loss(both.join(both.split(p))))(params)
    assert bits(again) == bits(npnets.grad(loss)(params))


def test_trunks_of_other_numbers_are_not_joined_to_one() -> None:
    parts = APART.split(params_of(APART))
    with pytest.raises(ValueError, match=r"other numbers .* first in 'model.linear_0.bias'; .*share_preprocess=False"):
        SHARED.join(parts)
    with pytest.raises(ValueError, match="preprocess"):
        SHARED.join(params_of(SHARED))
    nan = npnets.tree.map(lambda leaf: leaf * float("nan"), parts["actor"]["preprocess"])
    assert SHARED.join({name: {**part, "preprocess": nan} for name, part in parts.items()})["preprocess"] is nan
    same = {**parts, "critic": {**parts["critic"], "preprocess": parts["actor"]["preprocess"]}}
    assert bits(SHARED.split(SHARED.join(same))) == bits(same)


def test_one_step_of_an_optimizer_moves_both_networks() -> None:
    params, adam = params_of(SHARED), npnets.optim.adam(0.1)
    loss = lambda p: _loss(SHARED, SHARED.split(p), "actor") + _loss(SHARED, SHARED.split(p), "critic")  # noqa: E731
    value, grads = npnets.value_and_grad(loss)(params)
    stepped, _ = adam.update(params=params, grads=grads, state=adam.init(params))
    assert float(as_numpy(loss(stepped))) < float(as_numpy(value))


def test_parameters_are_drawn_in_the_dtype_that_is_asked_for() -> None:
    for both in (APART, SHARED):
        narrow, wide = params_of(both), params_of(both, np.float64)
        assert {leaf.dtype for leaf in npnets.tree.leaves(wide)} == {np.dtype(np.float64)}
        assert_trees_close(narrow, wide, 1e-6)


@pytest.mark.numpy_alone("descriptions and files")
@each
def test_it_prints_compares_pickles_and_is_saved_as_other_networks_are(both: npnets.ActorCritic, tmp_path: Any) -> None:
    assert eval(repr(both), vars(npnets)) == both == pickle.loads(pickle.dumps(both))
    assert APART != SHARED and hash(APART) != hash(SHARED)
    path = tmp_path / "policy.npz"
    params = both.init(np.random.default_rng(0))
    checkpoint.save(path, params, {"network": both})
    loaded = checkpoint.load(path, like=both)
    assert loaded.metadata["network"] == both and bits(loaded.params) == bits(params)
    with pytest.raises(checkpoint.CheckpointError, match="'preprocess'.* was it saved for another network"):
        checkpoint.load(path, like=SHARED if both is APART else APART)
    assert f"{sum(leaf.size for leaf in npnets.tree.leaves(params)):,} parameters" in npnets.summary(both)


@dataclass(frozen=True)
class Own:
    """A network of the user's own."""

    output_dim: int = 3

    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return {"weight": rng.normal(size=(5, 3)).astype(dtype)}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return obs.astype(params["weight"].dtype) @ params["weight"], state


def test_networks_of_the_users_own_may_stand_side_by_side() -> None:
    both = npnets.ActorCritic(Own(), Own())
    params = params_of(both)
    assert_allclose(
        Own().forward(both.split(params)["critic"], _obs())[0],
        as_numpy(_obs()).astype("f") @ as_numpy(params["critic"]["weight"]),
        rtol=1e-5,
    )


def test_actor_and_critic_may_share_a_trunk_of_the_users_own() -> None:
    both = npnets.ActorCritic(discrete.Actor(Own(), 2), discrete.Critic(Own()), share_preprocess=True)
    params = params_of(both)
    parts = both.split(params)
    assert parts["actor"]["preprocess"]["weight"] is params["preprocess"]["weight"]
    assert both.critic.forward(parts["critic"], _obs()).shape == (4, 1)


class Subclass(discrete.Actor):
    """A subclass, whose parameters may be others."""


@pytest.mark.numpy_alone("no arrays in it")
@error_cases(
    {
        "no network": (lambda: npnets.ActorCritic(3, CRITIC), TypeError, "actor must be a network"),
        "parameters": (lambda: npnets.ActorCritic(ACTOR, {}), TypeError, "critic must be a network"),
        "a word": (
            lambda: npnets.ActorCritic(ACTOR, CRITIC, share_preprocess="no"),
            TypeError,
            "share_preprocess must be True or False, but is 'no'",
        ),
        "a choice by position": (
            lambda: npnets.ActorCritic(ACTOR, CRITIC, True),  # type: ignore[misc]
            TypeError,
            "positional arguments",
        ),
        "other trunks": (
            lambda: npnets.ActorCritic(ACTOR, discrete.Critic(npnets.Net(5)), share_preprocess=True),
            ValueError,
            r"same preprocess_net in both, but that of the actor is Net\(5, hid.*, and that of the critic Net\(5\)",
        ),
        "a recurrent actor": (
            lambda: npnets.ActorCritic(npnets.RecurrentActorProb(1, 5, 2, 4), CRITIC, share_preprocess=True),
            TypeError,
            "share_preprocess needs networks of npnets with a preprocess_net, but actor is RecurrentActorProb",
        ),
        "a network of the user's own": (
            lambda: npnets.ActorCritic(ACTOR, Own(), share_preprocess=True),
            TypeError,
            "critic is Own.* pass one trunk's parameters to both",
        ),
        "a subclass": (
            lambda: npnets.ActorCritic(Subclass(NET, 3), CRITIC, share_preprocess=True),
            TypeError,
            "actor is Subclass",
        ),
    }
)
def test_networks_that_cannot_stand_together_are_an_error(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_the_errors_for_an_actor_that_gets_other_parts_of_the_tree_name_split() -> None:
    params = params_of(SHARED)
    with pytest.raises(ValueError, match=r"have \['actor', 'critic'\] besides; .* Its split\(params\) gives those"):
        ACTOR.forward(params, _obs())
    with pytest.raises(ValueError, match=r"lack \['preprocess'\]; .* Its split\(params\) puts it into those of"):
        ACTOR.forward(params["actor"], _obs())
    with pytest.raises(TypeError, match=r"no forward: parts = actor_critic.split\(params\)"):
        SHARED(params, _obs())
    with pytest.raises(AttributeError, match=r"no forward: parts = actor_critic.split\(params\)"):
        SHARED.forward(params, _obs())


def test_parameters_of_another_kind_are_an_error_that_names_the_path() -> None:
    with pytest.raises(ValueError, match="preprocess"):
        SHARED.split(params_of(APART))
    with pytest.raises(ValueError, match="preprocess"):
        APART.split(params_of(SHARED))
    with pytest.raises(TypeError, match="params"):
        SHARED.split(None)  # type: ignore[arg-type]
