"""What changes while an agent learns, and the two ways in which it changes: down a loss, and toward what was learned.

Knows no algorithm and no environment: an algorithm names its networks, and says what their losses are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import npnets
from npnets import optim


class State(NamedTuple):
    """Parameters by the network's name, the target networks' parameters, and the optimizers' states."""

    params: dict[str, Any]
    targets: dict[str, Any]
    optimizers: dict[str, Any]


def begin(params: dict[str, Any], optimizers: Mapping[str, optim.Optimizer], targets: Iterable[str]) -> State:
    """Return the state before the first step; the target networks start as the networks of their names."""
    states = {name: optimizer.init(params[name]) for name, optimizer in optimizers.items()}
    return State(params, {name: params[name] for name in targets}, states)


def descend(
    state: State,
    optimizers: Mapping[str, optim.Optimizer],
    name: str,
    loss: Callable[..., Any],
    *args: Any,
    has_aux: bool = False,
) -> tuple[State, Any]:
    """Take one step down a loss of one network's parameters.

    Parameters
    ----------
    state : State
    optimizers : dict
        By the network's name.
    name : str
        Whose parameters to change.
    loss : callable
        `loss(params, *args)`, a scalar; with `has_aux` a pair of a scalar and anything else.

    Returns
    -------
    State
    loss
        What it was before the step, an array of no dimension (to read one on a GPU is to wait for it); with `has_aux`
        the pair.
    """
    value, grads = npnets.value_and_grad(loss, 0, has_aux=has_aux)(state.params[name], *args)
    params, optimizer = optimizers[name].update(params=state.params[name], grads=grads, state=state.optimizers[name])
    moved = {**state.params, name: params}
    return state._replace(params=moved, optimizers={**state.optimizers, name: optimizer}), value


def follow(state: State, tau: float) -> State:
    """Move every target network by the share `tau` toward the network of its name."""
    moved = {
        name: optim.soft_update(target=target, source=state.params[name], tau=tau)
        for name, target in state.targets.items()
    }
    return state._replace(targets=moved)
