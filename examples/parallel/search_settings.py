"""Search settings of TD3 with Optuna (Akiba et al. 2019, arXiv:1907.10902), on several processes at once.

    python examples/parallel/search_settings.py --trials 24 --workers 2 --out runs/search_settings

A trial trains TD3 on Pendulum-v1 for a short time, and its value is the mean return of the policy. Trials that are
worse than the median of those before at the same step are stopped early; a trial that raises an error or ends with NaN
has failed.

The trials are in one SQLite file in the folder of `--out`. The same command may run several times at once, for example
in two terminals, and again later: `--trials` is the number of finished trials in the end, whoever ran them, and no
trial is run twice. Ctrl-C and kill are safe: trials that ran are run again with their settings by the other processes,
or by the next one, after `--lost-after` seconds. SQLite does not work on a network file system; `shared_study.py` says
what several machines need.

Needs `pip install 'npnets[search]'`. Writes `results.json` and `trials.png` to the same folder, and prints the best
settings.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

from examples.online import td3
from examples.parallel.trials_picture import draw
from examples.shared.command_line import at_least, new_parser, run_and_explain
from examples.shared.pendulum_evaluation import evaluate
from examples.shared.results import save
from examples.shared.results_folder import prepare_folder, write
from examples.shared.unsaved_run import UnsavedRun
from npnets import Policy, parallel

SPACE: dict[str, tuple[float, float]] = {
    "actor_lr": (1e-4, 1e-2),
    "critic_lr": (1e-4, 1e-2),
    "tau": (1e-3, 1e-1),
    "hidden_size": (16, 128),
}
"""Lowest and highest value of each setting; the hidden layers have the same width."""

WARMUP, REPORTS, EPISODES, SHOWN = 1000, 5, 30, 5


def train(settings: dict[str, Any], seed: int, report: Callable[[int, float], None], *, steps: int) -> float:
    """Train TD3 with some settings, and return the mean return of its policy.

    Parameters
    ----------
    settings : dict
        A value for each name of `SPACE`.
    seed : int
        Of all random numbers; the evaluation has its own initial states for each seed.
    report : callable
        Is given the mean return after some steps, and raises an exception to stop the training.
    steps : int
        Steps in the environment.
    """
    learning = {name: settings[name] for name in ("actor_lr", "critic_lr", "tau")}
    sizes = (settings["hidden_size"],) * 2
    given = {"seed": seed, "steps": steps, "warmup": WARMUP, "hidden_sizes": sizes, **learning}
    every = max(1, steps // REPORTS)

    def watch(step: int, policy: Callable[[], Policy]) -> None:
        if step % every == 0 and WARMUP < step < steps:  # before, nothing has been learned
            report(step, mean_return(policy(), seed))

    whole = td3.Settings(**{**td3.TUNED["Pendulum-v1"], **given})
    run = UnsavedRun(whole, watch)
    td3.train(whole, run)
    return mean_return(run.policy(), seed)


def mean_return(policy: Policy, seed: int) -> float:
    """Return the mean return of the policy without noise."""
    return float(evaluate(policy.act, EPISODES, seed).mean())


def run(options: argparse.Namespace) -> int:
    """Search, and print, save and draw the results."""
    try:
        from examples.parallel import shared_study
    except ImportError as error:
        raise ImportError(f"the search needs Optuna: pip install 'npnets[search]' ({error})") from None
    prepare_folder(options.out)
    statement = {"algorithm": "TD3", "environment": "Pendulum-v1", "seed": options.seed, "steps": options.steps}
    training = functools.partial(train, steps=options.steps)
    search = shared_study.Search(options.out, SPACE, training, statement, options.lost_after)
    path = options.out / shared_study.DATABASE
    with shared_study.explained(path):
        interrupted, done = False, len(shared_study.finished_trials(shared_study.open_study(search)))
        if done > options.trials:
            raise ValueError(f"{path} has {done} finished trials already: --trials is their number in the end")
        if done < options.trials:
            with parallel.ProcessExecutor(options.workers) as executor:
                work = functools.partial(shared_study.work, search=search, trials=options.trials)
                interrupted = not finished(work, executor)
        rows = shared_study.rows(shared_study.open_study(search))
        if interrupted and not any(row["state"] == "complete" for row in rows):
            return 130
        with shared_study.locked(options.out):  # another process may end at the same time
            write_results(options, rows)
    return 130 if interrupted else 0


def finished(work: Callable[[int], None], executor: parallel.ProcessExecutor) -> bool:
    """Let all processes work; return whether they finished, and not Ctrl-C."""
    try:
        parallel.map_population(work, range(executor.workers), executor)
    except KeyboardInterrupt:
        print("\ninterrupted: the same command continues the search", file=sys.stderr)
        return False
    return True


def write_results(options: argparse.Namespace, trials: list[dict[str, Any]]) -> None:
    """Write the file and the figure, and print the best trials."""
    complete = sorted((row for row in trials if row["state"] == "complete"), key=lambda row: -row["return"])
    if not complete:
        reason = (trials[0]["error"] or "its processes died") if trials else "none is finished"
        raise RuntimeError(f"none of {len(trials)} trials has a return: {reason}")
    results = {
        "title": "TD3 on Pendulum-v1",
        "seed": options.seed,
        "steps": options.steps,
        "space": SPACE,
        "best": complete[0],
        "trials": trials,
    }
    save(options.out / "results.json", results, libraries=("optuna",))
    write(options.out / "trials.png", lambda path: draw(results, path))
    print(f"\n{table(complete[:SHOWN])}")


def table(trials: list[dict[str, Any]]) -> str:
    """Return a table of trials and their settings."""
    lines = [f"{'trial':>5}{'return':>9}" + "".join(f"{name:>13}" for name in SPACE)]
    for row in trials:
        settings = "".join(f"{row['settings'][name]:>13.3g}" for name in SPACE)
        lines.append(f"{row['number']:>5}{row['return']:>9.1f}{settings}")
    return "\n".join(lines)


def main() -> int:
    """Read the command line and run; print an error in one line."""
    parser = new_parser("search_settings", "Search settings of TD3 on several processes at once.")
    parser.add_argument("--trials", type=at_least(1), default=24, help="finished trials in the end (%(default)s)")
    parser.add_argument("--steps", type=at_least(1), default=5000, help="steps of each training (%(default)s)")
    parser.add_argument("--workers", type=at_least(1), help="processes of this command (one for each core)")
    parser.add_argument(
        "--lost-after",
        type=at_least(2),
        default=30,
        metavar="SECONDS",
        help="a trial whose process shows no sign of life for so long is run again (%(default)s)",
    )
    return run_and_explain(run, parser.parse_args(), "search_settings")


if __name__ == "__main__":
    sys.exit(main())
