"""The tables of external optimizers: L-BFGS-B, Lion, CMA-ES and a natural gradient."""

from __future__ import annotations

import statistics

from benchmarks.publish.learning_blocks import command, score, seeds
from benchmarks.publish.markup import Table
from benchmarks.publish.records import Record, Records

CONTROLLER = "hand-made controller"

DOES = {
    "lbfgs_cloning": ("SciPy's L-BFGS-B clones a controller, with bounds on parameters", ("L-BFGS-B",)),
    "lion_cloning": ("Lion, written in ten lines, and Adam clone it", ("Lion", "Adam")),
    "cma_es_policy": ("CMA-ES searches the weights of a policy for CartPole-v1", ("CMA-ES",)),
    "natural_gradient": ("a trust region by conjugate gradients on Hessian-vector products", ("TRPO",)),
}
"""The description of each program, and the policies whose returns are shown."""


def all_of_them(records: Records) -> Table:
    """Return the returns of all programs, a row for each."""
    rows = []
    for name, (does, policies) in DOES.items():
        runs = records.seeds(name)
        rows.append([command(runs[0]), does, *(", ".join(mean(run, policy) for policy in policies) for run in runs)])
    return Table(["command", "method", *seeds(records.seeds("lbfgs_cloning"))], rows)


def lbfgs(records: Records) -> Table:
    """Return the results of L-BFGS-B, a row for each seed."""
    header = [
        "seed",
        "loss before",
        "loss after",
        "evaluations",
        "parameters on a bound",
        "return",
        "controller's return",
    ]
    rows = []
    for run in records.seeds("lbfgs_cloning"):
        found = run["results"]
        losses = [f"{found[name]:.3f}" for name in ("loss_before", "loss_after")]
        counts = [str(found[name]) for name in ("steps", "parameters_on_a_bound")]
        rows.append([str(found["seed"]), *losses, *counts, mean(run, "L-BFGS-B"), mean(run, CONTROLLER)])
    return Table(header, rows)


def lion(records: Records) -> Table:
    """Return the results of Lion and Adam, a row for each seed."""
    header = ["seed", "loss before", "loss, Lion", "loss, Adam", "return, Lion", "return, Adam", "controller's return"]
    rows = []
    for run in records.seeds("lion_cloning"):
        found = run["results"]
        losses = [found["loss_before"], found["loss_after"]["Lion"], found["loss_after"]["Adam"]]
        returns = [mean(run, name) for name in ("Lion", "Adam", CONTROLLER)]
        rows.append([str(found["seed"]), *(f"{loss:.3f}" for loss in losses), *returns])
    return Table(header, rows)


def cma(records: Records) -> Table:
    """Return the results of CMA-ES, a row for each seed."""
    runs = records.seeds("cma_es_policy")
    rows = [[str(run["results"]["seed"]), before(run, "CMA-ES"), mean(run, "CMA-ES")] for run in runs]
    return Table(["seed", "return before", "return after"], rows)


def natural_gradient(records: Records) -> Table:
    """Return the results of the trust region, a row for each seed."""
    header = [
        "seed",
        "return before",
        "return after",
        "KL divergence of the last step",
        "surrogate advantage of that step",
    ]
    rows = []
    for run in records.seeds("natural_gradient"):
        found = run["results"]
        last = found["last_step"]
        numbers = [f"{last[name]:.4f}" for name in ("divergence", "surrogate_advantage")]
        rows.append([str(found["seed"]), before(run, "TRPO"), mean(run, "TRPO"), *numbers])
    return Table(header, rows)


def before(run: Record, name: str) -> str:
    """Return the mean return of a policy before training."""
    return f"{statistics.fmean(run['results']['curves'][name]['returns'][0]):.0f}"


def mean(run: Record, name: str) -> str:
    """Return the mean return of a policy."""
    return f"{score(run, name)['mean']:.0f}"
