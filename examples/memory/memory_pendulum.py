"""Teach a policy with a memory and one without to swing up a pendulum whose velocity neither can see.

    python examples/memory/memory_pendulum.py --seed 0 --out runs/memory_pendulum

A controller that sees the velocity teaches both by correcting them on what they do; they see the cosine and the sine
of the angle alone. The recurrent student can work the velocity out from what it saw before, the feed-forward one
cannot. Into the folder given by `--out` go `recurrent.npz` and `feed-forward.npz` (every parameter, by its path),
`results.json` and `learning.png`. Ctrl-C saves what there is. `--show-velocity` hides nothing from either: what the
feed-forward one learns then tells whether a memory was all that it lacked.
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

from examples.memory.imitation import Hyperparameters, Lessons, State, Student, make_actors
from examples.shared.command_line import add_training_options, new_parser, run_and_explain
from examples.shared.hidden_velocity import Episodes, HiddenVelocity, play
from examples.shared.learning_curve import LearningCurve
from examples.shared.pendulum_evaluation import EVALUATION_SEED, Policy
from examples.shared.results import Run, conclude
from examples.shared.results_folder import make_ready, save_parameters
from examples.shared.swing_up_teacher import teacher_policy, teacher_torque

EPISODES, CHECKPOINTS = 30, 10
SHOWN = 4  # starts hanging straight down

Students = dict[str, Student]
States = dict[str, State]
Curves = dict[str, LearningCurve]
Play = Callable[[Policy, int, int], Episodes]


def judged(student: Student, play: Play, state: State) -> Episodes:
    """Play the policy that a step led to, which takes its distribution's mean."""
    return play(student.policy(state.params), EPISODES, EVALUATION_SEED)


def play_and_be_taught(
    students: Students, states: States, play: Play, lessons: Lessons, episodes: int, rng: np.random.Generator
) -> None:
    """Let both students play, with torques drawn from their distributions, and the teacher say what it would do."""
    for name, student in students.items():
        policy = student.policy(states[name].params, rng)
        played = play(policy, episodes, int(rng.integers(2**31)))
        lessons.add(played.observations, teacher_torque(played.angle, played.velocity))


def train(students: Students, play: Play, curves: Curves, settings: Hyperparameters, seed: int) -> tuple[States, int]:
    """Learn for as many steps as the settings say, or until Ctrl-C; say how many were taken."""
    rng, lessons, taken = np.random.default_rng(seed), Lessons(), 0
    states = {name: student.init(rng) for name, student in students.items()}
    try:
        add(curves, taken, states)
        progress = trange(settings.steps, desc="both students", unit="step")
        for step in progress:
            if step % settings.steps_per_round == 0:
                play_and_be_taught(students, states, play, lessons, settings.episodes_per_round, rng)
            batch = lessons.batch(rng, settings.batch_size)
            learned = {name: student.learn(states[name], *batch) for name, student in students.items()}
            states, taken = {name: state for name, (state, _) in learned.items()}, step + 1
            if step % 10 == 0:
                progress.set_postfix({name: f"{float(loss):.3f}" for name, (_, loss) in learned.items()}, refresh=False)
            if taken % max(1, settings.steps // CHECKPOINTS) == 0:
                add(curves, taken, states)
    except KeyboardInterrupt:
        print(f"\ninterrupted at step {taken}: saving what there is", file=sys.stderr)
    add(curves, taken, states)
    return states, taken


def returns_of(judge: Callable[[State], Any], state: State) -> Any:
    """Return the returns `(episodes,)` that a judge finds."""
    return judge(state).returns


def add(curves: Curves, step: int, states: States) -> None:
    """Judge both students."""
    for name, curve in curves.items():
        curve.add(step, states[name])


def run(options: argparse.Namespace) -> int:
    """Do all that the options ask for; return the exit status."""
    settings = replace(Hyperparameters(), steps=options.steps)
    wrappers = () if options.show_velocity else (HiddenVelocity,)
    actors = make_actors(settings, 3 if options.show_velocity else 2, options.device)
    students = {name: Student(actor, settings) for name, actor in actors.items()}
    make_ready(options.out)
    play_it = functools.partial(play, wrappers=wrappers)
    judges = {name: functools.partial(judged, student, play_it) for name, student in students.items()}
    curves = {name: LearningCurve(functools.partial(returns_of, judge)) for name, judge in judges.items()}
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
        episodes={name: judge(states[name]).episode(SHOWN) for name, judge in judges.items()},
        more={"velocity_shown": options.show_velocity},
    )
    for name, state in states.items():
        save_parameters(options.out / f"{name}.npz", state.params)
    conclude(options.out, found)
    return 0 if taken == settings.steps else 130


def main() -> int:
    """Read the command line and run, and say in one line what went wrong if something did."""
    parser = new_parser("memory_pendulum", "Teach policies with and without a memory a task that needs one.")
    add_training_options(parser, Hyperparameters.steps)
    parser.add_argument("--show-velocity", action="store_true", help="hide nothing, so that no memory is needed")
    return run_and_explain(run, parser.parse_args(), "memory_pendulum")


if __name__ == "__main__":
    sys.exit(main())
