"""REDQ: randomized ensembled double Q-learning (Chen, Wang, Zhou and Ross 2021, arXiv:2101.05982).

    python redq.py                                           # Pendulum-v1, in one to three minutes
    python redq.py --env HalfCheetah-v5 --seed 0 --out runs/cheetah
    python redq.py --resume runs/cheetah

Soft actor-critic with many learning steps for each step in the environment, so that it learns from few of those. The
errors of critics would add up over so many steps. Therefore there are ten critics, and a target takes the lower value
of two that are drawn anew for each learning step; the actor maximizes the mean of all ten. The defaults are those of
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
from npnets.distributions import SquashedGaussian
from npnets.training import option
from npnets.typing import Params


@dataclass(frozen=True)
class Settings(training.Settings):
    """Settings of the algorithm, beside those of every run; each is an option of the command line."""

    warmup: int = option(10_000, "initial steps with random actions, without learning", at_least=1, less_than="steps")
    updates_per_step: int = option(20, "learning steps after each later step, the last of the actor too", at_least=1)
    critics: int = option(10, "number of critics", at_least=1)
    subset: int = option(2, "number of critics in a target", at_least=1)
    buffer_size: int = option(1_000_000, "transitions of the replay buffer", at_least=1)
    batch_size: int = option(256, "transitions of a learning step", at_least=1)
    hidden_sizes: tuple[int, ...] = option((256, 256), "hidden layers of the actor and of each critic", at_least=1)
    actor_lr: float = option(1e-3, "Adam's learning rate of the actor", at_least=0)
    critic_lr: float = option(1e-3, "Adam's learning rate of the critics", at_least=0)
    gamma: float = option(0.99, "discount per step", at_least=0, at_most=1)
    tau: float = option(0.005, "step of the target critics toward the critics", at_least=0, at_most=1)
    temperature: float = option(0.2, "weight of the entropy; the initial one, if it is learned", above=0)
    learn_temperature: bool = option(False, "whether the temperature is learned")
    temperature_lr: float = option(3e-4, "Adam's learning rate of the temperature's logarithm", at_least=0)
    normalize_observations: bool = option(False, "whether observations are normalized by their running statistics")


TUNED = {
    "Pendulum-v1": {
        "steps": 3000,
        "warmup": 1000,
        "updates_per_step": 5,
        "evaluate_every": 300,
        "episodes": 30,
        "hidden_sizes": (64, 64),
        "batch_size": 128,
        "gamma": 0.98,
        "tau": 0.01,
        "temperature": 1.0,
        "learn_temperature": True,
        "temperature_lr": 1e-3,
    }
}


class State(NamedTuple):
    """All that changes during training."""

    actor: Params
    critics: Params
    target_critics: Params
    log_temperature: Array
    actor_adam: optim.AdamState
    critics_adam: optim.AdamState
    temperature_adam: optim.AdamState
    statistics: normalization.Normalization | None


class REDQ:
    """The networks, settings and optimizers of REDQ, which do not change; `State` holds what does.

    Parameters
    ----------
    settings : Settings
    obs_space, act_space : gymnasium.spaces.Box

    Raises
    ------
    ValueError
        If a target is of more critics than there are.
    """

    def __init__(self, settings: Settings, obs_space: Any, act_space: Any) -> None:
        if settings.subset > settings.critics:
            raise ValueError(
                f"--subset must be at most the number of critics, {settings.critics}, but is {settings.subset}"
            )
        self.settings, self.obs_space, self.act_space = settings, obs_space, act_space
        sizes, device = settings.hidden_sizes, settings.device
        trunk = npnets.Net(obs_space, hidden_sizes=sizes, device=device)
        self.actor = npnets.ActorProb(trunk, act_space, device=device, unbounded=True, conditioned_sigma=True)

        def ensemble(members: int) -> npnets.Critic:
            layer = partial(npnets.EnsembleLinear, members)
            trunk = npnets.Net(obs_space, act_space, hidden_sizes=sizes, concat=True, device=device, linear_layer=layer)
            return npnets.Critic(trunk, device=device, linear_layer=layer, flatten_input=False)

        # All critics in one network: its layers have an axis for the members, and its values are (critics, batch, 1).
        self.critics, self.few_critics = ensemble(settings.critics), ensemble(settings.subset)
        self.actor_adam, self.critics_adam = optim.adam(settings.actor_lr), optim.adam(settings.critic_lr)
        self.temperature_adam = optim.adam(settings.temperature_lr)
        # As in the paper, entropies are those of actions scaled to [-1, 1], and their target is -1 for each entry.
        self.log_scale = float(np.sum(np.log((act_space.high - act_space.low) / 2)))
        self.target_entropy = -float(np.prod(act_space.shape))

    def init(self, rng: np.random.Generator) -> State:
        """Draw parameters; the target critics start equal to the critics."""
        actor, critics = self.actor.init(rng), self.critics.init(rng)
        log_temperature = to_device(np.log(np.float32(self.settings.temperature)).reshape(()), self.settings.device)
        optimizers = self.actor_adam.init(actor), self.critics_adam.init(critics)
        statistics = normalization.init(self.obs_space.shape) if self.settings.normalize_observations else None
        adam = self.temperature_adam.init(log_temperature)
        return State(actor, critics, critics, log_temperature, *optimizers, adam, statistics)

    def learn(self, state: State, batch: data.Transitions, rng: np.random.Generator) -> tuple[State, dict[str, Array]]:
        """Take one gradient step for the critics; every `updates_per_step` steps, one for actor and temperature."""
        seen = batch._replace(obs=normalized(state, batch.obs), next_obs=normalized(state, batch.next_obs))
        seen = tree.to_device(seen, self.settings.device)
        state, critics_loss = self.improve_critics(state, seen, rng)
        target = optim.soft_update(target=state.target_critics, source=state.critics, tau=self.settings.tau)
        state = state._replace(target_critics=target)
        if state.critics_adam.step % self.settings.updates_per_step:
            return state, {"critics": critics_loss}
        state, actor_loss, log_prob = self.improve_actor(state, seen.obs, rng)
        if self.settings.learn_temperature:
            state = self.improve_temperature(state, log_prob)
        return state, {"critics": critics_loss, "actor": actor_loss, "temperature": nnp.exp(state.log_temperature)}

    def improve_critics(self, state: State, batch: Any, rng: np.random.Generator) -> tuple[State, Array]:
        """Move all critics toward the reward plus the discounted soft value of the next observation."""
        next_action, log_prob = self.draw(state.actor, batch.next_obs, rng)
        next_value = self.target_value(state.target_critics, batch.next_obs, next_action, rng)
        soft_value = next_value - nnp.exp(state.log_temperature) * log_prob
        target = batch.reward + self.settings.gamma * soft_value * ~batch.terminated

        def loss(critics: Params) -> Array:
            values = self.critics.forward(critics, batch.obs, batch.action)[..., 0]
            error = losses.squared_error(values, nnp.broadcast_to(target, values.shape))
            return self.settings.critics * error  # the sum over all critics

        value, grads = npnets.value_and_grad(loss)(state.critics)
        critics, adam = self.critics_adam.update(state.critics, grads, state.critics_adam)
        return state._replace(critics=critics, critics_adam=adam), value

    def target_value(self, targets: Params, obs: Array, action: Array, rng: np.random.Generator) -> Array:
        """Return the lowest value `(batch,)` of a few target critics, which are drawn anew; the others do not run."""
        drawn = to_device(rng.permutation(self.settings.critics)[: self.settings.subset], self.settings.device)
        few = tree.map(lambda leaf: leaf[drawn], targets)
        return nnp.min(self.few_critics.forward(few, obs, action), 0)[:, 0]

    def improve_actor(self, state: State, obs: Array, rng: np.random.Generator) -> tuple[State, Array, Array]:
        """Raise the mean value of all critics plus the entropy of the actor; return the log-densities too."""

        def loss(actor: Params) -> tuple[Array, Array]:
            action, log_prob = self.draw(actor, obs, rng)
            value = nnp.mean(self.critics.forward(state.critics, obs, action))
            return nnp.exp(state.log_temperature) * nnp.mean(log_prob) - value, log_prob

        (value, log_prob), grads = npnets.value_and_grad(loss, has_aux=True)(state.actor)
        actor, adam = self.actor_adam.update(state.actor, grads, state.actor_adam)
        return state._replace(actor=actor, actor_adam=adam), value, log_prob

    def improve_temperature(self, state: State, log_prob: Array) -> State:
        """Lower the temperature if the entropy is above its target, and raise it otherwise."""
        grad = -nnp.mean(log_prob + self.target_entropy)  # of -log_temperature * mean(log_prob + target_entropy)
        new, adam = self.temperature_adam.update(state.log_temperature, grad, state.temperature_adam)
        return state._replace(log_temperature=new, temperature_adam=adam)

    def draw(self, actor: Params, obs: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw actions, and return with them the log-densities of the actions scaled to [-1, 1]."""
        action, log_prob = self.policy(actor, obs).sample_and_log_prob(rng)
        return action, log_prob + self.log_scale

    def policy(self, actor: Params, obs: Array) -> SquashedGaussian:
        """Return the actor's distribution over actions, for observations that are normalized if they have to be."""
        return SquashedGaussian.from_actor(self.actor, actor, obs)[0]

    def explore(self, state: State, obs: Array, rng: np.random.Generator) -> Array:
        """Draw an action for one observation of the environment."""
        action = self.policy(state.actor, normalized(state, obs)[None]).sample(rng)
        return to_numpy(action).reshape(self.act_space.shape)

    def deterministic(self, state: State) -> npnets.Policy:
        """Return the policy that takes the squashed mean of each distribution."""
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
    """Act, store each transition, and learn from batches of all transitions so far after each step."""
    env = training.make_env(settings.env)
    redq, rng = REDQ(settings, env.observation_space, env.action_space), np.random.default_rng(settings.seed)
    obs_dtype = np.float64 if settings.normalize_observations else np.float32  # a mean that is subtracted may be large
    buffer = data.ReplayBuffer(
        settings.buffer_size, obs_dtype=obs_dtype, action_dtype=np.float32, reward_dtype=np.float32
    )
    state, rng, buffer = run.restore(redq.init(rng), rng, buffer)
    found: dict[str, Array] = {}
    run.record(state, found, redq.deterministic)
    obs = training.reset(env, rng)
    for step in run.steps():
        state, random = observed(state, obs), step <= settings.warmup
        action = rng.uniform(env.action_space.low, env.action_space.high) if random else redq.explore(state, obs, rng)
        next_obs, reward, terminated, truncated, _ = env.step(action.astype(np.float32))
        buffer.add(obs, action, float(reward), next_obs, terminated)  # truncation is no terminal state
        obs = next_obs
        for _ in range(0 if random else settings.updates_per_step):
            state, found = redq.learn(state, buffer.sample(rng, settings.batch_size), rng)
        run.record(state, found, redq.deterministic)
        if terminated or truncated or step == settings.steps:
            run.save_if_due(state, rng, buffer)
            obs = training.reset(env, rng)
    env.close()


if __name__ == "__main__":
    sys.exit(training.main(train, Settings, __doc__, TUNED))
