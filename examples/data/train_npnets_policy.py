"""Writes `npnets_policy_pendulum.npz`, a policy for Pendulum-v1 that SAC trained with npnets.

    python examples/data/train_npnets_policy.py

Trains the agent of `examples/online/sac.py`, here on normalized observations, and saves the policy as it acts: network,
parameters, the statistics of the observations, and the bounds of the torque.
"""

from __future__ import annotations

import argparse
import sys
from collections import deque
from dataclasses import replace
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import gymnasium
import numpy as np
from gymnasium.wrappers import TransformObservation
from tqdm import tqdm

from examples.online.off_policy import learn_while_acting
from examples.online.sac import SAC, Hyperparameters
from examples.shared.command_line import new_parser, run_and_explain
from examples.shared.pendulum_evaluation import EVALUATION_SEED, evaluate
from examples.shared.results_folder import prepare_folder, write
from npnets import Policy, normalization

FOLDER, NAME = Path(__file__).resolve().parent, "npnets_policy_pendulum.npz"
STEPS, OBSERVED, EPISODES = 10_000, 1_000, 30


def main() -> int:
    """Read the command line and run; print an error in one line."""
    parser = new_parser("train_npnets_policy", "Train a policy for Pendulum-v1, with statistics of its observations.")
    parser.set_defaults(out=FOLDER)
    return run_and_explain(run, parser.parse_args(), "train_npnets_policy")


def run(options: argparse.Namespace) -> int:
    """Observe, train, save and evaluate."""
    prepare_folder(options.out)
    observed = observe(options.seed)
    agent = SAC(replace(Hyperparameters(), steps=STEPS), 3, 1)
    learning = learn_while_acting(agent, lambda: normalized_env(observed), options.seed)
    _, state, _ = deque(tqdm(learning, total=STEPS + 1), maxlen=1).pop()
    limit = agent.settings.max_action
    actor = state.params["actor"]
    policy = Policy(agent.actor, actor, normalization=observed, to_action="squash", low=-limit, high=limit)
    write(options.out / NAME, policy.save)
    print(f"return of {EPISODES} episodes: {evaluate(policy.act, EPISODES, EVALUATION_SEED).mean():.0f}")
    return 0


def observe(seed: int) -> normalization.Normalization:
    """Return mean and variance of observations while actions are random."""
    env = gymnasium.make("Pendulum-v1")
    env.reset(seed=seed)
    env.action_space.seed(seed)
    observed = normalization.init((3,))
    for _ in range(OBSERVED):
        observation, _, _, truncated, _ = env.step(env.action_space.sample())
        observed = normalization.update(observed, observation[None])
        if truncated:
            env.reset()
    return observed


def normalized_env(observed: normalization.Normalization) -> gymnasium.Env:
    """Return an environment whose observations are normalized."""
    env = gymnasium.make("Pendulum-v1")
    space = gymnasium.spaces.Box(-10.0, 10.0, (3,), np.float32)
    return TransformObservation(env, lambda observation: normalization.normalize(observed, observation), space)


if __name__ == "__main__":
    sys.exit(main())
