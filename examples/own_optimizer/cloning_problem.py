"""A problem for optimizers: imitate a controller that swings the pendulum up.

This file has the demonstrations, the actor, the loss and the evaluation. The actor returns a normal distribution over
torques; the loss is the mean negative log-likelihood of the teacher's torques.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import npnets
import npnets.numpy as nnp
from examples.memory.recurrent_imitation import swing_up, swing_up_torque
from examples.shared.pendulum_episodes import Array, play
from examples.shared.pendulum_evaluation import (
    EVALUATION_SEED,
    MAX_TORQUE,
    SHOWN_SEED,
    Episode,
    Policy,
    evaluate,
    record,
)
from npnets.distributions import Gaussian

ACTOR = npnets.ActorProb(npnets.Net(3, hidden_sizes=(32, 32)), 1, max_action=MAX_TORQUE)
NOISE = 1.0  # in N m, added to the applied torques, so that demonstrations contain recoveries
EPISODES = 30


def demonstrations(episodes: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Run the teacher with noise; return observations `(steps, 3)` and its torques `(steps, 1)` without noise."""

    def noisy_teacher(observations: Array) -> NDArray[np.float64]:
        return swing_up(observations) + NOISE * rng.normal(size=(len(observations), 1))

    played = play(noisy_teacher, episodes, int(rng.integers(2**31)))
    torques = swing_up_torque(played.angle, played.velocity).astype(np.float32)
    return played.observations.reshape(-1, 3), torques.reshape(-1, 1)


def loss(params: Any, observations: Array, torques: Array) -> Any:
    """Return the mean negative log-likelihood of the teacher's torques, in nats."""
    distribution, _ = Gaussian.from_actor(ACTOR, params, observations)
    return -nnp.mean(distribution.log_prob(torques))


def policy_of(params: Any) -> Policy:
    """The clone that applies its distribution's mean."""
    return lambda observations: ACTOR.forward(params, observations)[0][0]


def returns_of(params: Any) -> NDArray[np.float64]:
    """Returns of a clone that applies its distribution's mean, over 30 episodes of Pendulum-v1."""
    return evaluate(policy_of(params), EPISODES, EVALUATION_SEED)


def returns_of_teacher() -> NDArray[np.float64]:
    """Returns of the teacher, from the same initial states as the clones'."""
    return evaluate(swing_up, EPISODES, EVALUATION_SEED)


def episode_of(params: Any) -> Episode:
    """The episode of a clone for the figure."""
    return record(policy_of(params), SHOWN_SEED)
