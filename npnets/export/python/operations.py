"""One operation of a program as statements of Python."""

from collections.abc import Mapping

from npnets.export.program import (
    Activate,
    Affine,
    Argmax,
    Clip,
    Combine,
    Concatenate,
    Constant,
    CumulativeSum,
    Floats,
    GroupMean,
    LayerNorm,
    Linear,
    Lstm,
    Normalize,
    Operation,
    Repeat,
    Slice,
    Softmax,
    Transpose,
    Value,
)
from npnets.export.python import literals
from npnets.export.python.names import Names
from npnets.export.python.sources import sources

OF_MATH = ("cos", "tanh")
"""Functions of `Activate` that `math` has, and that cannot overflow."""


class Statements:
    """Translates operations, and collects the constants that they use.

    Parameters
    ----------
    values : dict of str
        The local names of the values, by their own.
    names : Names
        Hands out the names of constants.

    Attributes
    ----------
    constants : dict of str
        Literals by name, in the order of their first use.
    """

    def __init__(self, values: Mapping[str, str], names: Names) -> None:
        self._values, self._names = values, names
        self._known: dict[tuple[int, bool], str] = {}
        self.constants: dict[str, str] = {}

    def statements(self, operation: Operation) -> list[str]:
        """Return the assignments that compute an operation's output."""
        if isinstance(operation, Lstm):
            return self._lstm(operation)
        return [f"{self.local(operation.output)} = {self._expression(operation)}"]

    def local(self, value: Value) -> str:
        """Return the local name of a value."""
        return self._values[value.name]

    def _expression(self, operation: Operation) -> str:
        match operation:
            case Linear() | LayerNorm():
                return self._layer(operation)
            case Activate() | Normalize() | Affine() | Clip() | Combine():
                return self._entrywise(operation)
            case Constant() | Concatenate() | Slice() | Repeat() | Transpose():
                return self._arrangement(operation)
            case GroupMean() | Softmax() | CumulativeSum() | Argmax():
                return self._reduction(operation)
        raise NotImplementedError(f"plain Python has no statement for {type(operation).__name__}")

    def _layer(self, operation: Linear | LayerNorm) -> str:
        name, x = self.local(operation.output), self.local(operation.x)
        if isinstance(operation, Linear):
            return self._linear(x, name, operation.weight, operation.bias, operation.rows)
        result = f"standardize({x}, {literals.number(operation.epsilon)})"
        if operation.weight is not None:
            result = f"multiply({result}, {self._vector(name, 'weight', operation.weight)})"
        return result if operation.bias is None else f"add({result}, {self._vector(name, 'bias', operation.bias)})"

    def _lstm(self, operation: Lstm) -> list[str]:
        x, hidden, cell = map(self.local, (operation.x, operation.hidden, operation.cell))
        name, new_cell = self.local(operation.output), self.local(operation.new_cell)
        gates = self._names.new(f"{name}_gates")
        return [
            f"{gates} = {self._linear(x, f'{name}_input', operation.input_weight, operation.bias)}",
            f"{gates} = add({gates}, {self._linear(hidden, name, operation.hidden_weight, None)})",
            f"{name}, {new_cell} = lstm({gates}, {cell})",
        ]

    def _linear(self, x: str, name: str, weight: Floats, bias: Floats | None, rows: int = 1) -> str:
        of_rows, x = ("_of_rows", f"{x}, {rows}") if rows > 1 else ("", x)
        arguments = f"{x}, {self._rows(name, weight)}"
        if bias is None:
            return f"product{of_rows}({arguments})"
        return f"linear{of_rows}({arguments}, {self._vector(name, 'bias', bias)})"

    def _entrywise(self, operation: Activate | Normalize | Affine | Clip | Combine) -> str:
        name, x = self.local(operation.output), self.local(operation.x)
        match operation:
            case Activate():
                return f"[{self._entry(operation)} for z in {x}]"
            case Normalize(mean=mean, deviation=deviation, limit=limit):
                arguments = f"{self._vector(name, 'mean', mean)}, {self._vector(name, 'deviation', deviation)}"
                result = f"normalize({x}, {arguments})"
                return result if limit is None else f"within({result}, {literals.number(limit)})"
            case Affine(scale=scale, offset=offset):
                arguments = f"{self._vector(name, 'scale', scale)}, {self._vector(name, 'offset', offset)}"
                return f"scale_and_shift({x}, {arguments})"
            case Clip(low=low, high=high):
                return f"clip({x}, {self._vector(name, 'low', low)}, {self._vector(name, 'high', high)})"
        return f"{operation.how}({x}, {self.local(operation.y)})"

    def _entry(self, operation: Activate) -> str:
        """Return an activation of the entry `z`."""
        function, args = operation.function, operation.args
        if function == "gelu":
            function, args = "gelu_tanh" if args == ("tanh",) else "gelu", ()
        if function not in OF_MATH and function not in sources():
            raise NotImplementedError(f"there is no activation {function!r} in plain Python")
        called = f"math.{function}" if function in OF_MATH else function
        return f"{called}({', '.join(['z', *(literals.number(float(a)) for a in args)])})"

    def _arrangement(self, operation: Constant | Concatenate | Slice | Repeat | Transpose) -> str:
        match operation:
            case Constant(output=output, value=value):
                return f"list({self._vector(self.local(output), 'value', value)})"
            case Concatenate(parts=parts):
                return " + ".join(self.local(part) for part in parts)
            case Slice(output=output, x=x, start=start):
                return f"{self.local(x)}[{start}:{start + output.size}]"
            case Transpose(x=x, rows=rows):
                return f"transposed({self.local(x)}, {rows})"
        return f"{self.local(operation.x)} * {operation.output.size // operation.x.size}"

    def _reduction(self, operation: GroupMean | Softmax | CumulativeSum | Argmax) -> str:
        x = self.local(operation.x)
        match operation:
            case GroupMean(groups=groups):
                return f"mean_of_rows({x}, {groups})"
            case Softmax(groups=groups):
                return f"softmax({x})" if groups == 1 else f"softmax_of_rows({x}, {groups})"
            case CumulativeSum():
                return f"cumulative_sum({x})"
        return f"argmax_of_rows({x}, {operation.output.size})"

    def _vector(self, name: str, role: str, value: Floats) -> str:
        return self._constant(f"{name}_{role}", value, False)

    def _rows(self, name: str, weight: Floats) -> str:
        """Return the name of a weight `(in, out)`, which the file holds as rows `(out, in)`."""
        return self._constant(f"{name}_weight", weight, True)

    def _constant(self, proposal: str, value: Floats, as_rows: bool) -> str:
        key = (id(value), as_rows)
        if key not in self._known:
            self._known[key] = name = self._names.new(proposal.upper())
            literal = literals.rows(value.T) if as_rows else literals.vector(value)
            self.constants[name] = literal
        return self._known[key]
