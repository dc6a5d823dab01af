"""The results of an example: one file that is complete or absent, and a picture drawn from that file alone."""

from __future__ import annotations

import json
import platform
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib import image
from matplotlib.figure import Figure
from matplotlib.text import Text

import npnets
from examples.memory.recurrent_imitation import swing_up
from examples.shared import picture, results_folder
from examples.shared.command_line import new_parser
from examples.shared.learning_curve import LearningCurve
from examples.shared.pendulum_evaluation import SHOWN_SEED, mean_and_standard_error, record
from examples.shared.results import Run, save, write_results
from npnets.training.provenance import command

pytestmark = pytest.mark.numpy_alone("is about files and pictures, which know no networks")

ROOT = Path(__file__).resolve().parents[2]
PHONE = 360
"""The width of a picture on a phone, in pixels."""


def run_of(*names: str, **changes: Any) -> Run:
    """Return a run with these policies."""
    rng = np.random.default_rng(0)
    curves = {name: LearningCurve(lambda state: rng.normal(state, 90, 7).astype(np.float32)) for name in names}
    for curve in curves.values():
        for step, level in ((0, -1300), (10_000, -400), (20_000, -150)):
            curve.add(step, level)
    given: dict[str, Any] = {
        "title": "Offline learning on Pendulum-v1",
        "unit": "steps in the environment",
        "seed": 3,
        "steps": 20_000,
        "seconds": 1.5,
        "settings": {"hidden_sizes": (64, 64), "tau": 0.01},
        "curves": curves,
        "others": {"behaviour in the data": rng.normal(-927, 100, 9), "behaviour cloning": rng.normal(-1069, 9, 9)},
        "episodes": {name: record(swing_up, SHOWN_SEED) for name in names},
    }
    return Run(**(given | changes))


def saved(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "results.json").read_text())
    return found


# -- the file ---------------------------------------------------------------------------------------------------------


def test_the_file_holds_every_return_of_table_and_curve_and_the_episode_that_is_shown(tmp_path: Path) -> None:
    run = run_of("BCQ", more={"loss_before": 1.25})
    write_results(tmp_path, run)
    found = saved(tmp_path)["results"]
    assert set(found["returns"]) == {"BCQ", "behaviour in the data", "behaviour cloning"}
    for name, earned in run.returns.items():
        score = found["returns"][name]
        np.testing.assert_array_equal(score["episodes"], earned)
        assert [score["mean"], score["standard_error"]] == [float(x) for x in mean_and_standard_error(earned)]
    assert found["curves"]["BCQ"]["steps"] == [0, 10_000, 20_000]
    np.testing.assert_array_equal(found["curves"]["BCQ"]["returns"], run.curves["BCQ"].returns)
    for name, array in vars(run.episodes["BCQ"]).items():
        np.testing.assert_allclose(found["episodes"]["BCQ"][name], array, rtol=0, atol=0.5001e-4)
    facts = {"seed": 3, "steps": 20_000, "seconds": 1.5, "loss_before": 1.25}
    assert {key: found[key] for key in facts} == facts
    assert found["settings"] == {"hidden_sizes": [64, 64], "tau": 0.01}


def test_the_file_says_with_what_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = ROOT / "examples" / "online" / "sac.py"
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__spec__=None))
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", [str(program), "--seed", "3", "--out", str(tmp_path), "--steps", "9"])
    write_results(tmp_path, run_of("SAC"), libraries=("matplotlib", "no_such_library"))
    found = saved(tmp_path)
    assert list(found) == ["command", "date", "machine", "versions", "results"]
    assert found["command"] == "python examples/online/sac.py --seed 3 --steps 9"
    assert found["machine"]["processor"] == npnets.about()["processor"]
    assert found["machine"]["system"] == f"{platform.system()} {platform.machine()}"
    assert found["versions"]["numpy"] == np.__version__
    assert {"python", "npnets", "autograd", "gymnasium", "matplotlib"} < set(found["versions"])
    assert "no_such_library" not in found["versions"]


def test_each_list_of_numbers_is_one_line_of_the_file(tmp_path: Path) -> None:
    write_results(tmp_path, run_of("SAC"))
    text = (tmp_path / "results.json").read_text()
    assert '"hidden_sizes": [64, 64],\n' in text
    assert len(text.splitlines()) < 80


@pytest.mark.parametrize("fault", ["a number that JSON cannot hold", "a full disk", "Ctrl-C"])
def test_a_failed_save_leaves_the_old_file_and_nothing_else(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise KeyboardInterrupt if fault == "Ctrl-C" else OSError("No space left on device")

    path = tmp_path / "results.json"
    save(path, {"seconds": 1.0})
    before = path.read_bytes()
    if fault != "a number that JSON cannot hold":
        monkeypatch.setattr(results_folder.os, "replace", fail)
    with pytest.raises((ValueError, OSError, KeyboardInterrupt)):
        save(path, {"seconds": float("nan") if fault == "a number that JSON cannot hold" else 2.0})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
def test_a_policy_that_diverged_does_not_prevent_the_other_results_the_table_and_the_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of("SAC", more={"loss": float("inf")})
    run.curves["SAC"].returns[-1][2] = np.nan
    run.others["behaviour cloning"][0] = -np.inf
    run.episodes["SAC"].angle[3] = np.nan
    write_results(tmp_path, run)
    assert re.search(r"^SAC +nan +nan +7$", capsys.readouterr().out, re.M)
    found = saved(tmp_path)["results"]
    assert found["loss"] is None and found["returns"]["behaviour cloning"]["mean"] is None
    for earned in (found["curves"]["SAC"]["returns"][-1], found["returns"]["SAC"]["episodes"]):
        assert [number is None for number in earned] == [False, False, True, False, False, False, False]
    picture.draw(found, tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "learning.png").read_bytes()


def test_a_run_in_which_no_policy_learned_ends_without_a_picture(tmp_path: Path) -> None:
    write_results(tmp_path, run_of())
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_lists_on_one_line_do_not_change_texts(tmp_path: Path) -> None:
    results = {"title": 'a  [1,  2] "b [3,  4]" \\', "list": [1.5, None, -2e-3], "texts": ["a  b", "c"]}
    save(tmp_path / "results.json", results)
    assert saved(tmp_path)["results"] == results
    assert '"list": [1.5, null, -0.002],' in (tmp_path / "results.json").read_text()


@pytest.mark.parametrize("out", [["--out=/elsewhere/x"], ["--out", "/elsewhere/x"], ["--out"], []])
def test_the_command_in_a_file_is_without_the_folder_of_the_file(
    out: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__spec__=None))
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", [str(ROOT / "examples" / "online" / "sac.py"), "--seed", "3", *out])
    assert command(sys.argv) == "python examples/online/sac.py --seed 3"


def test_the_command_of_a_package_is_the_packages_name(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = SimpleNamespace(name="benchmarks.training.__main__")
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__spec__=spec))
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", [str(ROOT / "benchmarks" / "training" / "__main__.py"), "--rounds", "5"])
    assert command(sys.argv) == "python -m benchmarks.training --rounds 5"


def test_an_abbreviated_option_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        new_parser("sac", "Train SAC.").parse_args(["--ou", "elsewhere"])
    assert "unrecognized arguments: --ou" in capsys.readouterr().err


# -- the picture ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("names", [("SAC",), ("recurrent", "feed-forward")])
def test_a_picture_drawn_from_the_saved_file_is_the_one_that_the_run_drew(names: Any, tmp_path: Path) -> None:
    write_results(tmp_path, run_of(*names))
    picture.draw(saved(tmp_path)["results"], tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "learning.png").read_bytes()


@pytest.mark.slow
def test_other_returns_and_another_episode_make_another_picture(tmp_path: Path) -> None:
    results = run_of("SAC").results()
    picture.draw(results, tmp_path / "first.png")
    parts = [("returns", "mean"), ("curves", "returns")]
    for kind, name in [*parts, *(("episodes", array) for array in ("angle", "torque", "reward"))]:
        changed = json.loads(json.dumps(results))
        part = changed[kind]["SAC"]
        part[name] = (np.array(part[name]) * 0.8).tolist()
        picture.draw(changed, tmp_path / "other.png")
        assert (tmp_path / "other.png").read_bytes() != (tmp_path / "first.png").read_bytes(), name


def test_every_curve_level_and_episode_is_drawn_however_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(picture, "save", lambda figure, *_: drawn.append(figure))
    others = {f"level {index}": np.full(3, -900.0) for index in range(4)}
    picture.draw(run_of("A", "B", "C", others=others).results(), tmp_path / "unused.png")
    texts = " ".join(text.get_text() for text in drawn[0].findobj(Text))
    for name in ("A", "B", "C"):
        assert f"One episode: {name}, " in texts
    for name in ("A", "B", "C", *others):
        assert re.search(rf"{name} \u2212\d+", texts), name


def test_a_run_of_one_evaluation_leaves_no_picture(tmp_path: Path) -> None:
    curve = LearningCurve(lambda state: np.full(3, -1300.0))
    curve.add(0, None)
    write_results(tmp_path, run_of(curves={"SAC": curve}))
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


@pytest.mark.slow
def test_the_dark_picture_has_light_text_and_no_background(tmp_path: Path) -> None:
    results, seen = run_of("SAC").results(), {}
    for dark in (False, True):
        picture.draw(results, tmp_path / "picture.png", dark=dark)
        seen[dark] = image.imread(tmp_path / "picture.png").reshape(-1, 4)
    assert (seen[False][:, 3] == 1).all() and np.median(seen[False][:, :3]) == 1
    assert np.median(seen[True][:, 3]) == 0
    opaque = seen[True][seen[True][:, 3] == 1]
    assert len(opaque) and opaque[:, :3].max(1).min() > 0.25
    assert np.isclose(opaque[:, :3], 0xE8 / 255, atol=1e-3).all(1).sum() > 500


@pytest.mark.parametrize("names", [("SAC",), ("recurrent", "feed-forward"), ()])
def test_all_text_is_readable_on_a_phone_and_within_the_picture(
    names: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(picture, "save", lambda figure, *_: drawn.append(figure))
    run = run_of(*names) if names else run_of("CMA-ES", episodes={})
    picture.draw(run.results(), tmp_path / "unused.png")
    (figure,) = drawn
    figure.draw_without_rendering()
    texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    assert len(texts) > 10
    for text in texts:
        pixels = text.get_fontsize() / 72 / figure.get_figwidth() * PHONE
        assert pixels >= 9.5, text
        box = text.get_window_extent()
        assert 0 <= box.x0 and box.x1 <= figure.bbox.x1 and 0 <= box.y0 and box.y1 <= figure.bbox.y1, text
