"""The results on MuJoCo: a table of runs beside published returns, and SAC beside that of Stable-Baselines3."""

from __future__ import annotations

import statistics

from benchmarks.learning.mujoco_published import at
from benchmarks.publish.learning_blocks import whole_command
from benchmarks.publish.markup import Table
from benchmarks.publish.records import Record, Records, processor

MUJOCO = {
    "sac_halfcheetah": "SAC",
    "td3_halfcheetah": "TD3",
    "ppo_halfcheetah": "PPO",
    "sac_hopper": "SAC",
    "td3_hopper": "TD3",
}
"""The policy of each published run, by the name of its result files."""


def mujoco(records: Records) -> Table:
    """Return the returns on MuJoCo, a row for each algorithm and environment."""
    rows = [_row(name, records.seeds(result)) for result, name in MUJOCO.items()]
    return Table(["command", "steps", "return of each seed", "mean", "Tianshou's, published"], rows)


def side_by_side(records: Records) -> str:
    """Return a sentence about the processor time and the return of both libraries."""
    record = records["sac_side_by_side"]
    results = record["results"]
    ours, theirs = (
        next(run for run in results["runs"] if run["side"] == side) for side in ("npnets", "Stable-Baselines3")
    )
    scores = [f"{run['return']:.0f} ± {run['return_std']:.0f}" for run in (ours, theirs)]
    minutes = [f"{run['seconds'] / 60:.0f}" for run in (ours, theirs)]
    return (
        f"In {results['steps']:,} steps on HalfCheetah-v5, SAC takes {minutes[0]} minutes of one thread of "
        f"{processor(record)}, and that of Stable-Baselines3 {minutes[1]}, a ratio of "
        f"{results['ratio']:.2f}; their policies, over ten episodes without noise, have returns of {scores[0]} and "
        f"{scores[1]} (standard deviation over episodes; `{record['command']}`)."
    )


def mean_of(runs: list[Record], name: str) -> tuple[str, str, int]:
    """Return the mean return of runs with its deviation over the seeds, the published one, and the steps."""
    results = [run["results"] for run in runs]
    returns = [result["returns"][name]["mean"] for result in results]
    steps, env = results[0]["steps"], results[0]["settings"]["env"]
    published = at(name, env, steps)
    theirs = "" if published is None else spread(published.mean, published.deviation)
    mean = spread(statistics.fmean(returns), statistics.stdev(returns)) if len(returns) > 1 else f"{returns[0]:.0f}"
    return mean, theirs, steps


def _row(name: str, runs: list[Record]) -> list[str]:
    mean, theirs, steps = mean_of(runs, name)
    returns = ", ".join(f"{run['results']['returns'][name]['mean']:.0f}" for run in runs)
    return [whole_command(runs[0]), f"{steps:,}", returns, mean, theirs]


def spread(mean: float, deviation: float) -> str:
    """Return a mean over seeds with its standard deviation, without a line break between them."""
    return f"{mean:.0f}\u00a0±\u00a0{deviation:.0f}"
