"""Operations that a network runs one after the other, grouped when its description is made.

Linear layers that follow each other, across trunk and head, and the activations behind them become one operation; any
other part is an operation of its own. There is no other way to run a feed-forward network.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, TypeAlias, TypeGuard

from npnets.backend import Array
from npnets.common.protocols import Layer
from npnets.common.spec import Spec
from npnets.inputs import check_dtype, check_layer_input
from npnets.kernels.activations import Activation
from npnets.kernels.linear import Activations, linear_layers
from npnets.tree import Tree

Leaves: TypeAlias = Sequence[Tree]


class Operation(NamedTuple):
    """A function of an array and of leaves of the network's tree, and how many of these leaves are its own."""

    run: Callable[..., Array]
    leaves: int


@dataclass(frozen=True)
class LinearLayers:
    """Linear layers one after the other, each with its activation: one call of the kernel.

    `weights` are the shapes of the layers' weights; errors name the `network`.
    """

    weights: tuple[tuple[int, ...], ...]
    activations: Activations
    network: object

    def __call__(self, x: Array, *leaves: Tree) -> Array:
        """Return the output of the last layer."""
        if x.ndim != 2 or x.shape[1] != self.weights[0][-2]:
            check_layer_input(x, self.weights[0], self.network)
        if x.dtype != leaves[0].dtype:
            check_dtype(x.dtype, leaves[0], self.network)
        return linear_layers(x, leaves, self.activations)

    def joined(self, after: object) -> "LinearLayers | None":
        """Return these layers and the operation after them as one, or `None` if they cannot be one."""
        if isinstance(after, Activation) and after.function is None and self.activations[-1] is None:
            return replace(self, activations=(*self.activations[:-1], after))
        if isinstance(after, LinearLayers) and _follows(after.weights[0], self.weights[-1]):
            weights, activations = self.weights + after.weights, self.activations + after.activations
            return LinearLayers(weights, activations, self.network)
        return None


@dataclass(frozen=True)
class OwnLayer:
    """A layer that runs by its own `forward`, which checks its own parameters; errors call it by `name`."""

    layer: Layer
    name: str

    def __call__(self, x: Array, params: Tree) -> Array:
        """Return the layer's output, which must be an array."""
        y = self.layer.forward(params, x)
        if not hasattr(y, "ndim"):
            hint = "; if it is a Net, use its .model" if isinstance(y, tuple) else ""
            raise TypeError(
                f"the {self.name} must return an array, as MLP does, but {self.layer!r:.80} returned a "
                f"{type(y).__name__}{hint}"
            )
        return y


class _Known(Protocol):
    """A layer of this package, which runs as operations."""

    spec: Spec
    _operations: tuple[Operation, ...]


class Sequential:
    """Operations one after the other.

    Parameters
    ----------
    operations : iterable of Operation
        In the order in which their leaves lie in the network's tree.
    then : Activation, optional
        The activation behind the last operation.
    start : int
        The place of the first operation's leaves among all of the network's.
    """

    def __init__(self, operations: Iterable[Operation], then: Activation | None = None, start: int = 0) -> None:
        steps: list[tuple[Callable[..., Array], slice]] = []
        for run, leaves in operations if then is None else [*operations, Operation(then, 0)]:
            own = slice(start, start + leaves)
            last, before = steps[-1] if steps else (None, own)
            joined = last.joined(run) if isinstance(last, LinearLayers) else None
            if joined is None:
                steps.append((run, own))
            else:
                steps[-1] = (joined, slice(before.start, own.stop))
            start = own.stop
        self._steps = tuple(steps)

    def run(self, leaves: Leaves, x: Array) -> Array:
        """Return the last operation's output for a validated input, given all leaves of the network's tree."""
        for operation, own in self._steps:
            x = operation(x, *leaves[own])
        return x


def operations_of(layer: Layer, name: str) -> tuple[Operation, ...]:
    """Return a layer's operations; one of the user's own, called by `name` in errors, runs by its `forward`."""
    return layer._operations if is_known(layer) else (Operation(OwnLayer(layer, name), 1),)


def entry_of(layer: Layer) -> Layer | Spec:
    """Return what a spec holds for a layer: its own spec, or the layer itself if it runs by its `forward`."""
    return layer.spec if is_known(layer) else layer


def is_known(layer: object) -> TypeGuard["_Known"]:
    """Return whether a layer runs as operations: not if its class is a subclass, which may have another `forward`."""
    return "_operations" in vars(type(layer))


def part_of(spec: Spec, name: str, part: Layer, then: Activation | None = None) -> Sequential:
    """Return the operations of one part of a network, which stands in the network's spec under a name."""
    return Sequential(operations_of(part, name), then, spec.slices[name].start)


def _follows(after: tuple[int, ...], before: tuple[int, ...]) -> bool:
    """Return whether one layer takes the other's output, by the shapes of their weights."""
    return after[:-2] == before[:-2] and after[-2] == before[-1]
