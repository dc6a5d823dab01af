"""The activation functions on a GPU: bias and activation in one launch, and the backward in another.

Symbols as in `kernels/activations.py`: `y = f(z)`, `g` the cotangent of `y`, `dz` that of `z`; `x` the product to which
a bias is added, `z = x + bias`. `T` is the arrays' dtype: constants are written `T(0.5)`, because a plain `0.5` would
turn float32 into double precision, which most GPUs compute many times slower. Both branches of a choice are `T` too.
"""

from typing import TYPE_CHECKING, NamedTuple

from npnets.backend import Array
from npnets.kernels.activation_formulas import SELU_SCALE, SELU_SCALE_BELOW
from npnets.kernels.cuda.elementwise_kernel import ElementwiseKernel

if TYPE_CHECKING:
    from npnets.kernels.activations import Activation


class _Source(NamedTuple):
    """CUDA C++ of one activation: `forward` sets `y` from `z`, `backward` sets `dz` from `g`, `y` and `z`.

    `inputs` declares the activation's own arguments, each after a comma.
    """

    inputs: str
    forward: str
    backward: str


_SIGMOID = "const T p = exp(-fabs({of})); const T s = ({of} >= T(0) ? T(1) : p) / (T(1) + p);"
_HARDSIGMOID = "z <= T(-3) ? T(0) : z >= T(3) ? T(1) : T((z + T(3)) / T(6))"
_MISH = """const T e = exp(-fabs(z));
const T n = z < T(0) ? T(e * (e + T(2))) : T(T(1) + T(2) * e), d = n + (z < T(0) ? T(2) : T(T(2) * e * e));"""
"""As in `mish`: `n / d` is the factor of `z`."""
_CDF = """T cdf;
const T c = fmin(fmax(z, T(-64)), T(64)), s = c * c, s_error = fma(c, c, -s);
if (by_tanh) {{
    const T a = T(1.5957691216057308), a_error = T((1.5957691216057308 - double(a)) - 9.9693088091109203e-17);
    const T b = T(0.044715), b_error = T((0.044715 - double(b)) + 2.1960211427085596e-18);
    const T q = b * s, q_error = fma(b, s, -q) + b * s_error + b_error * s;
    const T t = T(1) + q, added = t - T(1), t_error = (T(1) - (t - added)) + (q - added) + q_error;
    const T r = c * t, r_error = fma(c, t, -r) + c * t_error;
    const T v = a * r, v_error = fma(a, r, -v) + a * r_error + a_error * r;
    const T e = exp(-fabs(v)), p = e - e * (v < T(0) ? -v_error : v_error);
    cdf = (v < T(0) ? p : T(1)) / (T(1) + p);
    {slope_by_tanh}
}} else {{
    cdf = normcdf(z);
    {slope}
}}"""
"""As in `gelu`: `cdf` is the factor of `z`, `slope` its derivative; `_error` is a rounding error."""

_CDF_ALONE = _CDF.format(slope_by_tanh="", slope="")
_CDF_AND_SLOPE = "T slope; " + _CDF.format(
    slope_by_tanh="slope = cdf * ((v < T(0) ? T(1) : p) / (T(1) + p) * (a * (T(1) + T(3) * b * s)));",
    slope="const T e = exp(T(-0.5) * s); slope = T(0.39894228040143267794) * (e - T(0.5) * s_error * e);",
)

_SOURCES = {
    "relu": _Source("", "y = z <= T(0) ? T(0) : z;", "dz = y > T(0) ? g : T(0);"),
    "leaky_relu": _Source(
        ", T negative_slope", "y = z > T(0) ? z : T(z * negative_slope);", "dz = z > T(0) ? g : T(g * negative_slope);"
    ),
    "tanh": _Source("", "y = tanh(z);", "dz = g * (T(1) - y * y);"),
    "sigmoid": _Source("", f"{_SIGMOID.format(of='z')} y = s;", "dz = g * y * (T(1) - y);"),
    "silu": _Source(
        "", f"{_SIGMOID.format(of='z')} y = z * s;", f"{_SIGMOID.format(of='z')} dz = g * (s + y * (T(1) - s));"
    ),
    "softplus": _Source(
        ", T beta, T threshold",
        """const T t = z * beta;
        y = t > threshold ? z : T((log1p(exp(-fabs(t))) + (t > T(0) ? t : T(0))) / beta);""",
        f"const T t = z * beta; {_SIGMOID.format(of='t')} dz = t > threshold ? g : T(g * s);",
    ),
    "elu": _Source(
        ", T alpha", "y = z > T(0) ? z : T(alpha * expm1(z));", "dz = z > T(0) ? g : T(g * (alpha * exp(z)));"
    ),
    "clipped_exp": _Source(
        ", T low, T high",
        "y = exp(z < low ? low : z > high ? high : z);",
        "dz = z < low || z > high ? T(0) : T(g * y);",
    ),
    "selu": _Source(
        "",
        f"y = z > T(0) ? T({SELU_SCALE!r}) * z : T(T({SELU_SCALE_BELOW!r}) * expm1(z));",
        f"dz = z > T(0) ? T({SELU_SCALE!r}) * g : T(g * (T({SELU_SCALE_BELOW!r}) * exp(z)));",
    ),
    "celu": _Source(
        ", T alpha", "y = z > T(0) ? z : T(alpha * expm1(z / alpha));", "dz = z > T(0) ? g : T(g * exp(z / alpha));"
    ),
    "mish": _Source(
        "",
        f"{_MISH} y = z * (n / d);",
        f"{_MISH} dz = g * (n / d + z * (T(4) * (T(1) + e) * (z < T(0) ? e : T(e * e)) / (d * d)));",
    ),
    "relu6": _Source("", "y = z <= T(0) ? T(0) : z >= T(6) ? T(6) : z;", "dz = z <= T(0) || z >= T(6) ? T(0) : g;"),
    "hardtanh": _Source(
        ", T low, T high",
        "y = z <= low ? low : z >= high ? high : z;",
        "dz = z <= low || z >= high ? T(0) : g;",
    ),
    "softsign": _Source("", "y = z / (T(1) + fabs(z));", "const T d = T(1) + fabs(z); dz = g / d / d;"),
    "hardsigmoid": _Source("", f"y = {_HARDSIGMOID};", "dz = z <= T(-3) || z >= T(3) ? T(0) : T(g / T(6));"),
    "hardswish": _Source(
        "",
        f"y = z * ({_HARDSIGMOID});",
        "dz = z <= T(-3) ? T(0) : z >= T(3) ? g : T(g * (z / T(3) + T(0.5)));",
    ),
    "logsigmoid": _Source(
        "",
        "y = (z < T(0) ? z : T(0)) - log1p(exp(-fabs(z)));",
        f"const T m = -z; {_SIGMOID.format(of='m')} dz = g * s;",
    ),
    "gelu": _Source(", bool by_tanh", f"{_CDF_ALONE} y = z * cdf;", f"{_CDF_AND_SLOPE} dz = g * (cdf + z * slope);"),
}


_FORWARD = {
    name: ElementwiseKernel(f"T x, T bias{s.inputs}", "T y", f"const T z = x + bias; {s.forward}", name)
    for name, s in _SOURCES.items()
}
_FORWARD_AND_Z = {
    name: ElementwiseKernel(f"T x, T bias{s.inputs}", "T y, T z", f"z = x + bias; {s.forward}", f"{name}_and_z")
    for name, s in _SOURCES.items()
}
_BACKWARD = {
    name: ElementwiseKernel(f"T g, T y, T z{s.inputs}", "T dz", s.backward, f"{name}_backward")
    for name, s in _SOURCES.items()
}


def activated(x: Array, bias: Array | None, activation: "Activation", *out: Array) -> Array:
    """Return the activation of `x + bias`, written into `out` if that is given."""
    return _FORWARD[activation.name](x, 0 if bias is None else bias, *_arguments(activation), *out)


def activated_with_z(x: Array, bias: Array | None, activation: "Activation") -> tuple[Array, Array]:
    """Return the activation of `z = x + bias`, and `z`."""
    return _FORWARD_AND_Z[activation.name](x, 0 if bias is None else bias, *_arguments(activation))


def cotangent(g: Array, y: Array, z: Array | None, activation: "Activation", own: bool = False) -> Array:
    """Return the cotangent of `z`; an activation whose derivative follows from `y` needs none."""
    return _BACKWARD[activation.name](g, y, y if z is None else z, *_arguments(activation))


def _arguments(activation: "Activation") -> tuple[object, ...]:
    """Return an activation's arguments, all of them, as its source declares them."""
    return (activation.args[0] == "tanh",) if activation.name == "gelu" else activation.args
