"""A problem for optimizers: to do as the controller does that swings the pendulum up.

Owns the lessons, the actor, the loss that is to be low, and how a clone is judged. The actor answers with a normal
distribution over torques; the loss is the mean negative log-likelihood of the torques that the teacher would have
applied. Knows no optimizer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import npnets
import npnets.numpy as nnp
from examples.shared.hidden_velocity import Array, play
from examples.shared.pendulum_evaluation import (
    EVALUATION_SEED,
    MAX_TORQUE,
    SHOWN_SEED,
    Episode,
    Policy,
    evaluate,
    record,
)
from examples.shared.swing_up_teacher import teacher_policy, teacher_torque
from npnets.distributions import Gaussian

ACTOR = npnets.ActorProb(npnets.Net(3, hidden_sizes=(32, 32)), 1, max_action=MAX_TORQUE)
NOISE = 1.0  # added to the torques that are applied, so that clones see how to come back: in N m
EPISODES = 30


def lessons(episodes: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Let the teacher play with noise; return observations `(steps, 3)` and the torques `(steps, 1)` it meant."""

    def shaky(observations: Array) -> NDArray[np.float64]:
        return teacher_policy(observations) + NOISE * rng.normal(size=(len(observations), 1))

    played = play(shaky, episodes, int(rng.integers(2**31)))
    torques = teacher_torque(played.angle, played.velocity).astype(np.float32)
    return played.observations.reshape(-1, 3), torques.reshape(-1, 1)


def loss(params: Any, observations: Array, torques: Array) -> Any:
    """How little a clone expects the teacher's torques: the mean negative log-likelihood, in nats."""
    distribution, _ = Gaussian.from_actor(ACTOR, params, observations)
    return -nnp.mean(distribution.log_prob(torques))


def policy_of(params: Any) -> Policy:
    """The clone that applies its distribution's mean."""
    return lambda observations: ACTOR.forward(params, observations)[0][0]


def returns_of(params: Any) -> NDArray[np.float64]:
    """Returns of a clone that applies its distribution's mean, over 30 episodes of Pendulum-v1."""
    return evaluate(policy_of(params), EPISODES, EVALUATION_SEED)


def returns_of_teacher() -> NDArray[np.float64]:
    """Returns of the teacher, from the same starts as its clones'."""
    return evaluate(teacher_policy, EPISODES, EVALUATION_SEED)


def episode_of(params: Any) -> Episode:
    """The episode that pictures show of a clone."""
    return record(policy_of(params), SHOWN_SEED)
