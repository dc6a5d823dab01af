"""BCQ against Tianshou, of whose `BCQPolicy` `golden/bcq.npz` has three learning steps; its policy, and its data."""

import runpy
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, bits, device, on_backend
from gymnasium import spaces

from examples.offline.bcq import BCQ, RECORDED, TUNED, BestOfSamples, Settings, State, recorded, train
from npnets import Policy, training, tree
from npnets.data import Transitions

ROOT = Path(__file__).resolve().parents[2]

GOLDEN = np.load(ROOT / "tests" / "support" / "golden" / "bcq.npz")
SIZES: dict[str, Any] = {"hidden_sizes": (8, 7), "vae_hidden_sizes": (9, 6), "latent_dim": 2, "batch_size": 5}
NOISE_SEED = 7
OBSERVATIONS, ACTIONS = spaces.Box(-np.inf, np.inf, (3,)), spaces.Box(-2.0, 2.0, (2,))


def settings(**changes: Any) -> Settings:
    return Settings(**{**TUNED["Pendulum-v1"], **SIZES, "steps": 3, "device": device(), **changes})


@pytest.fixture
def agent() -> BCQ:
    return BCQ(settings(), OBSERVATIONS, ACTIONS)


def golden(network: str, like: Any, prefix: str) -> Any:
    """Return the golden file's parameters of a network in the structure of another tree; of the critics, both."""
    names = ("critic_1", "critic_2") if network == "critics" else (network,)
    parts = [[GOLDEN[f"{prefix}.{name}.{path}"] for path in tree.paths(like)] for name in names]
    stacked = [np.stack(of_both).reshape(-1) for of_both in zip(*parts, strict=True)]
    return tree.ravel(like)[1](on_backend(np.concatenate(stacked)))


def golden_params(agent: BCQ, prefix: str) -> dict[str, Any]:
    state = agent.init(np.random.default_rng(0))._asdict()
    return {name: golden(name, state[name], prefix) for name in ("vae", "perturbation", "critics")}


def golden_batch(step: int) -> Transitions:
    *columns, terminated = (GOLDEN[f"batch.{step}.{index}"] for index in range(5))
    return Transitions(*columns, terminated > 0)


def learn(agent: BCQ) -> tuple[State, list[dict[str, Any]]]:
    params = golden_params(agent, "initial")
    state = agent.init(np.random.default_rng(0))._replace(**params, target_critics=params["critics"])
    noise, all_losses = np.random.default_rng(NOISE_SEED), []
    for step in range(agent.settings.steps):
        state, found = agent.learn(state, golden_batch(step), noise)
        all_losses.append(found)
    return state, all_losses


def test_the_losses_of_three_learning_steps_equal_those_of_tianshou(agent: BCQ) -> None:
    for step, found in enumerate(learn(agent)[1]):
        critics_mean = found["critics"] / 2  # Tianshou's losses are kept as the mean over both critics
        assert_allclose([found["vae"], critics_mean, found["actor"]], GOLDEN[f"losses.{step}"], rtol=2e-5)


def test_the_parameters_after_three_learning_steps_equal_those_of_tianshou(agent: BCQ) -> None:
    state, _ = learn(agent)
    for name, expected in golden_params(agent, "final").items():
        found = state._asdict()[name]
        for path, ours, theirs in zip(tree.paths(expected), tree.leaves(found), tree.leaves(expected), strict=True):
            assert_allclose(ours, theirs, rtol=1e-4, atol=2e-6, err_msg=f"{name}.{path}")
            assert ours.dtype == np.float32


@pytest.mark.parametrize(("rate", "part"), [("vae_lr", "vae"), ("actor_lr", "perturbation"), ("critic_lr", "critics")])
def test_a_learning_rate_of_zero_stops_the_part_that_it_is_of_and_no_other(rate: str, part: str) -> None:
    agent = BCQ(settings(**{rate: 0.0}), OBSERVATIONS, ACTIONS)
    state = agent.init(np.random.default_rng(1))
    learned, _ = agent.learn(state, golden_batch(0), np.random.default_rng(2))
    networks = ("vae", "perturbation", "critics")
    stayed = [name for name in networks if bits(getattr(state, name)) == bits(getattr(learned, name))]
    assert stayed == [part]


def test_learning_changes_neither_the_given_state_nor_the_given_batch(agent: BCQ) -> None:
    state = agent.init(np.random.default_rng(1))
    before = bits(list(state))
    batch = Transitions(*on_backend(list(golden_batch(0))))
    copies = bits(list(batch))
    agent.learn(state, batch, np.random.default_rng(2))
    assert bits(list(state)) == before
    assert bits(list(batch)) == copies


def test_the_policy_takes_the_sampled_action_with_the_highest_value_of_the_first_critic(agent: BCQ) -> None:
    state = agent.init(np.random.default_rng(3))
    observations = np.random.default_rng(4).normal(size=(6, 3)).astype(np.float32)
    chosen = as_numpy(agent.policy(state).act(observations))
    samples = agent.settings.forward_sampled_times
    latent = np.clip(np.random.default_rng(0).standard_normal((samples, 2)), -0.5, 0.5)
    for row in range(6):
        repeated = np.repeat(observations[row : row + 1], samples, axis=0)
        sampled = agent.vae.decode(state.vae, repeated, latent)
        actions = agent.perturbation.forward(state.perturbation, repeated, sampled)
        values = agent.critics.forward(state.critics, repeated, actions)[0, :, 0]
        actions, values = as_numpy((actions, values))
        np.testing.assert_allclose(chosen[row], actions[values.argmax()], rtol=1e-5)
        assert len(np.unique(actions, axis=0)) > samples // 2


def test_the_policy_is_a_function_of_the_observation(agent: BCQ) -> None:
    policy = agent.policy(agent.init(np.random.default_rng(3)))
    observations = np.random.default_rng(4).normal(size=(6, 3)).astype(np.float32)
    batch, again = (as_numpy(policy.act(observations)) for _ in range(2))
    np.testing.assert_array_equal(batch, again)
    for row, observation in enumerate(observations):
        assert_allclose(policy.act(observation), batch[row], rtol=1e-5)


def test_the_policy_comes_back_from_its_file_with_its_class(agent: BCQ, tmp_path: Path) -> None:
    policy = agent.policy(agent.init(np.random.default_rng(3)))
    policy.save(tmp_path / "policy.npz")
    found = Policy.load(tmp_path / "policy.npz", classes=[BestOfSamples])
    observation = np.ones(3, np.float32)
    np.testing.assert_allclose(as_numpy(policy.act(observation)), found.act(observation), rtol=1e-5)


@pytest.mark.parametrize(
    "change",
    [{"lmbda": 0.0}, {"gamma": 0.5}, {"num_sampled_action": 3}, {"phi": 0.5}, {"tau": 0.5}, {"vae_lr": 0.1}],
)
def test_every_setting_changes_what_is_learned(agent: BCQ, change: dict[str, Any]) -> None:
    learned = []
    for one in (agent, BCQ(settings(**change), OBSERVATIONS, ACTIONS)):
        state, _ = one.learn(one.init(np.random.default_rng(0)), golden_batch(0), np.random.default_rng(1))
        learned.append(bits(list(state)))
    assert learned[0] != learned[1]


@pytest.mark.numpy_alone("looks at a size")
def test_without_a_size_the_latent_vector_has_twice_the_entries_of_an_action() -> None:
    assert BCQ(settings(latent_dim=0), OBSERVATIONS, ACTIONS).vae.latent_dim == 4


def test_observations_and_actions_of_several_axes_are_those_of_one(tmp_path: Path) -> None:
    obs_space, act_space = spaces.Box(-1, 1, (2, 3)), spaces.Box(-1, 2, (2, 2))
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "data.npz",
        observations=rng.normal(size=(8, 2, 3)),
        actions=rng.uniform(-1, 2, (8, 2, 2)),
        rewards=rng.normal(size=8),
        next_observations=rng.normal(size=(8, 2, 3)),
        terminals=np.zeros(8, bool),
    )
    batch = recorded(str(tmp_path / "data.npz"), obs_space, act_space).take(np.arange(8))
    assert (batch.obs.shape, batch.action.shape) == ((8, 6), (8, 4))
    learner = BCQ(settings(), obs_space, act_space)
    state, _ = learner.learn(learner.init(rng), batch, rng)
    chosen = as_numpy(learner.policy(state).act(rng.normal(size=(5, 2, 3)).astype(np.float32)))
    assert chosen.shape == (5, 2, 2)
    assert (chosen >= -1).all() and (chosen <= 2).all()


@pytest.mark.numpy_alone("reads a file")
def test_actions_that_their_dtype_has_rounded_out_of_the_bounds_are_taken_and_others_are_not(tmp_path: Path) -> None:
    bounds = spaces.Box(-1, 1, (3,)), spaces.Box(-0.1, 0.3, (1,))
    rounded = np.array([[0.3]], np.float16)
    assert rounded.item() > 0.3
    rest = {"observations": np.zeros((1, 3)), "rewards": np.zeros(1), "terminals": [False], "timeouts": [True]}
    rest["next_observations"] = np.zeros((1, 3))
    np.savez(tmp_path / "rounded.npz", actions=rounded, **rest)
    assert len(recorded(str(tmp_path / "rounded.npz"), *bounds)) == 1
    np.savez(tmp_path / "other.npz", actions=rounded.astype(np.float32), **rest)
    with pytest.raises(ValueError, match="actions from 0.300049 to 0.300049, but those of the environment are from"):
        recorded(str(tmp_path / "other.npz"), *bounds)


@pytest.mark.numpy_alone("compares recordings")
def test_with_normalized_observations_an_affine_change_of_the_recording_changes_no_action(tmp_path: Path) -> None:
    rng, obs = np.random.default_rng(0), np.random.default_rng(1).normal(size=(64, 3))
    fixed = {"actions": rng.uniform(-1, 1, (64, 2)), "rewards": rng.normal(size=64), "terminals": np.zeros(64, bool)}
    chosen = []
    for scale, shift in ((1.0, 0.0), (8.0, 2.0**30)):
        file = tmp_path / f"{scale}.npz"
        np.savez(file, observations=scale * obs + shift, next_observations=scale * obs[::-1] + shift, **fixed)
        spaces_ = spaces.Box(-1, 1, (3,)), spaces.Box(-1, 1, (2,))
        buffer, learner = (
            recorded(str(file), *spaces_, np.float64),
            BCQ(settings(normalize_observations=True), *spaces_),
        )
        state = learner.init(np.random.default_rng(2))._replace(statistics=learner.statistics(buffer))
        state, _ = learner.learn(state, buffer.take(np.arange(64)), np.random.default_rng(3))
        chosen.append(as_numpy(learner.policy(state).act(scale * obs + shift)))
    assert_allclose(chosen[0], chosen[1], atol=1e-3)


# -- the program ------------------------------------------------------------------------------------------------------


def program(tmp_path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """Run the program with short settings, which must fail; return its only line of errors."""
    short = "--steps", "2", "--episodes", "1", "--hidden-sizes", "8", "--vae-hidden-sizes", "8"
    out = tmp_path / "out"
    assert training.main(train, Settings, "BCQ: a test.", TUNED, [*short, "--out", str(out), *options]) == 2
    assert not out.exists()
    (line,) = capsys.readouterr().err.splitlines()
    return line


def shipped(**changes: Any) -> dict[str, Any]:
    """Return the shipped recording with some arrays replaced, or left out if they are None."""
    with np.load(RECORDED) as found:
        arrays: dict[str, Any] = {**found, **changes}
    return {name: array for name, array in arrays.items() if array is not None}


no_network = pytest.mark.numpy_alone("is refused before a network learns")


@no_network
@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        (
            {"rewards": None},
            (),
            "data.npz: expected the keys observations, actions, rewards, terminals, but rewards is",
        ),
        ({"rewards": np.full(20_000, np.nan)}, (), "data.npz: expected finite numbers in rewards, but 20000 of 20000"),
        (
            {"actions": np.zeros((20_000, 2))},
            (),
            "data.npz has actions of shape (2,), but the environment's have shape (1,)",
        ),
        (
            {"actions": np.full((20_000, 1), 2.1)},
            (),
            "actions from 2.1 to 2.1, but those of the environment are from -2 to 2",
        ),
        (
            {},
            ("--env", "MountainCarContinuous-v0"),
            "of shape (3,), but the environment's have shape (2,); is it a recor",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_an_error_in_one_line_and_leaves_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], options: tuple[str, ...], message: str
) -> None:
    np.savez(tmp_path / "data.npz", **shipped(**changes))
    assert message in program(tmp_path, capsys, "--data", str(tmp_path / "data.npz"), *options)


@no_network
def test_the_file_copied_out_alone_needs_data_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = str(shutil.copy(ROOT / "examples" / "offline" / "bcq.py", tmp_path))
    monkeypatch.setattr(sys, "argv", [copied, "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(copied, run_name="__main__")
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("bcq.py: error: expected a file for --data, but there is none at ")


@no_network
def test_another_environment_than_that_of_the_shipped_recording_needs_data_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = program(tmp_path, capsys, "--env", "MountainCarContinuous-v0")
    assert line.endswith("error: MountainCarContinuous-v0 needs recorded transitions to learn from: --data FILE")


@no_network
def test_a_run_does_not_continue_with_a_recording_that_has_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "data.npz", str(tmp_path / "out")
    np.savez(path, **shipped())
    short = "--steps", "1", "--episodes", "1", "--hidden-sizes", "8", "--vae-hidden-sizes", "8", "--data", str(path)
    assert training.main(train, Settings, "BCQ: a test.", TUNED, [*short, "--out", out]) == 0
    assert training.main(train, Settings, "BCQ: a test.", TUNED, ["--resume", out]) == 0
    np.savez(path, **shipped(rewards=np.zeros(20_000)))
    assert training.main(train, Settings, "BCQ: a test.", TUNED, ["--resume", out]) == 2
    assert "was begun with another --data than what is now" in capsys.readouterr().err
