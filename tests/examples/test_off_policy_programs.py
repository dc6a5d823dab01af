"""SAC, TD3, DDPG and REDQ as programs: what they store, when they learn, seeds, options, and that a file runs alone."""

from __future__ import annotations

import dataclasses
import runpy
import shutil
import sys
from pathlib import Path
from typing import Any

import clock_environment
import gymnasium
import numpy as np
import pytest
from backends import bits, device

from examples.online import ddpg, redq, sac, td3
from examples.shared.unsaved_run import UnsavedRun
from npnets import Policy, data, training

CLOCK = "Clock-v0"
gymnasium.register(CLOCK, lambda **_: clock_environment.Clock())

SMALL: dict[str, Any] = {"steps": 12, "warmup": 6, "hidden_sizes": (8, 8), "batch_size": 8}
MODULES = {"SAC": sac, "TD3": td3, "DDPG": ddpg, "REDQ": redq}

no_network = pytest.mark.numpy_alone("is about environments and options, which know no networks")


def trained(name: str, **settings: Any) -> UnsavedRun:
    """Train a small agent on Pendulum-v1, or in another environment, and return the run."""
    few = {"updates_per_step": 3, "critics": 3} if name == "REDQ" else {}
    run = UnsavedRun(MODULES[name].Settings(**SMALL | few | {"device": device()} | settings))
    MODULES[name].train(run.settings, run)
    return run


def transitions(run: UnsavedRun) -> data.Transitions:
    """Return what is in the replay buffer of a run, in the order in which it came."""
    assert run.kept is not None
    buffer: data.ReplayBuffer = run.kept[2]
    return buffer.take(np.arange(len(buffer)))


# -- acting -----------------------------------------------------------------------------------------------------------


@no_network
@pytest.mark.parametrize("name", MODULES)
def test_a_transition_at_a_time_limit_is_not_terminal_and_has_the_last_observation_as_next(name: str) -> None:
    seen = transitions(trained(name, env=CLOCK))
    episode, time = seen.obs.T
    np.testing.assert_array_equal(seen.next_obs, np.stack([episode, time + 1], axis=1))
    np.testing.assert_array_equal(seen.terminated, (time == 2) & (episode % 2 == 0))
    assert [(e - episode[0], t) for e, t in seen.obs] == [(step // 3, step % 3) for step in range(12)]
    np.testing.assert_array_equal(seen.reward, seen.action[:, 1])


@no_network
@pytest.mark.parametrize("name", MODULES)
def test_the_first_actions_are_random_within_their_bounds_without_learning_steps(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, taken, learned, run = (
        getattr(MODULES[name], name),
        [],
        [],
        UnsavedRun(MODULES[name].Settings(**SMALL, env=CLOCK, updates_per_step=2)),
    )

    def explore(self: Any, state: Any, obs: Any, rng: Any) -> Any:
        taken.append(run.step)
        return np.float32([0.25, 0.5])

    def learn(self: Any, state: Any, batch: Any, *_: Any) -> Any:
        assert batch.obs.shape == (8, 2)
        learned.append(run.step)
        return state, {}

    monkeypatch.setattr(agent, "explore", explore)
    monkeypatch.setattr(agent, "learn", learn)
    MODULES[name].train(run.settings, run)
    actions = transitions(run).action
    assert taken == list(range(7, 13)) and learned == [step for step in taken for _ in range(2)]
    assert (actions[6:] == [0.25, 0.5]).all() and len(np.unique(actions[:6])) == 12
    assert (np.abs(actions) <= [1, 2]).all() and np.abs(actions[:6, 1]).max() > 1


@no_network
@pytest.mark.parametrize("name", MODULES)
def test_the_newest_transitions_replace_the_oldest(name: str) -> None:
    run = trained(name, env=CLOCK, buffer_size=5, warmup=20)
    everything = transitions(trained(name, env=CLOCK, warmup=20))
    np.testing.assert_array_equal(np.sort(transitions(run).reward), np.sort(everything.reward[-5:]))


# -- seeds and options ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODULES)
def test_one_seed_gives_the_same_training_twice_and_another_seed_another(name: str) -> None:
    first, again, other = (trained(name, seed=seed) for seed in (0, 0, 1))
    assert bits(first.kept[0]) == bits(again.kept[0]) != bits(other.kept[0])  # type: ignore[index]
    np.testing.assert_array_equal(transitions(first).obs, transitions(again).obs)
    assert not np.array_equal(transitions(first).obs[0], transitions(other).obs[0])


SOFT = {"temperature": 0.7, "learn_temperature": False, "temperature_lr": 0.1}
CHANGES: dict[str, Any] = {
    **{"steps": 13, "warmup": 7, "updates_per_step": 2, "buffer_size": 5, "batch_size": 9, "hidden_sizes": (8, 9)},
    **{"actor_lr": 0.1, "critic_lr": 0.1, "gamma": 0.5, "tau": 0.5, "normalize_observations": True, "env": CLOCK},
}
OWN_CHANGES: dict[str, Any] = {
    "SAC": SOFT,
    "TD3": {"policy_delay": 3, "exploration_noise": 0.5, "target_noise": 0.4, "target_noise_limit": 0.01},
    "DDPG": {"exploration_noise": 0.5},
    "REDQ": {**SOFT, "critics": 4, "subset": 1},
}
OF_THE_PROGRAM = {"seed", "evaluate_every", "episodes", "checkpoint_every", "threads", "device"}


@pytest.mark.slow
@pytest.mark.numpy_alone("trains a hundred agents, one of them on each device in the other tests")
@pytest.mark.parametrize("name", MODULES)
def test_every_option_of_an_algorithm_changes_what_it_learns(name: str) -> None:
    base = {"learn_temperature": True} if name in ("SAC", "REDQ") else {}
    changes = {**CHANGES, **OWN_CHANGES[name]}
    names = {field.name for field in dataclasses.fields(MODULES[name].Settings)}
    assert {*changes} | OF_THE_PROGRAM == names
    plain = bits(trained(name, **base).kept[0])  # type: ignore[index]
    for option, value in changes.items():
        assert bits(trained(name, **base | {option: value}).kept[0]) != plain, option  # type: ignore[index]


# -- programs ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_an_example_runs_alone_with_the_settings_that_it_states_and_saves_the_policy_that_earned_its_return(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = Path(shutil.copy(MODULES[name].__file__, tmp_path))
    given = ["--steps", "12", "--warmup", "8", "--episodes", "2", "--normalize-observations", "--device", device()]
    monkeypatch.setattr(sys, "argv", [str(copied), *given, "--out", str(tmp_path / "out")])
    monkeypatch.setitem(sys.modules, "examples", None)  # importing it is an error
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(copied), run_name="__main__")
    assert end.value.code == 0
    rows = (tmp_path / "out" / "progress.csv").read_text().splitlines()
    header, first, last = (row.split(",") for row in rows)
    assert header[:4] == ["steps", "seconds", "return", "return_std"] and "actor" in header
    assert (first[0], last[0]) == ("0", "12") and first[2] != last[2]
    evaluation = training.Evaluation("Pendulum-v1", 2)
    policy = Policy.load(tmp_path / "out" / "policy.npz")
    assert policy.normalization is not None and policy.normalization.count == 12
    assert evaluation.returns(policy).mean() == pytest.approx(float(last[2]), rel=1e-5)
    evaluation.close()
    monkeypatch.setattr(sys, "argv", [str(copied), "--resume", str(tmp_path / "out"), "--gamma", "0.5"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(copied), run_name="__main__")
    tuned = MODULES[name].TUNED["Pendulum-v1"]["gamma"]
    assert end.value.code == 2 and f"was begun with --gamma {tuned}" in capsys.readouterr().err
