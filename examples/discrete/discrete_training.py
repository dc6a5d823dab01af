"""The program around an algorithm for discrete actions: options, a progress bar, Ctrl-C, a table, files and a figure.

An algorithm consists of an agent and of a training loop, a generator that yields `(steps taken, state, losses)` and
begins with zero steps.
"""

from __future__ import annotations

import argparse
import functools
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any

import gymnasium
from tqdm import tqdm

from examples.shared.command_line import add_training_options, new_parser, run_and_explain
from examples.shared.discrete_evaluation import returns_of, spaces_of
from examples.shared.learning_curve import LearningCurve
from examples.shared.pendulum_evaluation import EVALUATION_SEED
from examples.shared.results import Run, write_results
from examples.shared.results_folder import prepare_folder, save_policy

EPISODES, CHECKPOINTS, SHOWN_EVERY = 30, 10, 16

Learning = Iterator[tuple[int, Any, dict[str, Any]]]
MakeAgent = Callable[[Any, int, int, str], Any]
Learn = Callable[[Any, Callable[[], gymnasium.Env], int], Learning]


def main(program: str, name: str, make_agent: MakeAgent, settings: Any, learn: Learn) -> int:
    """Read the command line and run; print an error in one line.

    Parameters
    ----------
    program : str
        Name of the program.
    name : str
        Name of the algorithm.
    make_agent : callable
        `make_agent(settings, obs_dim, actions, device)`; the agent has `act(params, observations)`, `actor`, and
        `policy(params)`, the parameters of its actor.
    settings : dataclass
        Has an attribute `steps`, the number of steps in the environment.
    learn : callable
        `learn(agent, make_env, seed)`, the training loop.

    Returns
    -------
    int
        The exit status.
    """
    parser = new_parser(program, f"Train {name} in an environment with discrete actions.")
    parser.add_argument("--env", default="CartPole-v1", help="Gymnasium's id of the environment (%(default)s)")
    add_training_options(parser, settings.steps, "steps in the environment")
    run_it = functools.partial(run, name=name, make_agent=make_agent, settings=settings, learn=learn)
    return run_and_explain(run_it, parser.parse_args(), program)


def run(options: argparse.Namespace, name: str, make_agent: MakeAgent, settings: Any, learn: Learn) -> int:
    """Train, evaluate and save; return the exit status."""
    settings = replace(settings, steps=options.steps)
    agent = make_agent(settings, *spaces_of(options.env), options.device)
    prepare_folder(options.out)

    def evaluate(state: Any) -> Any:
        return returns_of(options.env, functools.partial(agent.act, state.params), EPISODES, EVALUATION_SEED)

    curve, began = LearningCurve(evaluate), time.perf_counter()
    make_env = functools.partial(gymnasium.make, options.env)
    state, taken, interrupted = run_training(name, learn(agent, make_env, options.seed), settings.steps, curve)
    found = Run(
        title=f"{name} on {options.env}",
        unit="steps in the environment",
        seed=options.seed,
        steps=taken,
        seconds=time.perf_counter() - began,
        settings={"env": options.env, **asdict(settings), "device": options.device},
        curves={name: curve},
    )
    save_policy(options.out / "policy.npz", agent.policy(state.params), agent.actor)
    write_results(options.out, found)
    return 130 if interrupted else 0


def run_training(name: str, learning: Learning, steps: int, curve: LearningCurve) -> tuple[Any, int, bool]:
    """Run a training loop and evaluate its states; return the last state, its steps, and whether Ctrl-C stopped it."""
    taken, state, _ = next(learning)
    every, interrupted, shown = max(1, steps // CHECKPOINTS), False, 0
    try:
        curve.add(taken, state)
        with tqdm(total=steps, desc=name, unit="step") as progress:
            for taken, state, losses in learning:
                progress.update(taken - progress.n)
                if taken - shown >= SHOWN_EVERY:
                    progress.set_postfix({k: f"{float(v):.3f}" for k, v in losses.items()}, refresh=False)
                    shown = taken
                if taken - curve.steps[-1] >= every:
                    curve.add(taken, state)
    except KeyboardInterrupt:
        print(f"\ninterrupted at step {taken}: saving the current state", file=sys.stderr)
        interrupted = True
    curve.add(taken, state)
    return state, taken, interrupted
