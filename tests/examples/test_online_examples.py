"""The examples that learn while they act: table, files, seeds, Ctrl-C and wrong options."""

from __future__ import annotations

import json
import runpy
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from backends import bits, device
from interruption import interrupted_once

from examples.online import (
    ddpg,
    online_training,
    redq,
    sac,
    td3,
)
from examples.online.off_policy import learn_while_acting
from examples.shared import pendulum_evaluation
from examples.shared.learning_curve import LearningCurve
from examples.shared.pendulum_evaluation import EVALUATION_SEED, evaluate
from npnets import checkpoint

ONLINE = Path(__file__).resolve().parents[2] / "examples" / "online"

no_network = pytest.mark.numpy_alone("is about options and numbers, which know no networks")
another_process = pytest.mark.numpy_alone("runs in a process of its own, with its default device")

SMALL: dict[str, Any] = {"warmup": 20, "hidden_sizes": (8, 8), "batch_size": 16}
ALGORITHMS: dict[str, Any] = {
    "TD3": (td3.TD3, replace(td3.Hyperparameters(), **SMALL), learn_while_acting),
    "DDPG": (td3.TD3, replace(ddpg.DDPG, **SMALL), learn_while_acting),
    "SAC": (sac.SAC, replace(sac.Hyperparameters(), **SMALL), learn_while_acting),
    "REDQ": (redq.REDQ, replace(redq.Hyperparameters(), **SMALL), learn_while_acting),
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs an algorithm here, on the running test's device, and returns its output folder.

    Policies are evaluated on the first second of three episodes.
    """
    monkeypatch.setattr(online_training, "EPISODES", 3)
    monkeypatch.setattr(online_training, "CHECKPOINTS", 3)
    monkeypatch.setattr(pendulum_evaluation, "STEPS", 20)

    def run(name: str, *options: Any, to: str = "out") -> Path:
        out = tmp_path / to
        given = ["--steps", 28, "--device", device(), "--out", out, *options]
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, given)])
        assert online_training.main(name, *ALGORITHMS[name]) == 0
        return out

    return run


def results(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "results.json").read_text())["results"]
    return found


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_short_run_prints_the_table_and_saves_the_policy_that_earned_what_it_says(
    name: str, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    out = run(name)
    found = results(out)
    scores, shown = found["returns"], capsys.readouterr().out
    for row in (online_training.CONTROLLER, name):
        assert f"{row:<24}{scores[row]['mean']:>9.1f}{scores[row]['standard_error']:>12.1f}{3:>10}" in shown
    untrained = float(np.mean(found["curves"][name]["returns"][0]))
    assert f"{f'{name}, untrained':<24}{untrained:>9.1f}" in shown
    assert {path.name for path in out.iterdir()} == {"policy.npz", "results.json", "learning.png"}
    assert (out / "learning.png").read_bytes().startswith(b"\x89PNG")
    saved = checkpoint.load(out / "policy.npz")
    make_agent, settings, _ = ALGORITHMS[name]
    agent = make_agent(settings, 3, 1, device())
    assert saved.metadata["network"] == agent.actor
    returns = evaluate(lambda seen: agent.act({"actor": saved.params}, seen), 3, EVALUATION_SEED)
    assert returns.mean() == pytest.approx(scores[name]["mean"], rel=1e-3)
    assert abs(returns.mean() - untrained) > 1e-4


@pytest.mark.parametrize("name", ALGORITHMS)
def test_one_seed_gives_the_same_policy_twice_and_another_seed_another(name: str) -> None:
    make_agent, settings, learn = ALGORITHMS[name]

    def learned(seed: int) -> Any:
        agent = make_agent(replace(settings, steps=24), 3, 1, device())
        *_, (_, state, _) = learn(agent, lambda: gymnasium.make("Pendulum-v1"), seed)
        return bits(state.params)

    assert learned(0) == learned(0) != learned(1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALGORITHMS)
def test_an_example_runs_as_a_program_with_the_settings_that_it_states(
    name: str, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ["--steps", 16, "--device", device(), "--out", tmp_path / "program"]
    monkeypatch.setattr(sys, "argv", [f"{name.lower()}.py", *map(str, given)])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ONLINE / f"{name.lower()}.py"), run_name="__main__")
    assert end.value.code == 0
    found = results(tmp_path / "program")
    assert name in found["returns"]
    stated = {"DDPG": ddpg.DDPG}.get(name) or ALGORITHMS[name][1].__class__()
    for key, value in vars(stated).items():
        assert found["settings"][key] == (16 if key == "steps" else list(value) if isinstance(value, tuple) else value)


@no_network
def test_a_learning_curve_judges_a_step_once() -> None:
    curve = LearningCurve(lambda state: np.array([state, state + 1.0]))
    for step, state in ((0, 5), (10, 6), (10, 7)):
        curve.add(step, state)
    assert curve.steps == [0, 10]
    np.testing.assert_array_equal(curve.returns, [[5, 6], [6, 7]])


@pytest.mark.slow
@another_process
def test_ctrl_c_saves_the_policy_as_far_as_it_got(tmp_path: Path) -> None:
    shown = b"temperature="  # the progress bar shows losses: learning has begun
    status, errors = interrupted_once(shown, ONLINE / "sac.py", "--steps", "1000000", "--out", str(tmp_path))
    assert status == 130
    assert b"saving the current state" in errors
    assert "mu" in checkpoint.load(tmp_path / "policy.npz").params
    assert 1000 < results(tmp_path)["steps"] < 1000000


@no_network
@pytest.mark.parametrize(
    ("options", "telling"),
    [
        (("--steps", "0"), "--steps: must be at least 1, but is 0"),
        (("--seed", "-1"), "--seed: must not be negative, but is -1"),
        (("--device", "tpu"), "device must be 'cpu'"),
        (("--out", __file__), "test_online_examples.py"),
    ],
)
def test_a_wrong_option_is_refused_in_the_users_words(
    options: Any, telling: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["sac.py", "--out", str(tmp_path / "out"), *options])
    try:
        status = online_training.main("SAC", *ALGORITHMS["SAC"])
    except SystemExit as end:
        status = end.code
    assert status == 2
    assert telling in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "out").exists()
