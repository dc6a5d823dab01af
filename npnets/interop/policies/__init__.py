"""Policies that other libraries trained and saved, read from their files without those libraries.

One module reads the files of one library. Each has `LIBRARY`, which says what it reads, `recognizes(file)`, which looks
at a `LibraryFile` without failing, and `read(file, options)`, which returns a `Policy`, or raises a `Fault` that says
what is wrong with the file. `loading` chooses the first module that recognizes a file. `spaces` and `sequential` hold
what several of them need: bounds of actions, and the layers of a `torch.nn.Sequential`.
"""

from npnets.interop.policies.loading import load_policy
from npnets.public import listing

__all__ = ["load_policy"]

__dir__ = listing(__all__)
