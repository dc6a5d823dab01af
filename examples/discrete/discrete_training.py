"""The program around an algorithm for discrete actions: options, a progress bar, Ctrl-C, a table, files and a figure.

An algorithm is an agent and a training loop, as in `examples/online/online_training.py`.
"""

from __future__ import annotations

import argparse
import functools
import time
from dataclasses import asdict, replace
from typing import Any

import gymnasium

from examples.online.online_training import EPISODES, Learn, MakeAgent, run_training
from examples.shared.command_line import add_training_options, new_parser, run_and_explain
from examples.shared.discrete_evaluation import returns_of, spaces_of
from examples.shared.learning_curve import LearningCurve
from examples.shared.pendulum_evaluation import EVALUATION_SEED
from examples.shared.results import Run, write_results
from examples.shared.results_folder import prepare_folder, save_policy


def main(program: str, name: str, make_agent: MakeAgent, settings: Any, learn: Learn) -> int:
    """Read the command line and run; print an error in one line.

    Parameters
    ----------
    program : str
        Name of the program.
    name, make_agent, settings, learn
        As `online_training.main` takes them. The agent also has `policy(params)`, the parameters of its `actor`.

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
        settings={"env": options.env, **asdict(settings)},
        curves={name: curve},
    )
    save_policy(options.out / "policy.npz", agent.policy(state.params), agent.actor)
    write_results(options.out, found)
    return 130 if interrupted else 0
