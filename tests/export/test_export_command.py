"""The command `python -m npnets export`: files of every language from checkpoints, and its errors."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

import npnets
from npnets.__main__ import main

pytestmark = pytest.mark.numpy_alone("writes files")

DATA = Path(__file__).parents[2] / "examples" / "data"
ACTOR = npnets.ActorProb(npnets.Net(3, hidden_sizes=(4,)), 1, max_action=2.0, conditioned_sigma=True)
CRITIC = npnets.Critic(npnets.Net(3, 1, (4,), concat=True))
STATISTICS = npnets.normalization.update(npnets.normalization.init(3), np.arange(12.0).reshape(4, 3))


def params_of(network: npnets.ActorProb | npnets.Critic) -> npnets.tree.Params:
    return network.init(np.random.default_rng(0))


@pytest.fixture
def actor(tmp_path: Path) -> Path:
    path = tmp_path / "actor.npz"
    npnets.checkpoint.save(path, params_of(ACTOR), {"network": ACTOR})
    return path


@pytest.mark.parametrize(("language", "ending"), [("c", "h"), ("onnx", "onnx"), ("python", "py")])
def test_the_ending_chooses_the_language_of_a_file(actor: Path, language: str, ending: str) -> None:
    assert main(["export", str(actor), str(actor.parent / f"actor.{ending}")]) == 0
    getattr(npnets.export, language)(actor.parent / "expected", ACTOR, params_of(ACTOR), name="actor")
    assert (actor.parent / f"actor.{ending}").read_bytes() == (actor.parent / "expected").read_bytes()


def test_format_chooses_the_language_whatever_the_ending(actor: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = actor.parent / "policy.txt"
    assert main(["export", str(actor), str(target), "--format", "python"]) == 0
    assert "import math" in target.read_text(encoding="utf-8")
    assert capsys.readouterr().out == f"wrote {target}, {target.stat().st_size:,} bytes\n"


def test_output_and_name_are_those_of_the_functions(actor: Path) -> None:
    target = actor.parent / "policy.h"
    assert main(["export", str(actor), str(target), "--name", "walker", "--output", "network"]) == 0
    npnets.export.c(actor.parent / "expected.h", ACTOR, params_of(ACTOR), name="walker", output="network")
    assert target.read_text(encoding="utf-8") == (actor.parent / "expected.h").read_text(encoding="utf-8")
    assert "walker" in target.read_text(encoding="utf-8")


def test_a_saved_policy_is_exported_with_its_normalization(tmp_path: Path) -> None:
    policy = npnets.Policy(ACTOR, params_of(ACTOR), normalization=STATISTICS)
    policy.save(tmp_path / "policy.npz")
    assert main(["export", str(tmp_path / "policy.npz"), str(tmp_path / "policy.py")]) == 0
    npnets.export.python(tmp_path / "expected.py", policy, name="policy")
    written = (tmp_path / "policy.py").read_text(encoding="utf-8")
    assert written == (tmp_path / "expected.py").read_text(encoding="utf-8")
    npnets.export.python(tmp_path / "without.py", ACTOR, params_of(ACTOR), name="policy")
    assert written != (tmp_path / "without.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "options"),
    [("stable_baselines3_sac_pendulum.zip", []), ("tianshou_td3_pendulum.pth", ["--low=-1.5", "--high=2"])],
)
def test_a_policy_of_another_library_is_exported_as_it_acts(tmp_path: Path, file: str, options: list[str]) -> None:
    path, target = DATA / file, tmp_path / "policy.py"
    assert main(["export", str(path), str(target), *options]) == 0
    policy = npnets.interop.load_policy(path, action_space=(-1.5, 2.0) if options else None)
    obs = np.random.default_rng(0).normal(size=3).astype(np.float32)
    action = runpy.run_path(str(target))["act"](obs.tolist())
    np.testing.assert_allclose(action, policy.act(obs), rtol=1e-5)


def test_the_activation_of_a_file_that_names_none_is_chosen(tmp_path: Path) -> None:
    path, bounds = DATA / "tianshou_td3_pendulum.pth", ["--low=-2", "--high=2"]
    obs, actions = [0.3, -0.7, 1.5], {}
    for name in ("relu", "tanh"):
        target = tmp_path / f"of_{name}.py"
        assert main(["export", str(path), str(target), *bounds, f"--activation={name}"]) == 0
        policy = npnets.interop.load_policy(path, action_space=(-2.0, 2.0), activation=name)
        actions[name] = runpy.run_path(str(target))["act"](obs)
        np.testing.assert_allclose(actions[name], policy.act(np.array(obs)), rtol=1e-5)
    assert actions["relu"] != actions["tanh"]


def test_bounds_that_are_no_numbers_are_refused_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["export", "policy.pth", "policy.h", "--low=a", "--high=1"])
    assert raised.value.code == 2
    assert "argument --low: expected numbers such as -1 or -1,-2, but got 'a'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "options", "words"),
    [
        ("tianshou_td3_pendulum.pth", [], "pass --low and --high, as in --low=-1 --high=1"),
        ("tianshou_td3_pendulum.pth", ["--low=-1,-1", "--high=1,1"], "but --low, --high has the shape (2,)"),
        ("stable_baselines3_sac_pendulum.zip", ["--low=-1", "--high=1"], "leave --low and --high out"),
        ("stable_baselines3_sac_pendulum.zip", ["--activation=tanh"], "leave --activation out"),
        ("tianshou_td3_pendulum.pth", ["--low=-1", "--high=1", "--activation=sine"], "'sine'"),
    ],
)
def test_an_error_about_a_file_of_another_library_names_the_options_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, options: list[str], words: str
) -> None:
    assert main(["export", str(DATA / file), str(tmp_path / "policy.h"), *options]) == 1
    printed = capsys.readouterr().err
    assert words in printed and "action_space" not in printed and " activation=" not in printed


def test_a_network_that_does_not_act_is_exported_with_its_own_output(tmp_path: Path) -> None:
    npnets.checkpoint.save(tmp_path / "critic.npz", params_of(CRITIC), {"network": CRITIC})
    assert main(["export", str(tmp_path / "critic.npz"), str(tmp_path / "critic.h")]) == 0
    npnets.export.c(tmp_path / "expected.h", CRITIC, params_of(CRITIC), name="critic")
    assert (tmp_path / "critic.h").read_bytes() == (tmp_path / "expected.h").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{actor}", "{folder}/policy.txt"], "expected a target that ends in .h, .onnx, .py, but it is"),
        (["{actor}", "{folder}/policy.h", "--name", "double"], "pass another one, --name='double_policy'"),
        (["{folder}/missing.npz", "{folder}/policy.h"], "missing.npz: No such file or directory"),
        (["{folder}/without.npz", "{folder}/policy.h"], "but its metadata has no 'network'"),
        (["{actor}", "{folder}/missing/policy.h"], "there is no folder"),
        (["{actor}", "{folder}/policy.h", "--low=-1"], "--low is for files of other libraries"),
        (["{actor}", "{folder}/policy.h", "--activation=tanh"], "--activation is for files of other libraries"),
        (["{folder}/policy.zip", "{folder}/policy.h", "--low=-1"], "--low and --high belong together"),
        (["{folder}/critic.npz", "{folder}/policy.h", "--output", "action"], "network must return actions"),
    ],
)
def test_an_error_is_one_line_and_leaves_no_file(
    actor: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    folder = actor.parent
    npnets.checkpoint.save(folder / "without.npz", params_of(ACTOR))
    npnets.checkpoint.save(folder / "critic.npz", params_of(CRITIC), {"network": CRITIC})
    before = sorted(folder.iterdir())
    given = [argument.format(actor=actor, folder=folder) for argument in arguments]
    assert main(["export", *given]) == 1
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    assert printed.err.startswith("python -m npnets: error: ") and words in printed.err
    assert sorted(folder.iterdir()) == before
