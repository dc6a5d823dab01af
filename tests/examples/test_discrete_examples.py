"""The examples with discrete actions: table, files, seeds, environments, and wrong options."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from backends import bits, device
from gymnasium.envs.classic_control import CartPoleEnv
from gymnasium.envs.registration import EnvSpec
from gymnasium.spaces import Discrete

from examples.discrete import discrete_training, ppo_discrete, quantile_dqn
from examples.discrete.replay_learning import learn_by_replay
from examples.shared.discrete_evaluation import returns_of, spaces_of
from examples.shared.learning_curve import LearningCurve
from examples.shared.pendulum_evaluation import EVALUATION_SEED
from npnets import checkpoint
from npnets.backend import to_numpy

DISCRETE = Path(__file__).resolve().parents[2] / "examples" / "discrete"

no_network = pytest.mark.numpy_alone("is about options and environments, which know no networks")

SMALL: dict[str, Any] = {"steps": 64, "horizon": 4, "hidden_sizes": (8, 8), "batch_size": 16}
ALGORITHMS: dict[str, Any] = {
    "ppo_discrete": (
        "PPO",
        ppo_discrete.DiscretePPO,
        replace(ppo_discrete.Hyperparameters(), **SMALL, num_envs=4),
        ppo_discrete.learn_by_rollouts,
    ),
    "quantile_dqn": (
        "IQN",
        quantile_dqn.QuantileDQN,
        replace(quantile_dqn.Hyperparameters(), **SMALL, environments=4, warmup=16, updates=2, cosines=4, quantiles=4),
        learn_by_replay,
    ),
}
GREEDY: dict[str, Any] = {
    "ppo_discrete": lambda agent, saved, seen: to_numpy(agent.actor.forward(saved, seen)[0]).argmax(1),
    "quantile_dqn": lambda agent, saved, seen: agent.act({"actor": saved}, seen),
}
"""The greedy action of each algorithm's saved network."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs an algorithm here, on the running test's device, and returns its output folder."""
    monkeypatch.setattr(discrete_training, "EPISODES", 3)

    def run(program: str, *options: Any) -> Path:
        out = tmp_path / "out"
        given = ["--steps", 64, "--device", device(), "--out", out, *options]
        monkeypatch.setattr(sys, "argv", [f"{program}.py", *map(str, given)])
        assert discrete_training.main(program, *ALGORITHMS[program]) == 0
        return out

    return run


@pytest.mark.parametrize("env", ["CartPole-v1", "Acrobot-v1"])
@pytest.mark.parametrize("program", ALGORITHMS)
def test_a_short_run_prints_the_table_and_saves_the_policy_that_earned_what_it_says(
    program: str, env: str, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    out = run(program, "--env", env)
    found, shown = json.loads((out / "results.json").read_text())["results"], capsys.readouterr().out
    name, make_agent, settings, _ = ALGORITHMS[program]
    score = found["returns"][name]
    assert f"{name:<24}{score['mean']:>9.1f}{score['standard_error']:>12.1f}{3:>10}" in shown
    assert found["title"] == f"{name} on {env}" and found["settings"]["env"] == env
    assert 48 <= found["steps"] <= 64 + 3  # a step that only begins an episode is none, and a round has four
    assert {path.name for path in out.iterdir()} == {"policy.npz", "results.json", "learning.png"}
    assert (out / "learning.png").read_bytes().startswith(b"\x89PNG")
    saved, agent = checkpoint.load(out / "policy.npz"), make_agent(settings, *spaces_of(env), device())
    assert saved.metadata["network"] == agent.actor
    returns = returns_of(env, lambda seen: GREEDY[program](agent, saved.params, seen), 3, EVALUATION_SEED)
    np.testing.assert_array_equal(returns, score["episodes"])


@pytest.mark.parametrize("program", ALGORITHMS)
def test_one_seed_gives_the_same_policy_twice_and_another_seed_another(program: str) -> None:
    _, make_agent, settings, learn = ALGORITHMS[program]

    def learned(seed: int) -> Any:
        agent = make_agent(settings, 4, 2, device())
        *_, (_, state, _) = learn(agent, lambda: gymnasium.make("CartPole-v1"), seed)
        return bits(state.params)

    assert learned(0) == learned(0) != learned(1)


@pytest.mark.slow
@pytest.mark.parametrize("program", ALGORITHMS)
def test_an_example_runs_as_a_program_with_the_settings_that_it_states(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discrete_training, "EPISODES", 3)
    given = ["--steps", 64, "--device", device(), "--out", tmp_path]
    monkeypatch.setattr(sys, "argv", [f"{program}.py", *map(str, given)])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(DISCRETE / f"{program}.py"), run_name="__main__")
    assert end.value.code == 0
    found = json.loads((tmp_path / "results.json").read_text())["results"]
    name, _, settings, _ = ALGORITHMS[program]
    assert name in found["returns"]
    assert (found["settings"].pop("steps"), found["settings"].pop("device")) == (64, device())
    stated = vars(type(settings)())
    for key in found["settings"].keys() & stated.keys():
        assert found["settings"][key] == (list(stated[key]) if isinstance(stated[key], tuple) else stated[key])
    assert stated.keys() <= found["settings"].keys() | {"steps", "device"}


# -- environments -----------------------------------------------------------------------------------------------------


@no_network
@pytest.mark.parametrize(
    ("env", "telling"),
    [
        ("Pendulum-v1", r"discrete actions from 0, but Pendulum-v1 has Box\(.* and Box\("),
        ("FrozenLake-v1", r"vectors as observations .*, but FrozenLake-v1 has Discrete\(16\)"),
        ("CartPole-v7", r"that Gymnasium can make, but got CartPole-v7: .*v7"),
    ],
)
def test_an_environment_with_other_spaces_is_refused(env: str, telling: str) -> None:
    with pytest.raises(ValueError, match=telling):
        spaces_of(env)


@no_network
def test_actions_that_do_not_begin_at_zero_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class FromOne(CartPoleEnv):
        def __init__(self) -> None:
            super().__init__()
            self.action_space = Discrete(2, start=1)

    monkeypatch.setitem(gymnasium.registry, "FromOne-v0", EnvSpec("FromOne-v0", FromOne))
    with pytest.raises(ValueError, match=r"discrete actions from 0, but FromOne-v0 has .* and Discrete\(2, start=1\)"):
        spaces_of("FromOne-v0")


@no_network
@pytest.mark.parametrize(("env", "spaces"), [("CartPole-v1", (4, 2)), ("Acrobot-v1", (6, 3))])
def test_an_evaluation_starts_from_the_same_states_every_time(env: str, spaces: tuple[int, int]) -> None:
    assert spaces_of(env) == spaces
    starts: list[Any] = []

    def policy(observations: Any) -> Any:
        starts.append(observations.copy())
        return np.zeros(len(observations), np.int64)

    firsts = []
    for seed in (5, 5, 6):
        starts.clear()
        returns = returns_of(env, policy, 3, seed)
        firsts.append((starts[0].tobytes(), returns.tolist()))
    assert firsts[0] == firsts[1] and firsts[0][0] != firsts[2][0]
    assert len(np.unique(starts[0], axis=0)) == 3


@no_network
def test_a_program_with_an_unsuitable_environment_ends_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["ppo_discrete.py", "--env", "Pendulum-v1", "--out", str(tmp_path / "out")])
    assert discrete_training.main("ppo_discrete", *ALGORITHMS["ppo_discrete"]) == 2
    assert capsys.readouterr().err.startswith("ppo_discrete: error: expected vectors as observations")
    assert not (tmp_path / "out").exists()


@no_network
def test_ctrl_c_leaves_the_state_as_far_as_the_training_got(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> Iterator[Any]:
        yield 0, "first", {}
        yield 1, "second", {}
        raise KeyboardInterrupt

    curve = LearningCurve(lambda state: np.array([len(state)]))
    assert discrete_training.run_training("PPO", interrupted(), 100, curve) == ("second", 1, True)
    assert curve.steps == [0, 1]
    assert "interrupted at step 1: saving the current state" in capsys.readouterr().err
