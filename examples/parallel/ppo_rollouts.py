"""PPO whose rollouts are played by several processes or machines, with the learner's parameters broadcast to them.

    python examples/parallel/ppo_rollouts.py --seed 0 --workers 2 --out runs/ppo_rollouts
    python examples/parallel/ppo_rollouts.py --env InvertedPendulum-v5 --ray --out runs/inverted_pendulum

In each iteration, every task plays a rollout: a fixed number of steps in environments of its own, which it resets,
with actions drawn by its own generator. The learner joins the rollouts in the order of the tasks and learns from them
as `examples/online/ppo.py` does. The number of tasks is a setting of the algorithm and not the number of workers, so
that the same seed gives the same policy, bit for bit, with any number of workers. A rollout whose task fails is left
out.

The environment may be any with vectors as observations, and as actions vectors whose entries are within ±bound;
MuJoCo's need `pip install 'gymnasium[mujoco]'`. `--steps` is rounded down to whole iterations, but at least to one.
Writes `policy.npz`, `results.json` and `learning.png` to the folder given by `--out`, and after each iteration
`checkpoint.npz`, from which `--resume` continues as if the program had never stopped. Ctrl-C saves the current state.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import numpy as np

from examples.online import ppo
from examples.parallel import episodes, program
from examples.shared.command_line import at_least, run_and_explain
from npnets import optim, parallel, training
from npnets.backend import Array
from npnets.normalization import Normalization
from npnets.training import option
from npnets.typing import Params


@dataclass(frozen=True)
class Settings(ppo.Settings):
    """Settings of the example; `num_envs` and `horizon` are those of one rollout."""

    tasks: int = option(8, "rollouts in an iteration", at_least=1)

    @property
    def iterations(self) -> int:
        """Number of iterations, at least one."""
        return max(1, self.steps // (self.tasks * self.num_envs * self.horizon))

    def agent(self) -> ppo.PPO:
        """Return PPO's networks for the environment."""
        envs = episodes.make_environments(self.env, 1)
        envs.close()
        return ppo.PPO(self, envs.single_observation_space, envs.single_action_space)


class State(NamedTuple):
    """State of the training: numbers of iterations and of steps, and what the learner's state has."""

    iteration: int
    steps: int
    params: Params
    adam: optim.AdamState
    return_statistics: Normalization


# -- tasks, on a worker -----------------------------------------------------------------------------------------------


def acting(params: Params) -> ppo.State:
    """Return a state that acts, and has nothing to learn with."""
    nothing: Any = None
    return ppo.State(params, nothing, nothing, nothing)


def play_rollout(agent: ppo.PPO, index: int, *, rng: np.random.Generator, shared: Params) -> ppo.Rollout:
    """Reset environments and play a rollout, with actions that are drawn from the policy."""
    envs = episodes.make_environments(agent.settings.env, agent.settings.num_envs)
    state, at = ppo.begin(agent, envs, acting(shared), rng)
    *_, rollout = ppo.play(agent, envs, state, at, agent.settings.horizon, rng)
    envs.close()
    return rollout


def play_evaluation(agent: ppo.PPO, seeds: Sequence[int], *, shared: Params) -> Array:
    """Return the returns of the policy without noise from some seeds."""
    return episodes.play(agent.settings.env, agent.deterministic(acting(shared)).act, seeds)[0]


# -- an iteration, on the driver --------------------------------------------------------------------------------------


class ParallelPPO:
    """PPO with rollouts of an executor's workers; an object does not change.

    Parameters
    ----------
    settings : Settings
    executor : any
        Of `npnets.parallel`.
    """

    name, unit = "PPO", "iterations"

    def __init__(self, settings: Settings, executor: Any) -> None:
        self.settings, self.seed, self.executor = settings, settings.seed, executor
        self.env, self.agent = settings.env, settings.agent()
        self.actor = self.agent.actor

    def init(self) -> State:
        """Return the state before the first iteration."""
        begun = self.agent.init(np.random.default_rng(self.seed))
        return State(0, 0, begun.params, begun.adam, begun.return_statistics)

    def next(self, state: State) -> State:
        """Collect rollouts and learn from them.

        The generators depend on the seed and on the number of the iteration alone, so that a checkpoint needs none.
        """
        rollout, iteration = self.collect(state), state.iteration + 1
        begun = ppo.State(state.params, state.adam, None, state.return_statistics)
        learned, _ = self.agent.learn(
            begun, rollout, self.agent.lr(state.steps), np.random.default_rng((self.seed, iteration))
        )
        steps = state.steps + int(rollout.valid.sum())
        return State(iteration, steps, learned.params, learned.adam, learned.return_statistics)

    def collect(self, state: State) -> ppo.Rollout:
        """Broadcast the parameters, and join the rollouts that succeed in the order of the tasks."""
        task, seed = functools.partial(play_rollout, self.agent), (self.seed, state.iteration + 1)
        options: dict[str, Any] = {"time_limit": episodes.TIME_LIMIT, "on_failure": "return"}
        tasks = range(self.settings.tasks)
        results = parallel.map_population(task, tasks, self.executor, seed=seed, shared=state.params, **options)
        rollouts = [result for result in results if not isinstance(result, parallel.TaskError)]
        if not rollouts:
            raise RuntimeError(f"iteration {seed[1]}: all {len(results)} rollouts failed; the log has the reasons")
        return ppo.Rollout(*(np.concatenate(columns, axis=1) for columns in zip(*rollouts, strict=True)))

    def saved(self, state: State) -> dict[str, Any]:
        """Return the parameters that `policy.npz` has."""
        actor: dict[str, Any] = state.params["actor"]
        return actor

    def evaluate(self, state: State) -> Array:
        """Return the returns `(30,)` of the policy without noise."""
        task = functools.partial(play_evaluation, self.agent)
        return episodes.evaluate(task, state.params, self.executor)

    def policy(self, state: State) -> episodes.Policy:
        """Return the policy without noise as a function of observations `(n, obs_dim)`."""
        return self.agent.deterministic(acting(state.params)).act

    def environment_steps(self, state: State) -> int:
        """Return the number of steps in all environments."""
        return state.steps


# -- the program ------------------------------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> int:
    """Train, evaluate and save; return the exit status."""
    settings = settings_of(options)
    of_every_run = {field.name for field in fields(training.Settings)} - {"env", "steps"}
    stated = {name: value for name, value in asdict(settings).items() if name not in of_every_run}
    return program.train(options, functools.partial(ParallelPPO, settings), stated, settings.iterations)


def settings_of(options: argparse.Namespace) -> Settings:
    """Return the settings that the options choose; a rollout is as long as the longest episode, unless stated.

    The others are those that `examples/online/ppo.py` has for Pendulum-v1, without statistics of observations, which
    every worker would have to share.
    """
    longest = episodes.spaces_of(options.env).longest_episode
    chosen = {name: getattr(options, name) for name in ("env", "seed", "steps", "tasks")}
    sizes = {"num_envs": options.environments, "horizon": options.horizon or longest or 1000}
    own = {"decay_steps": options.steps, "normalize_observations": False}
    return Settings(**{**ppo.TUNED["Pendulum-v1"], **chosen, **sizes, **own})


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
