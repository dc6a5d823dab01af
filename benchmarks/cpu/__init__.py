"""npnets on the CPU beside Tianshou, JAX and plain autograd: times, memory, imports."""
