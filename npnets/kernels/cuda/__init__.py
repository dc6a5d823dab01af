"""The hot operations on a GPU: CUDA C++ and the functions that run it, in files named as the operations."""
