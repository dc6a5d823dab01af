"""SAC: soft actor-critic with automatic temperature (Haarnoja et al. 2018, arXiv:1812.05905).

    python examples/online/sac.py --seed 0 --out runs/sac

The actor returns a distribution over actions, and maximizes the critics' value plus the entropy times the temperature.
The temperature falls while the entropy is above its target, and rises while it is below.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import numpy as np

import npnets
import npnets.numpy as nnp
from examples.online.critic_ensemble import critics_loss, make_critics, td_target
from examples.online.off_policy import learn_while_acting
from examples.online.online_training import main
from examples.shared.learning_state import State, gradient_step, initial_state, optimizer_step, update_targets
from examples.shared.transitions import Array, Batch
from npnets import optim
from npnets.backend import to_device, to_numpy
from npnets.distributions import SquashedGaussian
from npnets.typing import Params


@dataclass(frozen=True)
class Hyperparameters:
    """Settings of the example.

    Attributes
    ----------
    steps
        Steps in the environment.
    warmup
        Initial steps with random actions and without learning.
    updates_per_step
        Learning steps after each later step.
    hidden_sizes
        Hidden layers of the actor and of every critic.
    critics
        Number of critics.
    batch_size
        Transitions per learning step, drawn uniformly with replacement from all so far.
    actor_lr, critic_lr, temperature_lr
        Adam's learning rates.
    gamma
        Discount per step.
    tau
        Step size of every soft update of the target critics toward the critics.
    max_action
        Bound of every action entry; Pendulum's torque is within [-2, 2] N m.
    """

    steps: int = 20_000
    warmup: int = 1000
    updates_per_step: int = 1
    hidden_sizes: tuple[int, ...] = (64, 64)
    critics: int = 2
    batch_size: int = 128
    actor_lr: float = 1e-3
    critic_lr: float = 1e-3
    temperature_lr: float = 1e-3
    gamma: float = 0.98
    tau: float = 0.01
    max_action: float = 2.0


class SAC:
    """SAC's networks, settings and optimizers; an object does not change during training.

    Parameters
    ----------
    settings : Hyperparameters
    obs_dim, act_dim : int
        Widths of an observation and of an action.
    device : str or int
        Device of parameters and training.
    """

    def __init__(self, settings: Hyperparameters, obs_dim: int, act_dim: int, device: str | int = "cpu") -> None:
        self.settings, self.device = settings, device
        net = npnets.Net(obs_dim, hidden_sizes=settings.hidden_sizes, device=device)
        self.actor = npnets.ActorProb(net, act_dim, device=device, unbounded=True, conditioned_sigma=True)
        self.critics = make_critics(settings.critics, obs_dim, act_dim, settings.hidden_sizes, device)
        rates = {"actor": settings.actor_lr, "critics": settings.critic_lr, "log_temperature": settings.temperature_lr}
        self.optimizers = {name: optim.adam(rate) for name, rate in rates.items()}
        # Minus one nat for each action entry within [-1, 1], as in the paper, plus the logarithm of max_action.
        self.target_entropy = act_dim * (float(np.log(settings.max_action)) - 1)

    def init(self, rng: np.random.Generator) -> State:
        """Draw parameters; the target critics start equal to the critics, and the temperature is one."""
        params: Params = {"actor": self.actor.init(rng), "critics": self.critics.init(rng)}
        params["log_temperature"] = to_device(np.zeros((), np.float32), self.device)
        return initial_state(params, self.optimizers, targets=("critics",))

    def learn(self, state: State, batch: Batch, rng: np.random.Generator) -> tuple[State, dict[str, Array]]:
        """Take one gradient step for the critics, the actor and the temperature, and update the targets.

        Parameters
        ----------
        state : State
        batch : five arrays
            Observations, actions, rewards, next observations and terminals, as `ReplayBuffer.batch` draws them.
        rng : np.random.Generator
            Draws actions.

        Returns
        -------
        State
        dict
            Losses by the name of the network, and the temperature.
        """
        batch = npnets.tree.to_device(batch, self.device)
        state, critic_loss = self.improve_critics(state, batch, rng)
        state, losses = self.improve_actor(state, batch[0], rng)
        return state, {"critics": critic_loss, **losses}

    def improve_critics(self, state: State, batch: Batch, rng: np.random.Generator) -> tuple[State, Array]:
        """Take one gradient step for the critics, and update the targets."""
        obs, act, rewards, next_obs, terminals = batch
        next_act, log_prob = self.distribution(state.params["actor"], next_obs).sample_and_log_prob(rng)
        bonus = -nnp.exp(state.params["log_temperature"]) * log_prob[:, None]
        next_values = self.target_values(state.targets["critics"], next_obs, next_act, rng) + bonus
        target = td_target(rewards, terminals, self.settings.gamma, next_values)
        state, loss = gradient_step(state, self.optimizers, "critics", critics_loss, self.critics, obs, act, target)
        return update_targets(state, self.settings.tau), loss

    def improve_actor(self, state: State, obs: Array, rng: np.random.Generator) -> tuple[State, dict[str, Array]]:
        """Take one gradient step for the actor, and one for the temperature."""
        temperature = nnp.exp(state.params["log_temperature"])
        given = state.params["critics"], temperature, obs, rng
        state, (loss, log_prob) = gradient_step(state, self.optimizers, "actor", self._actor_loss, *given, has_aux=True)
        state = optimizer_step(state, self.optimizers, "log_temperature", self._temperature_grad(log_prob))
        return state, {"actor": loss, "temperature": temperature}

    def explore(self, params: dict[str, Any], observations: Array, rng: np.random.Generator) -> Array:
        """Draw actions `(n, act_dim)` for observations `(n, obs_dim)`."""
        return to_numpy(self.distribution(params["actor"], observations).sample(rng))

    def act(self, params: dict[str, Any], observations: Array) -> Array:
        """Return deterministic actions, a NumPy array `(n, act_dim)`, for observations `(n, obs_dim)`."""
        return to_numpy(self.distribution(params["actor"], observations).mode())

    def distribution(self, params: Any, observations: Array) -> SquashedGaussian:
        """Return the actor's distribution over actions."""
        limit = self.settings.max_action
        return SquashedGaussian.from_actor(self.actor, params, observations, -limit, limit)[0]

    def target_values(self, targets: Any, obs: Array, act: Array, rng: np.random.Generator) -> Array:
        """Return the minimum `(batch, 1)` over the target critics."""
        return nnp.min(self.critics.forward(targets, obs, act), 0)

    def policy_values(self, values: Array) -> Array:
        """Return the value that the actor maximizes: the minimum over critics' values `(members, batch, 1)`."""
        return nnp.min(values, 0)

    def _actor_loss(
        self, params: Any, critic_params: Any, temperature: Array, obs: Array, rng: np.random.Generator
    ) -> tuple[Any, Any]:
        """Return the mean of temperature times log-density minus value, and the log-densities `(batch,)`."""
        act, log_prob = self.distribution(params, obs).sample_and_log_prob(rng)
        values = self.policy_values(self.critics.forward(critic_params, obs, act))
        return temperature * nnp.mean(log_prob) - nnp.mean(values), log_prob

    def _temperature_grad(self, log_prob: Array) -> Array:
        """Return the gradient that lowers the temperature if the entropy is above its target, and otherwise raises it.

        It is that of the loss `-log_temperature * mean(log_prob + target_entropy)`, which is linear.
        """
        return -nnp.mean(log_prob + self.target_entropy)


if __name__ == "__main__":
    sys.exit(main("SAC", SAC, Hyperparameters(), learn_while_acting))
