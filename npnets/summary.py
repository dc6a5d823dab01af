"""A table of a network's parameters as text: names, shapes, dtypes and counts."""

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from npnets.common.spec import shapes_of
from npnets.tree import Tree, leaves


class _Row(NamedTuple):
    name: str
    shape: str
    dtype: str
    numbers: str


_HEAD = _Row("parameter", "shape", "dtype", "count")


def summary(network: object, params: Tree | None = None) -> str:
    """Return a table of a network's parameters, for `print`.

    Parameters
    ----------
    network : network or tree
        A description, or parameters themselves, or any other tree of arrays such as an optimizer's state.
    params : tree, optional
        The parameters of `network`. By default those that it declares, as float32; only a network of your own draws
        them for it.

    Returns
    -------
    str
        The call that makes the network, then one line for each part and array: name, shape, dtype, and how many
        numbers it holds; at the end their sum and size in memory.

    Raises
    ------
    TypeError
        If it is neither a network nor a tree with an array.

    Notes
    -----
    A table as that of `torchinfo` or Keras, without running the network.
    """
    title, tree = _title_and_tree(network, params)
    arrays = [leaf for leaf in leaves(tree) if _is_array(leaf)]
    if not arrays and not _is_network(network):
        hint = "; call the class to make a network" if isinstance(network, type) else ""
        raise TypeError(f"expected a network or a tree of arrays to summarise, but got {network!r:.80}{hint}")
    rows = [_HEAD, *(_rows(tree, "") if not _is_array(tree) else [_row("array", tree)])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = [_line(row, widths) for row in rows]
    rule = "-" * max(map(len, table))
    size = sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in arrays)
    total = f"{_count(tree):,} parameters, {_readable(size)}"
    return "\n".join([*title, rule, table[0], rule, *table[1:], rule, total])


def _title_and_tree(network: object, params: Tree | None) -> tuple[list[str], Tree]:
    if not _is_network(network):
        return [], network if params is None else params
    return [repr(network)], shapes_of(network) if params is None else params


def _is_network(value: object) -> bool:
    return hasattr(value, "init") and not isinstance(value, type)


def _rows(tree: Tree, indent: str) -> Iterator[_Row]:
    parts = list(_parts(tree))
    for index, (name, part) in enumerate(parts):
        is_last = index == len(parts) - 1
        branch, below = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
        yield _row(f"{indent}{branch}{name}", part)
        yield from _rows(part, indent + below)


def _parts(tree: Tree) -> Iterable[tuple[Any, Tree]]:
    if isinstance(tree, dict):
        return tree.items()
    if isinstance(tree, (list, tuple)):
        return zip(getattr(tree, "_fields", range(len(tree))), tree, strict=True)
    return ()


def _row(name: str, part: Tree) -> _Row:
    if _is_array(part):
        return _Row(name, str(tuple(part.shape)), str(part.dtype), f"{_count(part):,}")
    if isinstance(part, (dict, list, tuple)):
        return _Row(name, "", "", f"{_count(part):,}")
    return _Row(name, "", type(part).__name__, "")


def _is_array(leaf: object) -> bool:
    return hasattr(leaf, "dtype") and hasattr(leaf, "shape")


def _count(tree: Tree) -> int:
    return sum(math.prod(leaf.shape) for leaf in leaves(tree) if _is_array(leaf))


def _line(row: _Row, widths: list[int]) -> str:
    name, shape, dtype, count = widths
    return f"{row.name:<{name}}  {row.shape:<{shape}}  {row.dtype:<{dtype}}  {row.numbers:>{count}}"


def _readable(size: int) -> str:
    """Return bytes in the largest unit of which there is at least one."""
    for unit, power in (("GiB", 3), ("MiB", 2), ("KiB", 1)):
        if size >= 1024**power:
            return f"{size / 1024**power:.1f} {unit}"
    return f"{size} bytes"
