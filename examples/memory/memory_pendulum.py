"""Train a recurrent and a feed-forward policy to swing up a pendulum whose velocity is hidden.

    python examples/memory/memory_pendulum.py --seed 0 --out runs/memory_pendulum

Both are students of `recurrent_imitation.py` and differ only in memory: they share the labelled episodes, the batches,
the loss, the optimizer and the number of steps, and are about equally large. A controller that observes the velocity is
the teacher: it labels the steps of both with its own torques. The students observe only the cosine and the sine of the
angle. The recurrent student can infer the velocity from earlier observations; the feed-forward student cannot. Writes
`recurrent.npz` and `feed-forward.npz` (every parameter, by its path), `results.json` and `learning.png` to the folder
given by `--out`. Ctrl-C saves the current state. With `--show-velocity` the students observe the velocity too, which
shows whether the feed-forward student lacks only a memory.
"""

from __future__ import annotations

import argparse
import functools
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import numpy as np
from tqdm import trange

import npnets
from examples.memory.recurrent_imitation import (
    TUNED,
    Settings,
    State,
    Student,
    SwingUp,
    empty_buffer,
    sample,
    swing_up,
    whole_episodes,
)
from examples.shared.command_line import add_training_options, new_parser, run_and_explain
from examples.shared.learning_curve import LearningCurve
from examples.shared.pendulum_episodes import Episodes, play
from examples.shared.pendulum_evaluation import EVALUATION_SEED, Policy
from examples.shared.results import Run, write_results
from examples.shared.results_folder import prepare_folder, save_parameters
from npnets import training
from npnets.backend import to_numpy

ENV = "Pendulum-v1"
RECURRENT, FEED_FORWARD = "recurrent", "feed-forward"
HIDDEN_SIZES = (128, 128)
"""Of the feed-forward student, which has 17,026 parameters; the recurrent one has 17,474."""

EPISODES, CHECKPOINTS = 30, 10
SHOWN = 4  # starts hanging straight down

Students = dict[str, Student]
States = dict[str, State]
Curves = dict[str, LearningCurve]
Play = Callable[[Policy, int, int], Episodes]


@dataclass(frozen=True)
class Memoryless:
    """An actor without a memory in the place of a recurrent one: it takes each step of an episode alone."""

    actor: npnets.ActorProb

    def init(self, rng: np.random.Generator) -> Any:
        """Draw parameters."""
        return self.actor.init(rng)

    def forward(self, params: Any, obs: Any, state: None = None, *, all_steps: bool = False) -> Any:
        """Return mean and standard deviation for observations `(..., entries)`, and no state."""
        (mu, sigma), _ = self.actor.forward(params, obs.reshape((-1, obs.shape[-1])))
        shape = (*obs.shape[:-1], mu.shape[-1])
        return (mu.reshape(shape), sigma.reshape(shape)), None


def make_students(settings: Settings) -> Students:
    """Return both students, each of which returns a normal distribution over torques."""
    env, device = training.make_env(ENV), settings.device
    spaces = env.observation_space, env.action_space
    net = npnets.Net(3 - len(settings.hide), hidden_sizes=HIDDEN_SIZES, device=device)
    memoryless = Memoryless(npnets.ActorProb(net, env.action_space, device=device))
    return {RECURRENT: Student(settings, *spaces), FEED_FORWARD: Student(settings, *spaces, memoryless)}


def acting(student: Student, state: State) -> Policy:
    """Return a student's mean policy for new episodes: a function of the observations `(n, entries)` of one step.

    Its memory passes from call to call.
    """
    policy, memory = student.policy(state), None

    def act(observations: Any) -> Any:
        nonlocal memory
        torques, memory = policy.step(observations, memory)
        return to_numpy(torques)

    return act


def evaluation_episodes(student: Student, play: Play, state: State) -> Episodes:
    """Run evaluation episodes of a student's mean policy."""
    return play(acting(student, state), EPISODES, EVALUATION_SEED)


def train(students: Students, curves: Curves, settings: Settings) -> tuple[States, int]:
    """Train for `settings.steps` steps, or until Ctrl-C; return the states and the number of steps."""
    rng, buffer, taken = np.random.default_rng(settings.seed), empty_buffer(settings), 0
    envs, episodes = training.make_envs(ENV, settings.episodes_per_round), whole_episodes(buffer)
    states = {name: student.init(rng) for name, student in students.items()}
    try:
        add(curves, taken, states)
        progress = trange(settings.steps, desc="both students", unit="step")
        for step in progress:
            if step % settings.steps_per_round == 0:
                for name, student in students.items():
                    states[name] = student.play(states[name], envs, SwingUp(), buffer, rng)
                episodes = whole_episodes(buffer)
            batch = sample(buffer, episodes, rng, settings.batch_size)
            learned = {name: student.learn(states[name], batch) for name, student in students.items()}
            states, taken = {name: state for name, (state, _) in learned.items()}, step + 1
            if step % 10 == 0:
                losses = {name: f"{float(found['loss']):.3f}" for name, (_, found) in learned.items()}
                progress.set_postfix(losses, refresh=False)
            if taken % max(1, settings.steps // CHECKPOINTS) == 0:
                add(curves, taken, states)
    except KeyboardInterrupt:
        print(f"\ninterrupted at step {taken}: saving the current state", file=sys.stderr)
    add(curves, taken, states)
    return states, taken


def returns_of(evaluate: Callable[[State], Any], state: State) -> Any:
    """Return the returns `(episodes,)` of evaluation episodes."""
    return evaluate(state).returns


def add(curves: Curves, step: int, states: States) -> None:
    """Evaluate both students."""
    for name, curve in curves.items():
        curve.add(step, states[name])


def settings_of(options: argparse.Namespace) -> Settings:
    """Return the settings of a run: those that are tuned for Pendulum-v1, and the command line's."""
    given: dict[str, Any] = {name: getattr(options, name) for name in ("seed", "steps", "device")}
    return Settings(**{**TUNED[ENV], **given, **({"hide": ()} if options.show_velocity else {})})


def run(options: argparse.Namespace) -> int:
    """Train, evaluate and save; return the exit status."""
    settings = settings_of(options)
    students = make_students(settings)
    prepare_folder(options.out)
    play_it = functools.partial(play, wrappers=(settings.wrap,))
    evaluators = {name: functools.partial(evaluation_episodes, student, play_it) for name, student in students.items()}
    curves = {name: LearningCurve(functools.partial(returns_of, evaluate)) for name, evaluate in evaluators.items()}
    began = time.perf_counter()
    states, taken = train(students, curves, settings)
    found = Run(
        title=f"Pendulum-v1, velocity {'shown' if options.show_velocity else 'hidden'}",
        unit="gradient steps",
        seed=settings.seed,
        steps=taken,
        seconds=time.perf_counter() - began,
        settings=asdict(settings),
        curves=curves,
        others={"teacher": play(swing_up, EPISODES, EVALUATION_SEED).returns},
        episodes={name: evaluate(states[name]).episode(SHOWN) for name, evaluate in evaluators.items()},
        more={"velocity_shown": options.show_velocity},
    )
    for name, state in states.items():
        save_parameters(options.out / f"{name}.npz", state.params)
    write_results(options.out, found)
    return 0 if taken == settings.steps else 130


def main() -> int:
    """Read the command line and run; print an error in one line."""
    parser = new_parser("memory_pendulum", "Train policies with and without a memory on a task that needs one.")
    add_training_options(parser, int(TUNED[ENV]["steps"]))
    parser.add_argument("--show-velocity", action="store_true", help="do not hide the velocity: no memory is needed")
    return run_and_explain(run, parser.parse_args(), "memory_pendulum")


if __name__ == "__main__":
    sys.exit(main())
