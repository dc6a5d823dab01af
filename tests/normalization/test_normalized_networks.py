"""Networks whose first stage normalizes: as a trunk, around a whole network, without gradients to statistics, saved."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, bits, on_backend

import npnets
import npnets.numpy as nnp
from npnets import checkpoint, normalization, optim, testing
from npnets.normalization import Normalized
from npnets.normalization.network import statistics_paths

NET = npnets.Net(3, hidden_sizes=(5,))
OBS = np.random.default_rng(3).normal([100.0, 0, -5], [9, 0.1, 1], (8, 3)).astype(np.float32)
STATE = normalization.update(normalization.init(3), OBS)
AROUND: dict[str, Any] = {
    "Net": NET,
    "Actor": npnets.Actor(NET, 2, max_action=2.0),
    "ActorProb": npnets.ActorProb(NET, 2, conditioned_sigma=True),
    "Recurrent": npnets.Recurrent(1, 3, 2, hidden_layer_size=4),
    "discrete.Actor": npnets.discrete.Actor(NET, 4),
    "MLP": npnets.MLP(3, 2, (4,)),
}


@pytest.mark.parametrize("name", AROUND)
def test_a_normalized_network_computes_what_the_network_does_for_normalized_observations(name: str) -> None:
    net = AROUND[name]
    whole = Normalized(net, 3)
    params = on_backend(whole.init(np.random.default_rng(0)))
    params = whole.with_statistics(params, STATE)
    expected = net.forward(params["network"], on_backend(np.asarray(normalization.normalize(STATE, OBS))))
    found = whole.forward(params, on_backend(OBS))
    for one, other in zip(*(npnets.tree.leaves(part) for part in (found, expected)), strict=True):
        if one is not None:
            assert_allclose(one, as_numpy(other), rtol=2e-3, atol=2e-3)  # statistics in float32, and a mean of 100


def test_an_infinite_clip_is_none_in_a_network_as_in_its_statistics() -> None:
    whole, state = Normalized(NET, 3, clip=np.inf), normalization.init(3, clip=np.inf)
    assert whole == Normalized(NET, 3, clip=None)
    params = on_backend(whole.init(np.random.default_rng(0)))
    params = whole.with_statistics(params, normalization.update(state, OBS))
    assert_allclose(params["normalization"]["mean"], STATE.mean.astype(np.float32), rtol=1e-6)


def test_with_parameters_in_float64_it_does_so_to_the_last_digits() -> None:
    whole = Normalized(NET, 3)
    params = on_backend(whole.init(np.random.default_rng(0), np.float64))
    params = whole.with_statistics(params, STATE)
    obs = OBS.astype(np.float64)
    expected = NET.forward(params["network"], on_backend(np.asarray(normalization.normalize(STATE, obs))))[0]
    assert_allclose(whole.forward(params, on_backend(obs))[0], as_numpy(expected), rtol=1e-13)


def test_it_is_a_trunk_where_its_network_is_one() -> None:
    trunk = Normalized(NET, 3)
    actor = npnets.Actor(trunk, 2, max_action=2.0)
    params = on_backend(actor.init(np.random.default_rng(0)))
    params["preprocess"] = trunk.with_statistics(params["preprocess"], STATE)
    plain = npnets.Actor(NET, 2, max_action=2.0)
    same = {"preprocess": params["preprocess"]["network"], "last": params["last"]}
    around = Normalized(plain, 3)
    both = {"normalization": params["preprocess"]["normalization"], "network": same}
    assert trunk.output_dim == NET.output_dim
    assert_array_equal(actor.forward(params, on_backend(OBS))[0], around.forward(both, on_backend(OBS))[0])


def test_further_arguments_and_states_pass_through() -> None:
    net = npnets.RecurrentActorProb(1, 3, 2, 4)
    whole = Normalized(net, 3)
    params = on_backend(whole.init(np.random.default_rng(0)))
    obs = on_backend(np.random.default_rng(1).normal(size=(2, 5, 3)).astype(np.float32))
    (mu, _), state = whole.forward(params, obs, all_steps=True)
    assert mu.shape == (2, 5, 2)
    (first, _), memory = whole.forward(params, obs[:, :3], all_steps=True)
    (last, _), after = whole.forward(params, obs[:, 3:], memory, all_steps=True)
    assert_allclose(nnp.concatenate([first, last], 1), as_numpy(mu), rtol=1e-5, atol=1e-6)
    assert_allclose(after["hidden"], as_numpy(state["hidden"]), rtol=1e-5, atol=1e-6)


def test_a_critic_is_given_actions_as_they_are() -> None:
    critic = npnets.Critic(npnets.Net(3, 2, (5,), concat=True))
    whole = Normalized(critic, 3)
    params = on_backend(whole.init(np.random.default_rng(0)))
    params = whole.with_statistics(params, STATE._replace(mean=np.zeros(3), var=np.full(3, 4.0)))
    obs, act = on_backend((np.ones((2, 3), np.float32), np.full((2, 2), 7.0, np.float32)))
    assert_allclose(whole.forward(params, obs, act), as_numpy(critic.forward(params["network"], obs / 2, act)))


def test_no_gradient_reaches_mean_and_variance() -> None:
    whole = Normalized(NET, 3)
    params = whole.with_statistics(on_backend(whole.init(np.random.default_rng(0))), STATE)
    grads = npnets.grad(lambda p: nnp.sum(whole.forward(p, on_backend(OBS))[0] ** 2))(params)
    for leaf in grads["normalization"].values():
        assert_array_equal(leaf, np.zeros(3))
    assert as_numpy(grads["network"]["model"]["linear_0"]["weight"]).any()


def test_training_with_adam_leaves_the_statistics_as_they_are() -> None:
    whole = Normalized(NET, 3)
    params = whole.with_statistics(on_backend(whole.init(np.random.default_rng(0))), STATE)
    adam = optim.adam(1e-2)
    grads = npnets.grad(lambda p: nnp.sum(whole.forward(p, on_backend(OBS))[0] ** 2))(params)
    after, _ = adam.update(params, grads, adam.init(params))
    assert bits(after["normalization"]) == bits(params["normalization"])
    assert bits(after["network"]) != bits(params["network"])


def test_a_variance_below_zero_counts_as_zero() -> None:
    whole = Normalized(NET, 3, epsilon=1.0)
    params = on_backend(whole.init(np.random.default_rng(0)))
    params["normalization"]["var"] = on_backend(np.array([-5.0, 0.0, -1e-3], np.float32))
    obs = on_backend(OBS - OBS.mean(0))
    assert_array_equal(whole.forward(params, obs)[0], NET.forward(params["network"], nnp.clip(obs, -10, 10))[0])


@pytest.mark.numpy_alone("the laws move arrays themselves")
@pytest.mark.slow
@pytest.mark.parametrize("name", AROUND)
def test_a_normalized_network_keeps_the_laws_of_networks(name: str) -> None:
    testing.check_network(Normalized(AROUND[name], 3))


@pytest.mark.numpy_alone("the laws move arrays themselves")
@pytest.mark.slow
def test_an_actor_with_a_normalized_trunk_keeps_the_laws_of_networks() -> None:
    testing.check_network(npnets.Actor(Normalized(NET, 3, clip=2.0), 2, max_action=(1.0, 2.0)))


@pytest.mark.numpy_alone("is about descriptions")
def test_it_prints_as_the_call_that_makes_it_and_compares_by_value() -> None:
    net = Normalized(NET, (3,), clip=None)
    assert repr(net) == "Normalized(Net(3, hidden_sizes=(5,)), (3,), clip=None)"
    assert pickle.loads(pickle.dumps(net)) == net == Normalized(NET, [3], clip=None)
    assert net != Normalized(NET, 3)


@pytest.mark.numpy_alone("a file holds NumPy's arrays")
def test_it_is_loaded_from_a_checkpoint_without_its_class(tmp_path: Path) -> None:
    actor = npnets.Actor(Normalized(NET, 3), 2)
    params = actor.init(np.random.default_rng(0))
    checkpoint.save(tmp_path / "a.npz", {"actor": params, "seen": STATE}, {"network": actor})
    loaded, metadata = checkpoint.load(tmp_path / "a.npz")
    assert metadata["network"] == actor
    assert bits(loaded["actor"]) == bits(params)
    assert type(loaded["seen"]) is normalization.Normalization
    assert loaded["seen"].count == 8
    assert loaded["seen"].mean.tobytes() == STATE.mean.tobytes()


@pytest.mark.numpy_alone("is about trees")
def test_the_paths_of_statistics_are_found_wherever_they_lie() -> None:
    params = npnets.Actor(Normalized(NET, 3), 2).init(np.random.default_rng(0))
    paths = {"preprocess.normalization.mean", "preprocess.normalization.var"}
    assert statistics_paths(params) == paths
    assert statistics_paths([params]) == {f"0.{path}" for path in paths}
    assert statistics_paths({"normalization": {"mean": 1.0}}) == set()


def test_setting_statistics_changes_no_argument_and_keeps_dtype_and_device() -> None:
    whole = Normalized(NET, 3)
    params = on_backend(whole.init(np.random.default_rng(0)))
    before = bits(params)
    after = whole.with_statistics(params, STATE)
    assert bits(params) == before
    assert_allclose(after["normalization"]["mean"], STATE.mean, rtol=1e-6)
    assert {leaf.dtype for leaf in npnets.tree.leaves(as_numpy(after))} == {np.dtype(np.float32)}


@pytest.mark.numpy_alone("is about errors")
@pytest.mark.parametrize(
    "state", [normalization.init(2), normalization.init(3, clip=5.0), normalization.init(3, epsilon=1e-3)]
)
def test_statistics_of_other_observations_or_limits_are_refused(state: Any) -> None:
    whole = Normalized(NET, 3)
    with pytest.raises(ValueError, match="expected a state with shape, clip and epsilon"):
        whole.with_statistics(whole.init(np.random.default_rng(0)), state)


@pytest.mark.numpy_alone("is about errors")
def test_what_is_no_network_or_no_shape_is_refused() -> None:
    with pytest.raises(TypeError, match="network must be a network"):
        Normalized("Net", 3)
    with pytest.raises(TypeError, match="network must be a network"):
        Normalized(npnets.ActorCritic(AROUND["Actor"], npnets.Critic(NET)), 3)
    with pytest.raises((TypeError, ValueError), match="shape must be"):
        Normalized(NET, 0)
    with pytest.raises(ValueError, match="clip must be a positive number"):
        Normalized(NET, 3, clip=-1.0)
    whole = Normalized(NET, 3)
    params = whole.init(np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"obs must have the shape of the observations seen"):
        whole.forward(params, np.zeros((2, 4)))
    with pytest.raises(TypeError, match="normalization must be a Normalization"):
        whole.with_statistics(params, (np.zeros(3), np.ones(3)))  # type: ignore[arg-type]
