"""The networks as naive functions of nested dicts, for the array modules of plain autograd and JAX.

This is the code of a user without npnets and without a framework's layers. `xp` is `autograd.numpy` or `jax.numpy`;
`draw` returns standard normal numbers of a shape; `through_time(step, state, inputs)` runs `step(state, input) ->
state` over the first axis of the inputs and returns the last state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.cpu.cells import EPS, LEARNING_RATE

Arrays = tuple[Any, ...]


class Library(NamedTuple):
    """The array module of a library, and its loop."""

    xp: Any
    through_time: Callable[[Callable[[Arrays, Any], Arrays], Arrays, Any], Arrays]


def output(library: Library, network: str, params: Any, given: dict[str, Any], draw: Callable[..., Any]) -> Arrays:
    """Return a network's outputs, in the order of `cells.OUTPUTS`."""
    xp, obs, act = library.xp, given["obs"], given["act"]
    if network == "vae":
        return vae(xp, params, obs, act, draw)
    if network.startswith("recurrent"):
        hidden, cell = lstm(library, params["lstm"]["layer_0"], obs)
        if network == "recurrent_critic":
            return (linear(xp, params["last"], xp.concatenate([hidden, act], 1)),)
        return (*gaussian(xp, linear(xp, params["mu"], hidden), params), hidden[:, None], cell[:, None])
    beside = network in ("critic", "ensemble")
    features = mlp(xp, params["preprocess"]["model"], xp.concatenate([obs, act], 1) if beside else obs)
    if network == "actor_prob":
        return gaussian(xp, linear(xp, params["mu"]["linear_0"], features), params)
    z = linear(xp, params["last"]["linear_0"], features)
    return (z if beside else xp.tanh(z),)


def linear(xp: Any, layer: Any, x: Any) -> Any:
    """Return `x W + b`."""
    return xp.matmul(x, layer["weight"]) + layer["bias"]


def mlp(xp: Any, params: Any, x: Any) -> Any:
    """Run linear layers, each followed by relu."""
    for index in range(len(params)):
        x = xp.maximum(linear(xp, params[f"linear_{index}"], x), 0)
    return x


def gaussian(xp: Any, z: Any, params: Any) -> Arrays:
    """Return mean and standard deviation, the latter the same for each row."""
    mu = xp.tanh(z)
    return mu, xp.exp(params["log_sigma"] + xp.zeros_like(mu))


def vae(xp: Any, params: Any, obs: Any, act: Any, draw: Callable[..., Any]) -> Arrays:
    """Return the reconstruction, and mean and standard deviation of the latent vectors."""
    features = mlp(xp, params["encoder"], xp.concatenate([obs, act], 1))
    mean, std = linear(xp, params["mean"], features), xp.exp(xp.clip(linear(xp, params["log_std"], features), -4, 15))
    latent = mean + std * draw(mean.shape)
    *hidden, last = [params["decoder"][f"linear_{index}"] for index in range(len(params["decoder"]))]
    x = xp.concatenate([obs, latent], 1)
    for layer in hidden:
        x = xp.maximum(linear(xp, layer, x), 0)
    return xp.tanh(linear(xp, last, x)), mean, std


def lstm(library: Library, layer: Any, obs: Any) -> Arrays:
    """Return the last hidden and cell state, `(batch, hidden)`."""
    xp, width = library.xp, layer["weight_hh"].shape[0]

    def step(state: Arrays, x: Any) -> Arrays:
        hidden, cell = state
        z = xp.matmul(x, layer["weight_ih"]) + layer["bias_ih"]
        z = z + xp.matmul(hidden, layer["weight_hh"]) + layer["bias_hh"]
        i, f, o = (sigmoid(xp, z[:, gate * width : (gate + 1) * width]) for gate in (0, 1, 3))
        cell = f * cell + i * xp.tanh(z[:, 2 * width : 3 * width])
        return o * xp.tanh(cell), cell

    zeros = xp.zeros((obs.shape[0], width), obs.dtype)
    return library.through_time(step, (zeros, zeros), xp.swapaxes(obs, 0, 1))


def sigmoid(xp: Any, z: Any) -> Any:
    """Return the logistic function, without overflow."""
    return (xp.tanh(z / 2) + 1) / 2


def adam(xp: Any, step: Any, parameter: Any, gradient: Any, mu: Any, nu: Any) -> Arrays:
    """Return one parameter array and its first and second moments after a step of Adam."""
    mu, nu = 0.9 * mu + 0.1 * gradient, 0.999 * nu + 0.001 * gradient**2
    corrected = xp.sqrt(nu / (1 - 0.999**step)) + EPS
    return parameter - LEARNING_RATE * (mu / (1 - 0.9**step)) / corrected, mu, nu
