"""The example of evolution strategies: its estimate, its shards, its faults, and runs that continue."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from backends import bits
from example_runs import run_here
from interruption import interrupted_once
from shuffled_executor import ShuffledExecutor

import npnets
from examples.parallel import episodes, evolution_strategies
from examples.parallel.evolution_strategies import EvolutionStrategies, Settings
from examples.parallel.progress import Progress
from npnets import checkpoint, parallel, tree

pytestmark = pytest.mark.numpy_alone("Gymnasium's environments take and return NumPy's arrays")

PROGRAM = Path(evolution_strategies.__file__)
SMALL = Settings(env="Line-v0", pairs=6, shard=2, episodes=2, hidden_sizes=(4,))
SMALL_OPTIONS = ("--pairs", "4", "--shard", "2", "--episodes", "1", "--workers", "2")


class Line(gymnasium.Env[Any, Any]):
    """A point that an action moves; the first observation has the episode's length, and a large action makes it NaN."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
    largest = np.inf

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.left, self.place = int(self.np_random.integers(2, 6)), float(self.np_random.normal())
        return np.array([self.left, self.place]), {}

    def step(self, action: Any) -> Any:
        self.left, self.place = self.left - 1, self.place + float(action[0])
        if abs(action[0]) > self.largest:
            self.place = np.nan
        return np.array([self.left, self.place]), -(self.place**2), self.left == 0, False, {}


@pytest.fixture(autouse=True)
def line() -> Iterator[None]:
    """Let Gymnasium make the environment."""
    gymnasium.register("Line-v0", Line, disable_env_checker=True)
    yield
    del gymnasium.registry["Line-v0"]


def search(settings: Settings = SMALL, executor: Any = None, seed: int = 0) -> EvolutionStrategies:
    return EvolutionStrategies(settings, seed, executor or parallel.SerialExecutor())


def after(generations: int, searching: EvolutionStrategies) -> Any:
    """Return the state after some generations."""
    state = searching.init()
    for _ in range(generations):
        state = searching.next(state)
    return state


# -- the estimate -----------------------------------------------------------------------------------------------------


def test_ranks_are_centred_and_equal_returns_share_the_mean_of_theirs() -> None:
    returns = np.array([[10.0, -300.0], [7.0, 1e9]])
    np.testing.assert_allclose(evolution_strategies.centred_ranks(returns), [[1 / 6, -0.5], [-1 / 6, 0.5]])
    equal = np.array([[2.0, 5.0, 2.0], [2.0, 9.0, -1.0]])
    np.testing.assert_allclose(evolution_strategies.centred_ranks(equal), [[-0.1, 0.3, -0.1], [-0.1, 0.5, -0.5]])


def test_the_members_of_a_pair_mirror_each_other() -> None:
    rng = np.random.default_rng(0)
    theta, noise = rng.normal(size=5).astype(np.float32), evolution_strategies.draw_noise(rng, 3, 5)
    members = evolution_strategies.antithetic(theta, noise)
    assert members.shape == (6, 5) and members.dtype == noise.dtype == np.float32
    np.testing.assert_array_equal(members[:3], theta + noise)
    np.testing.assert_allclose((members[:3] + members[3:]) / 2, np.tile(theta, (3, 1)), atol=1e-7)
    assert len(np.unique(noise)) == noise.size


def test_a_step_on_a_quadratic_equals_a_computation_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every loop is written out: ranks, pairs, the mean over the population, weight decay and Adam's first step."""
    settings = replace(SMALL, sigma=0.3, learning_rate=0.25, weight_decay=0.5)
    searching, seed, goal = search(settings, seed=4), (4, 0), 0.7
    state = searching.init()
    theta, unravel = tree.ravel(state.params)
    noise = [parallel.generator(seed, i).standard_normal((2, theta.size), np.float32) for i in range(3)]
    returns = np.array(
        [[[-np.sum((theta + sign * 0.3 * row - goal) ** 2) for row in rows] for sign in (1, -1)] for rows in noise]
    )
    monkeypatch.setattr(searching, "play_population", lambda state: (returns, state.moments))
    found = searching.next(state)

    order = sorted(returns.ravel())
    gradient = np.zeros(theta.size)
    for shard in range(3):
        for pair in range(2):
            for sign, earned in zip((1, -1), returns[shard, :, pair], strict=True):
                rank = order.index(earned) / 11 - 0.5
                gradient += rank * sign * noise[shard][pair] / (12 * 0.3)
    downhill = -gradient + 0.5 * theta
    expected = theta - 0.25 * downhill / (np.abs(downhill) + 1e-8)
    np.testing.assert_allclose(tree.ravel(found.params)[0], expected, atol=1e-5)
    np.testing.assert_allclose(tree.ravel(found.optimizer.mu)[0], 0.1 * downhill, atol=1e-6)
    assert gradient @ (goal - theta) > 0 and found.generation == 1


def test_the_search_climbs_on_returns_that_depend_on_the_parameters_alone() -> None:
    searching = search(replace(SMALL, pairs=24, shard=12))
    state = after(40, searching)
    assert searching.evaluate(state).mean() > searching.evaluate(searching.init()).mean() + 1


# -- a shard ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden_sizes", [(), (5,), (8, 6)])
def test_an_ensemble_of_policies_acts_as_each_of_them_does(hidden_sizes: tuple[int, ...]) -> None:
    trunk = npnets.Net(3, hidden_sizes=hidden_sizes, activation="tanh")
    actor = npnets.Actor(trunk, 2, max_action=(2.0, 0.5))
    members = [actor.init(np.random.default_rng(seed)) for seed in range(4)]
    observations = np.random.default_rng(9).normal(size=(4, 7, 3)).astype(np.float32)
    actions = evolution_strategies.ensemble_policy(actor, members)(observations)
    for member, seen, acted in zip(members, observations, actions, strict=True):
        np.testing.assert_allclose(acted, actor.forward(member, seen)[0], rtol=1e-5, atol=1e-6)


def test_every_layer_of_a_shard_is_one_product_of_the_ensemble(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    layer = npnets.EnsembleLinear
    monkeypatch.setattr(npnets, "EnsembleLinear", lambda *sizes: made.append(sizes) or layer(*sizes))
    actor = npnets.Actor(npnets.Net(3, hidden_sizes=(8, 6), activation="tanh"), 2)
    evolution_strategies.ensemble_policy(actor, [actor.init(np.random.default_rng(seed)) for seed in range(4)])
    assert set(made) == {(4, 3, 8), (4, 8, 6), (4, 6, 2)}


def test_the_driver_draws_the_noise_of_every_task_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    draw = evolution_strategies.draw_noise

    def recorded(*arguments: Any) -> Any:
        drawn.append(draw(*arguments))
        return drawn[-1]

    monkeypatch.setattr(evolution_strategies, "draw_noise", recorded)
    after(2, search())
    first, second = drawn[:6], drawn[6:]
    for generation in (first, second):
        assert bits(generation[:3]) == bits(generation[3:])  # three tasks, then the driver
    assert len({noise.tobytes() for noise in drawn}) == 6


def test_a_return_is_the_mean_over_a_members_own_episodes() -> None:
    searching = search()
    state = searching.init()
    theta, unravel = tree.ravel(state.params)
    shared = {**searching.saved(state), "seeds": [3, 11]}
    returns, (mean, var, count) = evolution_strategies.play_shard(
        searching.actor, SMALL, 1, rng=parallel.generator(5, 1), shared=shared
    )
    noise, seen = SMALL.sigma * evolution_strategies.draw_noise(parallel.generator(5, 1), 2, theta.size), []
    for row, sign in enumerate((1, -1)):
        for pair in range(2):
            policy = {"actor": unravel(theta + sign * noise[pair]), "moments": state.moments}
            earned = []
            for seed in (3, 11):
                env = gymnasium.make("Line-v0")
                (observation, _), ended = env.reset(seed=seed), False
                earned.append(0.0)
                while not ended:
                    seen.append(observation)
                    action = evolution_strategies.act(searching.actor, policy, observation[None])[0]
                    observation, reward, ended, _, _ = env.step(action)
                    earned[-1] += float(reward)
            assert returns[row, pair] == pytest.approx(np.mean(earned), rel=1e-5)
    assert count == len(seen)
    np.testing.assert_allclose([mean, var], [np.mean(seen, 0), np.var(seen, 0)], rtol=1e-5)


def test_observations_are_normalized_by_all_that_were_seen_before() -> None:
    rng = np.random.default_rng(0)
    parts = [rng.normal([3, -100], [0.5, 40], size=(n, 2)) for n in (1, 30, 7)]
    moments = episodes.NO_MOMENTS
    np.testing.assert_allclose(episodes.normalized(parts[0], moments), np.clip(parts[0], -5, 5), rtol=1e-6)
    for part in parts:
        moments = episodes.merged(moments, (part.mean(0), part.var(0), len(part)))
    rows = np.concatenate(parts)
    np.testing.assert_allclose(moments[0], rows.mean(0), rtol=1e-12)
    np.testing.assert_allclose(moments[1], rows.var(0), rtol=1e-12)
    expected = (rows - rows.mean(0)) / rows.std(0)
    np.testing.assert_allclose(episodes.normalized(rows, moments), expected, rtol=1e-5, atol=1e-6)
    assert episodes.normalized(rows, moments).dtype == np.float32
    np.testing.assert_array_equal(episodes.normalized(np.array([[1e6, -1e9]]), moments), [[5, -5]])


# -- workers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_shards_may_end_in_any_order(seed: int) -> None:
    shuffled = ShuffledExecutor(window=3, tasks=6, rng=np.random.default_rng(seed))
    assert bits(after(2, search(executor=shuffled))) == bits(after(2, search()))


@pytest.mark.slow
def test_the_number_of_workers_does_not_change_a_bit() -> None:
    settings = Settings(pairs=6, shard=2, episodes=1, hidden_sizes=(4,))
    states = [after(2, search(settings))]
    for workers in (1, 2):
        with parallel.ProcessExecutor(workers) as executor:
            states.append(after(2, search(settings, executor)))
    assert bits(states[0]) == bits(states[1]) == bits(states[2])
    assert bits(states[0]) != bits(after(2, search(settings, seed=1)))


# -- faults -----------------------------------------------------------------------------------------------------------


def test_an_episode_that_comes_to_a_nan_ends_with_the_return_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Line, "largest", 0.5)
    actions = np.array([[0.1], [0.9], [0.1]], np.float32)
    returns, moments = episodes.play("Line-v0", lambda observations: actions, [0, 1, 2])
    assert np.isnan(returns).tolist() == [False, True, False]
    assert np.isfinite(moments[0]).all() and np.isfinite(moments[1]).all()
    lengths = [int(gymnasium.make("Line-v0").reset(seed=seed)[0][0]) for seed in range(3)]
    assert moments[2] == lengths[0] + 1 + lengths[2]


def without(pairs: list[tuple[int, int]], searching: EvolutionStrategies) -> Any:
    """Return the parameters after one generation from whose estimate some pairs, by shard and place, are missing."""
    state = searching.init()
    returns, moments = searching.play_population(state)
    theta, unravel = tree.ravel(state.params)
    order = sorted(returns[s, k, p] for s in range(3) for k in range(2) for p in range(2) if (s, p) not in pairs)
    gradient = np.zeros(theta.size)
    for shard in range(3):
        noise = evolution_strategies.draw_noise(parallel.generator((0, 0), shard), 2, theta.size)
        for pair in range(2):
            if (shard, pair) not in pairs:
                up, down = (order.index(earned) / (len(order) - 1) - 0.5 for earned in returns[shard, :, pair])
                gradient += (up - down) * noise[pair] / (len(order) * searching.settings.sigma)
    return searching.optimizer.update(state.params, unravel(-gradient.astype(np.float32)), state.optimizer)[0]


def test_a_pair_with_a_return_of_nan_is_left_out_and_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expected, play_shard = without([(1, 0)], search()), evolution_strategies.play_shard

    def diverging(actor: Any, settings: Any, shard: int, **given: Any) -> Any:
        returns, moments = play_shard(actor, settings, shard, **given)
        if shard == 1:
            returns[1, 0] = np.nan
        return returns, moments

    monkeypatch.setattr(evolution_strategies, "play_shard", diverging)
    with caplog.at_level(logging.WARNING, "npnets"):
        found = after(1, search())
    np.testing.assert_allclose(tree.ravel(found.params)[0], tree.ravel(expected)[0], atol=1e-5)
    assert [record.getMessage() for record in caplog.records] == ["generation 0: 1 of 6 pairs are left out"]


def test_the_pairs_of_a_failed_task_are_left_out_and_the_task_is_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expected, play_shard = without([(2, 0), (2, 1)], search()), evolution_strategies.play_shard

    def failing(actor: Any, settings: Any, shard: int, **given: Any) -> Any:
        if shard == 2:
            raise ArithmeticError("the simulator diverged")
        return play_shard(actor, settings, shard, **given)

    monkeypatch.setattr(evolution_strategies, "play_shard", failing)
    with caplog.at_level(logging.WARNING, "npnets"):
        found = after(1, search())
    np.testing.assert_allclose(tree.ravel(found.params)[0], tree.ravel(expected)[0], atol=1e-5)
    first, second = (record.getMessage() for record in caplog.records)
    assert "member 2 of 3" in first and "the simulator diverged" in first
    assert second == "generation 0: 2 of 6 pairs are left out"
    assert np.isfinite(found.moments[0]).all()


def test_a_generation_without_any_returns_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Line, "largest", 0.0)
    with pytest.raises(RuntimeError, match="generation 0: no pair has returns"):
        after(1, search())


# -- environments -----------------------------------------------------------------------------------------------------


class Lopsided(Line):
    action_space = gymnasium.spaces.Box(-1.0, 2.0, (1,), np.float32)


class Unbounded(Line):
    action_space = gymnasium.spaces.Box(-np.inf, np.inf, (1,), np.float32)


class Images(Line):
    observation_space = gymnasium.spaces.Box(0, 255, (8, 8), np.uint8)


@pytest.mark.parametrize(
    ("env", "words"),
    [
        (Lopsided, "expected actions within [-bound, bound], but Other-v0 has Box(-1.0, 2.0, (1,), float32)"),
        (Unbounded, "expected actions within [-bound, bound], but Other-v0 has Box(-inf, inf, (1,), float32)"),
        (Images, "expected vectors as observations and actions, but Other-v0 has Box(0, 255, (8, 8), uint8)"),
        ("CartPole-v1", "expected vectors as observations and actions, but CartPole-v1 has"),
        ("Nowhere-v7", "expected an environment that Gymnasium can make, but got Nowhere-v7"),
    ],
)
def test_an_environment_in_which_no_policy_can_act_is_refused_in_one_line(env: Any, words: str, tmp_path: Path) -> None:
    name = env if isinstance(env, str) else "Other-v0"
    if name == "Other-v0":
        gymnasium.register(name, env)
    try:
        finished = run_here("parallel.evolution_strategies", "--env", name, "--workers", 1, "--out", tmp_path)
    finally:
        gymnasium.registry.pop("Other-v0", None)
    assert finished.returncode == 2
    assert words in finished.stderr.strip().splitlines()[-1]


def test_the_bound_of_an_action_is_that_of_the_environment() -> None:
    assert episodes.make_actor("Pendulum-v1", (4,)).max_action == (2.0,)


@pytest.mark.slow
def test_mujoco_prints_no_line_for_each_environment(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mujoco")
    monkeypatch.chdir(tmp_path)  # where MuJoCo writes a log
    returns, moments = episodes.play("HalfCheetah-v5", lambda seen: np.zeros((len(seen), 6), np.float32), [0, 1])
    assert np.isfinite(returns).all() and moments[2] == 2000
    assert capfd.readouterr() == ("", "") and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--pairs", "9", "--shard", "2"), "--pairs must be a multiple of --shard, but 9 is none of 2"),
        (("--sigma", "0"), "--sigma and --learning-rate must be positive, but are 0.0 and 0.1"),
        (("--learning-rate", "nan"), "--sigma and --learning-rate must be positive, but are 0.2 and nan"),
        (("--shard", "0"), "--shard: must be at least 1, but is 0"),
    ],
)
def test_a_wrong_option_is_refused_in_one_line(options: Any, words: str, tmp_path: Path) -> None:
    finished = run_here("parallel.evolution_strategies", *options, "--out", tmp_path / "out")
    assert finished.returncode == 2
    assert finished.stderr.strip().splitlines()[-1].endswith(words)


# -- runs that continue -----------------------------------------------------------------------------------------------


def progress(path: Path, settings: Settings = SMALL, seed: int = 0) -> Progress:
    return Progress(search(settings, seed=seed), path, {"seed": seed, "sigma": settings.sigma})


def curve(run: Progress) -> Any:
    return run.curve.steps, bits(run.curve.returns)


def test_a_run_that_continues_ends_with_the_same_bits(tmp_path: Path) -> None:
    whole, first, second = (progress(tmp_path / f"{name}.npz") for name in ("whole", "parts", "parts"))
    assert whole.continue_to(4)
    first.continue_to(2)
    second.resume()
    assert second.state.generation == 2
    second.continue_to(4)
    assert bits(second.state) == bits(whole.state) and curve(second) == curve(whole)
    assert second.state.optimizer.step == 4
    assert bits(checkpoint_of(tmp_path / "parts.npz")) == bits(checkpoint_of(tmp_path / "whole.npz"))


def checkpoint_of(path: Path) -> Any:
    """Return the parameters, Adam's moments and the curve in a file."""
    return checkpoint.load(path, classes=(evolution_strategies.State, npnets.optim.AdamState)).params


def test_a_run_without_a_file_starts_from_the_beginning(tmp_path: Path) -> None:
    run = progress(tmp_path / "none.npz")
    run.resume()
    assert run.state.generation == 0


def test_a_run_of_other_options_is_not_continued(tmp_path: Path) -> None:
    progress(tmp_path / "run.npz").continue_to(1)
    for other, words in (
        (progress(tmp_path / "run.npz", seed=1), "whose seed is 0, but here it is 1"),
        (progress(tmp_path / "run.npz", replace(SMALL, sigma=0.3)), "whose sigma is 0.2, but here it is 0.3"),
    ):
        with pytest.raises(ValueError, match=words):
            other.resume()


@pytest.mark.parametrize("when", ["in a task", "in an evaluation"])
def test_an_interrupt_leaves_the_last_complete_generation(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "play_population" if when == "in a task" else "evaluate"
    method, calls = getattr(EvolutionStrategies, name), 0

    def interrupted(self: Any, state: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return method(self, state)

    monkeypatch.setattr(EvolutionStrategies, name, interrupted)
    run, again, whole = (progress(tmp_path / f"{name}.npz") for name in ("run", "run", "whole"))
    assert not run.continue_to(4)
    again.resume()
    assert again.continue_to(4) and whole.continue_to(4)
    assert bits(again.state) == bits(whole.state) and curve(again) == curve(whole)


@pytest.mark.slow
def test_a_short_run_saves_the_policy_that_earned_what_it_says(tmp_path: Path) -> None:
    options = ("--generations", 2, "--learning-rate", 0.2, *SMALL_OPTIONS, "--out", tmp_path)
    finished = run_here("parallel.evolution_strategies", *options)
    assert finished.returncode == 0, finished.stderr
    found = json.loads((tmp_path / "results.json").read_text())["results"]
    assert found["steps"] == 2 and found["environment_steps"] == 2 * 8 * 200
    assert found["settings"]["learning_rate"] == 0.2 and found["settings"]["pairs"] == 4
    assert (tmp_path / "learning.png").read_bytes().startswith(b"\x89PNG")
    saved = checkpoint.load(tmp_path / "policy.npz")
    actor = saved.metadata["network"]
    policy = lambda observations: evolution_strategies.act(actor, saved.params, observations)  # noqa: E731
    returns, _ = episodes.play("Pendulum-v1", policy, range(1000, 1030))
    np.testing.assert_allclose(returns, found["returns"]["ES"]["episodes"], rtol=1e-3)
    assert abs(np.mean(found["curves"]["ES"]["returns"][0]) - returns.mean()) > 1


@pytest.mark.slow
def test_a_run_killed_with_sigkill_continues_bit_for_bit(tmp_path: Path) -> None:
    command = [sys.executable, str(PROGRAM), "--generations", "6", *SMALL_OPTIONS]
    killed = [*command, "--out", str(tmp_path / "killed")]
    with subprocess.Popen(killed, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        while not (tmp_path / "killed" / "checkpoint.npz").exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    generation = checkpoint_of(tmp_path / "killed" / "checkpoint.npz")["state"].generation
    assert 1 <= generation < 6 and not (tmp_path / "killed" / "results.json").exists()
    resumed = subprocess.run([*killed, "--resume"], check=True, capture_output=True)
    assert f"| {generation}/6".encode() in resumed.stderr and b"| 0/6" not in resumed.stderr
    subprocess.run([*command, "--out", str(tmp_path / "whole")], check=True, capture_output=True)
    ends = [checkpoint_of(tmp_path / name / "checkpoint.npz") for name in ("killed", "whole")]
    assert bits(ends[0]) == bits(ends[1]) and ends[0]["state"].generation == 6
    policies = [(tmp_path / name / "policy.npz").read_bytes() for name in ("killed", "whole")]
    assert policies[0] == policies[1]


@pytest.mark.slow
def test_ctrl_c_saves_the_current_policy(tmp_path: Path) -> None:
    options = ("--generations", "1000000", *SMALL_OPTIONS, "--out", str(tmp_path))
    status, errors = interrupted_once(b"return=", PROGRAM, *options)  # a generation is finished
    assert status == 130
    assert b"saving the current state" in errors and b"Traceback" not in errors
    assert "actor" in checkpoint.load(tmp_path / "policy.npz").params
