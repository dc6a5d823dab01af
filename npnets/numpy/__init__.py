"""The differentiable array functions that networks and losses are written in: `import npnets.numpy as nnp`.

Each works on NumPy and CuPy arrays and on arrays that are being differentiated, keeps float32 as float32 in values and
gradients, and can be differentiated any number of times, in reverse and in forward mode. Names and meanings are
NumPy's, without its rarer arguments (`out`, `where`, `dtype` of a reduction); `logsumexp`, `softmax` (over the last
axis, unless told otherwise) and `erf` are as in SciPy; `masked_sum` and `masked_mean` are this package's own. NumPy's
scalars beside arrays of floating-point numbers promote as little as Python's numbers do.
"""

from typing import TYPE_CHECKING

from numpy import bool_, float32, float64, inf, int64, nan, ndarray, newaxis, pi

from npnets.numpy import linalg
from npnets.numpy import operators as _operators  # noqa: F401  gives traced arrays their operators
from npnets.numpy.accumulating import cumprod, cumsum, diff, prod
from npnets.numpy.angles import arctan2, cos, mod, sin
from npnets.numpy.broadcasting import astype, broadcast_to
from npnets.numpy.constants import (
    all,
    any,
    arange,
    argmax,
    argmin,
    array,
    asarray,
    ceil,
    empty,
    equal,
    eye,
    floor,
    full,
    full_like,
    greater,
    greater_equal,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    linspace,
    logical_and,
    logical_not,
    logical_or,
    ndim,
    not_equal,
    ones,
    ones_like,
    rint,
    shape,
    sign,
    size,
    zeros,
    zeros_like,
)
from npnets.numpy.contraction import einsum
from npnets.numpy.elementwise import (
    abs,
    add,
    clip,
    divide,
    erf,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    minimum,
    multiply,
    nan_to_num,
    negative,
    power,
    sqrt,
    square,
    subtract,
    tanh,
    where,
)
from npnets.numpy.masking import masked_mean, masked_sum
from npnets.numpy.products import dot, matmul, outer
from npnets.numpy.reductions import logsumexp, max, mean, min, softmax, std, sum, var
from npnets.numpy.shaping import (
    concatenate,
    expand_dims,
    hstack,
    ravel,
    reshape,
    squeeze,
    stack,
    swapaxes,
    transpose,
    vstack,
)
from npnets.numpy.sorting import argsort, sort, take_along_axis
from npnets.numpy.tiling import repeat, roll, tile
from npnets.public import listing, nearest_named

absolute = abs
remainder = mod
true_divide = divide

__all__ = [
    "abs",
    "absolute",
    "add",
    "all",
    "any",
    "arange",
    "arctan2",
    "argmax",
    "argmin",
    "argsort",
    "array",
    "asarray",
    "astype",
    "bool_",
    "broadcast_to",
    "ceil",
    "clip",
    "concatenate",
    "cos",
    "cumprod",
    "cumsum",
    "diff",
    "divide",
    "dot",
    "einsum",
    "empty",
    "equal",
    "erf",
    "exp",
    "expand_dims",
    "expm1",
    "eye",
    "float32",
    "float64",
    "floor",
    "full",
    "full_like",
    "greater",
    "greater_equal",
    "hstack",
    "inf",
    "int64",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "linalg",
    "linspace",
    "log",
    "log1p",
    "logical_and",
    "logical_not",
    "logical_or",
    "logsumexp",
    "masked_mean",
    "masked_sum",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "mod",
    "multiply",
    "nan",
    "nan_to_num",
    "ndarray",
    "ndim",
    "negative",
    "newaxis",
    "not_equal",
    "ones",
    "ones_like",
    "outer",
    "pi",
    "power",
    "prod",
    "ravel",
    "remainder",
    "repeat",
    "reshape",
    "rint",
    "roll",
    "shape",
    "sign",
    "sin",
    "size",
    "softmax",
    "sort",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "subtract",
    "sum",
    "swapaxes",
    "take_along_axis",
    "tanh",
    "tile",
    "transpose",
    "true_divide",
    "var",
    "vstack",
    "where",
    "zeros",
    "zeros_like",
]

__dir__ = listing(__all__)


def _remedy(name: str) -> str:
    """Return what to do instead of a name of NumPy's that is not here."""
    import numpy

    if name in linalg.__all__:
        return f"use {__name__}.linalg.{name}"
    found = getattr(numpy, name, None)
    if found is None:
        return ""
    if isinstance(found, type) or not callable(found):  # a dtype, a number or a module
        return f"use numpy.{name}"
    return f"write it with the functions here, or take numpy.{name} of constants, as of npnets.stop_gradient(x)"


if not TYPE_CHECKING:  # to a type checker every name would be there
    __getattr__ = nearest_named(__name__, __all__, _remedy)
