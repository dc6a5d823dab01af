"""Trees of arrays: nested dicts (lists and tuples are accepted too) with arrays at their leaves.

Mapping over trees, the names of leaves, conversion to one flat vector and back, and moves to another device.
Independent of networks and derivatives: every object that is no dict, list or tuple is a leaf. A leaf's *path* is its
keys, joined by dots: `"last.linear_0.weight"`. `leaves`, `paths` and `ravel` go through dicts in the order of their
sorted keys, so that equal trees give equal vectors, in whatever order they were built.
"""

from npnets.public import listing
from npnets.tree.devices import to_device, to_numpy
from npnets.tree.structure import Params, Tree, leaves, map, paths, sequence_like, unzip
from npnets.tree.vector import Unravel, ravel

__all__ = [
    "Params",
    "Tree",
    "Unravel",
    "leaves",
    "map",
    "paths",
    "ravel",
    "sequence_like",
    "to_device",
    "to_numpy",
    "unzip",
]

__dir__ = listing(__all__)
