"""Mistakes that mypy and pyright both report: nothing runs this file.

Each line with a mistake is marked with mypy's code for it. Both checkers report a mark without a mistake, so that a
mistake that is no longer found fails the check.
"""

import numpy as np
from numpy.random import default_rng

import npnets
import npnets.numpy as nnp
from npnets.typing import Array, Params

NET = npnets.Net(state_shape=3, hidden_sizes=(8,))
ACTOR = npnets.Actor(NET, action_shape=2)
PARAMS = ACTOR.init(default_rng(0))
OBSERVATIONS: Array = np.zeros((4, 3))


def loss(params: Params, observations: Array) -> Array:
    return nnp.mean(ACTOR.forward(params, observations)[0])


# Networks
ACTOR.forward(PARAMS)  # type: ignore[call-arg]
ACTOR.forward(OBSERVATIONS, PARAMS)  # type: ignore[arg-type]
ACTOR.forward(PARAMS, OBSERVATIONS)["action"]  # type: ignore[call-overload]
ACTOR.init(0)  # type: ignore[arg-type]
ACTOR.action_shape = 3  # type: ignore[misc]
npnets.Actor(NET)  # type: ignore[call-arg]
npnets.Actor(ACTOR.forward, 2)  # type: ignore[arg-type]
npnets.Actor(NET, 2, max_action="one")  # type: ignore[arg-type]
npnets.Actor(NET, 2, low="zero", high=1.0)  # type: ignore[arg-type]
npnets.Net(3, hidden_sizes=64)  # type: ignore[arg-type]
npnets.Net(3, hidden_sizes=(64.0, 64.0))  # type: ignore[arg-type]
npnets.MLP(3, 2).forward(PARAMS, OBSERVATIONS, None)  # type: ignore[call-arg]
nnp.abs(npnets.RecurrentCritic(1, 3).forward(PARAMS, OBSERVATIONS, return_state=True).shape)  # type: ignore[attr-defined]

# Derivatives
value, grads = npnets.grad(loss)  # type: ignore[misc]
npnets.grad(loss)(PARAMS)  # type: ignore[call-arg]
npnets.grad(loss)(OBSERVATIONS, PARAMS)  # type: ignore[arg-type]
npnets.value_and_grad(loss)(PARAMS, OBSERVATIONS)["last"]  # type: ignore[call-overload]
npnets.value_and_grad(loss, has_aux=True)  # type: ignore[call-overload]
npnets.hvp(loss)(PARAMS, OBSERVATIONS)  # type: ignore[call-arg]

# Trees and array functions
npnets.tree.map(PARAMS, nnp.abs)  # type: ignore[call-overload]
npnets.tree.to_device(PARAMS, 1.5)  # type: ignore[arg-type]
npnets.tree.ravel(PARAMS)["last"]  # type: ignore[call-overload]
nnp.mean(OBSERVATIONS, axis="rows")  # type: ignore[arg-type]
nnp.maximum(OBSERVATIONS)  # type: ignore[call-arg]
nnp.mean(PARAMS)  # type: ignore[arg-type]
nnp.no_such_function(OBSERVATIONS)  # type: ignore[attr-defined]

# Optimizers
npnets.optim.adam("fast")  # type: ignore[arg-type]
npnets.optim.sgd()  # type: ignore[call-arg]
npnets.optim.adam(1e-3).update(PARAMS, PARAMS)  # type: ignore[call-arg]
npnets.optim.clip_by_global_norm(PARAMS)  # type: ignore[call-arg]
npnets.optim.soft_update(PARAMS, PARAMS, tau="slowly")  # type: ignore[arg-type]
