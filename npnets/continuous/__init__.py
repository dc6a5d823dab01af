"""Actors and critics for continuous actions: Tianshou's `tianshou.utils.net.continuous`."""

from npnets.continuous.actor import Actor
from npnets.continuous.actor_prob import ActorProb
from npnets.continuous.critic import Critic
from npnets.continuous.perturbation import Perturbation
from npnets.continuous.recurrent_actor_prob import RecurrentActorProb
from npnets.continuous.recurrent_critic import RecurrentCritic
from npnets.continuous.vae import VAE
from npnets.public import listing

__all__ = ["VAE", "Actor", "ActorProb", "Critic", "Perturbation", "RecurrentActorProb", "RecurrentCritic"]

__dir__ = listing(__all__)
