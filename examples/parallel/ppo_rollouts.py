"""PPO whose rollouts are played by several processes or machines, with the learner's parameters broadcast to them.

    python examples/parallel/ppo_rollouts.py --seed 0 --workers 2 --out runs/ppo_rollouts
    python examples/parallel/ppo_rollouts.py --env InvertedPendulum-v5 --ray --out runs/inverted_pendulum

In each iteration, every task plays a rollout: a fixed number of steps in environments of its own, which it resets,
with actions drawn by its own generator. The learner joins the rollouts in the order of the tasks and learns from them
as `examples/online/ppo.py` does. The number of tasks is a setting of the algorithm and not the number of workers, so
that the same seed gives the same policy, bit for bit, with any number of workers. A rollout whose task fails is left
out.

Every environment with vectors as observations and actions will do; MuJoCo's need `pip install 'gymnasium[mujoco]'`.
Writes `policy.npz`, `results.json` and `learning.png` to the folder given by `--out`, and after each iteration
`checkpoint.npz`, from which `--resume` continues as if the program had never stopped. Ctrl-C saves the current state.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import numpy as np

from examples.online import ppo
from examples.online.rollouts import Array, Environments, Rollout
from examples.parallel import episodes, program
from examples.shared.command_line import at_least, run_and_explain
from npnets import parallel


@dataclass(frozen=True)
class Settings:
    """Settings of the example.

    Attributes
    ----------
    env
        Id of the Gymnasium environment.
    tasks
        Number of rollouts in each iteration.
    learner
        PPO's settings; `environments` and `horizon` are those of one rollout.
    """

    env: str
    tasks: int
    learner: ppo.Hyperparameters

    @property
    def iterations(self) -> int:
        """Number of iterations, at least one."""
        return max(1, self.learner.steps // (self.tasks * self.learner.environments * self.learner.horizon))

    def agent(self) -> ppo.PPO:
        """Return PPO's networks for the environment."""
        return ppo.PPO(self.learner, *episodes.spaces_of(self.env)[:2])


class State(NamedTuple):
    """State of the training: numbers of iterations and of steps, parameters, Adam's state."""

    iteration: int
    steps: int
    params: dict[str, Any]
    optimizer: Any


# -- tasks, on a worker -----------------------------------------------------------------------------------------------


def play_rollout(agent: ppo.PPO, env: str, index: int, *, rng: np.random.Generator, shared: dict[str, Any]) -> Rollout:
    """Reset environments and play a rollout, with actions that are drawn from the policy."""
    envs = episodes.make_environments(env, agent.settings.environments)
    environments = Environments(envs, seed=int(rng.integers(2**31)))
    rollout = environments.play(agent.draw(shared, rng), agent.settings.horizon)
    environments.close()
    return rollout


def play_evaluation(agent: ppo.PPO, env: str, seeds: Sequence[int], *, shared: dict[str, Any]) -> Array:
    """Return the returns of the policy without noise from some seeds."""
    return episodes.play(env, functools.partial(agent.act, shared), seeds)[0]


# -- an iteration, on the driver --------------------------------------------------------------------------------------


class ParallelPPO:
    """PPO with rollouts of an executor's workers; an object does not change.

    Parameters
    ----------
    settings : Settings
    seed : int
        Of all random numbers.
    executor : any
        Of `npnets.parallel`.
    """

    name, unit = "PPO", "iterations"

    def __init__(self, settings: Settings, seed: int, executor: Any) -> None:
        self.settings, self.seed, self.executor = settings, seed, executor
        self.env, self.agent = settings.env, settings.agent()
        self.actor = self.agent.actor

    def init(self) -> State:
        """Return the state before the first iteration."""
        return State(0, 0, *self.agent.init(np.random.default_rng(self.seed)))

    def next(self, state: State) -> State:
        """Collect rollouts and learn from them.

        The generators depend on the seed and on the number of the iteration alone, so that a checkpoint needs none.
        """
        rollout, iteration = self.collect(state), state.iteration + 1
        learning_rate = self.settings.learner.learning_rate * (1 - state.iteration / self.settings.iterations)
        rng = np.random.default_rng((self.seed, iteration))
        learned, _ = ppo.learn_from(self.agent, ppo.State(state.params, state.optimizer), rollout, learning_rate, rng)
        return State(iteration, state.steps + int(rollout.played.sum()), *learned)

    def collect(self, state: State) -> Rollout:
        """Broadcast the parameters, and join the rollouts that succeed in the order of the tasks."""
        task, seed = functools.partial(play_rollout, self.agent, self.env), (self.seed, state.iteration + 1)
        shared = {"actor": self.saved(state)}
        options: dict[str, Any] = {"shared": shared, "time_limit": episodes.TIME_LIMIT, "on_failure": "return"}
        results = parallel.map_population(task, range(self.settings.tasks), self.executor, seed=seed, **options)
        rollouts = [result for result in results if not isinstance(result, parallel.TaskError)]
        if not rollouts:
            raise RuntimeError(f"iteration {seed[1]}: all {len(results)} rollouts failed; the log has the reasons")
        return Rollout(*(np.concatenate(columns, axis=1) for columns in zip(*rollouts, strict=True)))

    def saved(self, state: State) -> dict[str, Any]:
        """Return the parameters of the policy, which workers need and `policy.npz` has."""
        actor: dict[str, Any] = state.params["actor"]
        return actor

    def evaluate(self, state: State) -> Array:
        """Return the returns `(30,)` of the policy without noise."""
        task = functools.partial(play_evaluation, self.agent, self.env)
        return episodes.evaluate(task, {"actor": self.saved(state)}, self.executor)

    def policy(self, state: State) -> episodes.Policy:
        """Return the policy without noise as a function of observations `(n, obs_dim)`."""
        return functools.partial(self.agent.act, state.params)

    def environment_steps(self, state: State) -> int:
        """Return the number of steps in all environments."""
        return state.steps


# -- the program ------------------------------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> int:
    """Train, evaluate and save; return the exit status."""
    settings = settings_of(options)
    stated = {"env": settings.env, "tasks": settings.tasks, **asdict(settings.learner)}
    training = functools.partial(ParallelPPO, settings, options.seed)
    return program.train(options, training, stated, settings.iterations)


def settings_of(options: argparse.Namespace) -> Settings:
    """Return the settings that the options choose; a rollout is as long as the longest episode, unless stated."""
    *_, max_action, longest = episodes.spaces_of(options.env)
    sizes = {"environments": options.environments, "horizon": options.horizon or longest or 1000}
    learner = ppo.Hyperparameters(steps=options.steps, max_action=max_action, **sizes)
    return Settings(options.env, options.tasks, learner)


def main() -> int:
    """Read the command line and run; print an error in one line."""
    parser = program.training_parser("ppo_rollouts", "Train a policy by PPO with rollouts on several processes.")
    parser.add_argument("--steps", type=at_least(1), default=160_000, help="steps in all environments (%(default)s)")
    parser.add_argument("--tasks", type=at_least(1), default=8, help="rollouts in an iteration (%(default)s)")
    parser.add_argument("--environments", type=at_least(1), default=2, help="environments of a rollout (%(default)s)")
    parser.add_argument("--horizon", type=at_least(1), help="steps of a rollout in each (those of the longest episode)")
    return run_and_explain(run, parser.parse_args(), "ppo_rollouts")


if __name__ == "__main__":
    sys.exit(main())
