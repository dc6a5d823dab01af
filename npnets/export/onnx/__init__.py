"""A program as an ONNX model, encoded here: neither the `onnx` package nor one for protobuf is needed."""

from npnets.export.onnx.model import write

__all__ = ["write"]
