"""The tables of training results.

Online, with discrete actions, from recorded data, with a memory, with a population, and of a search.
"""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks.publish.markup import Table, code, plus_minus
from benchmarks.publish.records import Record, Records, Unpublishable

ONLINE = {
    "sac": "``ActorProb``, two critics as one ensemble",
    "td3": "``Actor``, two critics as one ensemble",
    "ddpg": "``Actor``, ``Critic``",
    "redq": "ten critics as one ensemble",
    "ppo": "``ActorProb``, ``Critic``",
}
"""The networks of each online algorithm."""

PPO = "PPO", "``Actor`` and ``Critic`` of ``npnets.discrete``, one trunk"
IQN = "IQN", "``ImplicitQuantileNetwork``"
DISCRETE = {"ppo_discrete": PPO, "ppo_discrete_acrobot": PPO, "quantile_dqn": IQN, "quantile_dqn_acrobot": IQN}
"""The policy and the networks of each run with discrete actions."""


def online(records: Records) -> Table:
    """Return the returns of the online algorithms, a row for each."""
    rows = []
    for name, networks in ONLINE.items():
        runs = records.seeds(name)
        scores = [plus_minus(score(run, name.upper())) for run in runs]
        rows.append([command(runs[0]), networks, f"{runs[0]['results']['settings']['steps']:,}", *scores])
    return Table(["command", "networks", "steps", *seeds(records.seeds("sac"))], rows)


def discrete_actions(records: Records) -> Table:
    """Return the returns of the algorithms for discrete actions, a row for each program and environment."""
    rows = []
    for name, (policy, networks) in DISCRETE.items():
        runs = records.seeds(name)
        scores = [plus_minus(score(run, policy)) for run in runs]
        rows.append([whole_command(runs[0]), networks, f"{runs[0]['results']['settings']['steps']:,}", *scores])
    return Table(["command", "networks", "steps", *seeds(records.seeds("ppo_discrete"))], rows)


def recorded(records: Records) -> Table:
    """Return the returns of BCQ, of behaviour cloning and of the recorded data, a row for each seed."""
    columns = {
        "behaviour in the data": "recorded data",
        "behaviour cloning": "behaviour cloning",
        "BCQ": "BCQ",
    }
    return _by_seed(records.seeds("offline_bcq"), columns)


def memory(records: Records) -> Table:
    """Return the returns of the two students and of their teacher, a row for each seed."""
    columns = {
        "teacher": "teacher, which observes the velocity",
        "feed-forward": "feed-forward",
        "recurrent": "recurrent",
    }
    return _by_seed(records.seeds("memory_pendulum"), columns)


def population(records: Records) -> Table:
    """Return the returns of evolution strategies, a row for each environment."""
    rows = []
    for name in ("evolution_strategies", "evolution_strategies_cheetah"):
        runs = records.seeds(name)
        untrained = f"{statistics.fmean(runs[0]['results']['curves']['ES']['returns'][0]):.0f}"
        taken = f"{runs[0]['results']['environment_steps'] / 1e6:.1f} million"
        rows.append([whole_command(runs[0]), taken, untrained, *(plus_minus(score(run, "ES")) for run in runs)])
    header = ["command", "steps in the environment", "untrained, seed 0"]
    return Table([*header, *seeds(records.seeds("evolution_strategies"))], rows)


def rollouts(records: Records) -> Table:
    """Return the returns of PPO with rollouts of several processes."""
    runs = records.seeds("ppo_rollouts")
    steps = f"{runs[0]['results']['environment_steps']:,}"
    scores = [plus_minus(score(run, "PPO")) for run in runs]
    return Table(["command", "steps", *seeds(runs)], [[command(runs[0]), steps, *scores]])


def search(records: Records) -> Table:
    """Return the best trials of a search over settings, a row for each."""
    results = records["search_settings"]["results"]
    complete = sorted((row for row in results["trials"] if row["state"] == "complete"), key=lambda row: -row["return"])
    rows = [
        [str(row["number"]), f"{row['return']:.0f}", *(f"{row['settings'][name]:.2g}" for name in results["space"])]
        for row in complete[:5]
    ]
    return Table(["trial", "return", *map(code, results["space"])], rows)


def _by_seed(runs: list[Record], columns: dict[str, str]) -> Table:
    rows = [[_seed(run), *(plus_minus(score(run, name)) for name in columns)] for run in runs]
    return Table(["seed", *columns.values()], rows)


def score(run: Record, name: str) -> dict[str, Any]:
    """Return the mean return of a policy, its standard error and the returns of all episodes."""
    returns: dict[str, dict[str, Any]] = run["results"]["returns"]
    if name not in returns:
        raise Unpublishable(f"expected returns of {name!r} from {run['command']}, but found {sorted(returns)}")
    return returns[name]


def _seed(run: Record) -> str:
    return str(run["results"]["seed"])


def seeds(runs: list[Record]) -> list[str]:
    """Return the column headings of runs with several seeds."""
    return [f"seed {_seed(run)}" for run in runs]


def command(run: Record) -> str:
    """Return the command of a run, without its options."""
    return code(" ".join(run["command"].split()[:2]))


def whole_command(run: Record) -> str:
    """Return the command of a run with its options but the seed."""
    return code(run["command"].partition(" --seed")[0])
