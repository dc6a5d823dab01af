"""Train a policy from recorded transitions with BCQ, and see it swing the pendulum up.

    python examples/offline_bcq.py --seed 0 --out runs/offline_bcq

Reads transitions of Pendulum-v1, trains BCQ on them without touching the environment, and judges the policy in the
real one, beside the behaviour that made the data and beside behaviour cloning. Into the folder given by `--out` go
`policy.npz` (every parameter, by its path), `results.json` and `learning.png`. Ctrl-C saves what there is.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from bcq import BCQ, State
from bcq_settings import EVALUATION_SEED, Hyperparameters
from behaviour_cloning import clone_behaviour
from pendulum_evaluation import evaluate, mean_and_standard_error, plot, record
from threadpoolctl import threadpool_limits
from tqdm import trange
from transitions import Transitions, episode_returns, load

import npnets
from npnets.backend import to_numpy, using

DATA = Path(__file__).resolve().parent / "data" / "pendulum_mixed.npz"
EPISODES, CHECKPOINTS = 30, 10
SHOWN_SEED = 11


class Curve:
    """The returns of the policy at some steps of its training; the last entry is the policy as it is saved."""

    def __init__(self, agent: BCQ, seed: int) -> None:
        self.agent, self.seed = agent, seed
        self.steps: list[int] = []
        self.returns: list[Any] = []

    def add(self, step: int, state: State) -> None:
        """Play the policy that a step led to, unless that was done already."""
        if step not in self.steps:
            self.returns.append(evaluate(policy_of(self.agent, state, self.seed), EPISODES, EVALUATION_SEED))
            self.steps.append(step)


def train(agent: BCQ, data: Transitions, seed: int, curve: Curve) -> tuple[State, int]:
    """Learn for as many steps as the settings say, or until Ctrl-C; say how many were taken."""
    steps, taken = agent.settings.steps, 0
    rng = np.random.default_rng(seed)
    state = agent.init(rng)
    try:
        curve.add(0, state)
        progress = trange(steps, desc="BCQ", unit="step")
        for step in progress:
            state, losses = agent.learn(state, data.batch(rng, agent.settings.batch_size), rng)
            taken = step + 1
            if step % 20 == 0:
                progress.set_postfix({k: f"{float(v):.3f}" for k, v in losses._asdict().items()}, refresh=False)
            if taken % max(1, steps // CHECKPOINTS) == 0:
                curve.add(taken, state)
    except KeyboardInterrupt:
        print(f"\ninterrupted at step {taken}: saving what there is", file=sys.stderr)
    curve.add(taken, state)
    return state, taken


def policy_of(agent: BCQ, state: State, seed: int) -> Callable[[Any], Any]:
    """Return a function from observations `(n, 3)` to torques `(n, 1)`, with a stream of latent vectors of its own."""
    rng = np.random.default_rng(seed)
    return lambda observations: agent.act(state.params, observations, rng)


def returns_of_cloning(data: Transitions, settings: Hyperparameters, seed: int, device: str) -> Any:
    """Train behaviour cloning and play it; nothing if Ctrl-C comes between."""
    try:
        actor, params = clone_behaviour(data, settings, np.random.default_rng(seed), device)
        return evaluate(lambda obs: to_numpy(actor.forward(params, obs)[0]), EPISODES, EVALUATION_SEED)
    except KeyboardInterrupt:
        print("\ninterrupted: behaviour cloning is left out", file=sys.stderr)
        return None


def write(path: Path, save: Callable[[Path], Any]) -> None:
    """Write a file beside its place and rename it there, so that no half-written one is ever found."""
    unfinished = path.with_name(f".unfinished-{path.name}")
    save(unfinished)
    os.replace(unfinished, path)
    print(f"wrote {path}")


def save_policy(out: Path, state: State) -> None:
    """Write every parameter to `policy.npz`, by its path such as `critic_1.last.linear_0.weight`."""
    names, leaves = npnets.tree.paths(state.params), npnets.tree.leaves(state.params)
    arrays = {name: to_numpy(leaf) for name, leaf in zip(names, leaves, strict=True)}
    write(out / "policy.npz", lambda path: np.savez(path, **arrays))


def table(results: dict[str, Any]) -> str:
    """Lay returns out by who earned them: mean, standard error, number of episodes."""
    rows = [f"{'return of an episode':<24}{'mean':>9}{'std. error':>12}{'episodes':>10}"]
    for name, returns in results.items():
        mean, error = mean_and_standard_error(returns)
        rows.append(f"{name:<24}{mean:>9.1f}{error:>12.1f}{len(returns):>10}")
    return "\n".join(rows)


def run(options: argparse.Namespace) -> int:
    """Do all that the options ask for; return the exit status."""
    settings = replace(Hyperparameters(), steps=options.steps)
    data = pendulum_transitions(options.data, settings)
    agent = BCQ(settings, data.observations.shape[1], data.actions.shape[1], options.device)
    options.out.mkdir(parents=True, exist_ok=True)
    if not os.access(options.out, os.W_OK):
        raise PermissionError(f"nothing can be written to {options.out}; choose another folder with --out")
    curve, began = Curve(agent, options.seed), time.perf_counter()
    state, taken = train(agent, data, options.seed, curve)
    facts = {"seed": options.seed, "data": str(options.data), "steps_taken": taken}
    facts["seconds_with_evaluations"] = time.perf_counter() - began
    save_policy(options.out, state)
    results = {"behaviour in the data": episode_returns(data), "BCQ": curve.returns[-1]}
    if taken == settings.steps:
        cloning = returns_of_cloning(data, settings, options.seed, options.device)
        results |= {"behaviour cloning": cloning} if cloning is not None else {}
    episode = record(policy_of(agent, state, options.seed), SHOWN_SEED)
    report(options.out, curve, results, episode, {**facts, "settings": asdict(settings)})
    return 0 if "behaviour cloning" in results else 130


def report(out: Path, curve: Curve, results: dict[str, Any], episode: Any, facts: dict[str, Any]) -> None:
    """Write results and picture, and print the table."""
    scores = {name: [float(x) for x in mean_and_standard_error(returns)] for name, returns in results.items()}
    shown = json.dumps({"mean return and standard error": scores, **facts}, indent=2)
    write(out / "results.json", lambda path: path.write_text(shown + "\n"))
    if len(curve.steps) > 1:
        levels = {name: scores[name][0] for name in results if name != "BCQ"}
        points = np.array(curve.steps), np.array(curve.returns)
        write(out / "learning.png", lambda path: plot(path, *points, levels, episode))
    print(f"\n{table(results)}")


def pendulum_transitions(path: Path, settings: Hyperparameters) -> Transitions:
    """Read transitions and check that they are of Pendulum-v1."""
    data = load(path)
    widths = data.observations.shape[1], data.actions.shape[1]
    if widths != (3, 1):
        raise ValueError(
            f"{path} holds observations of width {widths[0]} and actions of width {widths[1]}, but the policy is "
            "judged in Pendulum-v1, whose widths are 3 and 1"
        )
    largest = float(np.abs(data.actions).max())
    if largest > settings.max_action * (1 + 1e-6):
        raise ValueError(
            f"{path} holds an action of size {largest:g}, but Pendulum-v1's are within {settings.max_action:g}; are "
            "they scaled otherwise?"
        )
    return data


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train BCQ on recorded transitions of Pendulum-v1.")
    parser.add_argument("--data", type=Path, default=DATA, help="an .npz or HDF5 file of transitions")
    parser.add_argument("--steps", type=int, default=Hyperparameters.steps, help="gradient steps (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of parameters, batches and noise (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("runs/offline_bcq"), help="folder for results (%(default)s)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:<number> (%(default)s)")
    options = parser.parse_args()
    if options.steps < 1:
        parser.error(f"argument --steps: must be at least 1, but is {options.steps}")
    if options.seed < 0:
        parser.error(f"argument --seed: must not be negative, but is {options.seed}")
    return options


def main() -> int:
    """Run, and say in one line what went wrong if something did."""
    options = parse_options()
    try:
        # Products this small gain nothing from a second thread, and lose nine tenths of their speed to it where another
        # program wants the processor too.
        with threadpool_limits(limits=1, user_api="blas"), using(options.device):
            return run(options)
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        print(f"offline_bcq: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted before the first step: nothing to save", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
