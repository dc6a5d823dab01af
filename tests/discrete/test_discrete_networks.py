"""Networks for discrete actions: probabilities, states, trunks of the user's own, spaces, curiosity and branches."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, bits, on_backend
from small_networks import params_of

import npnets
import npnets.numpy as nnp
from npnets import discrete
from npnets.distributions import Categorical

NET = npnets.Net(5, hidden_sizes=(4,))
RECURRENT = npnets.Recurrent(2, 5, 6, hidden_layer_size=4)


def _obs(*shape: int) -> Any:
    return on_backend(np.random.default_rng(1).normal(size=shape))


# -- actors and critics -----------------------------------------------------------------------------------------------


def test_an_actor_returns_the_softmax_of_its_logits_unless_told_otherwise() -> None:
    actor, plain = (discrete.Actor(NET, 3, (6,), softmax_output=on) for on in (True, False))
    params, obs = params_of(actor, np.float64), _obs(7, 5)
    probs, logits = (as_numpy(net.forward(params, obs)[0]) for net in (actor, plain))
    np.testing.assert_allclose(probs, np.exp(logits) / np.exp(logits).sum(-1, keepdims=True), rtol=1e-12)
    assert np.abs(logits.sum(-1) - 1).min() > 1e-3


def test_a_distribution_over_actions_is_the_same_from_probabilities_and_from_logits() -> None:
    actor, plain = (discrete.Actor(NET, 3, softmax_output=on) for on in (True, False))
    params, obs = params_of(actor, np.float64), _obs(7, 5)
    (one, _), (other, _) = (Categorical.from_actor(net, params, obs) for net in (actor, plain))
    assert_allclose(one.logits, as_numpy(other.logits), rtol=1e-12)


def test_a_critic_of_each_action_has_as_many_values_as_last_size_says() -> None:
    critic = discrete.Critic(NET, last_size=3)
    assert critic.output_dim == 3
    params, obs = params_of(critic, np.float64), _obs(7, 5)
    features, _ = NET.forward(params["preprocess"], obs)
    last = as_numpy(params["last"]["linear_0"])
    expected = as_numpy(features) @ last["weight"] + last["bias"]
    assert_allclose(critic.forward(params, obs), expected, rtol=1e-12)


@pytest.mark.parametrize("make", [discrete.Actor, discrete.Critic], ids=["actor", "critic"])
def test_a_state_makes_one_step_after_others_what_the_whole_sequence_is(make: Any) -> None:
    net = make(RECURRENT, 3) if make is discrete.Actor else make(RECURRENT, (3,))
    params, obs = params_of(net, np.float64), _obs(2, 4, 5)
    whole = net.forward(params, obs)
    _, state = RECURRENT.forward(params["preprocess"], obs[:, :3])
    last = net.forward(params, obs[:, 3], state=state)
    without = net.forward(params, obs[:, 3])
    if make is discrete.Actor:
        assert_allclose(last[1]["cell"], as_numpy(whole[1]["cell"]), rtol=1e-12)
        whole, last, without = whole[0], last[0], without[0]
    assert_allclose(last, as_numpy(whole), rtol=1e-12)
    assert np.abs(as_numpy(without) - as_numpy(whole)).max() > 1e-4


@dataclass(frozen=True)
class Glance:
    """A trunk for dicts of an image and a text, which counts its calls in a state."""

    output_dim: int = 3

    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return {"weight": rng.normal(size=(4, 3)).astype(dtype)}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        assert set(obs) == {"image", "text"} and obs["image"].shape == (2, 5, 4, 4) and obs["text"] == ["up", "down"]
        image = nnp.sum(nnp.sum(obs["image"], 1), 1).astype(params["weight"].dtype)
        return image @ params["weight"], (state or 0) + 1


def _glance() -> Any:
    return {"image": _obs(2, 5, 4, 4), "text": ["up", "down"]}


def test_a_trunk_of_the_users_own_gets_observations_of_any_kind_untouched() -> None:
    actor, critic = discrete.Actor(Glance(), 2, softmax_output=False), discrete.Critic(Glance())
    params = params_of(actor)
    logits, state = actor.forward(params, _glance(), 4)
    assert state == 5
    image = as_numpy(_glance()["image"]).sum((1, 2)) @ as_numpy(params["preprocess"]["weight"])
    last = as_numpy(params["last"]["linear_0"])
    assert_allclose(logits, image @ last["weight"] + last["bias"], rtol=1e-4)
    assert critic.forward(params_of(critic), _glance(), state=4).shape == (2, 1)


# -- spaces -----------------------------------------------------------------------------------------------------------


class Discrete(NamedTuple):
    """The attributes of Gymnasium's space of that name that npnets reads."""

    n: Any
    start: Any = np.int64(0)

    def contains(self, x: Any) -> bool:
        return bool(self.start <= x < self.start + self.n)

    def sample(self) -> Any:
        return self.start


@pytest.mark.numpy_alone("no arrays in it")
def test_a_discrete_space_means_its_number_of_actions() -> None:
    space = Discrete(np.int64(3))
    for made, plain in (
        (discrete.Actor(NET, space), discrete.Actor(NET, 3)),
        (
            discrete.IntrinsicCuriosityModule(npnets.MLP(5, 4), 4, space),
            discrete.IntrinsicCuriosityModule(npnets.MLP(5, 4), 4, 3),
        ),
    ):
        assert made == plain == pickle.loads(pickle.dumps(made))
        assert repr(made) == repr(plain)


@pytest.mark.numpy_alone("no arrays in it")
def test_sequences_of_any_kind_make_equal_descriptions_that_can_be_hashed() -> None:
    makers = (
        lambda hidden: discrete.Actor(NET, 3, hidden),
        lambda hidden: discrete.Critic(NET, hidden),
        lambda hidden: discrete.IntrinsicCuriosityModule(npnets.MLP(5, 4), 4, 3, hidden),
        lambda hidden: npnets.BranchingNet(5, 2, 2, hidden, hidden, hidden),
    )
    for make in makers:
        made = [make(hidden) for hidden in ([6, 4], (6, 4), np.array([6, 4]))]
        assert len(set(made)) == 1 and len({repr(net) for net in made}) == 1


# -- curiosity --------------------------------------------------------------------------------------------------------

CURIOSITY = discrete.IntrinsicCuriosityModule(npnets.MLP(5, 4), 4, 3)
ACT = np.array([2, 0, 1, 1])


def test_curiosity_is_half_the_squared_distance_from_the_predicted_features_to_those_of_the_next_observation() -> None:
    params, s1, s2 = params_of(CURIOSITY, np.float64), _obs(4, 5), _obs(4, 5) * 2 + 1
    weights = as_numpy(params)

    def linear(part: str, x: Any) -> Any:
        return x @ weights[part]["linear_0"]["weight"] + weights[part]["linear_0"]["bias"]

    phi1, phi2 = (linear("feature_net", as_numpy(s)) for s in (s1, s2))
    predicted = linear("forward_model", np.concatenate([phi1, np.eye(3)[ACT]], 1))
    loss, act_hat = CURIOSITY.forward(params, s1, on_backend(ACT), s2)
    assert_allclose(loss, ((predicted - phi2) ** 2).sum(1) / 2, rtol=1e-10)
    assert_allclose(act_hat, linear("inverse_model", np.concatenate([phi1, phi2], 1)), rtol=1e-10)


def test_the_curiosity_of_a_step_is_differentiable_by_the_features_of_both_observations() -> None:
    params = params_of(CURIOSITY, np.float64)
    gradients = npnets.grad(lambda s: nnp.sum(CURIOSITY.forward(params, s[0], ACT, s[1])[0]))([_obs(4, 5), _obs(4, 5)])
    assert all(np.abs(as_numpy(gradient)).min() > 0 for gradient in gradients)


@pytest.mark.parametrize("kind", ["int8", "uint16", "int64", "list"])
def test_actions_may_be_integers_of_any_kind(kind: str) -> None:
    params, obs = params_of(CURIOSITY), _obs(4, 5)
    given = ACT.tolist() if kind == "list" else on_backend(ACT.astype(kind))
    expected = CURIOSITY.forward(params, obs, on_backend(ACT), obs)
    assert bits(CURIOSITY.forward(params, obs, given, obs)) == bits(expected)


@pytest.mark.needs_gpus(1)
def test_on_a_gpu_an_action_out_of_range_gives_nan_in_its_row_and_no_other() -> None:
    params, obs = params_of(CURIOSITY), _obs(4, 5)
    loss, act_hat = CURIOSITY.forward(params, obs, on_backend(np.array([0, 3, -1, 2])), obs)
    assert np.isnan(as_numpy(loss)).tolist() == [False, True, True, False]
    assert np.isfinite(as_numpy(act_hat)).all()


@dataclass(frozen=True)
class Corner:
    """A feature net of the user's own, for dicts of an image."""

    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return {"scale": np.ones(4, dtype)}

    def forward(self, params: Any, obs: Any) -> Any:
        return obs["image"][:, 0, 0].astype(params["scale"].dtype) * params["scale"]


def test_a_feature_net_of_the_users_own_gets_observations_untouched() -> None:
    own = discrete.IntrinsicCuriosityModule(Corner(), 4, 3)
    plain = discrete.IntrinsicCuriosityModule(npnets.MLP(4), 4, 3)
    params, image = params_of(own), _obs(4, 2, 2, 4)
    found = own.forward(params, {"image": image}, ACT, {"image": 2 * image})
    expected = plain.forward({**params, "feature_net": {}}, image[:, 0, 0], ACT, 2 * image[:, 0, 0])
    assert bits(found) == bits(expected)


@dataclass(frozen=True)
class First:
    """A feature net of the user's own without parameters, which keeps the dtype of observations."""

    def init(self, rng: Any) -> Any:
        return {}

    def forward(self, params: Any, obs: Any) -> Any:
        return obs[:, :4]


def test_features_without_parameters_are_converted_to_the_dtype_of_the_models() -> None:
    own = discrete.IntrinsicCuriosityModule(First(), 4, 3)
    plain = discrete.IntrinsicCuriosityModule(npnets.MLP(4), 4, 3)
    params, obs = params_of(own), _obs(4, 5)
    assert obs.dtype == np.float64
    assert bits(own.forward(params, obs, ACT, obs)) == bits(plain.forward(params, obs[:, :4], ACT, obs[:, :4]))


def test_a_batch_without_rows_gives_outputs_without_rows() -> None:
    empty = _obs(0, 5)
    for act in ([], on_backend(ACT[:0])):
        loss, act_hat = CURIOSITY.forward(params_of(CURIOSITY), empty, act, empty)
        assert loss.shape == (0,) and act_hat.shape == (0, 3)
    for net in (discrete.Actor(NET, 3), BRANCHES):
        assert net.forward(params_of(net), empty)[0].shape[0] == 0
    assert discrete.Critic(NET).forward(params_of(discrete.Critic(NET)), empty).shape == (0, 1)


# -- branches ---------------------------------------------------------------------------------------------------------

BRANCHES = npnets.BranchingNet(5, 3, 2, (7,), (6,), (4,))


def test_the_mean_over_the_actions_of_each_branch_is_the_value_of_the_observation() -> None:
    params, obs = params_of(BRANCHES, np.float64), _obs(4, 5)
    values, state = BRANCHES.forward(params, obs, "a state")
    value = BRANCHES.value.forward(params["value"], BRANCHES.common.forward(params["common"], obs))
    assert state == "a state" and values.shape == (4, 3, 2)
    assert_allclose(values.mean(2), np.repeat(as_numpy(value), 3, 1), rtol=1e-12)


def test_each_branch_has_advantages_of_its_own() -> None:
    params, obs = params_of(BRANCHES, np.float64), _obs(4, 5)
    before = as_numpy(BRANCHES.forward(params, obs)[0])
    for number in range(3):
        name = f"branch_{number}"
        zero = npnets.tree.map(lambda leaf: leaf * 0, params["branches"][name])
        after = as_numpy(BRANCHES.forward({**params, "branches": {**params["branches"], name: zero}}, obs)[0])
        changed = np.abs(after - before).max((0, 2)) > 1e-6
        assert changed.tolist() == [n == number for n in range(3)]
        np.testing.assert_allclose(after[:, number, 0], after[:, number, 1], rtol=1e-12)


def test_without_common_layers_the_branches_read_the_observations() -> None:
    direct = npnets.BranchingNet(5, 2, 3)
    params, obs = params_of(direct, np.float64), _obs(4, 5)
    assert params["common"] == {}
    value, branches = as_numpy(params["value"]["linear_0"]), as_numpy(params["branches"])
    advantages = [as_numpy(obs) @ b["linear_0"]["weight"] + b["linear_0"]["bias"] for b in branches.values()]
    expected = [as_numpy(obs) @ value["weight"] + value["bias"] + a - a.mean(1, keepdims=True) for a in advantages]
    assert_allclose(direct.forward(params, obs)[0], np.stack(expected, 1), rtol=1e-10)


@pytest.mark.numpy_alone("no arrays in it")
def test_no_hidden_layers_are_the_same_however_they_are_written() -> None:
    assert npnets.BranchingNet(5, 2, 2, [], (), np.zeros(0, int)) == npnets.BranchingNet(5, 2)
    assert repr(npnets.BranchingNet(5, 2, 2, [7], [])) == "BranchingNet(5, num_branches=2, common_hidden_sizes=(7,))"


def test_observations_of_several_axes_are_flattened() -> None:
    wide = npnets.BranchingNet((5, 2), 2, 2, (4,))
    params, obs = params_of(wide), _obs(3, 5, 2)
    assert_array_equal(wide.forward(params, obs)[0], as_numpy(wide.forward(params, obs.reshape(3, 10))[0]))
