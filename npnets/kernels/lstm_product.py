"""The product of one step of an LSTM: `z` from `x_t` and `h`, scaled and features first as `lstm` describes it.

Columns are multiplied by stacked weights. If all steps together have fewer than `hidden`, stacking and scaling the
weights would cost more than the products, which are then separate.
"""

from collections.abc import Callable

import numpy as np

from npnets.backend import Array, device_of, to_device
from npnets.caches import bounded_cache
from npnets.kernels.buffers import scratch
from npnets.kernels.products import product


def into_gates(u: Array, gates: Array, width: int, *weights: Array) -> Callable[[int], None]:
    """Return a function that writes a step's scaled `z` into the buffer of its gates."""
    steps, _, batch = gates.shape
    if steps * batch < len(weights[1]):
        separate = _separate(*weights)

        def project(t: int) -> None:
            gates[t] = separate(u[t, :width], u[t, width + 1 :])

        return project
    weight = _stacked(*weights).T
    return lambda t: np.matmul(weight, u[t], out=gates[t])


def from_step(x: Array, *weights: Array) -> Callable[[Array, Array], Array]:
    """Return a function from `x_t` and `h` to the scaled `z`, which the next call may overwrite."""
    steps, batch, width = x.shape
    if steps * batch < len(weights[1]):
        return _separate(*weights)
    weight = _stacked(*weights).T
    u, z = scratch(x, (weight.shape[1], batch)), scratch(x, (len(weight), batch))
    u[width] = 1

    def project(x_t: Array, h: Array) -> Array:
        u[:width] = x_t
        u[width + 1 :] = h
        return np.matmul(weight, u, out=z)

    return project


def _stacked(w_x: Array, w_h: Array, b_x: Array, b_h: Array) -> Array:
    """Return `W`, scaled."""
    width, factor = len(w_x), _factor(len(w_h), w_h.dtype.char, device_of(w_h))
    weight = scratch(w_x, (width + 1 + len(w_h), len(factor)))
    np.multiply(w_x, factor, out=weight[:width])
    np.multiply(b_x + b_h, factor, out=weight[width])
    np.multiply(w_h, factor, out=weight[width + 1 :])
    return weight


def _separate(w_x: Array, w_h: Array, b_x: Array, b_h: Array) -> Callable[[Array, Array], Array]:
    """Return a function from `x_t` and `h` to the scaled `z`, for few columns."""
    factor = _factor(len(w_h), w_h.dtype.char, device_of(w_h))[:, None]
    w_x, w_h, bias = w_x.T, w_h.T, (b_x + b_h)[:, None]

    def project(x_t: Array, h: Array) -> Array:
        z = product(w_x, x_t)
        z += product(w_h, h)
        z += bias
        z *= factor
        return z

    return project


@bounded_cache(maxsize=64)
def _factor(hidden: int, dtype: str, device: str) -> Array:
    """Return the factors of `z`, `(4 hidden,)`; read-only."""
    factor = np.full(4 * hidden, -1, dtype)
    factor[2 * hidden : 3 * hidden] = -2
    factor.setflags(write=False)
    return to_device(factor, device)
