"""Checkpoints: parameters, and what belongs to them, in one `.npz` or `.safetensors` file.

A file holds a tree of arrays, metadata in which networks may stand, a format number, and a digest of all of it.
Nothing in a file is ever run or imported: what it names is looked up among npnets' own classes, and those that you
give. A file is replaced whole or not at all.

`files` is the door. `encoding` and `decoding` turn values to JSON and back, with the names of `known`; `manifest` is
what stands beside the arrays; `npz` and `safetensors_file` are the two containers; `replacing` puts a file in the place
of another; `template` holds what was read against what was expected; `endings` tells a file of the other format from a
damaged one; `shown` tells what is in a file without making anything of it. A `Fault` is what is wrong with a file.
"""

from npnets.checkpoint.files import Checkpoint, load, save
from npnets.public import listing

__all__ = ["Checkpoint", "load", "save"]

__dir__ = listing(__all__)
