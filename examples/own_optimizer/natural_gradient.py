"""Train a policy by natural gradient steps within a trust region (TRPO: Schulman et al. 2015, arXiv:1502.05477).

    python examples/own_optimizer/natural_gradient.py --seed 0 --out runs/natural_gradient

Each step collects episodes of Pendulum-v1 and increases their surrogate advantage along the natural gradient, as far as
a limit on the mean KL divergence from the old policy allows. The Fisher matrix is never formed: it is the Hessian of
this divergence, `hvp` multiplies vectors by it, and SciPy's conjugate gradients need only these products. Writes
`policy.npz`, `results.json` and `learning.png` to the folder given by `--out`. Ctrl-C saves the current state.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import numpy as np
from numpy.typing import NDArray
from tqdm import trange

from examples.memory.recurrent_imitation import swing_up
from examples.own_optimizer.advantages import advantages_of
from examples.own_optimizer.trust_region import ACTOR, LARGEST_KL, Batch, Step, policy_of, trust_region_step
from examples.shared.command_line import at_least, new_parser, run_and_explain
from examples.shared.learning_curve import LearningCurve
from examples.shared.pendulum_episodes import play
from examples.shared.pendulum_evaluation import CONTROLLER, EVALUATION_SEED, SHOWN_SEED, Policy, evaluate, record
from examples.shared.results import Run, write_results
from examples.shared.results_folder import prepare_folder, save_policy

EPISODES, CHECKPOINTS = 30, 15


def collect_batch(params: Any, episodes: int, rng: np.random.Generator) -> Batch:
    """Collect episodes with torques drawn from the policy."""
    played = play(lambda seen: policy_of(params, seen).sample(rng), episodes, int(rng.integers(2**31)))
    observations = played.observations.reshape(-1, 3)
    torques = played.torque.astype(np.float32).reshape(-1, 1)
    return Batch(observations, torques, advantages_of(played), policy_of(params, observations))


def mean_policy(params: Any) -> Policy:
    """The policy that applies its distribution's mean."""
    return lambda seen: policy_of(params, seen).mode()


def returns_of(params: Any) -> NDArray[np.float64]:
    """Returns of a policy that applies its distribution's mean."""
    return evaluate(mean_policy(params), EPISODES, EVALUATION_SEED)


def train(
    params: Any, iterations: int, episodes: int, rng: np.random.Generator, curve: LearningCurve
) -> tuple[Step, int]:
    """Collect episodes and take steps in turn, until Ctrl-C; return the last step and the number of steps."""
    step, taken = Step(params, 0.0, 0.0), 0
    try:
        curve.add(taken, params)
        for iteration in (progress := trange(1, iterations + 1, desc="TRPO", unit="step")):
            step = trust_region_step(step.params, collect_batch(step.params, episodes, rng))
            taken = iteration
            progress.set_postfix(kl=f"{step.kl:.4f}", gain=f"{step.gain:.3f}", refresh=False)
            if iteration % max(1, iterations // CHECKPOINTS) == 0:
                curve.add(taken, step.params)
    except KeyboardInterrupt:
        print("\ninterrupted: saving the current state", file=sys.stderr)
    curve.add(taken, step.params)
    return step, taken


def run(options: argparse.Namespace) -> int:
    """Train, and print, save and draw the results."""
    prepare_folder(options.out)
    rng, curve, began = np.random.default_rng(options.seed), LearningCurve(returns_of), time.perf_counter()
    settings = {"iterations": options.iterations, "episodes": options.episodes}
    step, taken = train(ACTOR.init(rng), **settings, rng=rng, curve=curve)
    found = Run(
        title="TRPO on Pendulum-v1",
        unit="natural gradient steps",
        seed=options.seed,
        steps=taken,
        seconds=time.perf_counter() - began,
        settings={**settings, "largest_divergence": LARGEST_KL},
        curves={"TRPO": curve},
        others={CONTROLLER: evaluate(swing_up, EPISODES, EVALUATION_SEED)},
        episodes={"TRPO": record(mean_policy(step.params), SHOWN_SEED)},
        more={"last_step": {"divergence": step.kl, "surrogate_advantage": step.gain}},
    )
    save_policy(options.out / "policy.npz", step.params, ACTOR)
    write_results(options.out, found)
    print(f"last step: divergence {step.kl:.4f} (at most {LARGEST_KL}), surrogate advantage {step.gain:+.4f}")
    return 0 if taken == options.iterations else 130


def main() -> int:
    """Read the command line and run; print an error in one line."""
    parser = new_parser("natural_gradient", "Train a policy by natural gradient steps within a trust region.")
    parser.add_argument("--iterations", type=at_least(1), default=50, help="natural gradient steps (%(default)s)")
    parser.add_argument("--episodes", type=at_least(1), default=40, help="episodes for each step (%(default)s)")
    return run_and_explain(run, parser.parse_args(), "natural_gradient")


if __name__ == "__main__":
    sys.exit(main())
