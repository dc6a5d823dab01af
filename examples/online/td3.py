"""TD3: twin delayed deep deterministic policy gradient (Fujimoto, van Hoof and Meger 2018, arXiv:1802.09477).

    python examples/online/td3.py --seed 0 --out runs/td3

The actor maximizes the value of its critic. Three techniques reduce overestimation: the target uses the lower value of
two critics, noise is added to the target action, and the actor is updated less often than the critics.
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
from examples.shared.learning_state import State, gradient_step, initial_state, update_targets
from examples.shared.transitions import Array, Batch
from npnets import optim
from npnets.backend import to_device, to_numpy


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
        Number of critics; targets use the minimum over them.
    batch_size
        Transitions per learning step, drawn uniformly with replacement from all so far.
    actor_lr, critic_lr
        Adam's learning rates.
    gamma
        Discount per step.
    tau
        Step size of every soft update of the target networks toward the trained networks.
    policy_delay
        Learning steps of the critics for each update of the actor and the target networks.
    exploration_noise
        Standard deviation of the exploration noise, as a fraction of `max_action`.
    target_noise, target_noise_limit
        Standard deviation and bound of the noise on target actions, as fractions of `max_action`.
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
    gamma: float = 0.98
    tau: float = 0.01
    policy_delay: int = 2
    exploration_noise: float = 0.1
    target_noise: float = 0.2
    target_noise_limit: float = 0.5
    max_action: float = 2.0


class TD3:
    """TD3's networks, settings and optimizers; an object does not change during training.

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
        self.actor = npnets.Actor(net, act_dim, max_action=settings.max_action, device=device)
        self.critics = make_critics(settings.critics, obs_dim, act_dim, settings.hidden_sizes, device)
        self.first_critic = make_critics(1, obs_dim, act_dim, settings.hidden_sizes, device)
        self.optimizers = {"actor": optim.adam(settings.actor_lr), "critics": optim.adam(settings.critic_lr)}

    def init(self, rng: np.random.Generator) -> State:
        """Draw parameters; every target network starts equal to its network."""
        params = {"actor": self.actor.init(rng), "critics": self.critics.init(rng)}
        return initial_state(params, self.optimizers, targets=params)

    def learn(self, state: State, batch: Batch, rng: np.random.Generator) -> tuple[State, dict[str, Array]]:
        """Take one gradient step for the critics; every `policy_delay` steps, also update the actor and the targets.

        Parameters
        ----------
        state : State
        batch : five arrays
            Observations, actions, rewards, next observations and terminals, as `ReplayBuffer.batch` draws them.
        rng : np.random.Generator
            Draws the noise on target actions.

        Returns
        -------
        State
        dict
            Losses by the name of the network.
        """
        obs, act, rewards, next_obs, terminals = (to_device(array, self.device) for array in batch)
        target = td_target(rewards, terminals, self.settings.gamma, self._next_values(state, next_obs, rng))
        state, critic_loss = gradient_step(
            state, self.optimizers, "critics", critics_loss, self.critics, obs, act, target
        )
        losses = {"critics": critic_loss}
        if state.optimizers["critics"].step % self.settings.policy_delay == 0:
            first = npnets.tree.map(lambda leaf: leaf[:1], state.params["critics"])
            state, losses["actor"] = gradient_step(state, self.optimizers, "actor", self._actor_loss, first, obs)
            state = update_targets(state, self.settings.tau)
        return state, losses

    def explore(self, params: dict[str, Any], observations: Array, rng: np.random.Generator) -> Array:
        """Return the actor's actions `(n, act_dim)` for observations `(n, obs_dim)`, with exploration noise."""
        actions, limit = self.act(params, observations), self.settings.max_action
        noise = rng.normal(0, self.settings.exploration_noise * limit, actions.shape)
        return np.clip(actions + noise, -limit, limit).astype(np.float32)

    def act(self, params: dict[str, Any], observations: Array) -> Array:
        """Return actions, a NumPy array `(n, act_dim)`, for observations `(n, obs_dim)`."""
        return to_numpy(self.actor.forward(params["actor"], observations)[0])

    def _next_values(self, state: State, next_obs: Array, rng: np.random.Generator) -> Array:
        """Return the minimum `(batch, 1)` over the target critics' values of the target actor's noisy action."""
        limit, most = self.settings.max_action, self.settings.target_noise_limit
        act, _ = self.actor.forward(state.targets["actor"], next_obs)
        blur = limit * np.clip(rng.normal(0, self.settings.target_noise, act.shape), -most, most)
        act = nnp.clip(act + to_device(blur.astype(np.float32), self.device), -limit, limit)
        return nnp.min(self.critics.forward(state.targets["critics"], next_obs, act), 0)

    def _actor_loss(self, params: Any, critic_params: Any, obs: Array) -> Any:
        """Return the negative mean value, by the first critic, of the actor's actions."""
        act, _ = self.actor.forward(params, obs)
        return -nnp.mean(self.first_critic.forward(critic_params, obs, act))


if __name__ == "__main__":
    sys.exit(main("TD3", TD3, Hyperparameters(), learn_while_acting))
