"""Published returns of Tianshou's MuJoCo benchmark: the mean over ten seeds and its standard deviation, at some steps.

From the files `test_rew_10seeds.csv` beside the benchmark's scripts (https://github.com/thu-ml/tianshou,
examples/mujoco/benchmark), which evaluated policies without noise over ten episodes. They are of HalfCheetah-v3 and
Hopper-v3: version 5 differs in mass and friction as far as MuJoCo's models do, and Hopper has no reward of 1 any more
for the step in which it falls. Observations and the other rewards used here are the same.
"""

from __future__ import annotations

from typing import NamedTuple


class Published(NamedTuple):
    """A mean return over ten seeds and its standard deviation, after some steps in the environment."""

    steps: int
    mean: float
    deviation: float


RETURNS = {
    ("SAC", "HalfCheetah-v5"): (
        Published(50_000, 4747.2, 345.0),
        Published(100_000, 6514.6, 514.2),
        Published(150_000, 7464.9, 720.8),
        Published(200_000, 8207.6, 928.3),
        Published(250_000, 8836.4, 1070.2),
        Published(300_000, 9059.3, 1051.4),
        Published(400_000, 9908.5, 901.3),
        Published(500_000, 10410.0, 696.7),
        Published(1_000_000, 12121.9, 1006.2),
    ),
    ("TD3", "HalfCheetah-v5"): (
        Published(50_000, 3891.1, 538.9),
        Published(100_000, 5335.8, 376.5),
        Published(150_000, 6110.8, 399.8),
        Published(200_000, 6720.7, 617.2),
        Published(250_000, 7254.6, 704.2),
        Published(300_000, 7545.8, 716.8),
        Published(400_000, 8332.8, 662.9),
        Published(500_000, 8805.0, 731.7),
    ),
    ("PPO", "HalfCheetah-v5"): (
        Published(61_440, 345.7, 140.0),
        Published(122_880, 1370.7, 466.6),
        Published(184_320, 2466.4, 727.3),
        Published(245_760, 3256.1, 791.5),
        Published(307_200, 3927.3, 996.3),
    ),
    ("SAC", "Hopper-v5"): (
        Published(50_000, 851.2, 372.5),
        Published(100_000, 2613.5, 990.8),
        Published(150_000, 2782.8, 827.8),
        Published(200_000, 3234.4, 314.2),
        Published(250_000, 3222.7, 280.8),
        Published(300_000, 3387.7, 114.6),
    ),
    ("TD3", "Hopper-v5"): (
        Published(50_000, 321.4, 45.2),
        Published(100_000, 596.5, 287.8),
        Published(150_000, 696.6, 409.8),
        Published(200_000, 887.2, 649.3),
        Published(250_000, 1426.1, 883.1),
        Published(300_000, 1583.4, 639.2),
    ),
}
"""Returns by algorithm and environment."""


def at(algorithm: str, env: str, steps: float) -> Published | None:
    """Return the published return after a number of steps, or after up to 5% fewer or more."""
    near = [one for one in RETURNS.get((algorithm, env), ()) if abs(one.steps - steps) <= 0.05 * steps]
    return min(near, key=lambda one: abs(one.steps - steps), default=None)
