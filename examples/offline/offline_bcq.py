"""Train a policy with BCQ from recorded transitions of Pendulum-v1, and evaluate it.

    python examples/offline/offline_bcq.py --seed 0 --out runs/offline_bcq

Trains BCQ only on recorded transitions, and evaluates the policy in the environment. Compares it with the policies that
recorded the data, and with behaviour cloning. Writes `policy.npz` (every parameter, by its path), `results.json` and
`learning.png` to the folder given by `--out`. Ctrl-C saves the current state.
"""

from __future__ import annotations

import argparse
import functools
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import numpy as np
from tqdm import trange

from examples.offline.bcq import BCQ
from examples.offline.bcq_settings import Hyperparameters
from examples.offline.behaviour_cloning import clone_behaviour
from examples.shared.command_line import add_training_options, new_parser, run_and_explain
from examples.shared.learning_curve import LearningCurve
from examples.shared.learning_state import State
from examples.shared.pendulum_evaluation import EVALUATION_SEED, SHOWN_SEED, evaluate, record
from examples.shared.results import Run, write_results
from examples.shared.results_folder import prepare_folder, save_parameters
from examples.shared.transitions import Transitions, episode_returns, load
from npnets.backend import to_numpy

DATA = Path(__file__).resolve().parents[1] / "data" / "pendulum_mixed.npz"
EPISODES, CHECKPOINTS = 30, 10


def train(agent: BCQ, data: Transitions, seed: int, curve: LearningCurve) -> tuple[State, int]:
    """Train for `settings.steps` steps, or until Ctrl-C; return the state and the number of steps."""
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
        print(f"\ninterrupted at step {taken}: saving the current state", file=sys.stderr)
    curve.add(taken, state)
    return state, taken


def policy_of(agent: BCQ, state: State, seed: int) -> Callable[[Any], Any]:
    """Return a function from observations `(n, 3)` to torques `(n, 1)`, with its own random latent vectors."""
    rng = np.random.default_rng(seed)
    return lambda observations: agent.act(state.params, observations, rng)


def policy_returns(agent: BCQ, state: State, seed: int) -> Any:
    """Return the returns `(episodes,)` of the policy of a training state."""
    return evaluate(policy_of(agent, state, seed), EPISODES, EVALUATION_SEED)


def returns_of_cloning(data: Transitions, settings: Hyperparameters, seed: int, device: str) -> Any:
    """Train and evaluate behaviour cloning; return its returns, or None after Ctrl-C."""
    try:
        actor, params = clone_behaviour(data, settings, np.random.default_rng(seed), device)
        return evaluate(lambda obs: to_numpy(actor.forward(params, obs)[0]), EPISODES, EVALUATION_SEED)
    except KeyboardInterrupt:
        print("\ninterrupted: behaviour cloning is left out", file=sys.stderr)
        return None


def run(options: argparse.Namespace) -> int:
    """Train, evaluate and save; return the exit status."""
    settings = replace(Hyperparameters(), steps=options.steps)
    data = pendulum_transitions(options.data, settings)
    agent = BCQ(settings, data.observations.shape[1], data.actions.shape[1], options.device)
    prepare_folder(options.out)
    evaluate_state = functools.partial(policy_returns, agent, seed=options.seed)
    curve, began = LearningCurve(evaluate_state), time.perf_counter()
    state, taken = train(agent, data, options.seed, curve)
    seconds = time.perf_counter() - began
    save_parameters(options.out / "policy.npz", state.params)
    others = {"behaviour in the data": episode_returns(data)}
    if taken == settings.steps:
        cloning = returns_of_cloning(data, settings, options.seed, options.device)
        others |= {"behaviour cloning": cloning} if cloning is not None else {}
    found = Run(
        title="Offline learning on Pendulum-v1",
        unit="gradient steps",
        seed=options.seed,
        steps=taken,
        seconds=seconds,
        settings=asdict(settings),
        curves={"BCQ": curve},
        others=others,
        episodes={"BCQ": record(policy_of(agent, state, options.seed), SHOWN_SEED)},
    )
    write_results(options.out, found)
    return 0 if "behaviour cloning" in others else 130


def pendulum_transitions(path: Path, settings: Hyperparameters) -> Transitions:
    """Read transitions and check that they are of Pendulum-v1."""
    data = load(path)
    widths = data.observations.shape[1], data.actions.shape[1]
    if widths != (3, 1):
        raise ValueError(
            f"{path} holds observations of width {widths[0]} and actions of width {widths[1]}, but the policy is "
            "evaluated in Pendulum-v1, whose widths are 3 and 1"
        )
    largest = float(np.abs(data.actions).max())
    if largest > settings.max_action * (1 + 1e-6):
        raise ValueError(
            f"{path} holds an action of size {largest:g}, but Pendulum-v1's are within {settings.max_action:g}; do "
            "they have another scale?"
        )
    return data


def main() -> int:
    """Read the command line and run; print an error in one line."""
    parser = new_parser("offline_bcq", "Train BCQ on recorded transitions of Pendulum-v1.")
    parser.add_argument("--data", type=Path, default=DATA, help="an .npz or HDF5 file of transitions")
    add_training_options(parser, Hyperparameters.steps)
    return run_and_explain(run, parser.parse_args(), "offline_bcq")


if __name__ == "__main__":
    sys.exit(main())
