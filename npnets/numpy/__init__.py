"""The differentiable array functions that networks and losses are written in: `import npnets.numpy as np`.

Each works on NumPy and CuPy arrays and on arrays that are being differentiated, keeps float32 as float32 in values and
gradients, and can be differentiated any number of times, in reverse and in forward mode. Names and meanings are
NumPy's, without its rarer arguments (`out`, `where`, `dtype` of a reduction); `logsumexp`, `softmax` (over the last
axis, unless told otherwise) and `erf` are as in SciPy; `masked_sum` and `masked_mean` are this package's own. NumPy's
scalars beside arrays of floating-point numbers promote as little as Python's numbers do.
"""

from types import ModuleType as _ModuleType

from numpy import bool_, float32, float64, inf, int64, nan, ndarray, newaxis, pi

from npnets.numpy import linalg
from npnets.numpy import operators as _operators
from npnets.numpy.broadcasting import astype, broadcast_to
from npnets.numpy.constants import (
    all,
    any,
    arange,
    argmax,
    argmin,
    argsort,
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
from npnets.numpy.elementwise import (
    abs,
    add,
    clip,
    cos,
    divide,
    erf,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    minimum,
    multiply,
    negative,
    power,
    sin,
    sqrt,
    square,
    subtract,
    tanh,
    where,
)
from npnets.numpy.masking import masked_mean, masked_sum
from npnets.numpy.products import matmul
from npnets.numpy.reductions import logsumexp, max, mean, min, softmax, std, sum, var
from npnets.numpy.shaping import (
    concatenate,
    expand_dims,
    ravel,
    repeat,
    reshape,
    squeeze,
    stack,
    swapaxes,
    transpose,
)

absolute = abs
true_divide = divide

__all__ = ["linalg"]
__all__ += [name for name, value in globals().items() if name[0] != "_" and not isinstance(value, _ModuleType)]  # noqa: PLE0605
