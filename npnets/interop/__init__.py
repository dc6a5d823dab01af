"""What comes from other libraries, read and written without them.

Owns the forms of their files and the names in them; the rest of the package knows nothing of either. No module here
imports the library that it speaks to.
"""

from typing import TYPE_CHECKING

from npnets.public import imported_when_used, listing

if TYPE_CHECKING:
    from npnets.interop import tianshou, torch_file
else:
    __getattr__ = imported_when_used(
        __name__, {"tianshou": "npnets.interop.tianshou", "torch_file": "npnets.interop.torch_file"}
    )

__all__ = ["tianshou", "torch_file"]

__dir__ = listing(__all__)
