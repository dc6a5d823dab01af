"""PPO whose rollouts are played by several processes or machines, with the learner's parameters broadcast to them.

    python examples/parallel/ppo_rollouts.py --seed 0 --workers 2 --out runs/ppo_rollouts
    python examples/parallel/ppo_rollouts.py --env InvertedPendulum-v5 --ray --out runs/inverted_pendulum

In each iteration, every task plays a rollout: a fixed number of steps from a fresh reset of environments of its own,
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
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import gymnasium
import numpy as np
from tqdm import tqdm

from examples.online.ppo import PPO, Hyperparameters, State, learn_from
from examples.online.rollouts import Environments, Rollout
from examples.shared.command_line import at_least, new_parser, run_and_explain
from examples.shared.engine import add_engine_options, engine
from examples.shared.learning_curve import LearningCurve
from examples.shared.pendulum_evaluation import EVALUATION_SEED, SHOWN_SEED, evaluate, record
from examples.shared.results import Run, write_results
from examples.shared.results_folder import prepare_folder, save_policy
from examples.shared.swing_up_teacher import CONTROLLER, teacher_policy
from examples.shared.vector_environment import returns_in, task_of
from npnets import checkpoint, optim, parallel

EPISODES, CHECKPOINTS = 30, 25
TIME_LIMIT = 600.0
"""Seconds after which the task of a rollout has failed."""


@dataclass(frozen=True)
class Settings:
    """What determines the trained policy: the environment's id, a seed, rollouts in an iteration, and PPO's settings.

    `environments` and `horizon` of PPO's settings are those of one rollout.
    """

    env: str
    seed: int
    tasks: int
    ppo: Hyperparameters

    @property
    def iterations(self) -> int:
        """Number of iterations, at least one."""
        return max(1, self.ppo.steps // (self.tasks * self.ppo.environments * self.ppo.horizon))

    def agent(self) -> PPO:
        """Return PPO's networks for the environment."""
        return PPO(self.ppo, *task_of(self.env)[:2])

    def by_name(self) -> dict[str, Any]:
        """Return all settings in one dict."""
        return {"env": self.env, "seed": self.seed, "tasks": self.tasks, **asdict(self.ppo)}


class Progress(NamedTuple):
    """Finished iterations, steps in the environment, seconds, and the training state."""

    iteration: int
    steps: int
    seconds: float
    state: State


# -- on a worker ------------------------------------------------------------------------------------------------------


def play(index: int, settings: Settings, *, rng: np.random.Generator, shared: dict[str, Any]) -> Rollout:
    """Play a rollout from a fresh reset, with actions drawn from the broadcast policy: the task."""
    make_env, number = functools.partial(gymnasium.make, settings.env), settings.ppo.environments
    environments = Environments(make_env, number, seed=int(rng.integers(2**31)))
    rollout = environments.play(settings.agent().draw(shared, rng), settings.ppo.horizon)
    environments.close()
    return rollout


# -- on the driver ----------------------------------------------------------------------------------------------------


def collect(settings: Settings, params: dict[str, Any], seed: Sequence[int], executor: Executor | None) -> Rollout:
    """Have all rollouts of an iteration played, and join those that succeeded in the order of the tasks."""
    task, shared = functools.partial(play, settings=settings), {"actor": params["actor"]}
    options: dict[str, Any] = {"seed": seed, "shared": shared, "time_limit": TIME_LIMIT, "on_failure": "return"}
    results = parallel.map_population(task, range(settings.tasks), executor, **options)
    rollouts = [result for result in results if not isinstance(result, parallel.TaskError)]
    if not rollouts:
        raise RuntimeError(f"every rollout of iteration {seed[-1]} failed; the first: {results[0]}")
    return Rollout(*(np.concatenate(columns, axis=1) for columns in zip(*rollouts, strict=True)))


def next_iteration(settings: Settings, agent: PPO, last: Progress, executor: Executor | None) -> Progress:
    """Collect rollouts and learn from them.

    All random numbers come from the seed and the number of the iteration, so that a checkpoint needs no generator.
    """
    seed = (settings.seed, last.iteration + 1)
    rollout = collect(settings, last.state.params, seed, executor)
    learning_rate = settings.ppo.learning_rate * (1 - last.iteration / settings.iterations)
    state, _ = learn_from(agent, last.state, rollout, learning_rate, np.random.default_rng(seed))
    return last._replace(iteration=last.iteration + 1, steps=last.steps + int(rollout.played.sum()), state=state)


def train(
    settings: Settings, progress: Progress, curve: LearningCurve, executor: Executor | None, file: Path
) -> tuple[Progress, bool]:
    """Train, and save a checkpoint after each iteration; return the progress, and whether Ctrl-C stopped it."""
    agent, every = settings.agent(), max(1, settings.iterations // CHECKPOINTS)
    began, end = time.perf_counter() - progress.seconds, settings.iterations
    try:
        if not curve.steps:
            curve.add(progress.steps, progress.state)
        with tqdm(total=end, initial=progress.iteration, desc="PPO", unit="iteration") as bar:
            while progress.iteration < end:
                progress = next_iteration(settings, agent, progress, executor)
                if progress.iteration in (end, *range(0, end, every)):
                    curve.add(progress.steps, progress.state)
                progress = progress._replace(seconds=time.perf_counter() - began)
                stored = {"progress": progress, "curve": {"steps": curve.steps, "returns": curve.returns}}
                checkpoint.save(file, stored, {"settings": settings})
                bar.set_postfix({"return": f"{curve.returns[-1].mean():.1f}"}, refresh=False)
                bar.update()
    except KeyboardInterrupt:
        print(f"\ninterrupted after iteration {progress.iteration}: saving the current state", file=sys.stderr)
        return progress, True
    return progress, False


def resume(file: Path, settings: Settings, curve: LearningCurve) -> Progress:
    """Read the checkpoint of a run with equal settings: return its progress, and restore its learning curve."""
    if not file.exists():
        raise FileNotFoundError(f"there is nothing to resume: {file} does not exist; run without --resume")
    classes = (Settings, Hyperparameters, Progress, State, optim.AdamState)
    stored, metadata = checkpoint.load(file, classes=classes)
    if not isinstance(metadata.get("settings"), Settings):
        raise ValueError(f"{file} is no checkpoint of this program; choose another folder with --out")
    theirs, given = metadata["settings"].by_name(), settings.by_name()
    others = [f"{name}={value}, not {given[name]}" for name, value in theirs.items() if value != given[name]]
    if others:
        raise ValueError(f"{file} is of a run with {'; '.join(others)}; resume it with the options that it began with")
    curve.steps, curve.returns = stored["curve"]["steps"], stored["curve"]["returns"]
    return stored["progress"]


def run(options: argparse.Namespace) -> int:
    """Train, evaluate and save; return the exit status."""
    settings, file = settings_of(options), options.out / "checkpoint.npz"
    agent = settings.agent()

    def policy_of(state: State) -> Any:
        return functools.partial(agent.act, state.params)

    curve = LearningCurve(lambda state: returns_in(settings.env, policy_of(state), EPISODES, EVALUATION_SEED))
    first = Progress(0, 0, 0.0, agent.init(np.random.default_rng(settings.seed)))
    progress = resume(file, settings, curve) if options.resume else first
    prepare_folder(options.out)
    with engine(options) as executor:
        progress, interrupted = train(settings, progress, curve, executor, file)
    curve.add(progress.steps, progress.state)
    on_pendulum = settings.env == "Pendulum-v1"
    found = Run(
        title=f"PPO on {settings.env}",
        unit="steps in the environment",
        seed=settings.seed,
        steps=progress.steps,
        seconds=progress.seconds,
        settings=settings.by_name(),
        curves={"PPO": curve},
        others={CONTROLLER: evaluate(teacher_policy, EPISODES, EVALUATION_SEED)} if on_pendulum else {},
        episodes={"PPO": record(policy_of(progress.state), SHOWN_SEED)} if on_pendulum else {},
    )
    save_policy(options.out / "policy.npz", progress.state.params["actor"], agent.actor)
    write_results(options.out, found)
    return 130 if interrupted else 0


def settings_of(options: argparse.Namespace) -> Settings:
    """Return the settings that the options choose; rollouts are as long as an episode, unless stated."""
    task = task_of(options.env)
    sizes = {"environments": options.environments, "horizon": options.horizon or task.longest_episode or 1000}
    ppo = Hyperparameters(steps=options.steps, max_action=task.max_action, **sizes)
    return Settings(options.env, options.seed, options.tasks, ppo)


def main() -> int:
    """Read the command line and run; print an error in one line."""
    parser = new_parser("ppo_rollouts", "Train PPO with rollouts on several processes or machines.")
    parser.add_argument("--env", default="Pendulum-v1", metavar="ID", help="Gymnasium environment (%(default)s)")
    parser.add_argument("--steps", type=at_least(1), default=160_000, help="steps in all environments (%(default)s)")
    parser.add_argument("--tasks", type=at_least(1), default=8, help="rollouts in each iteration (%(default)s)")
    parser.add_argument("--environments", type=at_least(1), default=2, help="environments of a rollout (%(default)s)")
    parser.add_argument("--horizon", type=at_least(1), help="steps of a rollout in each (those of the longest episode)")
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoint in the folder of --out")
    add_engine_options(parser)
    return run_and_explain(run, parser.parse_args(), "ppo_rollouts")


if __name__ == "__main__":
    sys.exit(main())
