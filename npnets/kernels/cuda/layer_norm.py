"""Layer normalization on a GPU, with the symbols of `kernels/layer_norm.py`; means are launches of their own."""

from npnets.backend import Array
from npnets.kernels.cuda.elementwise_kernel import ElementwiseKernel

_CENTRED = ElementwiseKernel(
    "T x, T mean", "T centred, T square", "centred = x - mean; square = centred * centred;", "centred"
)
_R = ElementwiseKernel("T variance, T eps", "T r", "r = T(1) / sqrt(variance + eps);", "one_over_deviation")
_SCALED = ElementwiseKernel(
    "T centred, T r, T weight, T bias", "T n, T y", "n = centred * r; y = n * weight + bias;", "normalized_and_scaled"
)
_DN = ElementwiseKernel("T dy, T n, T weight", "T dn, T dn_n", "dn = dy * weight; dn_n = dn * n;", "scaled_cotangent")
_DX = ElementwiseKernel(
    "T dn, T n, T r, T mean_dn, T mean_dn_n", "T dx", "dx = (dn - mean_dn - n * mean_dn_n) * r;", "projected_cotangent"
)


def forward(x: Array, weight: Array | None, bias: Array | None, *, eps: float) -> tuple[Array, tuple[Array, Array]]:
    """Return `y`, and `n` and `r`."""
    centred, square = _CENTRED(x, x.mean(axis=-1, keepdims=True))
    r = _R(square.mean(axis=-1, keepdims=True), eps)
    n, y = _SCALED(centred, r, 1 if weight is None else weight, 0 if bias is None else bias)
    return y, (n, r)


def input_cotangent(dy: Array, n: Array, r: Array, weight: Array | None) -> Array:
    """Return `dx`."""
    dn, dn_n = _DN(dy, n, 1 if weight is None else weight)
    return _DX(dn, n, r, dn.mean(axis=-1, keepdims=True), dn_n.mean(axis=-1, keepdims=True))
