"""The functions that write files.

They bear the names of the packages that write each language. Those are imported here, so that `npnets.export.c` is the
function from the moment when `npnets.export` can be used: an import of the package sets that name only once.
"""

import os
from collections.abc import Callable
from typing import Any, BinaryIO

from npnets.export.building import program_of
from npnets.export.c import write as write_c
from npnets.export.names import checked_name
from npnets.export.onnx import write as write_onnx
from npnets.export.program import Program
from npnets.export.python import write as write_python
from npnets.export.single_precision import in_float32
from npnets.export.subject import Output, subject_of
from npnets.files import atomic_write
from npnets.normalization import Normalization
from npnets.tree import Params

Path = str | os.PathLike[str]


def c(
    path: Path,
    network: Any,
    params: Params | None = None,
    *,
    normalization: Normalization | None = None,
    output: Output | None = None,
    name: str | None = None,
    fraction_proposal: Any = None,
    seed: int = 0,
) -> None:
    """Write a policy as one header of C99 that needs nothing but `math.h`.

    Its comment at the top says how to compile and call it. Weights are float32 constants, and nothing is allocated.

    Parameters
    ----------
    path : str or path
        Usually ends in `.h`. The file is replaced as a whole, or left as it was.
    network : network or Policy
        A network of npnets, or a `Policy`.
    params : dict, optional
        The network's parameters; a policy has its own.
    normalization : Normalization, optional
        Observations are normalized by it first; a policy has its own, and so has a network with a `Normalized`.
    output : str, optional
        `"action"`: what `Policy.act` returns; of an actor with a distribution it is the mean. `"network"`: what
        `forward` returns, such as mean and standard deviation, probabilities, quantiles or a value. By default the
        action of a policy and of an actor, and else the network's output.
    name : str, optional
        What is exported is called in the file; by default like the file.
    fraction_proposal : (FractionProposalNetwork, dict), optional
        The network that proposes fractions and its parameters, for a `discrete.FullQuantileFunction` alone.
    seed : int
        Draws the inputs of the file's self-test.

    Raises
    ------
    TypeError
        If a part is Python code of your own, such as a trunk or an activation; the message names it.
    ValueError
        If a parameter is NaN or infinite, or the name cannot be one in C or Python.
    OSError
        If the file cannot be written.
    """
    program = _program(path, network, params, normalization, output, name, fraction_proposal, seed)
    _write(write_c, path, in_float32(program))


def onnx(
    path: Path,
    network: Any,
    params: Params | None = None,
    *,
    normalization: Normalization | None = None,
    output: Output | None = None,
    name: str | None = None,
    fraction_proposal: Any = None,
    seed: int = 0,
) -> None:
    """Write a policy as an ONNX model, without the `onnx` package.

    It uses the operators of ONNX 1.8 (opset 13), which onnxruntime 1.6 and later read, and others. Every input and
    output is float32, an index int64, with a free batch axis in front. A recurrent policy has its states as further
    inputs `hidden` and `cell`, zeros before the first step, and outputs `next_hidden` and `next_cell`. The metadata has
    npnets' version, the network, and the self-test, which `onnx_self_test` runs.

    Parameters
    ----------
    path, network, params, normalization, output, name, fraction_proposal, seed
        As in `export.c`; the path usually ends in `.onnx`.

    Raises
    ------
    TypeError, ValueError, OSError
        As `export.c`.
    """
    program = _program(path, network, params, normalization, output, name, fraction_proposal, seed)
    _write(write_onnx, path, in_float32(program))


def python(
    path: Path,
    network: Any,
    params: Params | None = None,
    *,
    normalization: Normalization | None = None,
    output: Output | None = None,
    name: str | None = None,
    fraction_proposal: Any = None,
    seed: int = 0,
) -> None:
    """Write a policy as one file of plain Python that imports only `math`, for MicroPython too, and for reading.

    Parameters
    ----------
    path, network, params, normalization, output, name, fraction_proposal, seed
        As in `export.c`; the path usually ends in `.py`. Parameters keep their full precision.

    Raises
    ------
    TypeError, ValueError, OSError
        As `export.c`.
    """
    _write(write_python, path, _program(path, network, params, normalization, output, name, fraction_proposal, seed))


def _program(
    path: Path,
    network: Any,
    params: Any,
    normalization: Normalization | None,
    output: Output | None,
    name: str | None,
    fraction_proposal: Any,
    seed: int,
) -> Program:
    subject = subject_of(network, params, normalization, output, fraction_proposal)
    return program_of(subject, checked_name(name, os.fsdecode(path)), seed)


def _write(write: Callable[[Program], str | bytes], path: Path, program: Program) -> None:
    text = write(program)
    content = text if isinstance(text, bytes) else text.encode("utf-8")
    atomic_write.replace(os.fsdecode(path), lambda file: _put(file, content))


def _put(file: BinaryIO, content: bytes) -> None:
    file.write(content)
