"""Published returns of Tianshou's MuJoCo benchmark: the mean over ten seeds and its standard deviation, at some steps.

From the files `test_rew_10seeds.csv` beside the benchmark's scripts (https://github.com/thu-ml/tianshou,
examples/mujoco/benchmark), which evaluated policies without noise over ten episodes. They count steps from the end of
the random ones at the beginning, 10,000 of SAC and 25,000 of TD3, which are counted here. They are of HalfCheetah-v3
and Hopper-v3: version 5 differs in mass and friction as far as MuJoCo's models do, and Hopper has no reward of 1 any
more for the step in which it falls. Observations and the other rewards used here are the same.
"""

from __future__ import annotations

from typing import NamedTuple


class Published(NamedTuple):
    """A mean return over ten seeds and its standard deviation, after some steps in the environment, random ones too."""

    steps: int
    mean: float
    deviation: float


RETURNS = {
    ("SAC", "HalfCheetah-v5"): (
        Published(50_000, 4326.9, 213.1),
        Published(100_000, 6212.8, 437.2),
        Published(150_000, 7198.9, 665.0),
        Published(200_000, 7877.4, 762.8),
        Published(250_000, 8707.8, 1031.6),
        Published(300_000, 9150.2, 1051.5),
        Published(400_000, 9794.1, 750.0),
        Published(500_000, 10464.7, 783.7),
        Published(1_000_000, 12138.8, 1049.3),
    ),
    ("TD3", "HalfCheetah-v5"): (
        Published(50_000, 2023.2, 523.9),
        Published(100_000, 4715.3, 387.3),
        Published(150_000, 5722.4, 351.7),
        Published(200_000, 6488.1, 564.2),
        Published(250_000, 6920.9, 511.4),
        Published(300_000, 7461.2, 752.3),
        Published(400_000, 8199.9, 749.8),
        Published(500_000, 8737.3, 747.7),
    ),
    ("PPO", "HalfCheetah-v5"): (
        Published(61_440, 345.7, 140.0),
        Published(122_880, 1370.7, 466.6),
        Published(184_320, 2466.4, 727.3),
        Published(245_760, 3256.1, 791.5),
        Published(307_200, 3927.3, 996.3),
        Published(399_360, 4469.8, 1067.7),
        Published(491_520, 4877.9, 1055.7),
        Published(614_400, 5291.9, 1195.9),
        Published(798_720, 5380.6, 1149.2),
        Published(1_013_760, 5649.9, 1226.3),
    ),
    ("SAC", "Hopper-v5"): (
        Published(50_000, 1029.6, 794.0),
        Published(100_000, 1765.9, 1035.9),
        Published(150_000, 2720.4, 934.6),
        Published(200_000, 2382.9, 1161.7),
        Published(250_000, 3171.0, 657.5),
        Published(300_000, 3165.0, 670.5),
    ),
    ("TD3", "Hopper-v5"): (
        Published(50_000, 226.7, 45.6),
        Published(100_000, 336.0, 81.5),
        Published(150_000, 718.9, 723.6),
        Published(200_000, 845.2, 627.3),
        Published(250_000, 1120.3, 742.6),
        Published(300_000, 1505.3, 877.8),
    ),
}
"""Returns by algorithm and environment."""


def at(algorithm: str, env: str, steps: float) -> Published | None:
    """Return the published return after a number of steps, or after up to 5% fewer or more."""
    near = [one for one in RETURNS.get((algorithm, env), ()) if abs(one.steps - steps) <= 0.05 * steps]
    return min(near, key=lambda one: abs(one.steps - steps), default=None)
