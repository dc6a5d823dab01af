"""npnets compared with PyTorch on a GPU: times and kernel launches."""
