"""PPO: proximal policy optimization (Schulman et al. 2017, arXiv:1707.06347).

    python ppo.py                                            # Pendulum-v1, in one to three minutes
    python ppo.py --env HalfCheetah-v5 --seed 0 --out runs/cheetah
    python ppo.py --resume runs/cheetah

Collects steps in several environments, estimates the advantage of each action (generalized advantage estimation,
Schulman et al. 2016, arXiv:1506.02438), and makes actions with a positive advantage more likely and those with a
negative one less likely, as long as the ratio of the new density to the old one is within a clipped range. Actions are
draws of a normal distribution, which are clipped, or squashed by tanh, into the environment's bounds. The densities are
those of the draws: bounds leave the ratio as it is. The defaults are those of Tianshou's MuJoCo benchmark.
"""

import math
import sys
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

import npnets
import npnets.numpy as nnp
from npnets import data, initializers, losses, normalization, optim, training, tree
from npnets.backend import Array, to_numpy
from npnets.distributions import Gaussian
from npnets.training import option
from npnets.typing import Params


@dataclass(frozen=True)
class Settings(training.Settings):
    """Settings of the algorithm, beside those of every run; each is an option of the command line."""

    steps: int = option(3_072_000, "steps in all environments together; the last rollout may exceed it", at_least=1)
    evaluate_every: int = option(30_720, "steps between evaluations", at_least=1)
    checkpoint_every: int = option(320_000, "least number of steps between checkpoints", at_least=1)
    num_envs: int = option(64, "environments that step together", at_least=1)
    horizon: int = option(32, "steps of a rollout in each environment", at_least=1)
    passes: int = option(10, "passes over each rollout", at_least=1)
    batch_size: int = option(64, "steps of a gradient step, about", at_least=1)
    hidden_sizes: tuple[int, ...] = option((64, 64), "hidden layers of the actor and of the critic", at_least=1)
    share_trunk: bool = option(False, "whether actor and critic share the hidden layers")
    lr: float = option(3e-4, "Adam's initial learning rate", at_least=0)
    decay_steps: int = option(
        3_072_000, "steps in which the learning rate falls linearly to zero", at_least=1, no_less_than="steps"
    )
    max_grad_norm: float = option(0.5, "largest norm of a gradient", above=0)
    gamma: float = option(0.99, "discount per step", at_least=0, at_most=1)
    gae_lambda: float = option(0.95, "decay rate of later errors in an advantage", at_least=0, at_most=1)
    clip_ratio: float = option(0.2, "distance from one where a ratio of densities is clipped", at_least=0)
    value_weight: float = option(0.25, "weight of the critic's loss", at_least=0)
    entropy_weight: float = option(0.0, "weight of the entropy before clipping or squashing")
    squash: bool = option(False, "whether draws are squashed into the bounds by tanh, in place of clipped")
    normalize_observations: bool = option(True, "whether observations are normalized by their running statistics")
    normalize_advantages: bool = option(False, "whether advantages are standardized in each pass")


TUNED = {
    "Pendulum-v1": {
        "steps": 300_000,
        "checkpoint_every": 100_000,
        "episodes": 30,
        "num_envs": 16,
        "horizon": 128,
        "batch_size": 128,
        "lr": 1e-3,
        "decay_steps": 300_000,
        "gamma": 0.95,
        "squash": True,
        "normalize_advantages": True,
    }
}


class State(NamedTuple):
    """All that changes during training; the parameters are those of an `ActorCritic`."""

    params: Params
    adam: optim.AdamState
    obs_statistics: normalization.Normalization | None
    return_statistics: normalization.Normalization


class Rollout(NamedTuple):
    """Steps in parallel environments: arrays `(steps, envs, ...)`; observations are as the networks see them."""

    obs: Array
    draw: Array
    log_prob: Array
    reward: Array
    next_obs: Array
    terminated: Array
    truncated: Array
    valid: Array  # false where the step only began an episode, and must not be learned from


class Batch(NamedTuple):
    """Steps to learn from: arrays `(n, ...)`."""

    obs: Array
    draw: Array
    log_prob: Array
    advantage: Array
    target: Array  # of the critic


class PPO:
    """The networks and settings of PPO, which do not change; `State` holds what does.

    Parameters
    ----------
    settings : Settings
    obs_space, act_space : gymnasium.spaces.Box
    """

    def __init__(self, settings: Settings, obs_space: Any, act_space: Any) -> None:
        self.settings, self.obs_space, self.act_space = settings, obs_space, act_space
        sizes, device = settings.hidden_sizes, settings.device
        trunk = npnets.Net(obs_space, hidden_sizes=sizes, activation="tanh", device=device)
        self.actor: Any = npnets.ActorProb(trunk, act_space, device=device, unbounded=True)
        self.critic: Any = npnets.Critic(trunk, device=device)
        self.networks = npnets.ActorCritic(self.actor, self.critic, share_preprocess=settings.share_trunk)

    def init(self, rng: np.random.Generator) -> State:
        """Draw orthogonal weights; means begin near zero, as Andrychowicz et al. 2021 (arXiv:2006.05990) advise."""
        params = initializers.orthogonalize(rng, self.networks.init(rng), np.sqrt(2))
        actor = params["actor"]
        mu, log_sigma = tree.map(lambda leaf: 0.01 * leaf, actor["mu"]), actor["log_sigma"] - 0.5
        params = {**params, "actor": {**actor, "mu": mu, "log_sigma": log_sigma}}
        obs = normalization.init(self.obs_space.shape) if self.settings.normalize_observations else None
        return State(params, optim.adam(self.settings.lr).init(params), obs, normalization.init(()))

    def lr(self, step: int) -> float:
        """Return the learning rate after some steps."""
        return self.settings.lr * max(0.0, 1 - step / self.settings.decay_steps)

    def learn(
        self, state: State, rollout: Rollout, lr: float, rng: np.random.Generator
    ) -> tuple[State, dict[str, Array]]:
        """Pass over a rollout several times, each time with advantages by the critic as it is then."""
        adam = optim.adam(lr)  # a pair of pure functions: one with another rate continues from the same state
        number, found = int(rollout.valid.sum()), dict[str, Array]()
        for _ in range(self.settings.passes):
            state, steps = self.estimate(state, rollout)
            for rows in np.array_split(rng.permutation(number), max(1, number // self.settings.batch_size)):
                batch = tree.to_device(Batch(*(column[rows] for column in steps)), self.settings.device)
                state, found = self.improve(state, batch, adam)
        return state, found

    def estimate(self, state: State, rollout: Rollout) -> tuple[State, Batch]:
        """Estimate the advantages of a rollout's valid steps; the critic learns in units of the returns' deviation."""
        scale, valid = float(np.sqrt(state.return_statistics.var + state.return_statistics.epsilon)), rollout.valid
        advantages, returns = data.generalized_advantages(
            rollout.reward,
            scale * self.values(state.params, rollout.obs),
            scale * self.values(state.params, rollout.next_obs),
            terminated=rollout.terminated,
            truncated=rollout.truncated,
            gamma=self.settings.gamma,
            gae_lambda=self.settings.gae_lambda,
        )
        advantage, returns = advantages[valid], returns[valid]
        if self.settings.normalize_advantages:
            advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        batch = Batch(rollout.obs[valid], rollout.draw[valid], rollout.log_prob[valid], advantage, returns / scale)
        return state._replace(return_statistics=normalization.update(state.return_statistics, returns)), batch

    def values(self, params: Params, obs: Array) -> Array:
        """Return the critic's values `(steps, envs)`, in NumPy."""
        found = self.critic.forward(self.networks.split(params)["critic"], obs.reshape(-1, *obs.shape[2:]))
        return to_numpy(found).reshape(obs.shape[:2])

    def improve(self, state: State, batch: Batch, adam: optim.adam) -> tuple[State, dict[str, Array]]:
        """Take one gradient step for actor and critic."""
        (_, found), grads = npnets.value_and_grad(self.loss, has_aux=True)(state.params, batch)
        grads, _ = optim.clip_by_global_norm(grads, self.settings.max_grad_norm)
        params, adam_state = adam.update(state.params, grads, state.adam)
        return state._replace(params=params, adam=adam_state), found

    def loss(self, params: Params, batch: Batch) -> tuple[Array, dict[str, Array]]:
        """Return the loss and its parts: the actor's, the critic's and the entropy."""
        parts = self.networks.split(params)
        distribution = self.distribution(parts["actor"], batch.obs)
        actor = clipped_loss(distribution.log_prob(batch.draw), batch, self.settings.clip_ratio)
        critic = losses.squared_error(self.critic.forward(parts["critic"], batch.obs)[:, 0], batch.target)
        entropy = nnp.mean(distribution.entropy())
        total = actor + self.settings.value_weight * critic - self.settings.entropy_weight * entropy
        return total, {"actor": actor, "critic": critic, "entropy": entropy}

    def distribution(self, actor: Params, obs: Array) -> Any:
        """Return the actor's distribution over draws, for observations as the networks see them."""
        return Gaussian.from_actor(self.actor, actor, obs)[0]

    def observe(self, state: State, obs: Array) -> tuple[State, Array]:
        """Count observations in the running statistics, if there are any, and return them as the networks see them."""
        if state.obs_statistics is None:
            return state, obs.astype(np.float32)
        statistics = normalization.update(state.obs_statistics, obs)
        return state._replace(obs_statistics=statistics), normalization.normalize(statistics, obs).astype(np.float32)

    def explore(self, state: State, obs: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return a draw for each environment, and the logarithms of their densities."""
        draw, log_prob = self.distribution(self.networks.split(state.params)["actor"], obs).sample_and_log_prob(rng)
        return to_numpy(draw), to_numpy(log_prob)

    def action(self, draw: Array) -> Array:
        """Return the actions that draws stand for, within their bounds."""
        low, high = self.act_space.low, self.act_space.high
        inside = np.tanh(draw) if self.settings.squash else np.clip(draw, -1, 1)
        scaled = (low + high) / 2 + (high - low) / 2 * inside.reshape(-1, *low.shape)
        return np.clip(scaled, low, high)  # after rounding

    def deterministic(self, state: State) -> npnets.Policy:
        """Return the policy that takes the mean of each distribution."""
        to_action: Literal["squash", "clip_and_scale"] = "squash" if self.settings.squash else "clip_and_scale"
        actor = self.networks.split(state.params)["actor"]
        return npnets.Policy(self.actor, actor, normalization=state.obs_statistics, to_action=to_action)


def clipped_loss(log_prob: Array, batch: Batch, clip_ratio: float) -> Array:
    """Return the clipped surrogate loss; a ratio beyond the clip range in its advantage's direction has no gradient."""
    ratio = nnp.exp(log_prob - batch.log_prob)
    clipped = nnp.clip(ratio, 1 - clip_ratio, 1 + clip_ratio)
    return -nnp.mean(nnp.minimum(ratio * batch.advantage, clipped * batch.advantage))


class Position(NamedTuple):
    """Where environments are: their latest observations, normalized, and whether the next step only resets them."""

    obs: Array
    ended: Array


def begin(ppo: PPO, envs: Any, state: State, rng: np.random.Generator) -> tuple[State, Position]:
    """Begin an episode in every environment."""
    state, obs = ppo.observe(state, training.reset(envs, rng))
    return state, Position(obs, np.zeros(len(obs), np.bool_))


def play(
    ppo: PPO, envs: Any, state: State, at: Position, steps: int, rng: np.random.Generator
) -> tuple[State, Position, Rollout]:
    """Take some steps in every environment."""
    rows = []
    for _ in range(steps):
        draw, log_prob = ppo.explore(state, at.obs, rng)
        found, reward, terminated, truncated, _ = envs.step(ppo.action(draw))
        state, next_obs = ppo.observe(state, found)
        rows.append((at.obs, draw, log_prob, reward, next_obs, terminated, truncated, ~at.ended))
        at = Position(next_obs, terminated | truncated)
    return state, at, Rollout(*map(np.stack, zip(*rows, strict=True)))


def train(settings: Settings, run: training.Run) -> None:
    """Play a rollout and learn from it, in turn."""
    envs = training.make_envs(settings.env, settings.num_envs)
    ppo = PPO(settings, envs.single_observation_space, envs.single_action_space)
    rng = np.random.default_rng(settings.seed)
    state, rng, _ = run.restore(ppo.init(rng), rng)
    found: dict[str, Array] = {}
    run.record(state, found, ppo.deterministic)
    state, at = begin(ppo, envs, state, rng)
    while run.step < settings.steps:
        steps = min(settings.horizon, math.ceil((settings.steps - run.step) / settings.num_envs))
        state, at, rollout = play(ppo, envs, state, at, steps, rng)
        if rollout.valid.any():
            state, found = ppo.learn(state, rollout, ppo.lr(run.step), rng)
        run.advance(int(rollout.valid.sum()))
        run.record(state, found, ppo.deterministic)
        if run.save_if_due(state, rng):
            state, at = begin(ppo, envs, state, rng)
    envs.close()


if __name__ == "__main__":
    sys.exit(training.main(train, Settings, __doc__, TUNED))
