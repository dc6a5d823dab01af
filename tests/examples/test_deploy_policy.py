"""The tour of deployed policies: read without PyTorch, exported, and run in every form that this machine has."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import npnets
from examples.deploy import deploy_policy, exported_files, policies

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PROGRAM = EXAMPLES / "deploy" / "deploy_policy.py"
TIANSHOU, OURS = EXAMPLES / "data" / "tianshou_td3_pendulum.pth", EXAMPLES / "data" / "npnets_policy_pendulum.npz"
RECORDED = {
    "tianshou_td3_pendulum.pth": "tianshou_td3_actions.npz",
    "stable_baselines3_sac_pendulum.zip": "stable_baselines3_sac_actions.npz",
}

pytestmark = pytest.mark.numpy_alone("runs in processes of its own")


def _run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("file", [file for file in policies.TOUR if file.library], ids=lambda file: file.library)
def test_a_policy_acts_as_the_library_that_trained_it_recorded(file: policies.PolicyFile) -> None:
    recorded = np.load(EXAMPLES / "data" / RECORDED[file.path.name])
    found = policies.read(file.path).act(recorded["observations"])
    np.testing.assert_allclose(found, recorded["actions"], rtol=1e-6, atol=1e-5)
    assert np.ptp(recorded["actions"]) > 1


def test_our_policy_normalizes_observations_and_knows_its_bounds() -> None:
    policy = policies.read(OURS)
    assert policy.normalization is not None and policy.normalization.count == 1000
    assert (policy.to_action, policy.low, policy.high) == ("squash", [-2.0], [2.0])


def test_the_process_that_runs_the_policy_cannot_import_pytorch() -> None:
    done = _run("-c", "import examples.deploy.deployed_npnets, torch")
    assert done.returncode and "torch" in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_a_policy_has_the_same_returns_in_every_form(tmp_path: Path) -> None:
    done = _run(str(PROGRAM), "--episodes", "2", "--out", str(tmp_path), "--policy", str(OURS))
    assert done.returncode == 0, done.stderr
    absent = exported_files.missing()
    sides = json.loads((tmp_path / "results.json").read_text())["results"]["policies"][OURS.name]
    assert [*sides] == ["npnets", *(form for form in ("C", "ONNX", "plain Python") if form not in absent)]
    for name, side in sides.items():
        assert side["difference"] < 5e-5 and side["bytes"] > 17_000, name
        assert side["returns"]["mean"] == pytest.approx(sides["npnets"]["returns"]["mean"], abs=0.1)
        assert -400 < side["returns"]["mean"] < 0
        assert name in done.stdout.splitlines()[0]
    assert all(f"no {form}: {why}" in done.stdout for form, why in absent.items())


@pytest.mark.slow
def test_without_a_compiler_and_without_onnxruntime_there_are_no_such_columns(tmp_path: Path) -> None:
    arguments = ["--episodes", "1", "--policy", str(TIANSHOU), "--out", str(tmp_path)]
    code = (
        "import sys, shutil, importlib.util; found = importlib.util.find_spec; shutil.which = lambda name: None\n"
        "importlib.util.find_spec = lambda name, *_: None if name == 'onnxruntime' else found(name, *_)\n"
        f"sys.argv[1:] = {arguments!r}\n"
        "from examples.deploy import deploy_policy; sys.exit(deploy_policy.main())"
    )
    done = _run("-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].split() == ["npnets", "plain", "Python"]
    assert "no C: there is no C compiler (cc, gcc or clang)" in done.stdout
    assert "no ONNX: onnxruntime is not installed (pip install onnxruntime)" in done.stdout


@pytest.mark.skipif(exported_files.compiler() is None, reason="there is no C compiler")
def test_the_exported_c_is_compiled_for_the_process_that_loads_it(tmp_path: Path) -> None:
    exported = exported_files.as_c(policies.read(TIANSHOU), tmp_path)
    header, object_file = (tmp_path / f"policy.{suffix}" for suffix in ("h", "o"))
    assert "static const float" in header.read_text() and exported.path.exists()
    assert exported.size == object_file.stat().st_size < 24_000


def test_the_table_has_a_column_for_each_form_and_leaves_cells_empty_where_a_policy_has_none() -> None:
    side = {"returns": [-1.0, -3.0], "median_us": 12.34, "bytes": 4_000, "difference": 0.0}
    costs = {"import_ms": 5.0, "load_ms": 6.0, "resident_mb": None}
    sides = {"a": {"npnets": side | costs, "C": side | costs}, "b": {"npnets": side | costs}}
    lines = deploy_policy.table(sides).splitlines()
    assert lines[0].split() == ["npnets", "C"] and lines[2] == "a"
    assert lines[3].split() == ["return", "of", "an", "episode", "-2.0", "±", "1.0", "-2.0", "±", "1.0"]
    assert lines[4].split() == ["one", "action", "12.3", "us", "12.3", "us"]
    imports = [line.split() for line in lines if "import" in line]
    assert imports == [["import", "5", "ms"], ["import", "5", "ms"]]  # not of C


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--episodes", "0"], "--episodes: must be at least 1, but is 0"),
        (["--policy", "nowhere.pth"], "there is no file nowhere.pth"),
        (["--policy", __file__], "test_deploy_policy.py"),
    ],
)
def test_the_error_for_a_policy_that_cannot_run_is_one_line(arguments: list[str], message: str) -> None:
    done = _run(str(PROGRAM), *arguments)
    assert done.returncode and message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_policy_for_another_environment_is_an_error_that_says_so(tmp_path: Path) -> None:
    actor = npnets.Actor(npnets.Net(4, hidden_sizes=(8,)), action_shape=1, max_action=2.0)
    npnets.Policy(actor, actor.init(np.random.default_rng(0))).save(tmp_path / "other.npz")
    with pytest.raises(ValueError, match="other.npz holds no policy for Pendulum-v1: "):
        policies.read(tmp_path / "other.npz")


def test_a_compiler_that_fails_is_an_error_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "false")
    with pytest.raises(RuntimeError, match="the C compiler failed: .*false -std=c99 -O2"):
        exported_files.as_c(policies.read(OURS), tmp_path)


@pytest.mark.skipif(deploy_policy.is_installed("tianshou"), reason="Tianshou is installed")
def test_a_comparison_without_the_other_library_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ImportError, match="--compare needs the library that trained a policy: .*tianshou"):
        deploy_policy.not_installed(policies.TOUR)


def test_a_folder_of_a_librarys_name_is_not_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_library").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert not deploy_policy.is_installed("a_library")
    (tmp_path / "a_library" / "__init__.py").touch()
    importlib.invalidate_caches()
    assert deploy_policy.is_installed("a_library")
