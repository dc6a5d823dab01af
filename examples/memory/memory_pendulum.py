"""Teach a policy with a memory and one without to swing up a pendulum whose velocity neither can see.

    python examples/memory/memory_pendulum.py --seed 0 --out runs/memory_pendulum

A controller that sees the velocity teaches both by correcting them on what they do; they see the cosine and the sine
of the angle alone. The recurrent student can work the velocity out from what it saw before, the feed-forward one
cannot. Into the folder given by `--out` go `recurrent.npz` and `feed-forward.npz` (every parameter, by its path),
`results.json` and `memory.png`. Ctrl-C saves what there is. `--show-velocity` hides nothing from either: what the
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
from examples.shared.command_line import add_training_options, run_and_explain
from examples.shared.hidden_velocity import Episodes, HiddenVelocity, play
from examples.shared.memory_plot import plot
from examples.shared.pendulum_evaluation import EVALUATION_SEED, Policy
from examples.shared.results_folder import make_ready, save_parameters, save_results, table, write
from examples.shared.swing_up_teacher import teacher_policy, teacher_torque

EPISODES, CHECKPOINTS = 30, 10
SHOWN = 4  # starts hanging straight down

Students = dict[str, Student]
States = dict[str, State]
Play = Callable[[Policy, int, int], Episodes]


class Curves:
    """The evaluation episodes of both students at some steps of their training; the last are of what is saved."""

    def __init__(self, students: Students, play: Play) -> None:
        self.students, self.play = students, play
        self.steps: list[int] = []
        self.returns: dict[str, list[Any]] = {name: [] for name in students}
        self.last: dict[str, Episodes] = {}

    def add(self, step: int, states: States) -> None:
        """Play the policies that a step led to, each taking its distribution's mean, unless that was done already."""
        if step in self.steps:
            return
        policies = {name: student.policy(states[name].params) for name, student in self.students.items()}
        self.last = {name: self.play(policy, EPISODES, EVALUATION_SEED) for name, policy in policies.items()}
        self.steps.append(step)
        for name, episodes in self.last.items():
            self.returns[name].append(episodes.returns)


def play_and_be_taught(
    students: Students, states: States, play: Play, lessons: Lessons, episodes: int, rng: np.random.Generator
) -> None:
    """Let both students play, with torques drawn from their distributions, and the teacher say what it would do."""
    for name, student in students.items():
        policy = student.policy(states[name].params, rng)
        played = play(policy, episodes, int(rng.integers(2**31)))
        lessons.add(played.observations, teacher_torque(played.angle, played.velocity))


def train(curves: Curves, settings: Hyperparameters, seed: int) -> tuple[States, int]:
    """Learn for as many steps as the settings say, or until Ctrl-C; say how many were taken."""
    students, rng, lessons, taken = curves.students, np.random.default_rng(seed), Lessons(), 0
    states = {name: student.init(rng) for name, student in students.items()}
    try:
        curves.add(0, states)
        progress = trange(settings.steps, desc="both students", unit="step")
        for step in progress:
            if step % settings.steps_per_round == 0:
                play_and_be_taught(students, states, curves.play, lessons, settings.episodes_per_round, rng)
            batch = lessons.batch(rng, settings.batch_size)
            learned = {name: student.learn(states[name], *batch) for name, student in students.items()}
            states, taken = {name: state for name, (state, _) in learned.items()}, step + 1
            if step % 10 == 0:
                progress.set_postfix({name: f"{float(loss):.3f}" for name, (_, loss) in learned.items()}, refresh=False)
            if taken % max(1, settings.steps // CHECKPOINTS) == 0:
                curves.add(taken, states)
    except KeyboardInterrupt:
        print(f"\ninterrupted at step {taken}: saving what there is", file=sys.stderr)
    curves.add(taken, states)
    return states, taken


def report(out: Path, curves: Curves, facts: dict[str, Any]) -> None:
    """Write results and picture, and print the table."""
    teacher = play(teacher_policy, EPISODES, EVALUATION_SEED).returns
    returns = {"teacher": teacher, **{name: episodes.returns for name, episodes in curves.last.items()}}
    save_results(out / "results.json", returns, facts)
    if len(curves.steps) > 1:
        shown = {name: episodes.episode(SHOWN) for name, episodes in curves.last.items()}
        drawn = {name: np.array(earned) for name, earned in curves.returns.items()}
        title = f"Pendulum-v1 with its velocity {'shown' if facts['velocity_shown'] else 'hidden'}"
        picture = title, np.array(curves.steps), drawn, float(teacher.mean()), shown
        write(out / "memory.png", lambda path: plot(path, *picture))
    print(f"\n{table(returns)}")


def run(options: argparse.Namespace) -> int:
    """Do all that the options ask for; return the exit status."""
    settings = replace(Hyperparameters(), steps=options.steps)
    wrappers = () if options.show_velocity else (HiddenVelocity,)
    actors = make_actors(settings, 3 if options.show_velocity else 2, options.device)
    students = {name: Student(actor, settings) for name, actor in actors.items()}
    make_ready(options.out)
    curves, began = Curves(students, functools.partial(play, wrappers=wrappers)), time.perf_counter()
    states, taken = train(curves, settings, options.seed)
    facts = {"seed": options.seed, "velocity_shown": options.show_velocity, "steps_taken": taken}
    facts["seconds_with_evaluations"] = time.perf_counter() - began
    for name, state in states.items():
        save_parameters(options.out / f"{name}.npz", state.params)
    report(options.out, curves, {**facts, "settings": asdict(settings)})
    return 0 if taken == settings.steps else 130


def main() -> int:
    """Read the command line and run, and say in one line what went wrong if something did."""
    parser = argparse.ArgumentParser(description="Teach policies with and without a memory a task that needs one.")
    add_training_options(parser, Hyperparameters.steps, "runs/memory_pendulum")
    parser.add_argument("--show-velocity", action="store_true", help="hide nothing, so that no memory is needed")
    return run_and_explain(run, parser.parse_args(), "memory_pendulum")


if __name__ == "__main__":
    sys.exit(main())
