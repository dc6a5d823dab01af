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
MODULE = "npnets.kernels.compiled._native"
INSTALL = "pip install --force-reinstall --no-deps --no-cache-dir"
"""How pip installs a package again: without these options it takes the wheel that it built without a compiler."""


class Choice(NamedTuple):
    """The extension module, or `None`; the name of its instruction set, or `"off"`; and the reason in words."""

    module: ModuleType | None
    name: str
    reason: str


def _choose(asked: str) -> Choice:
    if asked == "off":
        return Choice(None, "off", f"{VARIABLE}=off in the environment")
    module, reason = _loaded()
    if module is None:
        if asked:
            raise ImportError(f"{VARIABLE}={asked} asks for compiled kernels, but {reason}; or unset {VARIABLE}")
        return Choice(None, "off", reason)
    names = module.available()
    if asked and asked not in names:
        raise ImportError(
            f"expected {VARIABLE} to be off or an instruction set of this processor ({', '.join(names)}), but got "
            f"{asked!r}; unset it to use the best one"
        )
    module.choose(asked or names[0])
    module.set_allocator(buffers.scratch_of)
    reason = f"{VARIABLE}={asked} in the environment" if asked else "the best instruction set of this processor"
    return Choice(module, asked or names[0], reason)


def _loaded() -> tuple[ModuleType | None, str]:
    """Return the extension module, or `None` and the reason with a remedy."""
    if not buffers.REFERENCES_ARE_COUNTED:
        return None, "this Python runs without its global lock, which they need: use a Python that has it"
    try:
        return importlib.import_module(MODULE), ""
    except ModuleNotFoundError as error:
        if error.name != MODULE:
            raise
        return None, f"this installation has none: install a C compiler, and then npnets again with `{INSTALL}`"
    except ImportError as error:
        return None, f"the extension module cannot be loaded ({error}): install npnets again with `{INSTALL}`"


choice = _choose(os.environ.get(VARIABLE, ""))
native: Any = choice.module
