"""npnets on the CPU compared with Tianshou, JAX and plain autograd: times, memory, imports."""
