"""npnets beside PyTorch on a GPU: times and kernel launches."""
