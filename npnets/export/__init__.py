"""A policy as one file for another language: C, ONNX, or plain Python."""

from npnets.export.api import c, onnx, python
from npnets.export.onnx.self_test import onnx_self_test
from npnets.public import listing

__all__ = ["c", "onnx", "onnx_self_test", "python"]

__dir__ = listing(__all__)
