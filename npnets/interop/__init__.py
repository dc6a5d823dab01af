"""What comes from other libraries, read and written without them.

Owns the forms of their files and the names in them; the rest of the package knows nothing of either. No module here
imports the library that it speaks to.
"""

from npnets.interop import tianshou, torch_file

__all__ = ["tianshou", "torch_file"]
