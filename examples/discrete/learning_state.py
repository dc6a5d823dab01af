"""The state of training, and its two kinds of update: gradient steps, and soft updates of target networks.

An algorithm chooses the names and the losses of its networks.
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


def initial_state(params: dict[str, Any], optimizers: Mapping[str, optim.Optimizer], targets: Iterable[str]) -> State:
    """Return the state before the first step; target networks start equal to the networks of the same names."""
    states = {name: optimizer.init(params[name]) for name, optimizer in optimizers.items()}
    return State(params, {name: params[name] for name in targets}, states)


def gradient_step(
    state: State,
    optimizers: Mapping[str, optim.Optimizer],
    name: str,
    loss: Callable[..., Any],
    *args: Any,
) -> tuple[State, Any]:
    """Take one gradient step on the parameters of one network.

    Parameters
    ----------
    state : State
    optimizers : dict
        Optimizers by the name of the network.
    name : str
        Name of the network to update.
    loss : callable
        `loss(params, *args)`, a scalar.

    Returns
    -------
    State
    loss
        The loss before the step, a zero-dimensional array (reading it waits for the GPU).
    """
    value, grads = npnets.value_and_grad(loss)(state.params[name], *args)
    params, optimizer = optimizers[name].update(params=state.params[name], grads=grads, state=state.optimizers[name])
    return State({**state.params, name: params}, state.targets, {**state.optimizers, name: optimizer}), value


def update_targets(state: State, tau: float) -> State:
    """Move every target network toward the network of the same name, with step size `tau`."""
    moved = {
        name: optim.soft_update(target=target, source=state.params[name], tau=tau)
        for name, target in state.targets.items()
    }
    return state._replace(targets=moved)
