"""Arguments of derivatives: their selection by `argnum`, and checks of leaves, losses and directions."""

from typing import Any

import numpy as np

from npnets.autodiff.tracing import bare, is_traced
from npnets.backend import check_one_device, loaded_cupy
from npnets.dtypes import COMPUTED, array_fault, check_plain
from npnets.tree import Tree


def positions(args: tuple[object, ...], argnum: int | tuple[int, ...]) -> list[int]:
    """Return the positions that `argnum` selects, counted from zero."""
    if type(argnum) is int and 0 <= argnum < len(args):
        return [argnum]
    numbers = argnum if isinstance(argnum, tuple) else (argnum,)
    if not numbers or not all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in numbers):
        raise ValueError(f"argnum must be a number or a tuple of numbers, but is {argnum!r}")
    if not all(-len(args) <= n < len(args) for n in numbers):
        raise ValueError(
            f"argnum is {argnum}, but the function was called with {len(args)} positional arguments; what is "
            "differentiated must be given by position, not by keyword"
        )
    chosen = [int(n) % len(args) for n in numbers]
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"argnum must be a number or a tuple of different numbers, but is {argnum!r}")
    return chosen


def arguments(args: tuple[object, ...], argnum: int | tuple[int, ...]) -> tuple[list[int], Tree]:
    """Return the positions that `argnum` selects, and the arguments there."""
    chosen = positions(args, argnum)
    return chosen, tuple(args[position] for position in chosen) if isinstance(argnum, tuple) else args[chosen[0]]


def with_arguments(args: tuple[object, ...], chosen: list[int], new: Tree, several: bool) -> list[object]:
    """Return a call's arguments with the chosen ones replaced, by a tuple's parts if they are `several`."""
    replaced = list(args)
    for position, value in zip(chosen, new if several else (new,), strict=True):
        replaced[position] = value
    return replaced


def checked_leaf(leaf: object) -> Any:
    """Return one leaf that can be differentiated with respect to, or raise an error with the reason."""
    if type(leaf) is np.ndarray and leaf.dtype in COMPUTED:
        return leaf
    if isinstance(bare(leaf), float):  # Python's numbers, which autograd traces too, and NumPy's of float64
        return leaf if hasattr(leaf, "dtype") or is_traced(leaf) else np.asarray(leaf)
    if not hasattr(leaf, "dtype"):
        raise TypeError(
            "expected floating-point arrays to differentiate with respect to, but got "
            f"{type(leaf).__name__} {leaf!r:.60}; convert integers with astype(numpy.float32), or choose another argnum"
        )
    fault = array_fault(bare(leaf))
    if fault is not None:
        raise TypeError(
            f"expected floating-point arrays to differentiate with respect to, but one {fault}; or choose another "
            "argnum"
        )
    return leaf


def split_aux(output: object) -> tuple[object, object]:
    """Return the two parts of the output of a function with `has_aux`."""
    if not isinstance(output, tuple) or len(output) != 2:
        raise TypeError(f"with has_aux the function must return a pair (loss, aux), but it returned {type(output)}")
    return output


def check_scalar(value: object) -> None:
    """Check that a value is a scalar loss."""
    if isinstance(value, (float, int)):
        return
    if not hasattr(value, "shape"):
        hint = "; to return other values beside the loss, pass has_aux=True" if isinstance(value, tuple) else ""
        raise TypeError(f"expected a scalar loss, but the function returned a {type(value).__name__}{hint}")
    if value.shape != ():
        raise ValueError(
            f"expected a scalar loss of shape (), but the function returned shape {value.shape}; reduce it with "
            "npnets.numpy.mean or sum, or use vjp for a function of many outputs"
        )


def check_like(what: str, expected: object, given: object) -> None:
    """Check that a cotangent or direction is real, like its output or argument in shape, and on the same device."""
    check_plain(bare(given), f"a {what}")
    if getattr(getattr(given, "dtype", None), "kind", "f") not in "biuf" or isinstance(given, complex):
        raise TypeError(f"expected a {what} of real numbers, but got {given!r:.60}")
    came, shape = getattr(given, "shape", ()), getattr(expected, "shape", ())
    if came != shape:
        raise ValueError(f"expected a {what} of shape {shape}, but got {came}")
    if loaded_cupy() is not None:
        check_one_device((bare(expected), bare(given)), lambda: f"a {what} and what it belongs to")
