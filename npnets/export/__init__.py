"""A policy as one file for another language: C, ONNX, or plain Python."""

from npnets.export.api import c, onnx, python
from npnets.public import listing

__all__ = ["c", "onnx", "python"]

__dir__ = listing(__all__)
