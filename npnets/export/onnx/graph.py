"""The graph of a model while it is built: nodes and constants under names of their own.

Every tensor of floats is `(batch, size)`. One that depends on no input is `(1, size)`, which operators broadcast and a
runtime computes once; `rows` repeats it where the whole batch is needed.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from npnets.export.onnx import messages
from npnets.export.onnx.messages import Attribute
from npnets.export.program import Floats


class Graph:
    """Nodes and constants, encoded, in the order in which they were added.

    Parameters
    ----------
    inputs, outputs : iterable of str
        The names of the model's own tensors, which no other gets.
    """

    def __init__(self, inputs: Iterable[str], outputs: Iterable[str]) -> None:
        self._inputs = tuple(inputs)
        self._taken = {*self._inputs, *outputs}
        self._batched = set(self._inputs)
        self._constants: dict[object, tuple[str, object]] = {}
        self._last_row_shape = ""
        self.scope = ""
        self.nodes: list[bytes] = []
        self.constants: list[bytes] = []

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: Attribute) -> str:
        """Apply an operator; return the name of what it computes."""
        name = output or self._name(operator)
        self._add(operator, inputs, (name,), attributes)
        return name

    def split(self, x: str, parts: int) -> tuple[str, ...]:
        """Cut a tensor into equal parts along its last axis."""
        names = tuple(self._name("Split") for _ in range(parts))
        self._add("Split", (x,), names, {"axis": 1})
        return names

    def floats(self, array: Floats, role: str) -> str:
        """Return the name of a constant in float32; an array that is one object is one constant."""
        # The array is kept, because the identity of one that is gone may return with another.
        return self._constant(id(array), array, array.astype(np.float32), role)

    def row(self, array: Floats, role: str) -> str:
        """Return the name of a constant `(1, size)` in float32."""
        return self._constant(("row", id(array)), array, array.astype(np.float32)[None], role)

    def number(self, value: float) -> str:
        """Return the name of a number in float32."""
        with np.errstate(over="ignore"):
            rounded = np.asarray(value, np.float32)
        return self._constant(("number", rounded.tobytes()), None, rounded, "number")

    def integers(self, *values: int) -> str:
        """Return the name of a constant `(values,)` in int64."""
        return self._constant(("integers", values), None, np.asarray(values, np.int64), "integers")

    def reshape(self, x: str, *axes: int) -> str:
        """Give each entry of the batch another shape."""
        return self.add("Reshape", x, self.integers(0, *axes))  # 0: as long as the axis of x, also if that is 0

    def rows(self, x: str) -> str:
        """Return a tensor with one row for each entry of the batch."""
        if x in self._batched:
            return x
        if not self._last_row_shape:
            batch = self.add("Slice", self.add("Shape", self._inputs[0]), self.integers(0), self.integers(1))
            self._last_row_shape = self.add("Concat", batch, self.integers(1), axis=0)
        return self.add("Expand", x, self._last_row_shape)

    def is_batched(self, x: str) -> bool:
        """Return whether a tensor has one row for each entry of the batch."""
        return x in self._batched

    def _add(
        self, operator: str, inputs: tuple[str, ...], outputs: tuple[str, ...], attributes: dict[str, Attribute]
    ) -> None:
        self.nodes.append(messages.node(operator, inputs, outputs, attributes))
        if self._batched.intersection(inputs):
            self._batched.update(outputs)

    def _constant(self, key: object, kept: object, array: NDArray[np.float32] | NDArray[np.int64], role: str) -> str:
        if key not in self._constants:
            name = self._name(role)
            self._constants[key] = name, kept
            self.constants.append(messages.tensor(name, array))
        return self._constants[key][0]

    def _name(self, purpose: str) -> str:
        name, count = f"{self.scope}/{purpose}", 1
        while name in self._taken:
            count += 1
            name = f"{self.scope}/{purpose}_{count}"
        self._taken.add(name)
        return name
