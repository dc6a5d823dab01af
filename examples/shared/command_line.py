"""The command lines of the examples: common options, and errors in one line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import npnets


def new_parser(program: str, description: str) -> argparse.ArgumentParser:
    """Return a parser with `--seed` and `--out`, by default the folder `runs/PROGRAM`."""
    parser = argparse.ArgumentParser(description=description, allow_abbrev=False)
    parser.add_argument("--seed", type=at_least(0), default=0, help="seed of all random numbers (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("runs", program), help="folder for results (%(default)s)")
    parser.set_defaults(device="cpu")
    return parser


def add_training_options(parser: argparse.ArgumentParser, steps: int, steps_are: str = "gradient steps") -> None:
    """Add `--steps` with a default, and `--device`."""
    parser.add_argument("--steps", type=at_least(1), default=steps, help=f"{steps_are} (%(default)s)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:<number> (%(default)s)")


def at_least(least: int) -> Callable[[str], int]:
    """Return a parser of integers that are at least `least`."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be a whole number, but is {text!r}") from None
        if number < least:
            condition = f"be at least {least}" if least else "not be negative"
            raise argparse.ArgumentTypeError(f"must {condition}, but is {number}")
        return number

    return read


def run_and_explain(run: Callable[[argparse.Namespace], int], options: argparse.Namespace, program: str) -> int:
    """Run on the device of the options; print an error in one line."""
    try:
        # Small products gain nothing from a second thread, and take ten times as long if another program uses the
        # processor too.
        with npnets.threads(1), npnets.backend.using(options.device):
            return run(options)
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        print(f"{program}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted before results were saved", file=sys.stderr)
        return 130
