"""The command `python -m npnets`: facts about the installation, or the content of a checkpoint, as text.

The exit code is 0, or 1 if a file cannot be shown, or 2 for an unknown command.
"""

import argparse
import io
import os
import sys
from collections.abc import Iterable, Sequence

import npnets
from npnets.checkpoint.inspection import inspect
from npnets.files.quoting import plain
from npnets.tree import Tree

_LONGEST_VALUE = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        lines = options.lines(options)
    except (OSError, ImportError, ValueError) as error:
        print(f"python -m npnets: error: {_reason(error)}", file=sys.stderr)
        return 1
    return _print(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m npnets",
        usage="python -m npnets [-h] [--version] [summary FILE]",
        description="Without a command: the versions, processor, BLAS, kernels and devices of this installation.",
    )
    parser.add_argument("--version", action="version", version=f"npnets {npnets.__version__}")
    parser.set_defaults(lines=_about)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", prog=parser.prog)
    text = "show the networks, arrays and other values in a checkpoint"
    summary = commands.add_parser("summary", help=text, description=f"{text[0].upper()}{text[1:]}.")
    summary.add_argument("file", metavar="FILE", help="a file of npnets.checkpoint.save: .npz or .safetensors")
    summary.set_defaults(lines=_summary)
    return parser


def _about(options: argparse.Namespace) -> list[str]:
    return _aligned((name.replace("_", " "), _readable(name, value)) for name, value in npnets.about().items())


def _readable(name: str, value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    if value is None:
        return {"blas_threads": "unknown", "compiled_threads": "none"}.get(name, "not installed")
    return str(value)


def _summary(options: argparse.Namespace) -> list[str]:
    metadata, params = inspect(options.file)
    texts = (text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..." for text in metadata.values())
    table = npnets.summary(params) if _has_arrays(params) else "no arrays"
    return [*_aligned(zip(metadata, texts, strict=True)), *table.splitlines()]


def _has_arrays(params: Tree) -> bool:
    return any(hasattr(leaf, "shape") for leaf in npnets.tree.leaves(params))


def _aligned(rows: Iterable[tuple[str, str]]) -> list[str]:
    rows = list(rows)
    width = max((len(name) for name, _ in rows), default=0)
    return [f"{name:<{width}}  {value}" for name, value in rows]


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{plain(os.fsdecode(error.filename))}: {error.strerror}"
    return str(error)


def _print(lines: Iterable[str]) -> int:
    """Print lines, with `?` for characters that the output cannot encode, and return 1 if it was closed early."""
    if sys.stdout is None:  # closed before Python began
        return 1
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")
        print(*lines, sep="\n", flush=True)
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            print(f"python -m npnets: error: the output cannot be written: {error.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at exit
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
