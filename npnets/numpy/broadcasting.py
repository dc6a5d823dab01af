"""Broadcasting and its transpose, casting and moving: conversion of a cotangent to the form of its argument.

`broadcast_to` and `sum_to` are each other's derivative, as are a cast and the cast back, a move and the move back.
"""

from typing import Any

from npnets import backend
from npnets.autodiff import bare, primitive
from npnets.backend import Array, Device, device_of, namespace


@primitive(
    vjp=lambda argnum, g, output, args: sum_to(g, args[0].shape),
    jvp=lambda argnum, tangent, output, args: broadcast_to(tangent, args[1]),
)
def broadcast_to(x: Array, shape: tuple[int, ...]) -> Array:
    """Repeat an array along axes of size one, and along new leading axes, to a shape; as `numpy.broadcast_to`."""
    return namespace(x).broadcast_to(x, shape)


@primitive(
    vjp=lambda argnum, g, output, args: broadcast_to(g, args[0].shape),
    jvp=lambda argnum, tangent, output, args: sum_to(tangent, args[1]),
)
def sum_to(x: Array, shape: tuple[int, ...]) -> Array:
    """Sum over the axes along which `broadcast_to` would have repeated an array of this shape."""
    new = x.ndim - len(shape)
    repeated = [axis + new for axis, size in enumerate(shape) if size == 1 and x.shape[axis + new] != 1]
    axes = (*range(new), *repeated)
    return (x.sum(axis=axes, keepdims=True) if axes else x).reshape(shape)


@primitive(
    vjp=lambda argnum, g, output, args: astype(g, args[0].dtype),
    jvp=lambda argnum, tangent, output, args: astype(tangent, args[1]),
)
def astype(x: Array, dtype: Any) -> Array:
    """Copy an array to a dtype; a gradient is cast back, and ends at integers and booleans."""
    return x.astype(dtype)


@primitive(
    vjp=lambda argnum, g, output, args: to_device(g, device_of(bare(args[0]))),
    jvp=lambda argnum, tangent, output, args: to_device(tangent, args[1]),
)
def to_device(x: Array, device: Device) -> Array:
    """Move an array to a device; its gradient is moved back."""
    return backend.to_device(x, device)


def like_argument(g: Any, argument: Any) -> Any:
    """Convert a cotangent to the shape and dtype of its argument."""
    if g.shape != argument.shape:
        g = sum_to(g, argument.shape)
    return g if g.dtype == argument.dtype else astype(g, argument.dtype)


def like_output(tangent: Array, output: Array) -> Array:
    """Convert a tangent to the shape and dtype of its output."""
    if tangent.shape != output.shape:
        tangent = broadcast_to(tangent, output.shape)
    return tangent if tangent.dtype == output.dtype else astype(tangent, output.dtype)
