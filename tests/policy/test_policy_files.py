"""A policy in a file: it acts as before, says what is wrong with another file, and is read by plain checkpoints too."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npnets
from npnets import Policy, checkpoint, discrete, normalization
from npnets.checkpoint import CheckpointError
from npnets.normalization import Normalized

pytestmark = pytest.mark.numpy_alone("a file holds NumPy's arrays")

NET = npnets.Net(3, hidden_sizes=(8,))
RNG = np.random.default_rng(5)
OBS = RNG.normal(size=(6, 3)).astype(np.float32)
STATE = normalization.update(normalization.init(3, clip=None, epsilon=1e-4), RNG.normal(1e5, 3, (20, 3)))


def made(net: Any, **settings: Any) -> Policy:
    return Policy(net, net.init(np.random.default_rng(0)), **settings)


def proposing() -> Policy:
    proposal = discrete.FractionProposalNetwork(5, 8)
    pair = (proposal, proposal.init(np.random.default_rng(1)))
    return made(discrete.FullQuantileFunction(NET, 4), fraction_proposal=pair)


UNBOUNDED = npnets.ActorProb(NET, (2, 2), unbounded=True)
POLICIES: dict[str, Any] = {
    "an actor": lambda: made(npnets.Actor(NET, 2, max_action=2.0)),
    "a normalization": lambda: made(npnets.Actor(NET, 2, low=[-1, 0], high=[3, 4]), normalization=STATE),
    "bounds": lambda: made(UNBOUNDED, to_action="clip", low=[[-1, -np.inf], [0, 0]], high=[[0, 1], [np.inf, 0.1]]),
    "one bound": lambda: made(UNBOUNDED, to_action="squash", low=-0.1, high=0.3),
    "indices": lambda: made(discrete.Actor(NET, 4)),
    "a choice of one's own": lambda: made(npnets.Net(3, 4, (8,)), to_action="greedy"),
    "proposed fractions": proposing,
    "statistics among the parameters": lambda: made(Normalized(npnets.Actor(NET, 2), 3)),
    "float64": lambda: Policy(UNBOUNDED, UNBOUNDED.init(np.random.default_rng(0), np.float64)),
}


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_a_policy_acts_after_loading_as_before(name: str, suffix: str, tmp_path: Path) -> None:
    policy = POLICIES[name]()
    policy.save(tmp_path / f"policy{suffix}")
    loaded = Policy.load(tmp_path / f"policy{suffix}")
    assert loaded.act(OBS).tobytes() == policy.act(OBS).tobytes()
    assert (loaded.network, loaded.to_action) == (policy.network, policy.to_action)
    for one, other in ((loaded.low, policy.low), (loaded.high, policy.high)):
        assert (one is None) == (other is None)
        np.testing.assert_array_equal(one, other)
    assert repr(loaded) == repr(policy)


def test_a_normalization_comes_back_bit_for_bit(tmp_path: Path) -> None:
    POLICIES["a normalization"]().save(tmp_path / "policy.npz")
    found = Policy.load(tmp_path / "policy.npz").normalization
    assert found is not None
    assert (found.mean.tobytes(), found.var.tobytes()) == (STATE.mean.tobytes(), STATE.var.tobytes())
    assert found[2:] == STATE[2:] == (20.0, None, 1e-4)


def test_a_plain_checkpoint_with_a_network_is_a_policy(tmp_path: Path) -> None:
    actor = npnets.Actor(NET, 2, max_action=2.0)
    params = actor.init(np.random.default_rng(0))
    checkpoint.save(tmp_path / "actor.npz", params, {"network": actor, "steps": 20_000})
    assert Policy.load(tmp_path / "actor.npz").act(OBS).tobytes() == Policy(actor, params).act(OBS).tobytes()


def test_a_file_of_a_policy_is_a_checkpoint_without_classes_to_list(tmp_path: Path) -> None:
    policy = POLICIES["a normalization"]()
    policy.save(tmp_path / "policy.npz", {"steps": 20_000})
    params, metadata = checkpoint.load(tmp_path / "policy.npz")
    assert (metadata["network"], metadata["steps"]) == (policy.network, 20_000)
    assert params["normalization"]["count"] == 20.0
    action, _ = metadata["network"].forward(params["network"], normalization.normalize(STATE, OBS))
    assert action.tobytes() == policy.act(OBS).tobytes()


@dataclass(frozen=True)
class Trunk:
    """A trunk of one's own."""

    output_dim: int = 3

    def init(self, rng: Any) -> Any:
        return {"scale": rng.normal(size=3).astype(np.float32)}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return obs.astype(np.float32) * params["scale"], state


def test_a_class_of_ones_own_is_listed(tmp_path: Path) -> None:
    policy = made(npnets.Actor(Trunk(), 2))
    policy.save(tmp_path / "policy.npz")
    with pytest.raises(CheckpointError, match="names the class 'Trunk', which load needs"):
        Policy.load(tmp_path / "policy.npz")
    assert Policy.load(tmp_path / "policy.npz", classes=(Trunk,)).act(OBS).tobytes() == policy.act(OBS).tobytes()


def test_metadata_cannot_take_the_places_of_the_policy_itself(tmp_path: Path) -> None:
    for name in ("network", "policy"):
        with pytest.raises(ValueError, match="metadata must not have the keys"):
            POLICIES["an actor"]().save(tmp_path / "policy.npz", {name: 1})
    assert list(tmp_path.iterdir()) == []


ACTOR = npnets.Actor(NET, 2)
PARAMS = ACTOR.init(np.random.default_rng(0))
PLAIN = {"to_action": "as_is", "low": None, "high": None}
DAMAGED: dict[str, tuple[Any, Any, str]] = {
    "no network": (PARAMS, {"steps": 1}, r"its metadata has no 'network', but \['steps'\]"),
    "no metadata": (PARAMS, None, "has no 'network'"),
    "a critic": (npnets.Critic(NET).init(RNG), {"network": npnets.Critic(NET)}, "must return actions"),
    "parameters of another network": ({"a": np.ones(3)}, {"network": ACTOR}, "Actor"),
    "no network but a word": (PARAMS, {"network": "Actor"}, "network must be a network"),
    "no parameters": ({"other": PARAMS}, {"network": ACTOR, "policy": PLAIN}, "network"),
    "parameters that are none": (PARAMS["last"], {"network": ACTOR, "policy": PLAIN}, "network"),
    "no choice": ({"network": PARAMS}, {"network": ACTOR, "policy": {}}, "to_action"),
    "no dict": ({"network": PARAMS}, {"network": ACTOR, "policy": 3}, "policy"),
    "another choice": ({"network": PARAMS}, {"network": ACTOR, "policy": {**PLAIN, "to_action": "x"}}, "to_action"),
    "one bound": ({"network": PARAMS}, {"network": ACTOR, "policy": {**PLAIN, "low": 1.0}}, "low and high"),
    "a bound that no float holds": (
        {"network": PARAMS},
        {"network": ACTOR, "policy": {**PLAIN, "low": 10**400, "high": 1}},
        "too large",
    ),
    "a variance below zero": (
        {"network": PARAMS, "normalization": STATE._replace(var=-STATE.var)._asdict()},
        {"network": ACTOR, "policy": PLAIN},
        "var not negative",
    ),
    "no variance": (
        {"network": PARAMS, "normalization": {"mean": np.zeros(3)}},
        {"network": ACTOR, "policy": PLAIN},
        "var",
    ),
    "statistics that are no dict": (
        {"network": PARAMS, "normalization": np.zeros(3)},
        {"network": ACTOR, "policy": PLAIN},
        "normalization",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_file_that_holds_no_policy_is_an_error_of_one_line_that_begins_with_its_path(
    name: str, tmp_path: Path
) -> None:
    params, metadata, words = DAMAGED[name]
    path = tmp_path / "policy.npz"
    checkpoint.save(path, params, metadata)
    with pytest.raises(CheckpointError, match=words) as caught:
        Policy.load(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: expected a file of Policy.save")
    assert "\n" not in text


def test_a_policy_is_copied_and_pickled_whole() -> None:
    for name in ("a normalization", "bounds"):
        policy = POLICIES[name]()
        policy.act(OBS)
        for again in (copy.deepcopy(policy), pickle.loads(pickle.dumps(policy))):
            assert again.act(OBS).tobytes() == policy.act(OBS).tobytes()


def test_one_part_is_replaced_without_the_others() -> None:
    policy = POLICIES["bounds"]()
    other = policy.network.init(np.random.default_rng(9))
    again = replace(policy, params=other)
    assert again.act(OBS).tobytes() != policy.act(OBS).tobytes()
    assert (again.to_action, again.low is not None) == ("clip", True)
    assert replace(again, params=policy.params).act(OBS).tobytes() == policy.act(OBS).tobytes()
