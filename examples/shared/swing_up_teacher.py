"""A controller that swings the pendulum up from its angle and velocity: the teacher of policies that observe less.

Far from upright, it brings the pendulum's energy to that of the upright rest position, with the largest torque. Near
upright, it is a proportional-derivative controller (Åström and Furuta 2000, doi:10.1016/S0005-1098(99)00140-5). Symbols
as in `hidden_velocity`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from examples.shared.hidden_velocity import Array
from examples.shared.pendulum_evaluation import MAX_TORQUE

CONTROLLER = "hand-made controller"
"""Its name in tables and figures."""

# Pendulum-v1: angle'' = 15 sin(angle) + 3 torque; without torque velocity**2 / 2 + 15 cos(angle) is constant.
GRAVITY = 15.0
STIFFNESS, DAMPING, CATCH_ANGLE = 10.0, 3.0, 0.5


def teacher_torque(angle: ArrayLike, velocity: ArrayLike) -> NDArray[np.float64]:
    """Return torques within [-2, 2], for angles within [-pi, pi] of any shape and velocities of the same shape."""
    angle, velocity = np.asarray(angle), np.asarray(velocity)
    missing_energy = GRAVITY - velocity**2 / 2 - GRAVITY * np.cos(angle)
    pump = missing_energy * np.where(velocity >= 0, 1.0, -1.0)
    hold = -STIFFNESS * angle - DAMPING * velocity
    return np.clip(np.where(np.abs(angle) < CATCH_ANGLE, hold, pump), -MAX_TORQUE, MAX_TORQUE)


def teacher_policy(observations: Array) -> NDArray[np.float64]:
    """The teacher as a policy: torques `(n, 1)` for complete observations `(n, 3)`."""
    cosine, sine, velocity = observations.T
    return teacher_torque(np.arctan2(sine, cosine), velocity)[:, None]
