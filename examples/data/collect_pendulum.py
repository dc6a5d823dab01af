"""Records the data set of the offline example: Gymnasium's Pendulum-v1 under controllers of very different quality.

The controllers are random torque, smoothed random torque, an inaccurate swing-up controller, and one that alternates
between the last two. Run it as::

    python examples/data/collect_pendulum.py --seed 0

The same seed gives the same arrays. Symbols: ``angle`` is 0 upright and grows anticlockwise (rad),
``velocity`` is its rate (rad/s), torque is in N m within [-2, 2].
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

Driver = Callable[[float, float], float]
Recording = dict[str, NDArray[Any]]

MAX_TORQUE = 2.0
# Pendulum-v1: angle'' = 15 sin(angle) + 3 torque; without torque velocity**2 / 2 + 15 cos(angle) is constant.
GRAVITY = 15.0


def random_driver(rng: np.random.Generator) -> Driver:
    """Independent uniform torque at every step."""
    return lambda angle, velocity: rng.uniform(-MAX_TORQUE, MAX_TORQUE)


def smooth_driver(rng: np.random.Generator) -> Driver:
    """Slowly changing random torque (first-order autoregression); memory and strength differ between episodes."""
    memory, strength = rng.uniform(0.8, 0.97), rng.uniform(0.8, 2.0)
    torque = rng.normal(0.0, strength)

    def drive(angle: float, velocity: float) -> float:
        nonlocal torque
        torque = memory * torque + np.sqrt(1 - memory**2) * rng.normal(0.0, strength)
        return torque

    return drive


def sloppy_driver(rng: np.random.Generator) -> Driver:
    """Swing-up by adding energy, then a proportional-derivative controller; with wrong gains and noise."""
    energy = GRAVITY * rng.uniform(0.8, 1.3)
    pump, stiffness, damping = rng.uniform(0.1, 0.5), rng.uniform(4.0, 12.0), rng.uniform(0.0, 3.0)
    catch_angle, unsteadiness = rng.uniform(0.1, 0.5), rng.uniform(0.4, 1.0)

    def drive(angle: float, velocity: float) -> float:
        if abs(angle) < catch_angle:
            torque = -stiffness * angle - damping * velocity
        else:
            torque = pump * (energy - velocity**2 / 2 - GRAVITY * np.cos(angle)) * velocity
        return np.clip(torque, -MAX_TORQUE, MAX_TORQUE) + rng.normal(0.0, unsteadiness)

    return drive


def wavering_driver(rng: np.random.Generator) -> Driver:
    """Alternates between the sloppy controller and smooth random torque, every ten to forty steps."""
    current, waiting = sloppy_driver(rng), smooth_driver(rng)
    steps_left = rng.integers(10, 40)

    def drive(angle: float, velocity: float) -> float:
        nonlocal current, waiting, steps_left
        if steps_left == 0:
            current, waiting, steps_left = waiting, current, rng.integers(10, 40)
        steps_left -= 1
        return current(angle, velocity)

    return drive


# The drivers of ten episodes, repeated over the recording, so that every part of it is mixed.
ROTA: tuple[tuple[str, Callable[[np.random.Generator], Driver]], ...] = (
    ("random", random_driver),
    ("sloppy", sloppy_driver),
    ("smooth", smooth_driver),
    ("wavering", wavering_driver),
    ("sloppy", sloppy_driver),
    ("random", random_driver),
    ("wavering", wavering_driver),
    ("sloppy", sloppy_driver),
    ("smooth", smooth_driver),
    ("wavering", wavering_driver),
)


def record_episode(env: gymnasium.Env, driver: Driver, seed: int) -> Recording:
    """One episode from ``reset(seed=seed)`` to its end.

    Returns
    -------
    dict
        ``observations`` and ``next_observations`` (steps, 3), ``actions`` (steps, 1), ``rewards`` (steps,),
        float32; ``terminals`` and ``timeouts`` (steps,), bool.
    """
    observation, _ = env.reset(seed=seed)
    rows, ended = [], False
    while not ended:
        cosine, sine, velocity = observation.tolist()
        torque = np.clip(driver(np.arctan2(sine, cosine), velocity), -MAX_TORQUE, MAX_TORQUE)
        action = np.array([torque], np.float32)
        following, reward, terminated, truncated, _ = env.step(action)
        rows.append((observation, action, np.float32(reward), following, terminated, truncated))
        observation, ended = following, terminated or truncated
    keys = ("observations", "actions", "rewards", "next_observations", "terminals", "timeouts")
    return {key: np.stack(column) for key, column in zip(keys, zip(*rows, strict=True), strict=True)}


def collect(episodes: int, seed: int) -> tuple[Recording, list[str]]:
    """Record ``episodes`` episodes, with the drivers in the order of `ROTA`.

    Returns
    -------
    tuple
        The concatenated arrays of `record_episode`, and the driver's name of each episode.
    """
    env = gymnasium.make("Pendulum-v1")
    names, recordings = [], []
    for index in tqdm(range(episodes), desc="recording", unit="episode"):
        name, make_driver = ROTA[index % len(ROTA)]
        # One generator for each episode: a longer recording begins like a shorter one with the same seed.
        rng = np.random.default_rng([seed, index])
        recordings.append(record_episode(env, make_driver(rng), seed=int(rng.integers(2**31))))
        names.append(name)
    env.close()
    return {key: np.concatenate([part[key] for part in recordings]) for key in recordings[0]}, names


def save(path: Path, recording: Recording) -> None:
    """Write ``recording`` as a compressed ``.npz``, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **recording)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def report(recording: Recording, names: list[str]) -> None:
    """Print the mean episode return and its standard error, by driver and over all episodes."""
    ends = recording["terminals"] | recording["timeouts"]
    starts = np.concatenate([[0], np.flatnonzero(ends)[:-1] + 1])
    returns, drivers = np.add.reduceat(recording["rewards"].astype(np.float64), starts), np.array(names)
    for name in (*dict.fromkeys(names), "all"):
        chosen = returns if name == "all" else returns[drivers == name]
        error = f"{chosen.std(ddof=1) / np.sqrt(len(chosen)):5.0f}" if len(chosen) > 1 else "    ?"
        print(f"{name:>9}: {len(chosen):4d} episodes, return {chosen.mean():7.0f} +- {error}")


def positive(text: str) -> int:
    """Parse a command-line number of at least one."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def main() -> None:
    """Read the command line, record, save, and print a summary."""
    parser = argparse.ArgumentParser(description="Record Pendulum-v1 under drivers of mixed quality.")
    default = Path(__file__).resolve().with_name("pendulum_mixed.npz")
    parser.add_argument(
        "--out", type=Path, default=default, help="file to write (default: the one that the example reads)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random (default: %(default)s)")
    parser.add_argument("--episodes", type=positive, default=100, help="episodes of 200 steps (default: %(default)s)")
    arguments = parser.parse_args()
    recording, names = collect(arguments.episodes, arguments.seed)
    save(arguments.out, recording)
    report(recording, names)
    print(f"wrote {arguments.out} ({arguments.out.stat().st_size / 1000:.0f} kB)")


if __name__ == "__main__":
    main()
