"""The module objects in place of `cupy` and `cupyx`, made empty here and filled by the other files.

They are the same objects in every installation of the stand-in, so that classes and arrays remain valid.
"""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from types import ModuleType

IMPORTABLE: dict[str, ModuleType] = {}


def _module(name: str) -> ModuleType:
    """Make a module that `import` finds after installation; a real one of that name can be imported too."""
    module = ModuleType(name, f"The stand-in for {name}, over NumPy.")
    module.__spec__ = ModuleSpec(name, loader=None)
    IMPORTABLE[name] = module
    return module


cupy = _module("cupy")
cuda = cupy.cuda = _module("cupy.cuda")
cupyx = _module("cupyx")
cupyx.scipy = _module("cupyx.scipy")
special = cupyx.scipy.special = _module("cupyx.scipy.special")
runtime = cuda.runtime = ModuleType("cupy_backends.cuda.api.runtime")  # CuPy's cannot be imported by this way either
