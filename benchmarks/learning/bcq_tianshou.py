"""The example's offline training with Tianshou 1.0.0 on PyTorch, for a comparison of returns and times.

The algorithm is Tianshou's ``BCQPolicy`` and the networks are Tianshou's; settings, data and evaluation are the
example's. `bcq_one_side.py` runs it.
"""

from __future__ import annotations

import time
from typing import Any

import gymnasium
import numpy as np
import torch
from tianshou.data import Batch
from tianshou.policy import BCQPolicy
from tianshou.utils.net.common import MLP, Net
from tianshou.utils.net.continuous import VAE, Critic, Perturbation
from tqdm import trange

from examples.offline.bcq import Settings
from examples.shared.pendulum_evaluation import MAX_TORQUE, Policy
from npnets.data import ReplayBuffer


def make_networks(
    settings: Settings, obs_dim: int, act_dim: int, max_action: float
) -> tuple[Perturbation, Critic, Critic, VAE]:
    """Return Tianshou's networks for BCQ, initialized with PyTorch's global generator."""
    # Net and not MLP: Perturbation takes the first item of its preprocess net's output. For an MLP, that is the first
    # row, so that every transition would get the perturbation of the batch's first one.
    trunk = Net(obs_dim + act_dim, act_dim, hidden_sizes=settings.hidden_sizes)
    perturbation = Perturbation(trunk, max_action=max_action, phi=settings.phi)
    critic, critic2 = (Critic(Net(obs_dim, act_dim, hidden_sizes=settings.hidden_sizes, concat=True)) for _ in range(2))
    encoder = MLP(obs_dim + act_dim, hidden_sizes=settings.vae_hidden_sizes)
    decoder = MLP(obs_dim + settings.latent_dim, act_dim, hidden_sizes=settings.vae_hidden_sizes)
    vae = VAE(encoder, decoder, settings.vae_hidden_sizes[-1], settings.latent_dim, max_action)
    return perturbation, critic, critic2, vae


def make_policy(settings: Settings, obs_dim: int, act_dim: int, max_action: float) -> BCQPolicy:
    """Tianshou's BCQ with one Adam per network, for actions within `[-max_action, max_action]`."""
    perturbation, critic, critic2, vae = make_networks(settings, obs_dim, act_dim, max_action)
    return BCQPolicy(
        actor_perturbation=perturbation,
        actor_perturbation_optim=torch.optim.Adam(perturbation.parameters(), settings.actor_lr),
        critic=critic,
        critic_optim=torch.optim.Adam(critic.parameters(), settings.critic_lr),
        critic2=critic2,
        critic2_optim=torch.optim.Adam(critic2.parameters(), settings.critic_lr),
        vae=vae,
        vae_optim=torch.optim.Adam(vae.parameters(), settings.vae_lr),
        action_space=gymnasium.spaces.Box(-max_action, max_action, (act_dim,)),
        gamma=settings.gamma,
        tau=settings.tau,
        lmbda=settings.lmbda,
        forward_sampled_times=settings.forward_sampled_times,
        num_sampled_action=settings.num_sampled_action,
    )


def train(settings: Settings, buffer: ReplayBuffer, spaces: Any) -> tuple[Policy, float]:
    """Call ``policy.learn`` ``settings.steps`` times on uniform batches; return the policy and the seconds."""
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    obs_space, act_space = spaces
    policy = make_policy(settings, obs_space.shape[0], act_space.shape[0], MAX_TORQUE)
    began = time.perf_counter()
    for _ in trange(settings.steps, desc="Tianshou", unit="step", mininterval=1.0):
        obs, act, rew, obs_next, done = buffer.sample(rng, settings.batch_size)
        policy.learn(Batch(obs=obs, act=act, rew=rew, obs_next=obs_next, done=done.astype(np.float32)))
    return acting(policy), time.perf_counter() - began


def acting(policy: BCQPolicy) -> Policy:
    """Return a function that calls ``policy.forward`` with a batch; Tianshou loops over its observations."""
    samples = policy.forward_sampled_times

    @torch.no_grad()
    def act(observations: np.ndarray) -> np.ndarray:
        obs = torch.as_tensor(observations).repeat_interleave(samples, dim=0)
        actions = policy.actor_perturbation(obs, policy.vae.decode(obs))
        best = policy.critic(obs, actions).reshape(-1, samples).argmax(dim=1)
        return actions.reshape(len(best), samples, -1)[torch.arange(len(best)), best].numpy()

    return act
