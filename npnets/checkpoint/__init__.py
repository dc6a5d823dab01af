"""Checkpoints: parameters, and what belongs to them, in one `.npz` or `.safetensors` file.

A file holds a tree of arrays, metadata in which networks may stand, a format number, and a digest of all of it. Nothing
in a file is executed or imported: the names in it are looked up among npnets' own classes and those that the caller
lists. A file is replaced whole or not at all, and corruption is detected and reported as a `CheckpointError`.

`api` has `save` and `load`. `encoding` and `decoding` convert values to JSON and back, with the names of `registry`;
`manifest` is the JSON document beside the arrays; `npz` and `safetensors_file` are the two formats; `template` compares
a tree with the one expected; `sniff` detects a format by its first bytes; `inspection` shows a file without making
anything that it names.
"""

from npnets.checkpoint.api import Checkpoint, CheckpointError, load, save
from npnets.public import listing

__all__ = ["Checkpoint", "CheckpointError", "load", "save"]

__dir__ = listing(__all__)
