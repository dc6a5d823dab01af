"""Traced arrays and the record of operations on them, in the nodes and boxes of autograd's tracer.

A function is differentiated by running it on *traced* arrays: boxes that hold a value, the number of the trace they
belong to, and a node that remembers how the value was made. Two rules keep this right where it is easy to be wrong:

- Every trace gets a number of its own, larger than that of every trace before it in any thread, and numbers are never
  handed back. It distinguishes nested derivatives, threads cannot collide, and an exception leaves nothing to undo.
- autograd's own operators take their numbers from the same counter, so that they nest inside and outside of ours. For
  that its stack of traces, whose numbers go down again, is replaced when this file is imported.

Symbols: `g` is a cotangent, the derivative of the final scalar with respect to a value; a *pullback* takes the
cotangent of an output to those of the arguments; a *tangent* is the derivative of a value in the direction
that forward mode follows.
"""

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, TypeAlias

import numpy
from numpy import float32, float64, ndarray

from npnets.autodiff import trace_numbers
from npnets.autodiff.internals import Box, JVPNode, VJPNode, VSpace, defjvp_argnums, defvjp_argnums, tracer
from npnets.backend import namespace
from npnets.cupy_loading import when_cupy_is_loaded
from npnets.dtypes import COMPUTED, array_fault

Boxes: TypeAlias = list[tuple[int, Any]]
"""The positions of traced arguments, with the box at each."""

Pullback: TypeAlias = Callable[[Any], Any]
"""From the cotangent of an output, or a list of those of several, to a sequence of those of the traced arguments."""

_box_types = tracer.box_types
_new_node = VJPNode.__new__


class Traced(Box):  # type: ignore[misc]
    """An array that is being differentiated. `npnets.numpy` gives it its operators and methods."""

    __slots__ = ()


class CupySpace(VSpace):  # type: ignore[misc]
    """The interface through which autograd's own operators use arrays on a GPU."""

    def __init__(self, value: Any) -> None:
        self._like = value
        self.shape, self.dtype, self.size, self.ndim = value.shape, value.dtype, value.size, value.ndim

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CupySpace) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def zeros(self) -> Any:
        """Return an array of zeros."""
        return namespace(self._like).zeros_like(self._like)

    def ones(self) -> Any:
        """Return an array of ones."""
        return namespace(self._like).ones_like(self._like)

    def _inner_prod(self, x: Any, y: Any) -> Any:
        return (x * y).sum()


Box.types.add(Traced)
Box.type_mappings[Traced] = Traced


def _register(cupy: ModuleType) -> None:
    """Let autograd's own operators take CuPy arrays, and box them as this package does."""
    Box.type_mappings[cupy.ndarray] = Traced
    VSpace.register(cupy.ndarray, CupySpace)


when_cupy_is_loaded(_register)


# -- traces and boxes -------------------------------------------------------------------------------------------------


new_trace: Callable[[], int] = trace_numbers.install(tracer).number
"""Returns the number of a new trace."""


def reverse_root(value: object, trace: int) -> Traced:
    """Return a traced array from which reverse mode starts."""
    return Traced(value, trace, reverse_node([], _of_nothing))


def forward_root(value: object, trace: int, tangent: object) -> Traced:
    """Return a traced array from which forward mode starts in the direction of a tangent."""
    return Traced(value, trace, JVPNode.new_root(tangent))


def _of_nothing(g: object) -> tuple[object, ...]:
    """Return the cotangents of a root's parents, of which there are none."""
    return ()


def reverse_node(parents: list[object], pullback: Pullback) -> Any:
    """Return a node whose pullback gives one cotangent for each parent."""
    node = _new_node(VJPNode)
    node.parents, node.vjp = parents, pullback
    return node


def is_traced(x: object) -> bool:
    """Tell whether a value is being differentiated, by this package or by plain autograd."""
    return type(x) in _box_types


def bare(x: Any) -> Any:
    """Return the value inside a traced array, however deeply derivatives are nested; anything else as it is."""
    while type(x) in _box_types:
        x = x._value
    return x


def is_root(x: Any) -> bool:
    """Tell whether a traced array is one that reverse mode started from, or belongs to forward mode."""
    return not getattr(x._node, "parents", ())


def belongs_to(x: Any, trace: int) -> bool:
    """Tell whether a value is traced by the trace of this number."""
    return type(x) in _box_types and x._trace == trace


def untrace(x: Any, trace: int) -> Any:
    """Take a value out of the trace of this number; older traces may still be following it."""
    return x._value if belongs_to(x, trace) else x


def tangent_of(x: Traced) -> Any:
    """Return the tangent that forward mode found for a traced array."""
    return x._node.g


def opened(args: tuple[Any, ...], copies_constants: bool = False) -> tuple[int, Boxes, Sequence[Any], bool]:
    """Take the boxes of their newest trace off an operation's arguments.

    Parameters
    ----------
    args : tuple
    copies_constants : bool
        Whether arrays that are not traced, and that a caller could refill before a backward pass reads them, are
        replaced by copies.

    Returns
    -------
    trace : int
        The number of the newest trace, -1 if no argument is traced.
    boxes : list of pairs
    values : sequence
        The arguments with their values in the place of these boxes.
    is_first_order : bool
        Whether one single reverse pass, and no other derivative, follows the arguments.
    """
    for arg in args:
        if type(arg) in _box_types:
            break
    else:
        return -1, [], args, True
    boxes = [pair for pair in enumerate(args) if type(pair[1]) in _box_types]
    trace = boxes[0][1]._trace
    values = list(args)
    if copies_constants and len(boxes) < len(args):
        values = [arg.copy() if may_change(arg) else arg for arg in args]
    is_first_order = True
    for _, box in boxes:
        if box._trace != trace:
            trace = max([box._trace for _, box in boxes])
            boxes, is_first_order = [(index, box) for index, box in boxes if box._trace == trace], False
            break
    for index, box in boxes:
        value = box._value
        if type(box._node) is not VJPNode or type(value) in _box_types:
            is_first_order = False
        values[index] = float64(value) if type(value) is float else value  # autograd traces Python's floats too
    return trace, boxes, values, is_first_order


def may_change(x: object) -> bool:
    """Tell whether something is an array whose entries a caller could still change.

    A read-only view sees what its base is refilled with; on a GPU nothing is read-only.
    """
    if isinstance(x, ndarray):
        return x.flags.writeable or x.base is not None
    return namespace(x) is not numpy


# -- operations -------------------------------------------------------------------------------------------------------


def is_followed(output: Any) -> bool:
    """Tell whether a derivative follows an operation's output: it ends where that is no floating-point number.

    Raises
    ------
    TypeError
        If the output holds numbers that npnets does not differentiate, such as complex ones, or is no single array.
    """
    kind = type(output)
    if (kind is ndarray or kind is float64 or kind is float32) and output.dtype in COMPUTED:
        return True
    if kind in _box_types:
        return is_followed(bare(output))
    if kind is float:  # autograd traces Python's floats as they are
        return True
    dtype = getattr(output, "dtype", None)
    if kind in (int, bool, str, type(None)) or (dtype is not None and dtype.kind in "biu"):
        return False
    fault = f"is a {kind.__name__}" if dtype is None else array_fault(output)
    if fault is not None:
        raise TypeError(
            f"expected an operation on an array that is being differentiated to give a float32 or float64 array, but "
            f"its result {fault}"
        )
    return True


def record(operation: object, output: object, values: Sequence[object], trace: int, boxes: Boxes) -> object:
    """Return an operation's output as a traced array, with a node of the kind that the trace uses.

    An output that is no floating-point number is returned as it is.
    """
    if not is_followed(output):
        return output
    indices = tuple(index for index, _ in boxes)
    parents = [box._node for _, box in boxes]
    return Traced(output, trace, type(parents[0])(output, operation, tuple(values), {}, indices, parents))


def record_pullback(output: object, trace: int, boxes: Boxes, pullback: Pullback) -> object:
    """Return an operation's output as a traced array of reverse mode, with a given pullback.

    An output that is no floating-point number is returned as it is.
    """
    if not is_followed(output):
        return output
    return Traced(output, trace, reverse_node([box._node for _, box in boxes], pullback))


class Cotangents(dict[int, Any]):
    """The cotangents of those outputs of one operation that were used, by their positions."""

    def __add__(self, other: dict[int, object]) -> "Cotangents":
        both = {index: self[index] + other[index] for index in self.keys() & other.keys()}
        return Cotangents({**self, **other, **both})


VSpace.register(Cotangents)


def record_pullbacks(outputs: tuple[object, ...], trace: int, boxes: Boxes, pullback: Pullback) -> object:
    """Return an operation's several outputs as traced arrays of reverse mode, which share one pullback.

    The pullback takes a list with the cotangent of each output, `None` for one that was not used.
    """

    def of_each(given: Cotangents) -> object:
        return pullback([given.get(index) for index in range(len(outputs))])

    def as_one_of_several(index: int) -> Pullback:
        return lambda g: (Cotangents({index: g}),)

    shared = reverse_node([box._node for _, box in boxes], of_each)
    nodes = [reverse_node([shared], as_one_of_several(index)) for index in range(len(outputs))]
    traced = (Traced(output, trace, node) for output, node in zip(outputs, nodes, strict=True))
    return tuple(box if is_followed(output) else output for box, output in zip(traced, outputs, strict=True))


def define_rules(operation: object, vjp_maker: Callable[..., Any], jvp_maker: Callable[..., Any]) -> None:
    """Register the rules of an operation with the tracer, for reverse and for forward mode."""
    defvjp_argnums(operation, vjp_maker)
    defjvp_argnums(operation, jvp_maker)
