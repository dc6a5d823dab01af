"""The tables of optimizers that npnets does not contain: L-BFGS-B, Lion, CMA-ES and a natural gradient."""

from __future__ import annotations

import statistics

from benchmarks.publish.learning_blocks import command, score, seeds
from benchmarks.publish.markup import Table
from benchmarks.publish.records import Record, Records

CONTROLLER = "hand-made controller"

DOES = {
    "lbfgs_cloning": ("SciPy's L-BFGS-B clones a controller, with bounds on parameters", ("L-BFGS-B",)),
    "lion_cloning": ("Lion, written in ten lines, clones it too; Adam beside it", ("Lion", "Adam")),
    "cma_es_policy": ("CMA-ES searches the weights of a policy for CartPole-v1", ("CMA-ES",)),
    "natural_gradient": ("a trust region by conjugate gradients on Hessian-vector products", ("TRPO",)),
}
"""What each program does, and the policies whose returns are shown."""


def all_of_them(records: Records) -> Table:
    """Return the returns of what every one found, a row for each program."""
    rows = []
    for name, (does, policies) in DOES.items():
        runs = records.seeds(name)
        rows.append([command(runs[0]), does, *(", ".join(mean(run, policy) for policy in policies) for run in runs)])
    return Table(["command", "what it does", *seeds(records.seeds("lbfgs_cloning"))], rows)


def lbfgs(records: Records) -> Table:
    """Return what L-BFGS-B reached, a row for each seed."""
    header = ["seed", "loss before", "loss after", "evaluations", "parameters on a bound", "return", "the controller's"]
    rows = []
    for run in records.seeds("lbfgs_cloning"):
        found = run["results"]
        losses = [f"{found[name]:.3f}" for name in ("loss_before", "loss_after")]
        counts = [str(found[name]) for name in ("steps", "parameters_on_a_bound")]
        rows.append([str(found["seed"]), *losses, *counts, mean(run, "L-BFGS-B"), mean(run, CONTROLLER)])
    return Table(header, rows)


def lion(records: Records) -> Table:
    """Return what Lion and Adam reached, a row for each seed."""
    header = ["seed", "loss before", "Lion's", "Adam's", "return, Lion", "return, Adam", "the controller's"]
    rows = []
    for run in records.seeds("lion_cloning"):
        found = run["results"]
        losses = [found["loss_before"], found["loss_after"]["Lion"], found["loss_after"]["Adam"]]
        returns = [mean(run, name) for name in ("Lion", "Adam", CONTROLLER)]
        rows.append([str(found["seed"]), *(f"{loss:.3f}" for loss in losses), *returns])
    return Table(header, rows)


def cma(records: Records) -> Table:
    """Return what CMA-ES reached, a row for each seed."""
    runs = records.seeds("cma_es_policy")
    rows = [[str(run["results"]["seed"]), before(run, "CMA-ES"), mean(run, "CMA-ES")] for run in runs]
    return Table(["seed", "return before", "return after"], rows)


def natural_gradient(records: Records) -> Table:
    """Return what the trust region reached, a row for each seed."""
    header = ["seed", "return before", "return after", "divergence of the last step", "its surrogate advantage"]
    rows = []
    for run in records.seeds("natural_gradient"):
        found = run["results"]
        last = found["last_step"]
        numbers = [f"{last[name]:.4f}" for name in ("divergence", "surrogate_advantage")]
        rows.append([str(found["seed"]), before(run, "TRPO"), mean(run, "TRPO"), *numbers])
    return Table(header, rows)


def before(run: Record, name: str) -> str:
    """Return the mean return of a policy before it learned."""
    return f"{statistics.fmean(run['results']['curves'][name]['returns'][0]):.0f}"


def mean(run: Record, name: str) -> str:
    """Return the mean return of a policy."""
    return f"{score(run, name)['mean']:.0f}"
