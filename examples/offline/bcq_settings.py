"""The settings of the BCQ example on Pendulum-v1.

The example and the same training with Tianshou (``benchmarks/learning/bcq_tianshou.py``) share these settings, so that
a comparison of the two compares only the libraries.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hyperparameters:
    """Settings of batch-constrained Q-learning (Fujimoto et al., 2019, arXiv:1812.02900) for Pendulum-v1.

    Names are those of Tianshou's ``BCQPolicy``, ``Perturbation`` and ``VAE``, if they have the setting.

    Attributes
    ----------
    hidden_sizes
        Hidden layers of the perturbation network and of the two critics.
    vae_hidden_sizes
        Hidden layers of the VAE's encoder and of its decoder.
    latent_dim
        Size of the VAE's latent vector. The KL term is a mean over its entries, so it constrains a longer vector less.
    batch_size
        Transitions per gradient step, drawn uniformly with replacement.
    actor_lr, critic_lr, vae_lr
        Adam's learning rates of the perturbation network, the two critics and the VAE.
    gamma
        Discount per step.
    tau
        Step size of every soft update of the target networks toward the trained networks.
    lmbda
        Weight of the smaller of the two target values; the larger one has weight ``1 - lmbda``.
    phi
        Largest perturbation, as a fraction of ``max_action``.
    num_sampled_action
        Actions drawn from the VAE per next observation when a target is computed.
    forward_sampled_times
        Actions drawn from the VAE per observation when the policy acts; the first critic selects the best.
    steps
        Gradient steps of one training.
    max_action
        Bound of every action entry; Pendulum's torque is within [-2, 2] N m.
    """

    hidden_sizes: tuple[int, ...] = (64, 64)
    vae_hidden_sizes: tuple[int, ...] = (64, 64)
    latent_dim: int = 4
    batch_size: int = 128
    actor_lr: float = 1e-3
    critic_lr: float = 1e-3
    vae_lr: float = 1e-3
    gamma: float = 0.98
    tau: float = 0.02
    lmbda: float = 0.75
    phi: float = 0.2
    num_sampled_action: int = 10
    forward_sampled_times: int = 100
    steps: int = 10_000
    max_action: float = 2.0
