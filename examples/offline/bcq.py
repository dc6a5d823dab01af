"""Batch-constrained Q-learning (Fujimoto, Meger and Precup 2019, arXiv:1812.02900) in pure functions.

This file has the algorithm: networks, losses, the learning step, and the trained policy. The order of updates and every
formula are those of Tianshou's `BCQPolicy`.

A `State` holds everything that training changes; `learn` takes a state and returns the next one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import npnets
import npnets.numpy as nnp
from examples.offline.bcq_settings import Hyperparameters
from examples.shared.learning_state import State, gradient_step, initial_state, update_targets
from examples.shared.transitions import Array, Batch
from npnets import optim
from npnets.backend import to_device, to_numpy


class Networks(NamedTuple):
    """The networks of BCQ; both critics share this network and have separate parameters."""

    perturbation: npnets.Perturbation
    critic: npnets.Critic
    vae: npnets.VAE


class Losses(NamedTuple):
    """The losses of one learning step, each a zero-dimensional array; reading one waits for the GPU."""

    vae: Array
    critic: Array
    actor: Array


CRITICS = ("critic_1", "critic_2")


def make_networks(settings: Hyperparameters, obs_dim: int, act_dim: int, device: str | int = "cpu") -> Networks:
    """Return BCQ's networks for observations and actions of these widths."""
    limit, hidden, latent = settings.max_action, settings.hidden_sizes, settings.latent_dim
    trunk = npnets.Net(obs_dim + act_dim, act_dim, hidden_sizes=hidden, device=device)
    features = npnets.Net(obs_dim, act_dim, hidden_sizes=hidden, concat=True, device=device)
    encoder = npnets.MLP(obs_dim + act_dim, hidden_sizes=settings.vae_hidden_sizes, device=device)
    decoder = npnets.MLP(obs_dim + latent, act_dim, hidden_sizes=settings.vae_hidden_sizes, device=device)
    return Networks(
        npnets.Perturbation(trunk, limit, device=device, phi=settings.phi),
        npnets.Critic(features, device=device),
        npnets.VAE(encoder, decoder, settings.vae_hidden_sizes[-1], latent, limit, device=device),
    )


class BCQ:
    """BCQ's networks, settings and optimizers; an object does not change during training.

    Parameters
    ----------
    settings : Hyperparameters
    obs_dim, act_dim : int
        Widths of an observation and of an action.
    device : str or int
        Device of parameters and training.
    """

    def __init__(self, settings: Hyperparameters, obs_dim: int, act_dim: int, device: str | int = "cpu") -> None:
        self.settings = settings
        self.device = device
        self.networks = make_networks(settings, obs_dim, act_dim, device)
        rates = {
            "perturbation": settings.actor_lr,
            "vae": settings.vae_lr,
            **dict.fromkeys(CRITICS, settings.critic_lr),
        }
        self.optimizers = {name: optim.adam(rate) for name, rate in rates.items()}

    def init(self, rng: np.random.Generator) -> State:
        """Draw parameters; the target critics start equal to the critics."""
        perturbation, critic, vae = self.networks
        params = {"perturbation": perturbation.init(rng), "vae": vae.init(rng)}
        params |= {name: critic.init(rng) for name in CRITICS}
        return initial_state(params, self.optimizers, targets=CRITICS)

    def learn(self, state: State, batch: Batch, rng: np.random.Generator) -> tuple[State, Losses]:
        """Take one gradient step for each network on a batch of transitions, and update the targets.

        Parameters
        ----------
        state : State
        batch : five arrays
            Observations, actions, rewards, next observations and terminals, as `Transitions.batch` draws them.
        rng : np.random.Generator
            Draws the VAE's noise and latent vectors.

        Returns
        -------
        State, Losses
        """
        obs, act, rewards, next_obs, terminals = (to_device(array, self.device) for array in batch)
        state, vae_loss = gradient_step(state, self.optimizers, "vae", self._vae_loss, obs, act, rng)
        target = self._target(state, rewards, next_obs, terminals, rng)
        critic_losses = []
        for name in CRITICS:
            state, loss = gradient_step(state, self.optimizers, name, self._critic_loss, obs, act, target)
            critic_losses.append(loss)
        sampled = self.networks.vae.decode(state.params["vae"], obs, rng=rng)
        given = state.params["critic_1"], obs, sampled
        state, actor_loss = gradient_step(state, self.optimizers, "perturbation", self._actor_loss, *given)
        losses = Losses(vae_loss, nnp.mean(nnp.stack(critic_losses)), actor_loss)
        return update_targets(state, self.settings.tau), losses

    def act(self, params: dict[str, Any], observations: Array, rng: np.random.Generator) -> Array:
        """Return, for each observation, the action of the highest value among perturbed samples of the VAE.

        Parameters
        ----------
        params : dict
            `State.params`.
        observations : (n, obs_dim) array
        rng : np.random.Generator

        Returns
        -------
        (n, act_dim) NumPy array
        """
        perturbation, critic, vae = self.networks
        samples = self.settings.forward_sampled_times
        obs = to_device(np.repeat(observations, samples, axis=0), self.device)
        actions = perturbation.forward(params["perturbation"], obs, vae.decode(params["vae"], obs, rng=rng))
        values = critic.forward(params["critic_1"], obs, actions).reshape(-1, samples)
        best = to_numpy(values).argmax(axis=1)
        return to_numpy(actions).reshape(len(best), samples, -1)[np.arange(len(best)), best]

    def _vae_loss(self, params: Any, obs: Array, act: Array, rng: np.random.Generator) -> Any:
        """Squared error of the reconstruction plus half the KL divergence of the latent from the standard normal."""
        reconstruction, mean, std = self.networks.vae.forward(params, obs, act, rng=rng)
        divergence = nnp.mean(-nnp.log(std) + (std**2 + mean**2 - 1) / 2)
        return nnp.mean((act - reconstruction) ** 2) + divergence / 2

    def _target(self, state: State, rewards: Array, next_obs: Array, terminals: Array, rng: Any) -> Array:
        """Return the target `(batch, 1)` of the critics: the best value of several actions sampled from the VAE."""
        settings, (_, critic, vae) = self.settings, self.networks
        obs = nnp.repeat(next_obs, settings.num_sampled_action, 0)
        act = vae.decode(state.params["vae"], obs, rng=rng)
        q_1, q_2 = (critic.forward(state.targets[name], obs, act) for name in CRITICS)
        q = settings.lmbda * nnp.minimum(q_1, q_2) + (1 - settings.lmbda) * nnp.maximum(q_1, q_2)
        best = q.reshape(len(next_obs), -1).max(axis=1)
        return (rewards + (1 - terminals) * settings.gamma * best)[:, None]

    def _critic_loss(self, params: Any, obs: Array, act: Array, target: Array) -> Any:
        return nnp.mean((self.networks.critic.forward(params, obs, act) - target) ** 2)

    def _actor_loss(self, params: Any, critic_params: Any, obs: Array, sampled: Array) -> Any:
        """Return the negative mean value, by the first critic, of the perturbed actions."""
        perturbed = self.networks.perturbation.forward(params, obs, sampled)
        return -nnp.mean(self.networks.critic.forward(critic_params, obs, perturbed))
