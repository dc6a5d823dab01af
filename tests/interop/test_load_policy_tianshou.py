"""Policies of real releases of Tianshou act as Tianshou's own deterministic evaluation and `map_action`."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch_archives import called, program, write_pickle

import npnets
from npnets import discrete, interop, normalization
from npnets.files.fault import Fault
from npnets.interop.policies.tianshou.layers import layers_of

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

FIXTURES = Path(__file__).parents[1] / "support" / "golden" / "tianshou_policies"
FILES = sorted(FIXTURES.glob("*/*.pth"))
BOUNDS = (np.array([-1.0, -2.0]), np.array([1.0, 3.0]))
OF_TANH = ("ppo", "ppo_normalized")
OF_DISCRETE_ACTIONS = ("dqn", "dqn_dueling", "ppo_discrete", "sac_discrete")


def _load(path: Path, **options: Any) -> npnets.Policy:
    activation = "tanh" if path.stem in OF_TANH else None
    bounds = None if path.stem in OF_DISCRETE_ACTIONS else BOUNDS
    return interop.load_policy(path, **{"action_space": bounds, "activation": activation, **options})


def _actions(path: Path) -> tuple[Any, Any]:
    with np.load(path.with_name("actions.npz")) as found:
        return found["obs"], found[path.stem]


def _states() -> dict[str, Any]:
    return interop.torch_file.load(FIXTURES / "1.0.0" / "sac.pth")  # type: ignore[no-any-return]


def test_the_fixtures_are_of_both_versions() -> None:
    assert sorted({path.parent.name for path in FILES}) == ["1.0.0", "2.0.0"] and len(FILES) == 19


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.stem}-{path.parent.name}")
def test_a_policy_acts_as_tianshou_evaluates_it(path: Path) -> None:
    obs, expected = _actions(path)
    policy = _load(path)
    act = (lambda obs: policy.step(obs, None)[0]) if path.stem == "ppo_recurrent" else policy.act
    np.testing.assert_allclose(act(obs), expected, rtol=1e-6, atol=2e-6)
    np.testing.assert_allclose(act(obs[0]), expected[0], rtol=1e-6, atol=2e-6)
    assert len(np.unique(expected)) > 1  # or a constant would do


@pytest.mark.parametrize("release", ["1.0.0", "2.0.0"])
def test_the_statistics_beside_a_state_dict_normalize_observations(release: str) -> None:
    path = FIXTURES / release / "ppo_normalized.pth"
    policy, plain = _load(path), _load(path.with_name("ppo.pth"))
    obs, _ = _actions(path)
    assert policy.normalization is not None and plain.normalization is None
    np.testing.assert_allclose(
        policy.act(obs), plain.act(np.asarray(normalization.normalize(policy.normalization, obs))), rtol=1e-6
    )


@pytest.mark.parametrize("release", ["1.0.0", "2.0.0"])
@pytest.mark.parametrize("name", ["statistics.pkl", "ppo_normalized.pth"])
def test_statistics_of_tianshou_normalize_as_tianshou_does(release: str, name: str) -> None:
    path = FIXTURES / release / name
    state = interop.load_normalization(path)
    with np.load(path.with_name("actions.npz")) as found:
        obs, expected = found["obs"], found["normalized"]
    normalized = normalization.normalize(state, obs.astype(np.float64))
    np.testing.assert_allclose(normalized, expected, rtol=1e-7)  # the statistics in the file are float32
    assert (state.clip, state.epsilon, state.count) == (10.0, float(np.finfo(np.float32).eps), 12)


def test_statistics_of_the_caller_replace_those_in_the_file() -> None:
    path = FIXTURES / "1.0.0" / "ppo_normalized.pth"
    own = normalization.init(3)
    found = _load(path, normalization=own).normalization
    assert found is not None and found.count == 0


# -- what a state dict does not say ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["td3", "sac", "ppo"])
def test_bounds_that_are_missing_are_an_error_with_the_remedy(name: str) -> None:
    with pytest.raises(ValueError, match=r"does not hold the bounds of the actions: pass action_space="):
        interop.load_policy(FIXTURES / "1.0.0" / f"{name}.pth")


def test_bounds_of_another_number_of_actions_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"its actions have 2 entries, but action_space has the shape \(3,\)"):
        _load(FIXTURES / "1.0.0" / "sac.pth", action_space=(-np.ones(3), np.ones(3)))


def test_one_pair_of_numbers_bounds_all_actions() -> None:
    policy = _load(FIXTURES / "1.0.0" / "sac.pth", action_space=(-2, 2))
    assert policy.low is not None and policy.low.tolist() == [-2, -2]


def test_the_activation_is_relu_unless_it_is_given() -> None:
    path = FIXTURES / "1.0.0" / "sac.pth"
    obs, _ = _actions(path)
    assert not np.allclose(_load(path).act(obs), _load(path, activation="tanh").act(obs))
    assert _load(path).network == _load(path, activation="relu").network


def test_an_activation_for_which_there_is_no_place_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="its recurrent actor has no activations; leave activation out"):
        _load(FIXTURES / "1.0.0" / "ppo_recurrent.pth", activation="tanh")
    state = {name.replace("model.model.2", "model.model.1"): value for name, value in _states().items()}
    assert _load(_saved(state, tmp_path)).network.preprocess_net.activation is None
    with pytest.raises(ValueError, match="leave no places for activations; leave activation out"):
        _load(_saved(state, tmp_path), activation="tanh")


def test_an_actor_alone_does_not_show_whether_its_actions_are_discrete(tmp_path: Path) -> None:
    state = interop.torch_file.load(FIXTURES / "2.0.0" / "td3.pth")
    alone = {name.removeprefix("policy."): value for name, value in state.items() if name.startswith("policy.")}
    with pytest.raises(
        ValueError, match="does not show whether its actions are continuous or discrete: pass action_space"
    ):
        interop.load_policy(_saved(alone, tmp_path))
    obs, expected = _actions(FIXTURES / "2.0.0" / "td3.pth")
    policy = interop.load_policy(_saved(alone, tmp_path), action_space=BOUNDS)
    np.testing.assert_allclose(policy.act(obs), expected, rtol=1e-6, atol=2e-6)


WITHOUT_HIDDEN_LAYERS: dict[str, tuple[dict[str, Any], Any]] = {
    "deterministic": ({"actor": npnets.Actor(npnets.Net(3), 2), "critic": npnets.Critic(npnets.Net(5))}, BOUNDS),
    "with layers in its head": ({"actor": npnets.ActorProb(npnets.Net(3), 2, (4,), unbounded=True)}, BOUNDS),
    "discrete": ({"actor": discrete.Actor(npnets.Net(3), 4), "critic": discrete.Critic(npnets.Net(3))}, None),
    "values": ({"model": npnets.Net(3, 4), "model_old": npnets.Net(3, 4)}, None),
    "dueling values": ({"model": npnets.Net(3, 4, dueling_param=({}, {}))}, None),
}


@pytest.mark.parametrize(("networks", "bounds"), WITHOUT_HIDDEN_LAYERS.values(), ids=WITHOUT_HIDDEN_LAYERS)
def test_a_trunk_may_have_no_hidden_layers(networks: dict[str, Any], bounds: Any, tmp_path: Path) -> None:
    params = {name: network.init(np.random.default_rng(0)) for name, network in networks.items()}
    states = {
        f"{name}.{key}": value
        for name, network in networks.items()
        for key, value in interop.tianshou.to_state_dict(network, params[name]).items()
    }
    policy = interop.load_policy(_saved(states, tmp_path), action_space=bounds)
    acting = next(iter(networks))
    assert type(policy.network) is type(networks[acting])
    assert policy.act(np.zeros((5, 3))).shape == ((5, 2) if bounds else (5,))
    for one, other in zip(*map(npnets.tree.leaves, (policy.params, params[acting])), strict=True):
        assert np.array_equal(one, other)


# -- other files -----------------------------------------------------------------------------------------------------


def _saved(state: dict[str, Any], folder: Path) -> Path:
    path = folder / "policy.pkl"
    path.write_bytes(pickle.dumps({"model": state}))
    return path


def _without(beginning: str) -> Callable[[dict[str, Any]], object]:
    return lambda state: [state.pop(name) for name in list(state) if name.startswith(beginning)]


@pytest.mark.parametrize(
    ("change", "words"),
    {
        "no mean": (_without("actor.mu"), "neither a last layer nor a mean"),
        "no trunk layer": (_without("actor.preprocess.model.model.0"), "do not fit together|numbered"),
        "another trunk": (lambda s: s.update({"actor.preprocess.cnn.weight": np.ones(3)}), "its trunk has 'preprocess"),
        "a convolution": (
            lambda s: s.update({"actor.preprocess.model.model.0.weight": np.ones((3, 3, 3, 3))}),
            "neither linear nor layer norms",
        ),
        "text": (lambda s: s.update({"actor.mu.model.0.weight": "x"}), "where weights and biases"),
        "a mean of other inputs": (
            lambda s: s.update({"actor.mu.model.0.weight": np.ones((2, 9), np.float32)}),
            "do not fit together",
        ),
        "integers": (lambda s: s.update({"actor.mu.model.0.bias": np.ones(2, int)}), "do not fit together"),
        "distances": (
            lambda s: s.update({"actor.preprocess.model.model.7.weight": np.ones((5, 5), np.float32)}),
            r"are numbered \[0, 2, 7\]",
        ),
        "no outputs": (
            lambda s: s.update({"actor.mu.model.0.weight": np.ones((0, 5), np.float32)}),
            "do not follow each other",
        ),
    }.values(),
)
def test_a_state_dict_of_other_layers_is_refused_by_name(change: Any, words: str, tmp_path: Path) -> None:
    state = _states()
    change(state)
    with pytest.raises(ValueError, match=words) as caught:
        interop.load_policy(_saved(state, tmp_path), action_space=BOUNDS)
    assert "cannot be read: " in str(caught.value) and "\n" not in str(caught.value)


def test_values_that_are_distributions_are_refused_by_name(tmp_path: Path) -> None:
    state = interop.torch_file.load(FIXTURES / "1.0.0" / "dqn.pth")
    with pytest.raises(ValueError, match="its values are distributions, as 'support' shows"):
        interop.load_policy(_saved({**state, "support": np.zeros(3)}, tmp_path))


def test_a_whole_policy_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = write_pickle(tmp_path / "x.pt", b"\x80\x02" + called("tianshou.policy.PPOPolicy") + b".")
    with pytest.raises(ValueError, match=r"an object of 'tianshou.policy.PPOPolicy', .*: save its state_dict\(\)"):
        interop.load_policy(path)


def test_a_state_dict_in_a_pickle_is_read_as_in_a_file_of_torch(tmp_path: Path) -> None:
    obs, expected = _actions(FIXTURES / "1.0.0" / "sac.pth")
    policy = interop.load_policy(_saved(_states(), tmp_path), action_space=BOUNDS)
    np.testing.assert_allclose(policy.act(obs), expected, rtol=1e-6, atol=2e-6)


@pytest.mark.slow
def test_any_name_or_shape_in_a_state_dict_is_read_or_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    shapes: list[tuple[int, ...]] = [(), (2,), (2, 3), (3, 2), (0, 3), (1, 1, 1)]
    names = sorted(_states())
    for _ in range(300):
        state = _states()
        for name in rng.choice(names, 2):
            state[name.replace("0", str(rng.integers(4)))] = np.ones(shapes[rng.integers(len(shapes))], np.float32)
            state.pop(rng.choice(names), None)
        try:
            policy = interop.load_policy(_saved(state, tmp_path), action_space=BOUNDS)
        except ValueError as error:
            assert "cannot be read: " in str(error) and len(str(error)) < 2500
        else:
            assert np.isfinite(policy.act(np.zeros(policy.network.preprocess_net.state_shape))).all()


def test_layers_are_described_by_their_inputs_outputs_and_norms() -> None:
    part = {"m.0.weight": np.ones((4, 3)), "m.1.weight": np.ones(4), "m.3.weight": np.ones((2, 4))}
    assert layers_of(part, "m") == (3, (4, 2), (True, False), True)
    assert layers_of(part, "n") is None
    with pytest.raises(Fault, match="neither linear nor layer norms"):
        layers_of({**part, "m.2.weight": np.ones(4)}, "m")


def test_a_file_that_names_an_actor_but_has_no_arrays_is_of_no_known_library(tmp_path: Path) -> None:
    pickled = program(**{"actor.last.model.0.weight": b"K\x01"})
    with pytest.raises(ValueError, match="no policy of a known library"):
        interop.load_policy(write_pickle(tmp_path / "x.pt", pickled))
