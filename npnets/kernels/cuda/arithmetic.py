"""Arithmetic of the optimizers on a GPU, one launch for each leaf; `T` is the arrays' dtype."""

from npnets.kernels.cuda.elementwise_kernel import ElementwiseKernel

LERP_SOURCE = """const T difference = {y} - {x};
    {out} = !(difference - difference == T(0)) ? T({x} * decay_rate + {y} * weight)
          : weight < T(0.5) ? T(difference * weight + {x}) : T(difference * (weight - T(1)) + {y});"""
"""The CUDA C++ of `LERP`: where a difference is not finite, the weighted sum takes its place."""

AXPY = ElementwiseKernel("T x, T factor, T y", "T output", "output = factor * x + y;", "axpy")
LERP = ElementwiseKernel(
    "T x, T y, T weight, T decay_rate", "T output", LERP_SOURCE.format(x="x", y="y", out="output"), "lerp"
)
LERP_SQUARE = ElementwiseKernel(
    "T x, T y, T weight, T decay_rate", "T output", "output = x * decay_rate + y * y * weight;", "lerp_square"
)
RATIO = ElementwiseKernel(
    "T x, T square, T eps",
    "T output",
    "const T root = sqrt(square) + eps; output = x / (root == T(0) ? T(1) : root);",
    "ratio",
)
