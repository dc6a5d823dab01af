"""The losses whose gradients are timed, in the array functions of npnets, plain autograd or JAX, which share names."""

from __future__ import annotations

from typing import Any


def loss(np: Any, network: str, output: Any, given: dict[str, Any]) -> Any:
    """Return the loss of a network's output.

    Parameters
    ----------
    np : module
        `npnets.numpy`, `autograd.numpy` or `jax.numpy`.
    network : str
    output : tuple of arrays
        As `cells.OUTPUTS` names them.
    given : dict
        `act` and `reward`, `(batch, width)`.
    """
    if network == "vae":
        reconstruction, mean, std = output
        return of_vae(np, reconstruction, mean, std, given["act"])
    if network in ("critic", "ensemble", "recurrent_critic"):
        return np.mean((output[0] - given["reward"]) ** 2)
    error = np.mean((output[0] - given["act"]) ** 2)
    return error if network == "actor" else error + np.mean(output[1])


def of_vae(np: Any, reconstruction: Any, mean: Any, std: Any, act: Any) -> Any:
    """Return BCQ's: squared error, and half the divergence of the latent vectors from the standard normal."""
    divergence = np.mean(-np.log(std) + (std**2 + mean**2 - 1) / 2)
    return np.mean((act - reconstruction) ** 2) + divergence / 2
