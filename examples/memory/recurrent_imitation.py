"""Recurrent imitation: a policy with a memory learns from a teacher that observes more than it does.

    python recurrent_imitation.py                            # Pendulum-v1 without its velocity, in 1 to 2 minutes
    python recurrent_imitation.py --env HalfCheetah-v5 --hide 8 9 10 --teacher policy.npz --out runs/cheetah
    python recurrent_imitation.py --resume runs/cheetah

DAgger (Ross, Gordon and Bagnell 2011, arXiv:1011.0686): the student, an LSTM, acts in the environment without the
hidden entries of the observation; the teacher, who observes all of them, says at each step what it would have done; and
the student learns from all episodes so far, by maximum likelihood. It meets its own mistakes that way, and learns to
infer from earlier observations what is hidden.
"""

import sys
from dataclasses import dataclass
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from numpy.typing import ArrayLike, NDArray

import npnets
import npnets.numpy as nnp
from npnets import data, interop, normalization, optim, training, tree
from npnets.backend import to_numpy
from npnets.distributions import Gaussian
from npnets.training import option
from npnets.typing import Array, Params


@dataclass(frozen=True)
class Settings(training.Settings):
    """Settings of the algorithm, beside those of every run; each is an option of the command line."""

    steps: int = option(10_000, "gradient steps", at_least=1)
    evaluate_every: int = option(500, "steps between evaluations", at_least=1)
    checkpoint_every: int = option(500, "least number of steps between checkpoints", at_least=1)
    hide: tuple[int, ...] = option((), "entries of the observation that the student does not see", at_least=0)
    teacher: str = option("", "the teacher's policy; by default a controller for Pendulum-v1 alone", is_file=True)
    hidden_layer_size: int = option(64, "width of the LSTM", at_least=1)
    batch_size: int = option(16, "episodes of a learning step", at_least=1)
    learning_rate: float = option(4e-3, "Adam's learning rate", at_least=0)
    clip_norm: float = option(1.0, "largest norm of a gradient, which a long episode can make much larger", above=0)
    steps_per_round: int = option(50, "gradient steps between two rounds of new episodes", at_least=1)
    episodes_per_round: int = option(8, "new episodes in a round", at_least=1)
    buffer_size: int = option(1_000_000, "steps of episodes that are kept", at_least=1)
    normalize_observations: bool = option(False, "whether observations are normalized by their running statistics")

    def wrap(self, env: Any) -> Any:
        """Return an environment without the hidden entries."""
        space = env.observation_space
        seen = gymnasium.spaces.Box(self.seen(space.low[None])[0], self.seen(space.high[None])[0], dtype=space.dtype)
        return gymnasium.wrappers.TransformObservation(env, lambda obs: self.seen(obs[None])[0], seen)

    def seen(self, obs: NDArray[Any]) -> NDArray[Any]:
        """Return observations `(n, ...)` as the student sees them, `(n, entries)`."""
        whole = obs.reshape(len(obs), -1)
        if max(self.hide, default=0) >= whole.shape[1] or len(set(self.hide)) == whole.shape[1]:
            raise ValueError(
                f"expected --hide to leave some of the entries 0 to {whole.shape[1] - 1} of an observation, but it is "
                f"{' '.join(map(str, self.hide))}"
            )
        return np.delete(whole, self.hide, 1)


TUNED: dict[str, dict[str, Any]] = {
    "Pendulum-v1": {"hide": (2,), "steps": 3000, "evaluate_every": 300, "checkpoint_every": 300, "episodes": 30}
}


class State(NamedTuple):
    """All that changes during training."""

    params: Params
    adam: optim.AdamState
    statistics: normalization.Normalization | None = None


class Episodes(NamedTuple):
    """Some of the episodes, filled up with their last step to the length of the longest."""

    obs: Array
    """`(episodes, steps, entries)`, as the student sees them."""
    action: Array
    """`(episodes, steps, entries)`, the teacher's."""
    lengths: Array
    """`(episodes,)`, the number of steps that count."""


class Student:
    """An actor that learns from a teacher, with its settings and optimizer, which do not change; `State` does.

    Parameters
    ----------
    settings : Settings
    obs_space, act_space : gymnasium.spaces.Box
        Of the whole environment.
    actor : network, optional
        In place of an LSTM: one whose `forward(params, obs, state, all_steps=)` returns a mean and a standard deviation
        at each step.
    """

    def __init__(self, settings: Settings, obs_space: Any, act_space: Any, actor: Any = None) -> None:
        self.settings, self.act_space = settings, act_space
        self.entries = settings.seen(obs_space.low[None]).shape[1]
        sizes = 1, self.entries, act_space, settings.hidden_layer_size
        self.actor = npnets.RecurrentActorProb(*sizes, device=settings.device) if actor is None else actor
        self.adam = optim.adam(settings.learning_rate)

    def init(self, rng: np.random.Generator) -> State:
        """Draw parameters."""
        params = self.actor.init(rng)
        statistics = normalization.init(self.entries) if self.settings.normalize_observations else None
        return State(params, self.adam.init(params), statistics)

    def learn(self, state: State, batch: Episodes) -> tuple[State, dict[str, Array]]:
        """Take one gradient step on whole episodes."""
        seen = tree.to_device(batch._replace(obs=normalized(state, batch.obs)), self.settings.device)
        loss, grads = npnets.value_and_grad(self.loss)(state.params, seen)
        grads, _ = optim.clip_by_global_norm(grads, self.settings.clip_norm)
        params, adam = self.adam.update(state.params, grads, state.adam)
        return state._replace(params=params, adam=adam), {"loss": loss}

    def loss(self, params: Params, batch: Episodes) -> Array:
        """Return the mean negative log-likelihood of the teacher's actions, in nats for a step."""
        distribution, _ = Gaussian.from_actor(self.actor, params, batch.obs, all_steps=True)
        counts = np.arange(batch.obs.shape[1]) < to_numpy(batch.lengths)[:, None]
        log_prob = distribution.log_prob(batch.action)
        return -nnp.sum(log_prob * tree.to_device(counts, self.settings.device)) / counts.sum()

    def play(self, state: State, envs: Any, teacher: Any, buffer: data.ReplayBuffer, rng: np.random.Generator) -> State:
        """Act in one episode of each environment, and store them with the teacher's actions in place of the student's.

        The flag `terminated` of a step says there that it is its episode's last one, for whatever reason.
        Return the state; its statistics, if there are any, have counted the observations of these episodes.
        """
        obs, memory, remembered = training.reset(envs, rng), None, None
        rows, running = [], np.ones(len(obs), np.bool_)
        while running.any():
            seen, (label, remembered) = self.settings.seen(obs), teacher.step(obs, remembered)
            distribution, memory = Gaussian.from_actor(self.actor, state.params, normalized(state, seen), memory)
            action = to_numpy(distribution.sample(rng)).reshape(-1, *self.act_space.shape)
            obs, reward, terminated, truncated, _ = envs.step(np.clip(action, self.act_space.low, self.act_space.high))
            ended = terminated | truncated
            label = to_numpy(label).reshape(len(obs), -1)
            rows.append((seen, label, reward, self.settings.seen(obs), ended, running))
            running = running & ~ended
        *columns, played = (np.stack(column, 1) for column in zip(*rows, strict=True))
        lengths = played.sum(1)
        if lengths.max() >= buffer.capacity:
            raise ValueError(
                f"--buffer-size must be more than the {lengths.max()} steps of an episode: choose a larger one"
            )
        for episode, length in enumerate(lengths):
            buffer.add(*(column[episode, :length] for column in columns))
        return observed(state, columns[0][played])

    def policy(self, state: State) -> npnets.Policy:
        """Return the policy that takes the mean of each distribution."""
        return npnets.Policy(self.actor, state.params, normalization=state.statistics)


def normalized(state: State, obs: Array) -> Array:
    """Return observations as the networks see them."""
    return obs if state.statistics is None else normalization.normalize(state.statistics, obs)


def observed(state: State, obs: Array) -> State:
    """Count observations in the running statistics, if there are any."""
    if state.statistics is None:
        return state
    return state._replace(statistics=normalization.update(state.statistics, obs))


def empty_buffer(settings: Settings) -> data.ReplayBuffer:
    """Return a buffer for episodes, one after the other."""
    obs_dtype = np.float64 if settings.normalize_observations else np.float32  # a mean that is subtracted may be large
    return data.ReplayBuffer(
        settings.buffer_size, obs_dtype=obs_dtype, action_dtype=np.float32, reward_dtype=np.float32
    )


def whole_episodes(buffer: data.ReplayBuffer) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first step of each episode in the buffer, among all that were ever added, and its length."""
    if not len(buffer):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    oldest = buffer.added - len(buffer)
    ended = buffer.take(np.arange(oldest, buffer.added) % buffer.capacity).terminated
    ends = oldest + 1 + np.flatnonzero(ended)
    starts = np.concatenate([[oldest], ends[:-1]])
    first = int(oldest > 0)  # the beginning of the oldest episode may have been replaced
    return starts[first:], (ends - starts)[first:]


def sample(buffer: data.ReplayBuffer, episodes: Any, rng: np.random.Generator, size: int) -> Episodes:
    """Draw some of the whole episodes uniformly, with replacement."""
    drawn = rng.integers(len(episodes[0]), size=size)
    starts, lengths = (column[drawn] for column in episodes)
    steps = starts[:, None] + np.minimum(np.arange(lengths.max()), lengths[:, None] - 1)
    found = buffer.take(steps.ravel() % buffer.capacity)
    return Episodes(found.obs.reshape(*steps.shape, -1), found.action.reshape(*steps.shape, -1), lengths)


# Pendulum-v1: angle'' = 15 sin(angle) + 3 torque; without torque velocity**2 / 2 + 15 cos(angle) is constant. The angle
# is 0 upright and grows anticlockwise (rad), the velocity is its rate (rad/s), torques are in N m within [-2, 2].
GRAVITY, MAX_TORQUE = 15.0, 2.0
STIFFNESS, DAMPING, CATCH_ANGLE = 10.0, 3.0, 0.5


def swing_up_torque(angle: ArrayLike, velocity: ArrayLike) -> NDArray[np.float64]:
    """Return torques that swing the pendulum up, for angles within [-pi, pi] and velocities of any shape.

    Far from upright, they bring its energy to that of the upright rest position, as fast as they can. Near upright,
    they are those of a proportional-derivative controller (Åström and Furuta 2000, doi:10.1016/S0005-1098(99)00140-5).
    """
    angle, velocity = np.asarray(angle), np.asarray(velocity)
    missing_energy = GRAVITY - velocity**2 / 2 - GRAVITY * np.cos(angle)
    pump = missing_energy * np.where(velocity >= 0, 1.0, -1.0)
    hold = -STIFFNESS * angle - DAMPING * velocity
    return np.clip(np.where(np.abs(angle) < CATCH_ANGLE, hold, pump), -MAX_TORQUE, MAX_TORQUE)


def swing_up(observations: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return such torques `(n, 1)` for complete observations `(n, 3)` of Pendulum-v1."""
    cosine, sine, velocity = observations.T
    return swing_up_torque(np.arctan2(sine, cosine), velocity)[:, None]


class SwingUp:
    """The controller as a policy."""

    def step(self, obs: NDArray[np.float32], state: None = None) -> tuple[NDArray[np.float64], None]:
        """Return torques, and no memory."""
        return swing_up(obs), None


def teacher_of(settings: Settings, act_space: Any) -> Any:
    """Return the teacher, a policy for complete observations."""
    if settings.teacher:
        return interop.load_policy(settings.teacher, action_space=act_space)
    if settings.env != "Pendulum-v1":
        raise ValueError(
            f"{settings.env} needs a teacher, a policy for its complete observations: --teacher policy.npz; the "
            "controller in this file knows Pendulum-v1 alone"
        )
    return SwingUp()


def train(settings: Settings, run: training.Run) -> None:
    """Learn from the episodes so far, to which a round of new ones is added every now and then."""
    envs = training.make_envs(settings.env, settings.episodes_per_round)
    spaces = envs.single_observation_space, envs.single_action_space
    student, teacher = Student(settings, *spaces), teacher_of(settings, spaces[1])
    rng = np.random.default_rng(settings.seed)
    state, rng, buffer = run.restore(student.init(rng), rng, empty_buffer(settings))
    episodes = whole_episodes(buffer)
    found: dict[str, Array] = {}
    run.record(state, found, student.policy)
    for step in run.steps():
        if (step - 1) % settings.steps_per_round == 0:
            state = student.play(state, envs, teacher, buffer, rng)
            episodes = whole_episodes(buffer)
        state, found = student.learn(state, sample(buffer, episodes, rng, settings.batch_size))
        run.record(state, found, student.policy)
        run.save_if_due(state, rng, buffer)
    envs.close()


if __name__ == "__main__":
    sys.exit(training.main(train, Settings, __doc__, TUNED))
