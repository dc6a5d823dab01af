"""A policy that Tianshou trained, run without PyTorch."""
