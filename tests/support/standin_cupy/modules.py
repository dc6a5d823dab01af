"""The module objects that stand in for `cupy` and `cupyx`: made once, empty here, filled by the files that know how.

They are the same objects however often the stand-in is installed, so that a class or an array that outlives one
installation is no stranger to the next.
"""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from types import ModuleType

IMPORTABLE: dict[str, ModuleType] = {}


def _module(name: str) -> ModuleType:
    """Make a module that `import` finds once it is installed; a real one of that name can be imported too."""
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
