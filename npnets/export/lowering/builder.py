"""The operations of a program while it is being made: names for its vectors, its inputs and its states.

A network's *lowering* is a function that adds its operations. `name` is the network's place in the whole, as in the
paths of parameters; values are named after the layer that computes them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain, count
from typing import Any, TypeAlias

import numpy as np

from npnets.backend import Array
from npnets.export.program import Activate, Constant, Kind, Linear, Operation, Port, State, Value
from npnets.kernels.activation_formulas import FORMULAS
from npnets.kernels.activations import Activation
from npnets.tree import Params


@dataclass(frozen=True)
class Signal:
    """What runs from layer to layer: a vector, or one for each member of an ensemble.

    `shape` is the shape that one vector stands for.
    """

    values: tuple[Value, ...]
    shape: tuple[int, ...]
    is_ensemble: bool = False

    @property
    def value(self) -> Value:
        """The vector of a network that is no ensemble."""
        if self.is_ensemble:
            raise ValueError(
                f"cannot export an ensemble of {len(self.values)} members where one network acts; export one member, "
                "or the ensemble itself with output='network'"
            )
        return self.values[0]


Outputs: TypeAlias = dict[str, Signal]
"""What a network's `forward` returns, by name."""


class Builder:
    """Collects operations in the order in which they are computed.

    Parameters
    ----------
    lowerings : mapping
        By class of network: `lowering(builder, network, params, x, name)`, which returns the network's outputs.
    inputs : mapping
        Shapes of the program's inputs, by name.
    keeps_state : bool
        Whether a recurrent network's state goes in and out; else it is zero.
    fraction_proposal : (FractionProposalNetwork, dict), optional
        The network that proposes fractions, and its parameters.
    """

    def __init__(
        self,
        lowerings: "Mapping[type, Lowering]",
        inputs: Mapping[str, tuple[int, ...]],
        keeps_state: bool = True,
        fraction_proposal: Any = None,
    ) -> None:
        self._lowerings, self._keeps_state, self._names = lowerings, keeps_state, set[str]()
        self.fraction_proposal = fraction_proposal
        self.operations: list[Operation] = []
        self.states: list[State] = []
        self.ports = {name: Port(name, self.new(name, int(np.prod(shape))), shape) for name, shape in inputs.items()}

    def input(self, name: str) -> Value | None:
        """Return the vector of an input, or `None` if the program has none of this name."""
        return self.ports[name].value if name in self.ports else None

    # -- networks -----------------------------------------------------------------------------------------------------

    def outputs(self, network: Any, params: Any, x: Signal, name: str) -> Outputs:
        """Add the operations of a network, and return its outputs."""
        lowering = self._lowerings.get(type(network))
        if lowering is None:
            raise TypeError(_no_lowering(network, name, tuple(self._lowerings)))
        network.spec.read(params, network)
        return lowering(self, network, params, x, name)

    def features(self, network: Any, params: Any, x: Signal, name: str) -> Signal:
        """Add the operations of a network with one output, and return it."""
        (features,) = self.outputs(network, params, x, name).values()
        return features

    # -- operations ---------------------------------------------------------------------------------------------------

    def add(self, kind: Callable[..., Operation], name: str, size: int, of: Kind = "float", **fields: Any) -> Value:
        """Add an operation, and return its output."""
        output = self.new(name, size, of)
        self.operations.append(kind(output, **fields))
        return output

    def constant(self, value: Array, name: str) -> Value:
        """Return a vector that is the same for every observation."""
        return self.add(Constant, name, value.size, value=np.ravel(value))

    def linear(self, x: Value, weight: Array, bias: Array | None, name: str, rows: int = 1) -> Value:
        """Add a linear layer."""
        if x.size != rows * weight.shape[0]:
            raise ValueError(f"the layer {name} takes {weight.shape[0]} numbers, but {x.size // rows} come in")
        weight = np.ascontiguousarray(weight)
        return self.add(Linear, name, rows * weight.shape[1], x=x, weight=weight, bias=bias, rows=rows)

    def activate(self, x: Value, activation: Activation, name: str) -> Value:
        """Add a named activation."""
        if activation.function is not None:
            raise TypeError(
                f"cannot export the activation {activation.function!r:.80} as {name}, a function of your own, which is "
                f"Python code; use one by its name: {', '.join(map(repr, FORMULAS))}"
            )
        args = tuple(arg if isinstance(arg, str) else float(arg) for arg in activation.args)  # type: ignore[arg-type]
        return self.add(Activate, name, x.size, x=x, function=activation.name, args=args)

    def producer(self, value: Value) -> Operation | None:
        """Return the operation that computes a vector, or `None` for an input."""
        return next((operation for operation in self.operations if operation.output is value), None)

    # -- states -------------------------------------------------------------------------------------------------------

    def state(self, name: str, shape: tuple[int, ...]) -> Value:
        """Return the vector of a state before the step."""
        size = int(np.prod(shape))
        return self.new(name, size) if self._keeps_state else self.constant(np.zeros(size, np.float32), name)

    def keep(self, name: str, shape: tuple[int, ...], before: Value, after: Value) -> None:
        """Declare which vector a state becomes after the step."""
        if self._keeps_state:
            self.states.append(State(Port(name, before, shape), Port(name, after, shape)))

    def new(self, name: str, size: int, kind: Kind = "float") -> Value:
        """Return a vector under a name that no other has: the name itself, or with a number behind it."""
        plain = re.sub(r"\W", "_", name, flags=re.ASCII) or "output"  # of a layer by itself, which is no part
        numbered = (f"{plain}_{number}" for number in count(2))
        free = next(candidate for candidate in chain([plain], numbered) if candidate not in self._names)
        self._names.add(free)
        return Value(free, size, kind)


Lowering: TypeAlias = Callable[[Builder, Any, Params, Signal, str], Outputs]


def joined(*names: str) -> str:
    """Return the name of a part: its network's name and its own."""
    return "_".join(filter(None, names))


def vector(value: Value) -> Signal:
    """Return a vector as a signal."""
    return Signal((value,), (value.size,))


def each(x: Signal, function: Callable[[Value, str], Value], name: str, shape: tuple[int, ...] | None = None) -> Signal:
    """Apply an operation to the vector of each member; `function` takes it and the name of its output."""
    names = [f"{name}_member_{member}" for member in range(len(x.values))] if x.is_ensemble else [name]
    values = tuple(function(value, own) for value, own in zip(x.values, names, strict=True))
    return Signal(values, shape or (values[0].size,), x.is_ensemble)


def _no_lowering(network: object, name: str, known: tuple[type, ...]) -> str:
    where = f" as {name}" if name else ""
    kind = type(network)
    base = next((one for one in kind.__mro__ if one in known), None)
    what = "which is Python code" if base is None else f"a subclass of {base.__name__} that may compute in another way"
    return (
        f"cannot export {network!r:.80}{where}: its class {kind.__name__} is not one of npnets that export knows, but "
        f"{what}; use one of npnets' networks in its place, such as npnets.Net or npnets.Recurrent"
    )
