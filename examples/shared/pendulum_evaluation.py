"""Measures policies on the real Pendulum-v1, and draws what came out.

Owns the one way in which every policy of the examples is judged, whoever trained it, and the parts of its pictures.
Knows nothing of networks or of training. A policy is a function from observations ``(n, 3)`` (cosine and
sine of the angle, velocity in rad/s) to torques ``(n, 1)`` in N m. The angle is 0 upright and grows
anticlockwise.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

Policy = Callable[[NDArray[np.float32]], Any]

# First of the seeds that evaluation episodes start from: one set of starts for every policy that is compared.
EVALUATION_SEED = 1000
STEPS = 200
SECONDS_PER_STEP = 0.05
MAX_TORQUE = 2.0

INK, BLUE, ORANGE, GREEN, GREY = "#222222", "#2166ac", "#d6604d", "#1b7837", "#777777"
LEVEL_COLOURS = (GREY, ORANGE, GREEN)
DASHES = (0, (5, 3))
PENDULUMS = 20


@dataclass(frozen=True, eq=False)
class Episode:
    """One recorded episode; every array is ``(200,)`` float64, row ``t`` being what step ``t`` began with.

    Attributes
    ----------
    angle
        In rad within [-pi, pi].
    velocity
        In rad/s.
    torque
        As applied, in N m within [-2, 2].
    reward
        Of the step.
    """

    angle: NDArray[np.float64]
    velocity: NDArray[np.float64]
    torque: NDArray[np.float64]
    reward: NDArray[np.float64]


def evaluate(policy: Policy, episodes: int, seed: int) -> NDArray[np.float64]:
    """Undiscounted returns of ``episodes`` episodes, all stepped side by side.

    Parameters
    ----------
    policy
        Called once per time step with float32 observations ``(episodes, 3)``; answers ``(episodes, 1)``.
    episodes
        How many, at least one.
    seed
        Episode ``i`` starts from ``reset(seed=seed + i)``: two policies with one seed face the same starts.

    Returns
    -------
    numpy.ndarray
        Returns ``(episodes,)``, float64.
    """
    if episodes < 1:
        raise ValueError(f"expected at least one episode to evaluate, got episodes={episodes}")
    envs = gymnasium.make_vec("Pendulum-v1", num_envs=episodes, vectorization_mode="sync")
    # With one number a vector environment seeds its i-th environment with that number plus i.
    observations, _ = envs.reset(seed=seed)
    returns = np.zeros(episodes)
    for _ in range(STEPS):
        observations, rewards, *_ = envs.step(torques_of(policy, observations))
        returns += rewards
    envs.close()
    return returns


def record(policy: Policy, seed: int) -> Episode:
    """Play and keep the episode that starts from ``reset(seed=seed)``; the policy sees ``(1, 3)``."""
    env = gymnasium.make("Pendulum-v1")
    observation, _ = env.reset(seed=seed)
    rows = []
    for _ in range(STEPS):
        torque = torques_of(policy, observation[None])[0]
        cosine, sine, velocity = observation
        observation, reward, *_ = env.step(torque)
        applied = np.clip(torque.item(), -MAX_TORQUE, MAX_TORQUE)
        rows.append((np.arctan2(sine, cosine), velocity, applied, reward))
    env.close()
    return Episode(*np.array(rows, np.float64).T)


def torques_of(policy: Policy, observations: NDArray[np.float32]) -> NDArray[np.float32]:
    """The policy's answer, checked; a wrong shape would broadcast into somebody else's torque."""
    torques = np.asarray(policy(observations), np.float32)
    if torques.shape != (len(observations), 1):
        raise ValueError(
            f"expected torques of shape {(len(observations), 1)} from the policy, got {torques.shape}; "
            "a policy answers one row per observation"
        )
    if not np.isfinite(torques).all():
        raise ValueError("expected finite torques from the policy, got NaN or inf; has its training diverged?")
    return torques


def mean_and_standard_error(
    returns: NDArray[np.floating],
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Mean over the last axis, the episodes, and its standard error (0 for a single episode)."""
    episodes = returns.shape[-1]
    spread = returns.std(axis=-1, ddof=1) if episodes > 1 else np.zeros(returns.shape[:-1])
    return returns.mean(axis=-1), spread / np.sqrt(episodes)


def plot_learning_curve(
    axes: Axes,
    steps: NDArray[np.integer],
    returns: NDArray[np.floating],
    levels: Mapping[str, float],
    label: str = "BCQ",
) -> None:
    """Draw the mean return, a band of one standard error around it, and what to compare it with.

    Parameters
    ----------
    axes
        Where to draw.
    steps
        Gradient steps at which the policy was evaluated, ``(checkpoints,)``.
    returns
        Returns of the episodes played there, ``(checkpoints, episodes)``.
    levels
        Mean returns to draw as horizontal lines, by their label, such as ``{"behaviour": -927.0}``.
    label
        Name of the curve.
    """
    if np.shape(returns)[:-1] != np.shape(steps):
        raise ValueError(
            f"expected returns of shape (checkpoints, episodes) beside {np.size(steps)} checkpoints, "
            f"got {np.shape(returns)}; one row of returns per evaluation"
        )
    mean, error = mean_and_standard_error(returns)
    axes.fill_between(steps, mean - error, mean + error, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(steps, mean, color=BLUE, linewidth=2)
    names = [(float(mean[-1]), label, BLUE)]
    for (name, level), colour in zip(levels.items(), itertools.cycle(LEVEL_COLOURS), strict=False):
        axes.axhline(level, color=colour, linewidth=1.5, linestyle=DASHES)
        names.append((level, name, colour))
    axes.set(xlabel="gradient steps", ylabel="return of an episode", xlim=(0, steps[-1]))
    axes.margins(y=0.1)
    name_levels(axes, names)
    tidy(axes)


def name_levels(axes: Axes, names: list[tuple[float, str, str]]) -> None:
    """Write each ``(level, name, colour)`` to the right of the axes, close to its level but apart."""
    bottom, top = axes.get_ylim()
    lowest_free = bottom
    for level, name, colour in sorted(names):
        height = max(level, lowest_free)
        lowest_free = height + 0.08 * (top - bottom)
        text = f"{name}\u2002" + f"{level:.0f}".replace("-", "\u2212")
        axes.annotate(
            text,
            (1, height),
            (8, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            color=colour,
            va="center",
            annotation_clip=False,
        )


def plot_pendulums(axes: Axes, episode: Episode, colour: str = BLUE) -> None:
    """Draw the pendulum itself at evenly spaced times, each where that time lies on the time axis."""
    axes.set(xlim=(0, STEPS * SECONDS_PER_STEP), ylim=(-1, 1))
    axes.axis("off")
    figure = axes.get_figure(root=True)
    assert figure is not None
    # Drawn in inches around its pivot: in the units of the axes a rod would change its length as it turns.
    length = 0.47 * axes.get_position().width * figure.get_figwidth() / PENDULUMS
    every = STEPS // PENDULUMS
    for time, angle in zip(np.arange(0, STEPS, every) * SECONDS_PER_STEP, episode.angle[::every], strict=True):
        around_pivot = figure.dpi_scale_trans + ScaledTranslation(time, 0, axes.transData)  # type: ignore[arg-type]
        tip = (-length * np.sin(angle), length * np.cos(angle))
        parts = axes.plot((0, tip[0]), (0, tip[1]), color=colour, linewidth=2.5, solid_capstyle="round")
        parts += axes.plot(*tip, "o", color=colour, markersize=6)
        parts += axes.plot(0, 0, "o", color=INK, markersize=3)
        for part in parts:
            part.set(transform=around_pivot, clip_on=False)


def plot_angle(axes: Axes, episode: Episode, colour: str = BLUE) -> None:
    """Draw the angle from upright over time in degrees, unwrapped so that the last turn ends near 0."""
    angle = np.unwrap(episode.angle)
    angle = np.degrees(angle - 2 * np.pi * np.round(angle[-1] / (2 * np.pi)))
    axes.axhline(0, color=GREY, linewidth=1, linestyle=DASHES)
    axes.plot(np.arange(STEPS) * SECONDS_PER_STEP, angle, color=colour, linewidth=2)
    axes.set(ylabel="angle from\nupright (°)", xlim=(0, STEPS * SECONDS_PER_STEP))
    # A quarter turn between ticks, or more where the pendulum turns so often that they would lie on each other.
    axes.yaxis.set_major_locator(MultipleLocator(90 * 2 ** np.ceil(np.log2(max(np.ptp(angle), 500) / 500))))
    axes.tick_params(labelbottom=False)
    tidy(axes)


def plot_torque(axes: Axes, episode: Episode) -> None:
    """Draw the torque over time as the steps that it is."""
    edges = np.arange(STEPS + 1) * SECONDS_PER_STEP
    axes.stairs(episode.torque, edges, baseline=0, fill=True, color=ORANGE, alpha=0.25)
    axes.stairs(episode.torque, edges, baseline=None, color=ORANGE, linewidth=1.2)
    axes.set(xlabel="time (s)", ylabel="torque\n(N m)", xlim=(0, edges[-1]), ylim=(-2.3, 2.3), yticks=(-2, 0, 2))
    tidy(axes)


def tidy(axes: Axes) -> None:
    """Leave a grid of levels behind the curves, and no box around them."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
