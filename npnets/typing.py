"""The types that your own networks, losses and loops are annotated with: `from npnets.typing import Array, Params`."""

from npnets.backend import Array, Device
from npnets.common.protocols import Layer, PreprocessNet
from npnets.description import Bound, Shape
from npnets.functional import ActivationLike
from npnets.public import listing
from npnets.tree import Params, Tree

__all__ = ["ActivationLike", "Array", "Bound", "Device", "Layer", "Params", "PreprocessNet", "Shape", "Tree"]

__dir__ = listing(__all__)
