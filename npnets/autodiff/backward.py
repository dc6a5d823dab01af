"""The backward pass: from the cotangents of outputs to those of the roots that they depend on.

Symbols as in `tracing`: `g` is a cotangent; a node's pullback takes that of its output to those of its parents.
"""

from collections.abc import Sequence
from typing import Any

from npnets.autodiff.internals import add_outgrads, sparse_object_types
from npnets.autodiff.tracing import Traced, is_traced, reverse_node


def backward_pass(outputs: Sequence[Traced], cotangents: Sequence[Any]) -> dict[Any, Any]:
    """Return the cotangent of every root that some traced arrays depend on.

    Parameters
    ----------
    outputs : sequence of Traced
        All of one trace.
    cotangents : sequence of arrays
        Those of the outputs.

    Returns
    -------
    dict
        From the roots' nodes to their cotangents.
    """
    end = reverse_node([output._node for output in outputs], lambda g: g)
    totals: dict[Any, Any] = {end: cotangents}
    owned: set[Any] = set()  # the nodes whose total may be changed in place
    uses, ready = _uses(end), [end]
    while ready:
        node = ready.pop()
        for parent, part in zip(node.parents, node.vjp(totals.pop(node)), strict=True):
            if type(part) in sparse_object_types:
                totals[parent], may_change = add_outgrads(_owned_total(parent, totals, owned), part)
                (owned.add if may_change else owned.discard)(parent)
            elif parent in totals:
                _add(totals, owned, parent, part)
            else:
                totals[parent] = part
            if parent in uses:
                uses[parent] -= 1
                if not uses[parent]:
                    ready.append(parent)
    return totals


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


def _add(totals: dict[Any, Any], owned: set[Any], node: Any, part: Any) -> None:
    """Add a cotangent to the running total of a node, in place where nobody else has that total."""
    if node in owned and not is_traced(part):
        totals[node] += part
    else:
        totals[node] = totals[node] + part
        owned.add(node)


def _owned_total(node: Any, totals: dict[Any, Any], owned: set[Any]) -> tuple[Any, bool] | None:
    return (totals[node], node in owned) if node in totals else None
