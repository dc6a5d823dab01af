"""ONNX's messages, with the numbers of their fields: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.

Each function returns one encoded message. What a policy does not need is left out.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from npnets.export.onnx.wire import content, integer, number

IR_VERSION = 7
"""Version of the file format that came with ONNX 1.8 in November 2020."""
OPSET = 13
"""Version of the operators of the same release."""

Attribute: TypeAlias = int | float | tuple[int, ...]
Axes: TypeAlias = tuple[int | str, ...]
"""A shape; an axis of any length has a name."""

FLOAT, INT64 = 1, 7
_TYPES = {np.dtype(np.float32): FLOAT, np.dtype(np.int64): INT64}
_AS_FLOAT, _AS_INT, _AS_INTS = 1, 2, 7


def tensor(name: str, array: NDArray[Any]) -> bytes:
    """Return a TensorProto: a named constant, float32 or int64."""
    little_endian = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    axes = [integer(1, length) for length in array.shape]
    return b"".join([*axes, integer(2, _TYPES[array.dtype]), content(8, name), content(9, little_endian.tobytes())])


def attribute(name: str, value: Attribute) -> bytes:
    """Return an AttributeProto: a named setting of a node."""
    if isinstance(value, int):
        return content(1, name) + integer(3, value) + integer(20, _AS_INT)
    if isinstance(value, float):
        return content(1, name) + number(2, value) + integer(20, _AS_FLOAT)
    return content(1, name) + b"".join(integer(8, entry) for entry in value) + integer(20, _AS_INTS)


def node(operator: str, inputs: Iterable[str], outputs: Iterable[str], attributes: Mapping[str, Attribute]) -> bytes:
    """Return a NodeProto: an operator applied to named tensors; it is named as its first output."""
    outputs = tuple(outputs)
    fields = [content(1, name) for name in inputs] + [content(2, name) for name in outputs]
    fields += [content(3, outputs[0]), content(4, operator)]
    return b"".join(fields + [content(5, attribute(name, value)) for name, value in attributes.items()])


def value_info(name: str, kind: int, axes: Axes) -> bytes:
    """Return a ValueInfoProto: name, type and shape of an input or output."""
    dimensions = [content(2, axis) if isinstance(axis, str) else integer(1, axis) for axis in axes]
    shape = b"".join(content(1, dimension) for dimension in dimensions)
    return content(1, name) + content(2, content(1, integer(1, kind) + content(2, shape)))


def graph(
    name: str,
    nodes: Iterable[bytes],
    constants: Iterable[bytes],
    inputs: Iterable[bytes],
    outputs: Iterable[bytes],
) -> bytes:
    """Return a GraphProto from encoded messages; each node comes after those that compute its inputs."""
    repeated = ((1, nodes), (5, constants), (11, inputs), (12, outputs))
    return content(2, name) + b"".join(content(field, entry) for field, entries in repeated for entry in entries)


def model(encoded_graph: bytes, producer: tuple[str, str], description: str, metadata: Mapping[str, str]) -> bytes:
    """Return a ModelProto, the whole file; the producer is its name and version."""
    fields = [integer(1, IR_VERSION), content(2, producer[0]), content(3, producer[1]), content(6, description)]
    fields += [content(7, encoded_graph), content(8, content(1, "") + integer(2, OPSET))]
    fields += [content(14, content(1, key) + content(2, value)) for key, value in metadata.items()]
    return b"".join(fields)
