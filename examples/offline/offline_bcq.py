"""Train a policy with BCQ from recorded transitions of Pendulum-v1, and evaluate it.

    python examples/offline/offline_bcq.py --seed 0 --out runs/offline_bcq

Trains BCQ (`bcq.py`) only on recorded transitions, and evaluates the policy in the environment. Compares it with the
policies that recorded the data, and with behaviour cloning. Writes `policy.npz`, `results.json` and `learning.png` to
the folder given by `--out`. Ctrl-C saves the current state.
"""

from __future__ import annotations

import argparse
import functools
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import gymnasium
import numpy as np
from tqdm import trange

import npnets
from examples.offline.bcq import BCQ, RECORDED, TUNED, Settings, State, recorded
from examples.shared.command_line import add_training_options, new_parser, run_and_explain
from examples.shared.learning_curve import LearningCurve
from examples.shared.pendulum_evaluation import EVALUATION_SEED, SHOWN_SEED, evaluate, record
from examples.shared.results import Run, write_results
from examples.shared.results_folder import prepare_folder, write
from npnets import data, losses, tree
from npnets.backend import to_numpy

ENV = "Pendulum-v1"
EPISODES, CHECKPOINTS = 30, 10


def train(agent: BCQ, buffer: data.ReplayBuffer, curve: LearningCurve) -> tuple[State, int]:
    """Train for `settings.steps` steps, or until Ctrl-C; return the state and the number of steps."""
    steps, taken = agent.settings.steps, 0
    rng = np.random.default_rng(agent.settings.seed)
    state = agent.init(rng)
    try:
        curve.add(0, state)
        progress = trange(steps, desc="BCQ", unit="step")
        for step in progress:
            state, found = agent.learn(state, buffer.sample(rng, agent.settings.batch_size), rng)
            taken = step + 1
            if step % 20 == 0:
                progress.set_postfix({name: f"{float(loss):.3f}" for name, loss in found.items()}, refresh=False)
            if taken % max(1, steps // CHECKPOINTS) == 0:
                curve.add(taken, state)
    except KeyboardInterrupt:
        print(f"\ninterrupted at step {taken}: saving the current state", file=sys.stderr)
    curve.add(taken, state)
    return state, taken


def acting(agent: BCQ, state: State) -> Callable[[Any], Any]:
    """Return the policy of a training state as a function from observations `(n, 3)` to torques `(n, 1)`."""
    policy = agent.policy(state)
    return lambda observations: to_numpy(policy.act(observations))


def policy_returns(agent: BCQ, state: State) -> Any:
    """Return the returns `(episodes,)` of the policy of a training state."""
    return evaluate(acting(agent, state), EPISODES, EVALUATION_SEED)


def clone_behaviour(buffer: data.ReplayBuffer, settings: Settings, spaces: Any) -> npnets.Policy:
    """Train an actor on the squared error of its actions, with the layers, the batches and the steps of BCQ's actor."""
    rng, (obs_space, act_space), device = np.random.default_rng(settings.seed), spaces, settings.device
    net = npnets.Net(obs_space, hidden_sizes=settings.hidden_sizes, device=device)
    actor, optimizer = npnets.Actor(net, act_space, device=device), npnets.optim.adam(settings.actor_lr)

    def loss(params: Any, obs: Any, act: Any) -> Any:
        return losses.squared_error(actor.forward(params, obs)[0], act)

    value_and_grad = npnets.value_and_grad(loss)
    params = actor.init(rng)
    state = optimizer.init(params)
    progress = trange(settings.steps, desc="behaviour cloning", unit="step")
    for step in progress:
        batch = tree.to_device(buffer.sample(rng, settings.batch_size), device)
        value, grads = value_and_grad(params, batch.obs, batch.action)
        params, state = optimizer.update(params=params, grads=grads, state=state)
        if step % 50 == 0:
            progress.set_postfix(loss=f"{float(value):.3f}", refresh=False)
    return npnets.Policy(actor, params)


def returns_of_cloning(buffer: data.ReplayBuffer, settings: Settings, spaces: Any) -> Any:
    """Train and evaluate behaviour cloning; return its returns, or None after Ctrl-C."""
    try:
        clone = clone_behaviour(buffer, settings, spaces)
        return evaluate(lambda observations: to_numpy(clone.act(observations)), EPISODES, EVALUATION_SEED)
    except KeyboardInterrupt:
        print("\ninterrupted: behaviour cloning is left out", file=sys.stderr)
        return None


def recorded_returns(path: str) -> Any:
    """Return the undiscounted return of each recorded episode; the last one may have no end."""
    return np.array([episode.reward.sum(dtype=np.float64) for episode in data.load(path).episodes()])


def settings_of(options: argparse.Namespace) -> Settings:
    """Return the settings of a run: those that are tuned for Pendulum-v1, and the command line's."""
    given: dict[str, Any] = {name: getattr(options, name) for name in ("seed", "steps", "device")}
    return Settings(**{**TUNED[ENV], **given, "data": str(options.data)})


def run(options: argparse.Namespace) -> int:
    """Train, evaluate and save; return the exit status."""
    settings, env = settings_of(options), gymnasium.make(ENV)
    spaces = env.observation_space, env.action_space
    buffer, agent = recorded(settings.data, *spaces), BCQ(settings, *spaces)
    prepare_folder(options.out)
    curve, began = LearningCurve(functools.partial(policy_returns, agent)), time.perf_counter()
    state, taken = train(agent, buffer, curve)
    seconds = time.perf_counter() - began
    write(options.out / "policy.npz", agent.policy(state).save)
    others = {"behaviour in the data": recorded_returns(settings.data)}
    if taken == settings.steps:
        cloning = returns_of_cloning(buffer, settings, spaces)
        others |= {"behaviour cloning": cloning} if cloning is not None else {}
    found = Run(
        title="Offline learning on Pendulum-v1",
        unit="gradient steps",
        seed=settings.seed,
        steps=taken,
        seconds=seconds,
        settings={name: value for name, value in asdict(settings).items() if name != "data"},
        curves={"BCQ": curve},
        others=others,
        episodes={"BCQ": record(acting(agent, state), SHOWN_SEED)},
    )
    write_results(options.out, found)
    return 0 if "behaviour cloning" in others else 130


def main() -> int:
    """Read the command line and run; print an error in one line."""
    parser = new_parser("offline_bcq", "Train BCQ on recorded transitions of Pendulum-v1.")
    parser.add_argument("--data", type=Path, default=RECORDED, help="an .npz or HDF5 file of transitions")
    add_training_options(parser, int(TUNED[ENV]["steps"]))
    return run_and_explain(run, parser.parse_args(), "offline_bcq")


if __name__ == "__main__":
    sys.exit(main())
