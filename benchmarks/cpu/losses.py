"""The losses whose gradients are timed, for the array modules of npnets, plain autograd and JAX."""

from __future__ import annotations

from typing import Any


def loss(xp: Any, network: str, output: Any, given: dict[str, Any]) -> Any:
    """Return the loss of a network's output.

    Parameters
    ----------
    xp : module
        `npnets.numpy`, `autograd.numpy` or `jax.numpy`.
    network : str
    output : tuple of arrays
        The arrays named in `cells.OUTPUTS`.
    given : dict
        `act` and `reward`, `(batch, width)`.
    """
    if network == "vae":
        reconstruction, mean, std = output
        return of_vae(xp, reconstruction, mean, std, given["act"])
    if network in ("critic", "ensemble", "recurrent_critic"):
        return xp.mean((output[0] - given["reward"]) ** 2)
    error = xp.mean((output[0] - given["act"]) ** 2)
    return error if network == "actor" else error + xp.mean(output[1])


def of_vae(xp: Any, reconstruction: Any, mean: Any, std: Any, act: Any) -> Any:
    """Return BCQ's loss: squared error, and half the KL divergence of the latent vectors from the standard normal."""
    divergence = xp.mean(-xp.log(std) + (std**2 + mean**2 - 1) / 2)
    return xp.mean((act - reconstruction) ** 2) + divergence / 2
