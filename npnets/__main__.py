"""The command `python -m npnets`: facts about the installation, the content of a checkpoint, or the export of a policy.

The exit code is 0, or 1 if a file cannot be shown or exported, or 2 for an unknown command.
"""

import argparse
import io
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import npnets
from npnets.checkpoint.inspection import inspect
from npnets.files.quoting import plain
from npnets.tree import Tree

_LONGEST_VALUE = 1000
_ENDINGS = {".h": "c", ".onnx": "onnx", ".py": "python"}
_CHECKPOINTS = (".npz", ".safetensors")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        lines = options.lines(options)
    except (OSError, ImportError, TypeError, ValueError) as error:
        print(f"python -m npnets: error: {_reason(error)}", file=sys.stderr)
        return 1
    return _print(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m npnets",
        usage="python -m npnets [-h] [--version] [summary FILE | export FILE TARGET]",
        description="Without a command: the versions, processor, BLAS, kernels and devices of this installation.",
    )
    parser.add_argument("--version", action="version", version=f"npnets {npnets.__version__}")
    parser.set_defaults(lines=_about)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", prog=parser.prog)
    text = "show the networks, arrays and other values in a checkpoint"
    summary = commands.add_parser("summary", help=text, description=f"{text[0].upper()}{text[1:]}.")
    summary.add_argument("file", metavar="FILE", help="a file of npnets.checkpoint.save: .npz or .safetensors")
    summary.set_defaults(lines=_summary)
    _add_export(commands)
    return parser


def _add_export(commands: Any) -> None:
    text = "write a policy as one file of C, ONNX or plain Python"
    export = commands.add_parser("export", help=text, description=f"{text[0].upper()}{text[1:]}.")
    file = "a file of Policy.save or checkpoint.save, or of another library that interop.load_policy reads"
    export.add_argument("file", metavar="FILE", help=file)
    export.add_argument("target", metavar="TARGET", help="the file to write: .h, .onnx or .py")
    export.add_argument("--format", choices=sorted(_ENDINGS.values()), help="by default by the ending of TARGET")
    export.add_argument("--name", help="what is exported is called in the file; by default like the file")
    choice = "the action (the default for an actor), or the network's own output"
    export.add_argument("--output", choices=("action", "network"), help=choice)
    statistics = "statistics of the observations in a file of VecNormalize, for a policy of another library"
    export.add_argument("--normalization", metavar="FILE", help=statistics)
    for bound, kind in (("--low", "lower"), ("--high", "upper")):
        text = f"{kind} bounds of the actions, for a file of another library without them: --{bound[2:]}=-1,-2"
        export.add_argument(bound, type=_numbers, metavar="NUMBERS", help=text)
    activation = "the activation of the hidden layers, for a file of another library that does not name it"
    export.add_argument("--activation", metavar="NAME", help=f"{activation}: --activation=tanh")
    export.set_defaults(lines=_export)


def _numbers(text: str) -> list[float]:
    try:
        return [float(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected numbers such as -1 or -1,-2, but got {text!r:.80}") from None


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


def _export(options: argparse.Namespace) -> list[str]:
    ending = os.path.splitext(options.target)[1].lower()
    language = options.format or _ENDINGS.get(ending)
    if language is None:
        raise ValueError(
            f"expected a target that ends in {', '.join(_ENDINGS)}, but it is {plain(options.target)}; or pass --format"
        )
    network, params = _read(options)
    write = getattr(npnets.export, language)
    write(options.target, network, params, output=options.output, name=options.name)
    return [f"wrote {plain(options.target)}, {os.path.getsize(options.target):,} bytes"]


def _read(options: argparse.Namespace) -> tuple[Any, Any]:
    """Return the policy of a file, or a network and its parameters."""
    of_other_libraries = [
        name for name in ("normalization", "low", "high", "activation") if getattr(options, name) is not None
    ]
    if os.path.splitext(options.file)[1].lower() not in _CHECKPOINTS:
        return _of_another_library(options), None
    if of_other_libraries:
        raise ValueError(
            f"--{of_other_libraries[0]} is for files of other libraries; a checkpoint of npnets has its own"
        )
    params, metadata = npnets.checkpoint.load(options.file)
    if "policy" in metadata or "network" not in metadata:
        return npnets.Policy.load(options.file), None
    return metadata["network"], params


def _of_another_library(options: argparse.Namespace) -> npnets.Policy:
    if (options.low is None) != (options.high is None):
        raise ValueError("--low and --high belong together; pass both or neither")
    bounds = None if options.low is None else (options.low, options.high)
    return npnets.interop.load_policy(
        options.file, options.normalization, action_space=bounds, activation=options.activation
    )


def _aligned(rows: Iterable[tuple[str, str]]) -> list[str]:
    rows = list(rows)
    width = max((len(name) for name, _ in rows), default=0)
    return [f"{name:<{width}}  {value}" for name, value in rows]


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{plain(os.fsdecode(error.filename))}: {error.strerror}"
    return _in_options(str(error))


_AS_OPTIONS = {
    "pass action_space=env.action_space, or action_space=(low, high)": "pass --low and --high, as in --low=-1 --high=1",
    "pass action_space=env.action_space": "pass --low and --high",
    "leave action_space out, or pass the space of its environment": "leave --low and --high out",
    "but action_space ": "but --low, --high ",
    "pass activation=": "pass --activation=",
    "but activation=": "but --activation=",
    "leave activation out": "leave --activation out",
    "pass another one, name=": "pass another one, --name=",
    "pass another one, such as name=": "pass another one, such as --name=",
    "with output='network'": "with --output=network",
}
"""What errors of `load_policy` and `export` say about their arguments, and the command's options in place of these."""


def _in_options(message: str) -> str:
    for arguments, options in _AS_OPTIONS.items():
        message = message.replace(arguments, options)
    return message


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
