"""The backward pass: from the cotangents of outputs to those of the roots that they depend on.

Symbols as in `tracing`: `g` is a cotangent; a node's pullback takes that of its output to those of its parents.
"""

from collections.abc import Iterable
from typing import Any

from npnets.autodiff.internals import add_outgrads, sparse_object_types
from npnets.autodiff.tracing import Traced, is_traced, reverse_node


def backward_pass(ends: Iterable[tuple[Traced, Any]]) -> dict[Any, Any]:
    """Return the cotangent of every root that some traced arrays depend on.

    Parameters
    ----------
    ends : iterable of (Traced, array)
        Traced arrays, all of one trace, with their cotangents.

    Returns
    -------
    dict
        From the roots' nodes to their cotangents.
    """
    outputs, cotangents = zip(*ends, strict=True)
    end = reverse_node([output._node for output in outputs], lambda g: g)
    pending: dict[Any, tuple[Any, bool]] = {end: (cotangents, False)}
    uses, ready = _uses(end), [end]
    while ready:
        node = ready.pop()
        g = pending.pop(node)[0]
        for parent, part in zip(node.parents, node.vjp(g), strict=True):
            pending[parent] = _add(pending.get(parent), part)
            if parent in uses:
                uses[parent] -= 1
                if not uses[parent]:
                    ready.append(parent)
    return {root: total[0] for root, total in pending.items()}


def _uses(end: Any) -> dict[Any, int]:
    """Return how often the output of each node that leads to an end, roots left out, is used on the way there."""
    uses = {end: 0}
    found = [end]
    for node in found:
        for parent in node.parents:
            if parent in uses:
                uses[parent] += 1
            elif parent.parents:
                uses[parent] = 1
                found.append(parent)
    return uses


def _add(total: tuple[Any, bool] | None, part: object) -> tuple[Any, bool]:
    """Add a cotangent to a running total, and return whether that total may be changed in place."""
    kind = type(part)
    if kind in sparse_object_types:
        return add_outgrads(total, part)
    if total is None:
        return part, False
    previous, owned = total
    if owned and not is_traced(part):
        previous += part
        return previous, True
    return previous + part, True
