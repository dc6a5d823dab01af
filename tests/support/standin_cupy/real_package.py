"""Describes the real CuPy as JSON: run in a process of its own, because the stand-in lives in the tests' process.

It reads the names to look up from standard input and needs no GPU. This file imports nothing of the stand-in. A
parameter is described by its name, its kind, and its default as text, or null without one. Python functions have a
signature; functions in Cython and elementwise functions have it in the first line of their docstrings.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from typing import Any

Described = list[list[Any]]


def described(signature: inspect.Signature) -> Described:
    """Return the parameters of a signature, without `self`."""
    parameters = [p for p in signature.parameters.values() if p.name != "self"]
    return [[p.name, p.kind.name, None if p.default is p.empty else repr(p.default)] for p in parameters]


def from_docstring(value: Any) -> Described | None:
    """Return the parameters in the first line of a docstring, without the types that Cython puts there."""
    found = re.match(r"[\w.]+\((.*)\)(?: ->.*)?$", (value.__doc__ or "").strip().split("\n")[0])
    if found is None:
        return None
    untyped = re.sub(r"(^|, )[\w.]+ (?=\w)", r"\1", found.group(1).replace("\\", ""))
    try:
        return described(inspect.signature(eval(f"lambda {untyped}: None")))
    except (SyntaxError, NameError):
        return None


def parameters_of(value: Any) -> Described | None:
    """Return the parameters of an object, or null if they are not known."""
    if inspect.isfunction(value) or type(value).__name__ == "_GUFunc":
        return described(inspect.signature(value))
    return from_docstring(value) if callable(value) else None


def look_up(root: Any, path: str) -> dict[str, Any]:
    """Describe the object at a dotted path below a module, or say that there is none."""
    value = root
    for part in path.split("."):
        if not hasattr(value, part):
            return {"exists": False}
        value = getattr(value, part)
    plain = repr(value) if value is None or isinstance(value, (int, float, str)) else None
    return {
        "exists": True,
        "type": type(value).__name__,
        "parameters": parameters_of(value),
        "inputs": None if isinstance(value, type) else getattr(value, "nin", None),
        "value": plain,
        "of_numpy": (getattr(value, "__module__", None) or "").split(".")[0] == "numpy",
        "doc": value.__doc__ or "",
    }


def main() -> None:
    """Look up the names on standard input: paths below each module, and the statuses of errors."""
    import cupy
    import cupyx.scipy.special

    asked = json.load(sys.stdin)
    roots = {"cupy": cupy, "special": cupyx.scipy.special}
    found: dict[str, Any] = {name: {path: look_up(root, path) for path in asked[name]} for name, root in roots.items()}
    error = cupy.cuda.runtime.CUDARuntimeError
    found["errors"] = {status: [str(error(status)), error(status).status] for status in asked["errors"]}
    found["error_is_a_runtime_error"] = issubclass(error, RuntimeError)
    kernel = cupy.ElementwiseKernel("T x, float32 y", "T z", "z = x * y", name="one", **asked["kernel"])
    found["kernel"] = [kernel.nin, kernel.nout, kernel.name]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
