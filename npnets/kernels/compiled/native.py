"""The extension module of kernels in C: whether it is in use, with which instructions of the processor, and why.

`NPNETS_COMPILED` in the environment chooses when the package is imported: `off` for the kernels in NumPy, or the name
of an instruction set that the processor has, such as `avx2`. Without it the best one is in use.
"""

import importlib
import os
from types import ModuleType
from typing import Any, NamedTuple

from npnets.kernels import buffers

VARIABLE = "NPNETS_COMPILED"


class Choice(NamedTuple):
    """The extension module, or `None`; the name of its instruction set, or `"off"`; and the reason in words."""

    module: ModuleType | None
    name: str
    reason: str


def _choose(asked: str) -> Choice:
    if asked == "off":
        return Choice(None, "off", f"{VARIABLE}=off in the environment")
    try:
        module = importlib.import_module("npnets.kernels.compiled._native")
    except ImportError as error:
        if asked:
            raise ImportError(
                f"{VARIABLE}={asked} asks for compiled kernels, but this installation has none ({error}); install a C "
                f"compiler and then npnets again, or unset {VARIABLE}"
            ) from error
        return Choice(None, "off", f"not compiled: {error}")
    names = module.available()
    if asked and asked not in names:
        raise ImportError(f"{VARIABLE} must be off or one of {', '.join(names)} on this processor, but is {asked!r}")
    module.choose(asked or names[0])
    module.set_allocator(buffers.scratch_of)
    reason = f"{VARIABLE}={asked} in the environment" if asked else "the best that this processor has"
    return Choice(module, asked or names[0], reason)


choice = _choose(os.environ.get(VARIABLE, ""))
native: Any = choice.module
