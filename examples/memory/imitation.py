"""Imitation of a teacher that observes more than its students (DAgger: Ross, Gordon and Bagnell 2011, arXiv:1011.0686).

The students act in the environment, the teacher labels every step of their episodes with its own torque, and both
students learn from all labelled episodes. They differ only in memory: they share the data set, its batches, the loss,
the optimizer and the number of steps, and are about equally large.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import npnets
import npnets.numpy as nnp
from npnets import optim
from npnets.backend import to_device, to_numpy

Array = NDArray[np.float32]
Actor = npnets.RecurrentActorProb | npnets.ActorProb

RECURRENT, FEED_FORWARD = "recurrent", "feed-forward"


@dataclass(frozen=True)
class Hyperparameters:
    """Settings of the example.

    Attributes
    ----------
    hidden_layer_size
        Width of the recurrent student's LSTM.
    hidden_sizes
        Hidden layers of the feed-forward student, which has 17,026 parameters; the recurrent student has 17,474.
    batch_size
        Whole episodes per gradient step, drawn uniformly with replacement.
    learning_rate
        Adam's learning rate.
    clip_norm
        Largest norm of a gradient; the gradient through 200 steps of an LSTM is sometimes much larger than usual.
    steps
        Gradient steps of each student.
    steps_per_round
        Gradient steps between two rounds of new episodes.
    episodes_per_round
        New episodes of each student in a round.
    max_action
        Pendulum's torque is within [-2, 2] N m.
    """

    hidden_layer_size: int = 64
    hidden_sizes: tuple[int, ...] = (128, 128)
    batch_size: int = 16
    learning_rate: float = 4e-3
    clip_norm: float = 1.0
    steps: int = 3000
    steps_per_round: int = 50
    episodes_per_round: int = 8
    max_action: float = 2.0


class State(NamedTuple):
    """Training state of a student: its parameters and the optimizer's state."""

    params: Any
    optimizer: Any


def make_actors(settings: Hyperparameters, obs_dim: int, device: str | int = "cpu") -> dict[str, Actor]:
    """Return the two students' networks; each returns a normal distribution over torques."""
    limit = settings.max_action
    memory = npnets.RecurrentActorProb(1, obs_dim, 1, settings.hidden_layer_size, max_action=limit, device=device)
    net = npnets.Net(obs_dim, hidden_sizes=settings.hidden_sizes, device=device)
    return {RECURRENT: memory, FEED_FORWARD: npnets.ActorProb(net, 1, max_action=limit, device=device)}


def distribution(actor: Actor, params: Any, observations: Any) -> tuple[Any, Any]:
    """Mean and standard deviation `(episodes * steps, 1)` at each step of episodes `(episodes, steps, obs_dim)`."""
    if isinstance(actor, npnets.RecurrentActorProb):
        (mu, sigma), _ = actor.forward(params, observations, all_steps=True)
        return mu.reshape((-1, 1)), sigma.reshape((-1, 1))
    (mu, sigma), _ = actor.forward(params, observations.reshape((-1, observations.shape[-1])))
    return mu, sigma


def negative_log_likelihood(params: Any, actor: Actor, observations: Any, torques: Any) -> Any:
    """Return the mean negative log-likelihood of the teacher's torques `(episodes, steps)`, in nats."""
    mu, sigma = distribution(actor, params, observations)
    deviation = (torques.reshape((-1, 1)) - mu) / sigma
    return nnp.mean(deviation**2 / 2 + nnp.log(sigma)) + np.log(2 * np.pi) / 2


class Student:
    """An actor that learns from a teacher; an object does not change during training.

    Parameters
    ----------
    actor : RecurrentActorProb or ActorProb
    settings : Hyperparameters
    """

    def __init__(self, actor: Actor, settings: Hyperparameters) -> None:
        self.actor, self.clip_norm = actor, settings.clip_norm
        self.optimizer = optim.adam(settings.learning_rate)
        self._value_and_grad = npnets.value_and_grad(negative_log_likelihood)

    def init(self, rng: np.random.Generator) -> State:
        """Draw parameters."""
        params = self.actor.init(rng)
        return State(params, self.optimizer.init(params))

    def learn(self, state: State, observations: Array, torques: Array) -> tuple[State, Any]:
        """Take one gradient step on whole episodes, `(batch, steps, obs_dim)` and `(batch, steps)`.

        Returns
        -------
        State
        loss
            A zero-dimensional array; reading it waits for the GPU.
        """
        arrays = to_device(observations, self.actor.device), to_device(torques, self.actor.device)
        loss, grads = self._value_and_grad(state.params, self.actor, *arrays)
        grads, _ = optim.clip_by_global_norm(grads, self.clip_norm)
        return State(*self.optimizer.update(params=state.params, grads=grads, state=state.optimizer)), loss

    def policy(self, params: Any, rng: np.random.Generator | None = None) -> Callable[[Array], Array]:
        """Return a policy, from the observations `(n, obs_dim)` of one step to torques `(n, 1)`, for new episodes.

        A recurrent actor's state passes from call to call. With `rng`, torques are drawn from the distribution; without
        `rng`, they are the mean.
        """
        memory = None

        def act(observations: Array) -> Array:
            nonlocal memory
            (mu, sigma), memory = self.actor.forward(params, observations, memory)
            mu, sigma = to_numpy(mu), to_numpy(sigma)
            return mu if rng is None else mu + sigma * rng.normal(size=mu.shape)

        return act


class LabelledEpisodes:
    """The students' episodes `(episodes, steps, obs_dim)` with the teacher's torques `(episodes, steps)`."""

    def __init__(self) -> None:
        self._rows: list[tuple[Array, Array]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, observations: Array, torques: Any) -> None:
        """Store episodes."""
        self._rows += zip(observations, np.asarray(torques, np.float32), strict=True)

    def batch(self, rng: np.random.Generator, size: int) -> tuple[Array, Array]:
        """Draw episodes uniformly with replacement."""
        rows = [self._rows[index] for index in rng.integers(len(self._rows), size=size)]
        observations, torques = (np.stack(column) for column in zip(*rows, strict=True))
        return observations, torques
