"""The networks as naive functions of nested dicts, in the array functions of plain autograd or JAX, which share names.

What somebody writes who has neither npnets nor a framework's layers. `np` is `autograd.numpy` or `jax.numpy`; `draw`
gives standard normal numbers of a shape; `through_time(step, state, inputs)` runs `step(state, input) -> state` over
the first axis of the inputs and returns the last state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.cpu.cells import EPS, LEARNING_RATE

Arrays = tuple[Any, ...]


class Library(NamedTuple):
    """What a library brings."""

    np: Any
    through_time: Callable[[Callable[[Arrays, Any], Arrays], Arrays, Any], Arrays]


def output(library: Library, network: str, params: Any, given: dict[str, Any], draw: Callable[..., Any]) -> Arrays:
    """Return a network's output, as `cells.OUTPUTS` names it."""
    np, obs, act = library.np, given["obs"], given["act"]
    if network == "vae":
        return vae(np, params, obs, act, draw)
    if network.startswith("recurrent"):
        hidden, cell = lstm(library, params["lstm"]["layer_0"], obs)
        if network == "recurrent_critic":
            return (linear(np, params["last"], np.concatenate([hidden, act], 1)),)
        return (*gaussian(np, linear(np, params["mu"], hidden), params), hidden[:, None], cell[:, None])
    beside = network in ("critic", "ensemble")
    features = mlp(np, params["preprocess"]["model"], np.concatenate([obs, act], 1) if beside else obs)
    if network == "actor_prob":
        return gaussian(np, linear(np, params["mu"]["linear_0"], features), params)
    z = linear(np, params["last"]["linear_0"], features)
    return (z if beside else np.tanh(z),)


def linear(np: Any, layer: Any, x: Any) -> Any:
    """Return `x W + b`."""
    return np.matmul(x, layer["weight"]) + layer["bias"]


def mlp(np: Any, params: Any, x: Any) -> Any:
    """Run linear layers, each with relu behind it."""
    for index in range(len(params)):
        x = np.maximum(linear(np, params[f"linear_{index}"], x), 0)
    return x


def gaussian(np: Any, z: Any, params: Any) -> Arrays:
    """Return mean and standard deviation, the latter the same for each row."""
    mu = np.tanh(z)
    return mu, np.exp(params["log_sigma"] + np.zeros_like(mu))


def vae(np: Any, params: Any, obs: Any, act: Any, draw: Callable[..., Any]) -> Arrays:
    """Return the reconstruction, and mean and standard deviation of the latent vectors."""
    features = mlp(np, params["encoder"], np.concatenate([obs, act], 1))
    mean, std = linear(np, params["mean"], features), np.exp(np.clip(linear(np, params["log_std"], features), -4, 15))
    latent = mean + std * draw(mean.shape)
    *hidden, last = [params["decoder"][f"linear_{index}"] for index in range(len(params["decoder"]))]
    x = np.concatenate([obs, latent], 1)
    for layer in hidden:
        x = np.maximum(linear(np, layer, x), 0)
    return np.tanh(linear(np, last, x)), mean, std


def lstm(library: Library, layer: Any, obs: Any) -> Arrays:
    """Return the last hidden and cell state, `(batch, hidden)`."""
    np, width = library.np, layer["weight_hh"].shape[0]

    def step(state: Arrays, x: Any) -> Arrays:
        hidden, cell = state
        z = np.matmul(x, layer["weight_ih"]) + layer["bias_ih"]
        z = z + np.matmul(hidden, layer["weight_hh"]) + layer["bias_hh"]
        i, f, o = (sigmoid(np, z[:, gate * width : (gate + 1) * width]) for gate in (0, 1, 3))
        cell = f * cell + i * np.tanh(z[:, 2 * width : 3 * width])
        return o * np.tanh(cell), cell

    zeros = np.zeros((obs.shape[0], width), obs.dtype)
    return library.through_time(step, (zeros, zeros), np.swapaxes(obs, 0, 1))


def sigmoid(np: Any, z: Any) -> Any:
    """Return the logistic function, without overflow."""
    return (np.tanh(z / 2) + 1) / 2


def adam(np: Any, step: Any, parameter: Any, gradient: Any, mean: Any, square: Any) -> Arrays:
    """Return one array's parameter and both running means after a step of Adam."""
    mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
    corrected = np.sqrt(square / (1 - 0.999**step)) + EPS
    return parameter - LEARNING_RATE * (mean / (1 - 0.9**step)) / corrected, mean, square
