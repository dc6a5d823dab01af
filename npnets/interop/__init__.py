"""Conversion from and to the formats of other libraries, without importing them.

The formats of their files, and their names of parameters, are in this package alone.
"""

from typing import TYPE_CHECKING

from npnets.public import imported_when_used, listing

if TYPE_CHECKING:
    from npnets.interop import pickle_file, tianshou, torch_file
    from npnets.interop.foreign import Foreign
    from npnets.interop.normalization_file import load_normalization
    from npnets.interop.policies import load_policy
else:
    __getattr__ = imported_when_used(
        __name__,
        {
            "Foreign": "npnets.interop.foreign",
            "load_normalization": "npnets.interop.normalization_file",
            "load_policy": "npnets.interop.policies",
            "pickle_file": "npnets.interop.pickle_file",
            "tianshou": "npnets.interop.tianshou",
            "torch_file": "npnets.interop.torch_file",
        },
    )

__all__ = ["Foreign", "load_normalization", "load_policy", "pickle_file", "tianshou", "torch_file"]

__dir__ = listing(__all__)
