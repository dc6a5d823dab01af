"""The self-test of an ONNX file: inputs with their outputs as JSON in its metadata, and its run in onnxruntime."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnets.export.program import Program
from npnets.export.tolerance import allowed_errors

KEY = "self_test"
NEXT = "next_"
"""In front of a state's name where it goes out."""


def cases_as_json(program: Program) -> str:
    """Return the cases of a program as JSON: lists of cases by the names of the file's inputs and outputs."""
    states, test = [state.before.name for state in program.states], program.self_test
    inputs = [*(port.name for port in program.inputs), *states]
    outputs = [*(port.name for port in program.outputs), *(NEXT + name for name in states)]
    errors = allowed_errors(program) if test.outputs else []
    cases = {"inputs": _named(inputs, test.inputs), "outputs": _named(outputs, test.outputs)}
    return json.dumps({**cases, "allowed_errors": dict(zip(outputs, errors, strict=bool(errors)))})


def onnx_self_test(path: str | Path) -> int:
    """Run the self-test of a file that `npnets.export.onnx` wrote, in onnxruntime on the CPU.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    int
        The number of its cases of which some output is wrong: another index, or a number that differs by more than
        `1e-5` of one or of the largest in the same output, whichever is larger; of small bounds, of half their width in
        place of one. Zero if all is well.

    Raises
    ------
    ModuleNotFoundError
        If onnxruntime is not installed.
    ValueError
        If the file is no ONNX model, or holds no self-test.
    OSError
        If the file cannot be read.
    """
    session = _session(path)
    metadata = session.get_modelmeta().custom_metadata_map
    if KEY not in metadata:
        raise ValueError(f"{str(path)!r} holds no self-test: it was not written by npnets.export.onnx")
    cases = json.loads(metadata[KEY])
    inputs = {name: np.asarray(rows, np.float32) for name, rows in cases["inputs"].items()}
    found = session.run(list(cases["outputs"]), inputs)
    triples = zip(found, cases["outputs"].values(), cases["allowed_errors"].values(), strict=True)
    return int(np.any([_wrong(output, np.asarray(rows), error) for output, rows, error in triples], axis=0).sum())


def _session(path: str | Path) -> Any:
    """Open a file in onnxruntime, which is imported here because everything else does without."""
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    content = Path(path).read_bytes()
    try:
        return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except (errors.InvalidProtobuf, errors.InvalidArgument, errors.InvalidGraph, errors.Fail) as error:
        raise ValueError(f"{str(path)!r:.200} is no ONNX model that onnxruntime can open: {error}") from error


def _wrong(found: NDArray[Any], expected: NDArray[Any], error: float) -> NDArray[np.bool_]:
    """Return of which cases an output is wrong."""
    allowed = 0.0 if found.dtype.kind == "i" else error
    right = np.abs(found - expected) <= allowed  # which is false for what is not a number
    return np.array([not of_case.all() for of_case in right])


def _named(names: list[str], arrays: tuple[NDArray[Any], ...]) -> dict[str, Any]:
    return {name: _listed(array) for name, array in zip(names, arrays, strict=bool(arrays))}


def _listed(array: NDArray[Any]) -> Any:
    """Return nested lists of numbers that read as the shortest decimals of their float32."""
    if array.dtype.kind != "f":
        return array.tolist()
    shortest = [float(str(x)) for x in array.astype(np.float32).ravel()]
    return np.array(shortest).reshape(array.shape).tolist()
