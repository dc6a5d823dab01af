"""Settings of a program: a frozen dataclass whose fields are the options of its command line.

    @dataclass(frozen=True)
    class Settings(training.Settings):
        gamma: float = option(0.99, "discount per step")

is `--gamma 0.9`, a field `learn_temperature` of `bool` is `--learn-temperature` and `--no-learn-temperature`.
"""

import argparse
import dataclasses
import operator
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

Chosen = TypeVar("Chosen", bound="Settings")
Tuned = Mapping[str, Mapping[str, Any]]


def option(
    default: Any,
    description: str,
    at_least: float | None = None,
    is_file: bool = False,
    *,
    at_most: float | None = None,
    above: float | None = None,
    less_than: str | None = None,
    no_less_than: str | None = None,
) -> Any:
    """Return a field of a dataclass of settings.

    Parameters
    ----------
    default : int, float, str, bool, or tuple of int
    description : str
        Its line in `--help`.
    at_least, at_most : float, optional
        The least and the largest number that are allowed.
    is_file : bool
        Whether the string is the path of a file that the run reads. The run's settings then have its absolute path and
        the digest of its content, and a continued run needs a file with that content; an empty string is no file.
    above : float, optional
        A number that all allowed ones are larger than.
    less_than : str, optional
        Name of another setting; this one, a single number as well, must be less than it.
    no_less_than : str, optional
        Name of another setting that this one must be at least. A continued run that changes the other one, such as
        `steps`, may change this one with it.

    Returns
    -------
    dataclasses.Field
    """
    metadata = {
        "description": description,
        "at_least": at_least,
        "is_file": is_file,
        "at_most": at_most,
        "above": above,
        "less_than": less_than,
        "no_less_than": no_less_than,
    }
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings that every algorithm has; a subclass adds its own, and other defaults.

    Attributes
    ----------
    env : str
        Name of a Gymnasium environment, with its module if it has one: `HalfCheetah-v5`, `my_package:Mine-v0`.
    seed : int
        Seed of all random numbers.
    steps : int
        Steps in the environment, or gradient steps of an algorithm that learns from a file.
    evaluate_every, episodes : int
        Steps between evaluations; episodes of each.
    checkpoint_every : int
        Least number of steps between checkpoints, which wait for the end of an episode.
    threads : int
        Threads that compute. No result of the compiled kernels depends on it; those of the NumPy kernels do.
    device : str
        `cpu`, `cuda` or `cuda:<number>`.
    """

    env: str = option("Pendulum-v1", "name of a Gymnasium environment")
    seed: int = option(0, "seed of all random numbers", at_least=0)
    steps: int = option(1_000_000, "steps in the environment", at_least=1)
    evaluate_every: int = option(10_000, "steps between evaluations", at_least=1)
    episodes: int = option(10, "episodes of an evaluation", at_least=1)
    checkpoint_every: int = option(10_000, "least number of steps between checkpoints", at_least=1)
    threads: int = option(1, "threads that compute; no result depends on it with the compiled kernels", at_least=1)
    device: str = option("cpu", "cpu, cuda or cuda:<number>")

    def wrap(self, env: Any) -> Any:
        """Return an environment as the policy sees it, in evaluations and pictures; a subclass may put wrappers on.

        An algorithm wraps the environments that it trains in itself: `settings.wrap(make_env(settings.env))`. A wrapper
        that every program should see belongs to the environment, in the `entry_point` of `gymnasium.register`.
        """
        return env


@dataclasses.dataclass(frozen=True)
class CommandLine:
    """What a command line says: the settings that it names, and what is done with the run."""

    given: Mapping[str, Any]
    out: Path | None
    resume: Path | None
    tensorboard: bool
    video: bool


def read_command_line(kind: type[Settings], description: str, arguments: Sequence[str] | None = None) -> CommandLine:
    """Read a command line; an error ends the program with one line.

    Parameters
    ----------
    kind : class
        The dataclass of settings.
    description : str
        What the program does.
    arguments : sequence of str, optional
        By default those of the process.
    """
    parser = _Parser(description=description, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder of a new run (runs/PROGRAM-ENV-SEED)")
    parser.add_argument("--resume", type=Path, metavar="FOLDER", help="continue the run in this folder")
    parser.add_argument("--tensorboard", action="store_true", help="write TensorBoard's files too; needs tensorboardX")
    parser.add_argument("--video", action="store_true", help="record an episode of the final policy as episode.gif")
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        _add_option(parser, field, hints[field.name])
    found = vars(parser.parse_args(arguments))
    out, resume, tensorboard, video = (found.pop(name) for name in ("out", "resume", "tensorboard", "video"))
    if out is not None and resume is not None:
        parser.error("--resume continues the run in its folder, so that --out has no meaning beside it; leave one out")
    return CommandLine(found, out, resume, tensorboard, video)


def chosen(kind: type[Chosen], tuned: Tuned, given: Mapping[str, Any]) -> Chosen:
    """Return settings: the defaults, over them those tuned for the environment, and over both the given ones.

    Raises
    ------
    ValueError
        As `check_values` and `check_order`.
    """
    env = given.get("env", kind.env)
    settings = kind(**{**tuned.get(env, {}), **given})
    check_values(settings)
    check_order(settings)
    return settings


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Print one line, without the usage of every option before it."""
        print(f"{self.prog}: error: {message}; {self.prog} --help lists the options", file=sys.stderr)
        raise SystemExit(2)


def _add_option(parser: argparse.ArgumentParser, field: Any, hint: Any) -> None:
    name, default = named(field.name), field.default
    order = "".join(f", {words} {named(other)}" for words, _, other in _orders(field))
    text: dict[str, Any] = {
        "default": argparse.SUPPRESS,
        "help": f"{field.metadata['description']}{order} ({_shown(default)})",
    }
    if hint is bool:
        parser.add_argument(name, action=argparse.BooleanOptionalAction, **text)
        return
    many = typing.get_origin(hint) is tuple
    entry = typing.get_args(hint)[0] if many else hint
    number = _reader(entry, field.metadata)
    action = _TupleOf if many else "store"
    metavar = "FILE" if field.metadata["is_file"] else _metavar(entry)
    parser.add_argument(name, type=number, nargs="+" if many else None, action=action, metavar=metavar, **text)


class _TupleOf(argparse.Action):
    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        setattr(namespace, self.dest, tuple(values))


def check_values(settings: Settings) -> None:
    """Raise a `ValueError` unless every value is of its type and within its limits."""
    hints = typing.get_type_hints(type(settings))
    for field in dataclasses.fields(settings):
        value, hint = getattr(settings, field.name), hints[field.name]
        many = typing.get_origin(hint) is tuple
        entry = typing.get_args(hint)[0] if many else hint
        if many and not isinstance(value, tuple):
            raise ValueError(f"{field.name} must be a list, but is {value!r:.80}")
        for part in value if many else (value,):
            if type(part) not in _TYPES[entry]:
                raise ValueError(f"{field.name} is {part!r:.80}, but must be {_TYPE_NAMES[entry]}")
            if not isinstance(part, (str, bool)) and (fault := _fault(part, field.metadata)):
                raise ValueError(f"{field.name}: expected {fault}, but got {part}")


def check_order(settings: Settings) -> None:
    """Raise a `ValueError` unless every setting is less than, or at least, the other one that its option names."""
    for field in dataclasses.fields(settings):
        for words, fits, other in _orders(field):
            value, limit = getattr(settings, field.name), getattr(settings, other)
            if not fits(value, limit):
                name, beside = named(field.name), named(other)
                raise ValueError(
                    f"expected {name} {words} {beside}, but they are {value} and {limit}; choose a larger "
                    f"{beside if value >= limit else name}"
                )


def _orders(field: Any) -> list[tuple[str, Callable[[float, float], bool], str]]:
    """Return how a setting must compare with others: in words, as a function, and the name of the other."""
    orders = (("less than", operator.lt, "less_than"), ("at least", operator.ge, "no_less_than"))
    return [(words, fits, field.metadata[key]) for words, fits, key in orders if field.metadata[key] is not None]


def typed(name: str, value: Any) -> str:
    """Return a setting as a command line has it."""
    if isinstance(value, bool):
        return named(name if value else f"no_{name}")
    return f"{named(name)} {_shown(value)}"


def named(name: str) -> str:
    """Return the option of a setting, such as `--batch-size`."""
    return f"--{name.replace('_', '-')}"


_TYPES: dict[Any, tuple[type, ...]] = {int: (int,), float: (float, int), str: (str,), bool: (bool,)}
_TYPE_NAMES: dict[Any, str] = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def _fault(number: float, limits: Mapping[str, Any]) -> str | None:
    """Return what was expected in place of a number that is not allowed."""
    if number != number or abs(number) == float("inf"):
        return "a finite number"
    least, most, above = (limits[name] for name in ("at_least", "at_most", "above"))
    if least is not None and number < least:
        return f"at least {least}"
    if most is not None and number > most:
        return f"at most {most}"
    return f"more than {above}" if above is not None and number <= above else None


def _reader(kind: Any, limits: Mapping[str, Any]) -> Any:
    """Return a parser of one value."""
    if kind is str:
        return str

    def read(text: str) -> Any:
        try:
            number = kind(text.replace("_", ""))
        except ValueError:
            raise argparse.ArgumentTypeError(f"expected {_TYPE_NAMES[kind]}, but got {text!r:.80}") from None
        if fault := _fault(number, limits):
            raise argparse.ArgumentTypeError(f"expected {fault}, but got {text!r:.80}")
        return number

    return read


def _metavar(kind: Any) -> str:
    return {int: "N", float: "X", str: "NAME"}[kind]


def _shown(default: Any) -> str:
    return " ".join(map(str, default)) if isinstance(default, tuple) else str(default)
