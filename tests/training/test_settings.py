"""A dataclass of settings is a command line: every field an option, and every wrong value one line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from npnets.training import Settings, option
from npnets.training.settings import check_values, chosen, read_command_line, typed

pytestmark = pytest.mark.numpy_alone("reads a command line")


@dataclass(frozen=True)
class Own(Settings):
    """Settings with an option of every kind."""

    gamma: float = option(0.99, "discount per step", at_least=0, at_most=1)
    weight: float = option(0.2, "weight of the entropy", above=0)
    sizes: tuple[int, ...] = option((256, 256), "hidden layers", at_least=1)
    learned: bool = option(False, "whether something is learned")
    data: str = option("", "a file")
    first_steps: int = option(5, "steps of another kind", at_least=0, less_than="steps")
    decay_steps: int = option(2_000_000, "steps of a decay", no_less_than="steps")


TUNED = {"Easy-v0": {"gamma": 0.9, "steps": 7}}


def settings(*arguments: str) -> Own:
    return chosen(Own, TUNED, read_command_line(Own, "About.", arguments).given)


def test_every_field_is_an_option_of_its_type() -> None:
    found = settings("--gamma", "1e-1", "--sizes", "8", "4", "--learned", "--data", "x.npz", "--steps", "1_000")
    assert (found.gamma, found.sizes, found.learned, found.data, found.steps) == (0.1, (8, 4), True, "x.npz", 1000)
    assert settings("--no-learned") == settings() == Own()


def test_settings_tuned_for_an_environment_replace_the_defaults_and_given_ones_replace_both() -> None:
    assert settings("--env", "Easy-v0") == Own(env="Easy-v0", gamma=0.9, steps=7)
    assert settings("--env", "Easy-v0", "--gamma", "0.5") == Own(env="Easy-v0", gamma=0.5, steps=7)
    assert settings("--env", "Other-v0") == Own(env="Other-v0")


def test_a_setting_that_must_be_less_than_another_is_compared_with_that_of_the_environment_and_the_command_line() -> (
    None
):
    assert settings("--env", "Easy-v0", "--first-steps", "6").first_steps == 6
    assert settings("--steps", "6").first_steps == 5
    fault = r"^expected --first-steps less than --steps, but they are (\d) and \1; choose a larger --steps$"
    for given in (["--steps", "5"], ["--env", "Easy-v0", "--first-steps", "7"]):
        with pytest.raises(ValueError, match=fault):
            settings(*given)


def test_a_setting_that_must_not_be_less_than_another_may_equal_it() -> None:
    assert settings("--decay-steps", "30", "--steps", "30").decay_steps == 30
    fault = "^expected --decay-steps at least --steps, but they are 29 and 30; choose a larger --decay-steps$"
    with pytest.raises(ValueError, match=fault):
        settings("--decay-steps", "29", "--steps", "30")


def test_an_option_that_equals_its_default_counts_as_given() -> None:
    assert settings("--env", "Easy-v0", "--gamma", "0.99").gamma == 0.99


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "0"], "argument --steps: expected at least 1, but got '0'"),
        (["--steps", "1.5"], "argument --steps: expected a whole number, but got '1.5'"),
        (["--gamma", "much"], "argument --gamma: expected a number, but got 'much'"),
        (["--gamma", "nan"], "argument --gamma: expected a finite number, but got 'nan'"),
        (["--gamma", "-0.1"], "argument --gamma: expected at least 0, but got '-0.1'"),
        (["--gamma", "1.5"], "argument --gamma: expected at most 1, but got '1.5'"),
        (["--weight", "0"], "argument --weight: expected more than 0, but got '0'"),
        (["--sizes", "8", "0"], "argument --sizes: expected at least 1, but got '0'"),
        (["--step", "3"], "unrecognized arguments: --step 3"),
        (["--out", "a", "--resume", "b"], "--resume continues the run in its folder, so that --out has no meaning"),
    ],
)
def test_a_wrong_option_is_an_error_of_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        read_command_line(Own, "About.", arguments)
    printed = capsys.readouterr().err
    assert ended.value.code == 2
    assert message in printed
    assert len(printed.splitlines()) == 1


def test_help_has_the_description_and_every_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_command_line(Own, "About\n  the program.", ["--help"])
    printed = capsys.readouterr().out
    assert "About\n  the program." in printed
    assert "discount per step (0.99)" in printed
    assert "hidden layers (256 256)" in printed
    assert "steps of another kind, less than --steps (5)" in printed
    assert "steps of a decay, at least --steps (2000000)" in " ".join(printed.split())


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("learned", True, "--learned"),
        ("is_learned", False, "--no-is-learned"),
        ("sizes", (8, 4), "--sizes 8 4"),
        ("first_steps", 3, "--first-steps 3"),
    ],
)
def test_an_error_shows_a_setting_as_it_is_typed(name: str, value: object, expected: str) -> None:
    assert typed(name, value) == expected


def test_what_is_done_with_the_run_is_no_setting() -> None:
    line = read_command_line(Own, "About.", ["--resume", "runs/a", "--tensorboard", "--threads", "2"])
    assert (line.given, line.resume, line.out, line.tensorboard, line.video) == (
        {"threads": 2},
        Path("runs/a"),
        None,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"steps": "many"}, "steps is 'many', but must be a whole number"),
        ({"threads": 1.5}, "threads is 1.5, but must be a whole number"),
        ({"learned": 1}, "learned is 1, but must be true or false"),
        ({"env": None}, "env is None, but must be text"),
        ({"sizes": 8}, "sizes must be a list, but is 8"),
        ({"sizes": (8, 0)}, "sizes: expected at least 1, but got 0"),
        ({"gamma": 2.0}, "gamma: expected at most 1, but got 2.0"),
        ({"weight": float("nan")}, "weight: expected a finite number, but got nan"),
    ],
)
def test_a_value_that_the_command_line_refuses_is_refused_from_a_file_too(changed: Any, message: str) -> None:
    check_values(Own(gamma=1))
    with pytest.raises(ValueError, match=re.escape(message)):
        check_values(Own(**changed))
