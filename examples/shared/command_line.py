"""What the examples' command lines share: options, and one clear line where something goes wrong."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import npnets


def new_parser(program: str, description: str) -> argparse.ArgumentParser:
    """Return a parser with `--seed`, and with `--out` for a folder below `runs` that is named as the program."""
    parser = argparse.ArgumentParser(description=description, allow_abbrev=False)
    parser.add_argument("--seed", type=at_least(0), default=0, help="of everything that is drawn (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("runs", program), help="folder for results (%(default)s)")
    parser.set_defaults(device="cpu")
    return parser


def add_training_options(parser: argparse.ArgumentParser, steps: int, steps_are: str = "gradient steps") -> None:
    """Add `--steps`, with this default, and `--device`."""
    parser.add_argument("--steps", type=at_least(1), default=steps, help=f"{steps_are} (%(default)s)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:<number> (%(default)s)")


def at_least(least: int) -> Callable[[str], int]:
    """Return a reader of whole numbers that are not below `least`."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be a whole number, but is {text!r}") from None
        if number < least:
            wanted = f"be at least {least}" if least else "not be negative"
            raise argparse.ArgumentTypeError(f"must {wanted}, but is {number}")
        return number

    return read


def run_and_explain(run: Callable[[argparse.Namespace], int], options: argparse.Namespace, program: str) -> int:
    """Run on the device that the options name; say in one line what went wrong if something did."""
    try:
        # Products this small gain nothing from a second thread, and lose nine tenths of their speed to it where another
        # program wants the processor too.
        with npnets.threads(1), npnets.backend.using(options.device):
            return run(options)
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        print(f"{program}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted before the first step: nothing to save", file=sys.stderr)
        return 130
