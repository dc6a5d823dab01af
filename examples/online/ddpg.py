"""DDPG: deep deterministic policy gradient (Lillicrap et al. 2016, arXiv:1509.02971).

    python ddpg.py                                           # Pendulum-v1, in one to two minutes
    python ddpg.py --env HalfCheetah-v5 --seed 0 --out runs/cheetah
    python ddpg.py --resume runs/cheetah

A critic learns the value of actions by Q-learning. The maximum over actions that Q-learning needs has no formula where
actions are continuous: a deterministic actor learns to return the action of the largest value, along the critic's
gradient with respect to the action. Targets come from slow copies of both networks. Exploration adds Gaussian noise to
the actions, as in Tianshou, whose MuJoCo benchmark the defaults are those of; the paper's noise is correlated in time.
"""

import sys
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

import npnets
import npnets.numpy as nnp
from npnets import data, losses, normalization, optim, training, tree
from npnets.backend import Array, to_numpy
from npnets.training import option
from npnets.typing import Params


@dataclass(frozen=True)
class Settings(training.Settings):
    """Settings of the algorithm, beside those of every run; each is an option of the command line."""

    warmup: int = option(25_000, "initial steps with random actions, without learning", at_least=1, less_than="steps")
    updates_per_step: int = option(1, "learning steps after each later step", at_least=1)
    buffer_size: int = option(1_000_000, "transitions of the replay buffer", at_least=1)
    batch_size: int = option(256, "transitions of a learning step", at_least=1)
    hidden_sizes: tuple[int, ...] = option((256, 256), "hidden layers of the actor and of the critic", at_least=1)
    actor_lr: float = option(1e-3, "Adam's learning rate of the actor", at_least=0)
    critic_lr: float = option(1e-3, "Adam's learning rate of the critic", at_least=0)
    gamma: float = option(0.99, "discount per step", at_least=0, at_most=1)
    tau: float = option(0.005, "step of the target networks toward the networks", at_least=0, at_most=1)
    exploration_noise: float = option(
        0.1, "standard deviation of exploration, over half the width of the bounds", at_least=0
    )
    normalize_observations: bool = option(False, "whether observations are normalized by their running statistics")


TUNED = {
    "Pendulum-v1": {
        "steps": 20_000,
        "warmup": 1000,
        "evaluate_every": 2000,
        "episodes": 30,
        "hidden_sizes": (64, 64),
        "batch_size": 128,
        "gamma": 0.98,
        "tau": 0.01,
    }
}


class State(NamedTuple):
    """All that changes during training."""

    actor: Params
    critic: Params
    target_actor: Params
    target_critic: Params
    actor_adam: optim.AdamState
    critic_adam: optim.AdamState
    statistics: normalization.Normalization | None


class DDPG:
    """The networks, settings and optimizers of DDPG, which do not change; `State` holds what does.

    Parameters
    ----------
    settings : Settings
    obs_space, act_space : gymnasium.spaces.Box
    """

    def __init__(self, settings: Settings, obs_space: Any, act_space: Any) -> None:
        self.settings, self.obs_space, self.act_space = settings, obs_space, act_space
        sizes, device = settings.hidden_sizes, settings.device
        trunk = npnets.Net(obs_space, hidden_sizes=sizes, device=device)
        self.actor = npnets.Actor(trunk, act_space, device=device, flatten_action=False)
        trunk = npnets.Net(obs_space, act_space, hidden_sizes=sizes, concat=True, device=device)
        self.critic = npnets.Critic(trunk, device=device)
        self.actor_adam, self.critic_adam = optim.adam(settings.actor_lr), optim.adam(settings.critic_lr)

    def init(self, rng: np.random.Generator) -> State:
        """Draw parameters; the target networks start equal to the networks."""
        actor, critic = self.actor.init(rng), self.critic.init(rng)
        statistics = normalization.init(self.obs_space.shape) if self.settings.normalize_observations else None
        optimizers = self.actor_adam.init(actor), self.critic_adam.init(critic)
        return State(actor, critic, actor, critic, *optimizers, statistics)

    def learn(self, state: State, batch: data.Transitions) -> tuple[State, dict[str, Array]]:
        """Take one gradient step for the critic and one for the actor, and move the target networks."""
        seen = batch._replace(obs=normalized(state, batch.obs), next_obs=normalized(state, batch.next_obs))
        seen = tree.to_device(seen, self.settings.device)
        state, critic_loss = self.improve_critic(state, seen)
        state, actor_loss = self.improve_actor(state, seen.obs)
        tau = self.settings.tau
        actor = optim.soft_update(target=state.target_actor, source=state.actor, tau=tau)
        critic = optim.soft_update(target=state.target_critic, source=state.critic, tau=tau)
        return state._replace(target_actor=actor, target_critic=critic), {"critic": critic_loss, "actor": actor_loss}

    def improve_critic(self, state: State, batch: Any) -> tuple[State, Array]:
        """Move the critic toward the reward plus the discounted value of the target actor's next action."""
        next_action, _ = self.actor.forward(state.target_actor, batch.next_obs)
        next_value = self.critic.forward(state.target_critic, batch.next_obs, next_action)[:, 0]
        target = batch.reward + self.settings.gamma * next_value * ~batch.terminated

        def loss(critic: Params) -> Array:
            return losses.squared_error(self.critic.forward(critic, batch.obs, batch.action)[:, 0], target)

        value, grads = npnets.value_and_grad(loss)(state.critic)
        critic, adam = self.critic_adam.update(state.critic, grads, state.critic_adam)
        return state._replace(critic=critic, critic_adam=adam), value

    def improve_actor(self, state: State, obs: Array) -> tuple[State, Array]:
        """Raise the critic's value of the actor's actions."""

        def loss(actor: Params) -> Array:
            return -nnp.mean(self.critic.forward(state.critic, obs, self.actor.forward(actor, obs)[0]))

        value, grads = npnets.value_and_grad(loss)(state.actor)
        actor, adam = self.actor_adam.update(state.actor, grads, state.actor_adam)
        return state._replace(actor=actor, actor_adam=adam), value

    def explore(self, state: State, obs: Array, rng: np.random.Generator) -> Array:
        """Return the actor's action for one observation of the environment, with noise, within its bounds."""
        low, high = self.act_space.low, self.act_space.high
        action = to_numpy(self.actor.forward(state.actor, normalized(state, obs)[None])[0])[0]
        return np.clip(action + (high - low) / 2 * rng.normal(0, self.settings.exploration_noise, low.shape), low, high)

    def deterministic(self, state: State) -> npnets.Policy:
        """Return the policy without noise."""
        return npnets.Policy(self.actor, state.actor, normalization=state.statistics)


def normalized(state: State, obs: Array) -> Array:
    """Return observations as the networks see them."""
    return obs if state.statistics is None else normalization.normalize(state.statistics, obs)


def observed(state: State, obs: Array) -> State:
    """Count an observation in the running statistics, if there are any."""
    if state.statistics is None:
        return state
    return state._replace(statistics=normalization.update(state.statistics, obs[None]))


def train(settings: Settings, run: training.Run) -> None:
    """Act, store each transition, and learn from a batch of all transitions so far after each step."""
    env = training.make_env(settings.env)
    ddpg, rng = DDPG(settings, env.observation_space, env.action_space), np.random.default_rng(settings.seed)
    obs_dtype = np.float64 if settings.normalize_observations else np.float32  # a mean that is subtracted may be large
    buffer = data.ReplayBuffer(
        settings.buffer_size, obs_dtype=obs_dtype, action_dtype=np.float32, reward_dtype=np.float32
    )
    state, rng, buffer = run.restore(ddpg.init(rng), rng, buffer)
    found: dict[str, Array] = {}
    run.record(state, found, ddpg.deterministic)
    obs = training.reset(env, rng)
    for step in run.steps():
        state, random = observed(state, obs), step <= settings.warmup
        action = rng.uniform(env.action_space.low, env.action_space.high) if random else ddpg.explore(state, obs, rng)
        next_obs, reward, terminated, truncated, _ = env.step(action.astype(np.float32))
        buffer.add(obs, action, float(reward), next_obs, terminated)  # truncation is no terminal state
        obs = next_obs
        for _ in range(0 if random else settings.updates_per_step):
            state, found = ddpg.learn(state, buffer.sample(rng, settings.batch_size))
        run.record(state, found, ddpg.deterministic)
        if terminated or truncated or step == settings.steps:
            run.save_if_due(state, rng, buffer)
            obs = training.reset(env, rng)
    env.close()


if __name__ == "__main__":
    sys.exit(training.main(train, Settings, __doc__, TUNED))
