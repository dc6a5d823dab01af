"""A policy as one file for another language: C, ONNX, or plain Python."""
