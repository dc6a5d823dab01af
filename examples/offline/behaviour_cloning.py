"""Behaviour cloning: an actor that imitates the data, the baseline of offline learning."""

from __future__ import annotations

from typing import Any

import numpy as np
from tqdm import trange

import npnets
import npnets.numpy as nnp
from examples.offline.bcq_settings import Hyperparameters
from examples.shared.transitions import Transitions
from npnets.backend import to_device


def clone_behaviour(
    data: Transitions, settings: Hyperparameters, rng: np.random.Generator, device: str | int = "cpu"
) -> tuple[npnets.Actor, Any]:
    """Train an actor on the squared error of its actions, for as many steps as BCQ learns.

    Parameters
    ----------
    data : Transitions
    settings : Hyperparameters
        Layers, batch size, learning rate and steps are those of BCQ's actor.
    rng : np.random.Generator
    device : str or int

    Returns
    -------
    actor : npnets.Actor
    params : dict
    """
    net = npnets.Net(data.observations.shape[1], hidden_sizes=settings.hidden_sizes, device=device)
    actor = npnets.Actor(net, data.actions.shape[1], max_action=settings.max_action, device=device)
    optimizer = npnets.optim.adam(settings.actor_lr)

    def loss(params: Any, obs: Any, act: Any) -> Any:
        return nnp.mean((actor.forward(params, obs)[0] - act) ** 2)

    value_and_grad = npnets.value_and_grad(loss)
    params = actor.init(rng)
    state = optimizer.init(params)
    progress = trange(settings.steps, desc="behaviour cloning", unit="step")
    for step in progress:
        obs, act, *_ = (to_device(array, device) for array in data.batch(rng, settings.batch_size))
        value, grads = value_and_grad(params, obs, act)
        params, state = optimizer.update(params=params, grads=grads, state=state)
        if step % 50 == 0:
            progress.set_postfix(loss=f"{float(value):.3f}", refresh=False)
    return actor, params
