"""TD3: twin delayed deep deterministic policy gradient (Fujimoto, van Hoof and Meger 2018, arXiv:1802.09477).

    python td3.py                                            # Pendulum-v1, in one to two minutes
    python td3.py --env HalfCheetah-v5 --seed 0 --out runs/cheetah
    python td3.py --resume runs/cheetah

The actor is deterministic, and maximizes the value of a critic. Critics overestimate the values of actions that were
chosen to maximize them. Against that, targets take the lower value of two critics, at an action with noise, so that a
narrow peak of the values counts less; and the actor learns less often than the critics. The defaults are those of
Tianshou's MuJoCo benchmark.
"""

import sys
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import npnets
import npnets.numpy as nnp
from npnets import data, losses, normalization, optim, training, tree
from npnets.backend import Array, to_device, to_numpy
from npnets.training import option
from npnets.typing import Params


@dataclass(frozen=True)
class Settings(training.Settings):
    """Settings of the algorithm, beside those of every run; each is an option of the command line."""

    warmup: int = option(25_000, "initial steps with random actions, without learning", at_least=1, less_than="steps")
    updates_per_step: int = option(1, "learning steps after each later step", at_least=1)
    buffer_size: int = option(1_000_000, "transitions of the replay buffer", at_least=1)
    batch_size: int = option(256, "transitions of a learning step", at_least=1)
    hidden_sizes: tuple[int, ...] = option((256, 256), "hidden layers of the actor and of each critic", at_least=1)
    actor_lr: float = option(3e-4, "Adam's learning rate of the actor", at_least=0)
    critic_lr: float = option(3e-4, "Adam's learning rate of the critics", at_least=0)
    gamma: float = option(0.99, "discount per step", at_least=0, at_most=1)
    tau: float = option(0.005, "step of the target networks toward the networks", at_least=0, at_most=1)
    policy_delay: int = option(2, "learning steps of the critics for each of the actor and the targets", at_least=1)
    exploration_noise: float = option(
        0.1, "standard deviation of exploration, over half the width of the bounds", at_least=0
    )
    target_noise: float = option(0.2, "standard deviation of the noise on target actions, over the same", at_least=0)
    target_noise_limit: float = option(0.5, "bound of the noise on target actions, over the same", at_least=0)
    normalize_observations: bool = option(False, "whether observations are normalized by their running statistics")


TUNED = {
    "Pendulum-v1": {
        "steps": 20_000,
        "warmup": 1000,
        "evaluate_every": 2000,
        "episodes": 30,
        "hidden_sizes": (64, 64),
        "batch_size": 128,
        "actor_lr": 1e-3,
        "critic_lr": 1e-3,
        "gamma": 0.98,
        "tau": 0.01,
    }
}


class State(NamedTuple):
    """All that changes during training."""

    actor: Params
    critics: Params
    target_actor: Params
    target_critics: Params
    actor_adam: optim.AdamState
    critics_adam: optim.AdamState
    statistics: normalization.Normalization | None


class TD3:
    """The networks, settings and optimizers of TD3, which do not change; `State` holds what does.

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

        def ensemble(members: int) -> npnets.Critic:
            layer = partial(npnets.EnsembleLinear, members)
            trunk = npnets.Net(obs_space, act_space, hidden_sizes=sizes, concat=True, device=device, linear_layer=layer)
            return npnets.Critic(trunk, device=device, linear_layer=layer, flatten_input=False)

        # Two critics in one network: its layers have an axis for the members, and its values are (2, batch, 1).
        self.critics, self.first_critic = ensemble(2), ensemble(1)
        self.actor_adam, self.critics_adam = optim.adam(settings.actor_lr), optim.adam(settings.critic_lr)
        self.half_width = (act_space.high - act_space.low) / 2
        self.low, self.high = to_device(act_space.low, device), to_device(act_space.high, device)

    def init(self, rng: np.random.Generator) -> State:
        """Draw parameters; the target networks start equal to the networks."""
        actor, critics = self.actor.init(rng), self.critics.init(rng)
        statistics = normalization.init(self.obs_space.shape) if self.settings.normalize_observations else None
        optimizers = self.actor_adam.init(actor), self.critics_adam.init(critics)
        return State(actor, critics, actor, critics, *optimizers, statistics)

    def learn(self, state: State, batch: data.Transitions, rng: np.random.Generator) -> tuple[State, dict[str, Array]]:
        """Take one gradient step for the critics; every `policy_delay` steps, one for the actor, and move targets."""
        seen = batch._replace(obs=normalized(state, batch.obs), next_obs=normalized(state, batch.next_obs))
        seen = tree.to_device(seen, self.settings.device)
        state, critics_loss = self.improve_critics(state, seen, rng)
        if state.critics_adam.step % self.settings.policy_delay:
            return state, {"critics": critics_loss}
        state, actor_loss = self.improve_actor(state, seen.obs)
        move = partial(optim.soft_update, tau=self.settings.tau)
        actor, critics = move(state.target_actor, state.actor), move(state.target_critics, state.critics)
        found = {"critics": critics_loss, "actor": actor_loss}
        return state._replace(target_actor=actor, target_critics=critics), found

    def improve_critics(self, state: State, batch: Any, rng: np.random.Generator) -> tuple[State, Array]:
        """Move both critics toward the reward plus the discounted lower value of the next observation."""
        next_action = self.target_action(state.target_actor, batch.next_obs, rng)
        next_value = nnp.min(self.critics.forward(state.target_critics, batch.next_obs, next_action), 0)[:, 0]
        target = batch.reward + self.settings.gamma * next_value * ~batch.terminated

        def loss(critics: Params) -> Array:
            values = self.critics.forward(critics, batch.obs, batch.action)[..., 0]
            return 2 * losses.squared_error(values, nnp.broadcast_to(target, values.shape))  # the sum over both

        value, grads = npnets.value_and_grad(loss)(state.critics)
        critics, adam = self.critics_adam.update(state.critics, grads, state.critics_adam)
        return state._replace(critics=critics, critics_adam=adam), value

    def target_action(self, target_actor: Params, obs: Array, rng: np.random.Generator) -> Array:
        """Return the target actor's actions with noise that is bounded, within the bounds of actions."""
        action, _ = self.actor.forward(target_actor, obs)
        limit = self.settings.target_noise_limit
        noise = self.half_width * np.clip(rng.normal(0, self.settings.target_noise, action.shape), -limit, limit)
        return nnp.clip(action + to_device(noise.astype(np.float32), self.settings.device), self.low, self.high)

    def improve_actor(self, state: State, obs: Array) -> tuple[State, Array]:
        """Raise the first critic's value of the actor's actions."""
        first = tree.map(lambda leaf: leaf[:1], state.critics)

        def loss(actor: Params) -> Array:
            return -nnp.mean(self.first_critic.forward(first, obs, self.actor.forward(actor, obs)[0]))

        value, grads = npnets.value_and_grad(loss)(state.actor)
        actor, adam = self.actor_adam.update(state.actor, grads, state.actor_adam)
        return state._replace(actor=actor, actor_adam=adam), value

    def explore(self, state: State, obs: Array, rng: np.random.Generator) -> Array:
        """Return the actor's action for one observation of the environment, with noise, within its bounds."""
        action = to_numpy(self.actor.forward(state.actor, normalized(state, obs)[None])[0])[0]
        noise = rng.normal(0, self.settings.exploration_noise, action.shape)
        return np.clip(action + self.half_width * noise, self.act_space.low, self.act_space.high)

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
    td3, rng = TD3(settings, env.observation_space, env.action_space), np.random.default_rng(settings.seed)
    obs_dtype = np.float64 if settings.normalize_observations else np.float32  # a mean that is subtracted may be large
    buffer = data.ReplayBuffer(
        settings.buffer_size, obs_dtype=obs_dtype, action_dtype=np.float32, reward_dtype=np.float32
    )
    state, rng, buffer = run.restore(td3.init(rng), rng, buffer)
    found: dict[str, Array] = {}
    run.record(state, found, td3.deterministic)
    obs = training.reset(env, rng)
    for step in run.steps():
        state, random = observed(state, obs), step <= settings.warmup
        action = rng.uniform(env.action_space.low, env.action_space.high) if random else td3.explore(state, obs, rng)
        next_obs, reward, terminated, truncated, _ = env.step(action.astype(np.float32))
        buffer.add(obs, action, float(reward), next_obs, terminated)  # truncation is no terminal state
        obs = next_obs
        for _ in range(0 if random else settings.updates_per_step):
            state, found = td3.learn(state, buffer.sample(rng, settings.batch_size), rng)
        run.record(state, found, td3.deterministic)
        if terminated or truncated or step == settings.steps:
            run.save_if_due(state, rng, buffer)
            obs = training.reset(env, rng)
    env.close()


if __name__ == "__main__":
    sys.exit(training.main(train, Settings, __doc__, TUNED))
