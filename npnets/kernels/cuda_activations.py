"""The activation functions on a GPU: bias and activation in one launch, and the backward in another.

Symbols as in `activations`: `z` is what goes in, `y` the answer, `g` the cotangent of `y`, `dz` that of `z`; `x` is
what a bias is added to before, `z = x + bias`. `T` is the arrays' dtype: constants are written `T(0.5)`, because a
plain `0.5` would turn float32 into double precision, which most GPUs compute many times slower. Both branches of a
choice are `T` too, as products are `float` where `T` is float16.
"""

from typing import Any, NamedTuple

from npnets.backend import Array
from npnets.launch import Launch


class Source(NamedTuple):
    """CUDA C++ of one activation: `forward` sets `y` from `z`, `backward` sets `dz` from `g`, `y` and `z`.

    `inputs` declares the activation's own arguments.
    """

    inputs: str
    forward: str
    backward: str


_SIGMOID = "const T p = exp(-fabs({of})); const T s = ({of} >= T(0) ? T(1) : p) / (T(1) + p);"
_CDF = """const T tanh_scale = T(0.79788456080286535588), cubic = T(0.044715), root_half = T(0.70710678118654752440);
const T bell = tanh(tanh_scale * (z + cubic * z * z * z));
const T cdf = T(0.5) * (by_tanh ? T(T(1) + bell) : T(erfc(-z * root_half)));"""

SOURCES = {
    "relu": Source("", "y = z <= T(0) ? T(0) : z;", "dz = y > T(0) ? g : T(0);"),
    "leaky_relu": Source(
        "T negative_slope", "y = z > T(0) ? z : T(z * negative_slope);", "dz = z > T(0) ? g : T(g * negative_slope);"
    ),
    "tanh": Source("", "y = tanh(z);", "dz = g * (T(1) - y * y);"),
    "sigmoid": Source("", f"{_SIGMOID.format(of='z')} y = s;", "dz = g * y * (T(1) - y);"),
    "silu": Source(
        "", f"{_SIGMOID.format(of='z')} y = z * s;", f"{_SIGMOID.format(of='z')} dz = g * (s + y * (T(1) - s));"
    ),
    "softplus": Source(
        "T beta, T threshold",
        """const T t = z * beta;
        y = t > threshold ? z : T((log1p(exp(-fabs(t))) + (t > T(0) ? t : T(0))) / beta);""",
        f"const T t = z * beta; {_SIGMOID.format(of='t')} dz = t > threshold ? g : T(g * s);",
    ),
    "elu": Source("T alpha", "y = z > T(0) ? z : T(alpha * expm1(z));", "dz = z > T(0) ? g : T(g * (alpha * exp(z)));"),
    "gelu": Source(
        "bool by_tanh",
        f"{_CDF} y = z * cdf;",
        f"""{_CDF}
        const T slope = by_tanh ? T((T(1) - bell * bell) * tanh_scale * (T(1) + T(3) * cubic * z * z))
                                : T(tanh_scale * exp(T(-0.5) * z * z));
        dz = g * (cdf + T(0.5) * z * slope);""",
    ),
}


def _declared(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


_FORWARD = {
    name: Launch(_declared("T x, T bias", s.inputs), "T y", f"const T z = x + bias; {s.forward}", name)
    for name, s in SOURCES.items()
}
_FORWARD_AND_Z = {
    name: Launch(_declared("T x, T bias", s.inputs), "T y, T z", f"z = x + bias; {s.forward}", f"{name}_and_z")
    for name, s in SOURCES.items()
}
_BACKWARD = {
    name: Launch(_declared("T g, T y, T z", s.inputs), "T dz", s.backward, f"{name}_backward")
    for name, s in SOURCES.items()
}


def activated(x: Array, name: str, args: tuple[Any, ...]) -> Array:
    """Return the activation of an array, which stays as it is."""
    return _FORWARD[name](x, 0, *args)  # type: ignore[no-any-return]


def activated_in_place(x: Array, bias: Array | None, name: str, args: tuple[Any, ...]) -> Array:
    """Return the activation of `x + bias`, written over `x`."""
    return _FORWARD[name](x, 0 if bias is None else bias, *args, x)  # type: ignore[no-any-return]


def activated_with_z(x: Array, bias: Array | None, name: str, args: tuple[Any, ...]) -> tuple[Array, Array]:
    """Return the activation of `z = x + bias`, and `z`."""
    return _FORWARD_AND_Z[name](x, 0 if bias is None else bias, *args)  # type: ignore[no-any-return]


def cotangent(g: Array, y: Array, z: Array | None, name: str, args: tuple[Any, ...]) -> Array:
    """Return the cotangent of `z`; an activation whose derivative follows from `y` needs none."""
    return _BACKWARD[name](g, y, y if z is None else z, *args)  # type: ignore[no-any-return]
