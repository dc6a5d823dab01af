"""Running trained policies elsewhere: by npnets, as C, as ONNX and as plain Python, without PyTorch."""
