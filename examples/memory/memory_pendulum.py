"""Train a recurrent and a feed-forward policy to swing up a pendulum whose velocity is hidden.

    python examples/memory/memory_pendulum.py --seed 0 --out runs/memory_pendulum

A controller that observes the velocity is the teacher: it labels the steps of both students with its own torques. The
students observe only the cosine and the sine of the angle. The recurrent student can infer the velocity from earlier
observations; the feed-forward student cannot. Writes `recurrent.npz` and `feed-forward.npz` (every parameter, by its
path), `results.json` and `learning.png` to the folder given by `--out`. Ctrl-C saves the current state. With
`--show-velocity` the students observe the velocity too, which shows whether the feed-forward student lacks only a
memory.
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

from examples.memory.imitation import Hyperparameters, LabelledEpisodes, State, Student, make_actors
from examples.shared.command_line import add_training_options, new_parser, run_and_explain
from examples.shared.hidden_velocity import Episodes, HiddenVelocity, play
from examples.shared.learning_curve import LearningCurve
from examples.shared.pendulum_evaluation import EVALUATION_SEED, Policy
from examples.shared.results import Run, write_results
from examples.shared.results_folder import prepare_folder, save_parameters
from examples.shared.swing_up_teacher import teacher_policy, teacher_torque

EPISODES, CHECKPOINTS = 30, 10
SHOWN = 4  # starts hanging straight down

Students = dict[str, Student]
States = dict[str, State]
Curves = dict[str, LearningCurve]
Play = Callable[[Policy, int, int], Episodes]


def evaluation_episodes(student: Student, play: Play, state: State) -> Episodes:
    """Run evaluation episodes of a student's mean policy."""
    return play(student.policy(state.params), EPISODES, EVALUATION_SEED)


def add_labelled_episodes(
    students: Students, states: States, play: Play, data: LabelledEpisodes, episodes: int, rng: np.random.Generator
) -> None:
    """Add episodes of both students with random torques, labelled with the teacher's torques."""
    for name, student in students.items():
        policy = student.policy(states[name].params, rng)
        played = play(policy, episodes, int(rng.integers(2**31)))
        data.add(played.observations, teacher_torque(played.angle, played.velocity))


def train(students: Students, play: Play, curves: Curves, settings: Hyperparameters, seed: int) -> tuple[States, int]:
    """Train for `settings.steps` steps, or until Ctrl-C; return the states and the number of steps."""
    rng, data, taken = np.random.default_rng(seed), LabelledEpisodes(), 0
    states = {name: student.init(rng) for name, student in students.items()}
    try:
        add(curves, taken, states)
        progress = trange(settings.steps, desc="both students", unit="step")
        for step in progress:
            if step % settings.steps_per_round == 0:
                add_labelled_episodes(students, states, play, data, settings.episodes_per_round, rng)
            batch = data.batch(rng, settings.batch_size)
            learned = {name: student.learn(states[name], *batch) for name, student in students.items()}
            states, taken = {name: state for name, (state, _) in learned.items()}, step + 1
            if step % 10 == 0:
                progress.set_postfix({name: f"{float(loss):.3f}" for name, (_, loss) in learned.items()}, refresh=False)
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


def run(options: argparse.Namespace) -> int:
    """Train, evaluate and save; return the exit status."""
    settings = replace(Hyperparameters(), steps=options.steps)
    wrappers = () if options.show_velocity else (HiddenVelocity,)
    actors = make_actors(settings, 3 if options.show_velocity else 2, options.device)
    students = {name: Student(actor, settings) for name, actor in actors.items()}
    prepare_folder(options.out)
    play_it = functools.partial(play, wrappers=wrappers)
    evaluators = {name: functools.partial(evaluation_episodes, student, play_it) for name, student in students.items()}
    curves = {name: LearningCurve(functools.partial(returns_of, evaluate)) for name, evaluate in evaluators.items()}
    began = time.perf_counter()
    states, taken = train(students, play_it, curves, settings, options.seed)
    found = Run(
        title=f"Pendulum-v1, velocity {'shown' if options.show_velocity else 'hidden'}",
        unit="gradient steps",
        seed=options.seed,
        steps=taken,
        seconds=time.perf_counter() - began,
        settings=asdict(settings),
        curves=curves,
        others={"teacher": play(teacher_policy, EPISODES, EVALUATION_SEED).returns},
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
    add_training_options(parser, Hyperparameters.steps)
    parser.add_argument("--show-velocity", action="store_true", help="do not hide the velocity: no memory is needed")
    return run_and_explain(run, parser.parse_args(), "memory_pendulum")


if __name__ == "__main__":
    sys.exit(main())
