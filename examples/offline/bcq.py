"""BCQ: batch-constrained deep Q-learning (Fujimoto, Meger and Precup 2019, arXiv:1812.02900).

    python bcq.py                                            # recorded data of Pendulum-v1, in 1 to 2 minutes
    python bcq.py --env HalfCheetah-v5 --data cheetah.hdf5 --out runs/cheetah
    python bcq.py --resume runs/cheetah

Learns from recorded transitions alone; the environment is for evaluations. Critics overestimate actions that nobody has
tried, so that none are asked for: a VAE generates actions like those in the data, a network changes them a little
toward higher values, and the policy takes the best of several. The defaults are those of Tianshou 0.4.4's example, with
the paper's networks. As there, targets take samples of the VAE as they are; the paper's are perturbed too.
"""

import math
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import npnets
import npnets.numpy as nnp
from npnets import data, losses, normalization, optim, training, tree
from npnets.training import option
from npnets.typing import Array, Params

RECORDED = Path(__file__).resolve().parent.parent / "data" / "pendulum_mixed.npz"
"""Transitions of Pendulum-v1, which the checkout has."""


@dataclass(frozen=True)
class Settings(training.Settings):
    """Settings of the algorithm, beside those of every run; each is an option of the command line."""

    data: str = option(
        "", "transitions: .npz, or .hdf5 of D4RL or Minari; by default those shipped of Pendulum-v1", is_file=True
    )
    steps: int = option(1_000_000, "gradient steps", at_least=1)
    evaluate_every: int = option(5000, "steps between evaluations", at_least=1)
    batch_size: int = option(256, "transitions of a learning step", at_least=1)
    hidden_sizes: tuple[int, ...] = option((400, 300), "hidden layers of perturbation and critics", at_least=1)
    vae_hidden_sizes: tuple[int, ...] = option((750, 750), "hidden layers of encoder and decoder", at_least=1)
    latent_dim: int = option(0, "size of the latent vector; 0 is twice the entries of an action", at_least=0)
    actor_lr: float = option(1e-3, "Adam's learning rate of the perturbation", at_least=0)
    critic_lr: float = option(1e-3, "Adam's learning rate of the critics", at_least=0)
    vae_lr: float = option(1e-3, "Adam's learning rate of the VAE", at_least=0)
    gamma: float = option(0.99, "discount per step", at_least=0, at_most=1)
    tau: float = option(0.005, "step of the target critics toward the critics", at_least=0, at_most=1)
    lmbda: float = option(0.75, "weight of the lower target value; the higher one has the rest", at_least=0, at_most=1)
    phi: float = option(
        0.05, "largest perturbation, as a fraction of half the width of the actions' bounds", at_least=0
    )
    num_sampled_action: int = option(10, "sampled actions for each next observation", at_least=1)
    forward_sampled_times: int = option(100, "sampled actions from which the policy takes the best", at_least=1)
    normalize_observations: bool = option(False, "whether observations are normalized by the statistics of the file")


TUNED: dict[str, dict[str, Any]] = {
    "Pendulum-v1": {
        "data": str(RECORDED),
        "steps": 10_000,
        "evaluate_every": 1000,
        "episodes": 30,
        "checkpoint_every": 1000,
        "batch_size": 128,
        "hidden_sizes": (64, 64),
        "vae_hidden_sizes": (64, 64),
        "latent_dim": 4,
        "gamma": 0.98,
        "tau": 0.02,
        "phi": 0.2,
    }
}


class State(NamedTuple):
    """All that changes during training."""

    vae: Params
    perturbation: Params
    critics: Params
    target_critics: Params
    vae_adam: optim.AdamState
    perturbation_adam: optim.AdamState
    critics_adam: optim.AdamState
    statistics: normalization.Normalization | None = None


@dataclass(frozen=True)
class BestOfSamples:
    """The network of the policy: the best of several perturbed samples of the VAE, as the first critic values them.

    The latent vectors are the same for all observations, so that the policy is a function of the observation.
    """

    vae: npnets.VAE
    perturbation: npnets.Perturbation
    critic: npnets.Critic
    samples: int

    def init(self, rng: np.random.Generator) -> Params:
        """Draw parameters."""
        parts = {"vae": self.vae, "perturbation": self.perturbation, "critic": self.critic}
        return {name: part.init(rng) for name, part in parts.items()}

    def forward(self, params: Any, obs: Array, state: None = None) -> tuple[Array, None]:
        """Return actions `(n, entries)` for observations `(n, ...)`."""
        rows, latent = len(obs), np.random.default_rng(0).standard_normal((self.samples, self.vae.latent_dim))
        repeated = nnp.repeat(flat(obs), self.samples, 0)
        action = self.vae.decode(params["vae"], repeated, np.tile(np.clip(latent, -0.5, 0.5), (rows, 1)))
        action = self.perturbation.forward(params["perturbation"], repeated, action)
        value = self.critic.forward(params["critic"], repeated, action)
        best = nnp.argmax(nnp.reshape(value, (rows, self.samples, 1)), 1)[:, None]
        return nnp.take_along_axis(nnp.reshape(action, (rows, self.samples, -1)), best, 1)[:, 0], None


class BCQ:
    """The networks, settings and optimizers of BCQ, which do not change; `State` holds what does.

    Parameters
    ----------
    settings : Settings
    obs_space, act_space : gymnasium.spaces.Box
    """

    def __init__(self, settings: Settings, obs_space: Any, act_space: Any) -> None:
        self.settings, self.obs_space, self.act_space, device = settings, obs_space, act_space, settings.device
        obs_dim, act_dim, sizes = math.prod(obs_space.shape), math.prod(act_space.shape), settings.hidden_sizes
        bounds: Any = {"low": act_space.low.ravel(), "high": act_space.high.ravel(), "device": device}
        latent, vae_sizes = settings.latent_dim or 2 * act_dim, settings.vae_hidden_sizes
        encoder = npnets.MLP(obs_dim + act_dim, hidden_sizes=vae_sizes)
        decoder = npnets.MLP(obs_dim + latent, act_dim, hidden_sizes=vae_sizes)
        self.vae = npnets.VAE(encoder, decoder, vae_sizes[-1], latent, **bounds)
        trunk = npnets.Net(obs_dim + act_dim, act_dim, hidden_sizes=sizes, device=device)
        self.perturbation = npnets.Perturbation(trunk, phi=settings.phi, **bounds)
        # Two critics in one network: its layers have an axis for the members, and its values are (2, batch, 1).
        self.critics, self.first_critic = (
            npnets.Critic(
                npnets.Net(obs_dim, act_dim, hidden_sizes=sizes, concat=True, device=device, linear_layer=layer),
                device=device,
                linear_layer=layer,
                flatten_input=False,
            )
            for layer in (partial(npnets.EnsembleLinear, 2), partial(npnets.EnsembleLinear, 1))
        )
        self.vae_adam, self.perturbation_adam = optim.adam(settings.vae_lr), optim.adam(settings.actor_lr)
        self.critics_adam = optim.adam(settings.critic_lr)

    def init(self, rng: np.random.Generator) -> State:
        """Draw parameters; the target critics start equal to the critics."""
        vae, perturbation, critics = (part.init(rng) for part in (self.vae, self.perturbation, self.critics))
        adams = self.vae_adam.init(vae), self.perturbation_adam.init(perturbation), self.critics_adam.init(critics)
        return State(vae, perturbation, critics, critics, *adams)

    def statistics(self, buffer: data.ReplayBuffer) -> normalization.Normalization | None:
        """Return the mean and the variance of all observations, if they are normalized."""
        if not self.settings.normalize_observations:
            return None
        obs = buffer.take(np.arange(len(buffer))).obs.reshape(-1, *self.obs_space.shape)
        return normalization.update(normalization.init(self.obs_space.shape), obs)

    def learn(self, state: State, batch: data.Transitions, rng: np.random.Generator) -> tuple[State, dict[str, Array]]:
        """Take one gradient step for the VAE, the critics and the perturbation, and move the target critics."""
        seen = batch._replace(obs=normalized(state, batch.obs), next_obs=normalized(state, batch.next_obs))
        batch = tree.to_device(seen, self.settings.device)
        state, vae_loss = self.improve_vae(state, batch, rng)
        state, critics_loss = self.improve_critics(state, batch, rng)
        state, actor_loss = self.improve_perturbation(state, batch.obs, rng)
        target = optim.soft_update(target=state.target_critics, source=state.critics, tau=self.settings.tau)
        found = {"vae": vae_loss, "critics": critics_loss, "actor": actor_loss}
        return state._replace(target_critics=target), found

    def improve_vae(self, state: State, batch: Any, rng: np.random.Generator) -> tuple[State, Array]:
        """Lower the squared error of reconstructed actions plus half the divergence of the latent from a normal."""

        def loss(vae: Params) -> Array:
            reconstruction, mean, std = self.vae.forward(vae, batch.obs, batch.action, rng=rng)
            divergence = nnp.mean(-nnp.log(std) + (std**2 + mean**2 - 1) / 2)
            return losses.squared_error(reconstruction, batch.action) + divergence / 2

        value, grads = npnets.value_and_grad(loss)(state.vae)
        vae, adam = self.vae_adam.update(state.vae, grads, state.vae_adam)
        return state._replace(vae=vae, vae_adam=adam), value

    def improve_critics(self, state: State, batch: Any, rng: np.random.Generator) -> tuple[State, Array]:
        """Move both critics toward the reward plus the discounted best value of several sampled next actions."""
        obs, lmbda = nnp.repeat(batch.next_obs, self.settings.num_sampled_action, 0), self.settings.lmbda
        action = self.vae.decode(state.vae, obs, rng=rng)
        first, second = self.critics.forward(state.target_critics, obs, action)
        values = lmbda * nnp.minimum(first, second) + (1 - lmbda) * nnp.maximum(first, second)
        best = nnp.max(nnp.reshape(values, (len(batch.reward), -1)), 1)
        target = batch.reward + self.settings.gamma * best * ~batch.terminated

        def loss(critics: Params) -> Array:
            values = self.critics.forward(critics, batch.obs, batch.action)[..., 0]
            return 2 * losses.squared_error(values, nnp.broadcast_to(target, values.shape))  # the sum over both

        value, grads = npnets.value_and_grad(loss)(state.critics)
        critics, adam = self.critics_adam.update(state.critics, grads, state.critics_adam)
        return state._replace(critics=critics, critics_adam=adam), value

    def improve_perturbation(self, state: State, obs: Array, rng: np.random.Generator) -> tuple[State, Array]:
        """Raise the first critic's value of perturbed samples of the VAE."""
        sampled, critic = self.vae.decode(state.vae, obs, rng=rng), first_of(state.critics)

        def loss(perturbation: Params) -> Array:
            action = self.perturbation.forward(perturbation, obs, sampled)
            return -nnp.mean(self.first_critic.forward(critic, obs, action))

        value, grads = npnets.value_and_grad(loss)(state.perturbation)
        perturbation, adam = self.perturbation_adam.update(state.perturbation, grads, state.perturbation_adam)
        return state._replace(perturbation=perturbation, perturbation_adam=adam), value

    def policy(self, state: State) -> npnets.Policy:
        """Return the policy that takes the best of sampled actions."""
        samples = self.settings.forward_sampled_times
        network = BestOfSamples(self.vae, self.perturbation, self.first_critic, samples)
        params = {"vae": state.vae, "perturbation": state.perturbation, "critic": first_of(state.critics)}
        bounds: Any = {"to_action": "as_is", "low": self.act_space.low, "high": self.act_space.high}
        return npnets.Policy(network, params, normalization=state.statistics, **bounds)


def normalized(state: State, obs: Array) -> Array:
    """Return flat observations as the networks see them."""
    if state.statistics is None:
        return obs
    return flat(normalization.normalize(state.statistics, obs.reshape(len(obs), *state.statistics.mean.shape)))


def first_of(critics: Params) -> Params:
    """Return the parameters of the first of both critics."""
    return tree.map(lambda leaf: leaf[:1], critics)


def flat(array: Array) -> Array:
    """Return observations or actions `(n, ...)` as `(n, entries)`."""
    return nnp.reshape(array, (len(array), -1))


def recorded(path: str, obs_space: Any, act_space: Any, obs_dtype: Any = np.float32) -> data.ReplayBuffer:
    """Read the transitions in a file, each row flat; an error if they are not of an environment."""
    found = data.load(path).transitions
    for what, column, space in (("observations", found.obs, obs_space), ("actions", found.action, act_space)):
        if column.shape[1:] != space.shape:
            raise ValueError(
                f"{path} has {what} of shape {column.shape[1:]}, but the environment's have shape {space.shape}; "
                "is it a recording of another environment?"
            )
    low, high = found.action - act_space.low, act_space.high - found.action
    rounding = max(1e-6, np.finfo(np.result_type(found.action, np.float16)).eps)
    if min(low.min(), high.min()) < -rounding * np.max(act_space.high - act_space.low):
        raise ValueError(
            f"{path} has actions from {found.action.min():g} to {found.action.max():g}, but those of the environment "
            f"are from {act_space.low.min():g} to {act_space.high.max():g}; is their scale another?"
        )
    buffer = data.ReplayBuffer(len(found.reward), obs_dtype=obs_dtype, action_dtype=np.float32, reward_dtype=np.float32)
    buffer.add(flat(found.obs), flat(found.action), found.reward, flat(found.next_obs), found.terminated)
    return buffer


def train(settings: Settings, run: training.Run) -> None:
    """Learn from batches of the recorded transitions."""
    if not settings.data:
        raise ValueError(f"{settings.env} needs recorded transitions to learn from: --data FILE")
    env = training.make_env(settings.env)
    bcq, rng = BCQ(settings, env.observation_space, env.action_space), np.random.default_rng(settings.seed)
    obs_dtype = np.float64 if settings.normalize_observations else np.float32  # a mean that is subtracted may be large
    buffer = recorded(settings.data, env.observation_space, env.action_space, obs_dtype)
    env.close()
    state, rng, _ = run.restore(bcq.init(rng)._replace(statistics=bcq.statistics(buffer)), rng)
    run.record(state, {}, bcq.policy)
    for _ in run.steps():
        state, found = bcq.learn(state, buffer.sample(rng, settings.batch_size), rng)
        run.record(state, found, bcq.policy)
        run.save_if_due(state, rng)


if __name__ == "__main__":
    sys.exit(training.main(train, Settings, __doc__, TUNED, classes=[BestOfSamples]))
