"""The name of every published region, and the function that creates its text or table from the result files."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.publish import (
    best_blocks,
    cost_blocks,
    deploy_blocks,
    export_blocks,
    learning_blocks,
    mujoco_blocks,
    optimizer_blocks,
    parallel_blocks,
    rival_blocks,
    speed_blocks,
    training_blocks,
)
from benchmarks.publish.markup import Table
from benchmarks.publish.records import Records

BLOCKS: dict[str, Callable[[Records], str | Table | list[Table]]] = {
    "best": best_blocks.best,
    "bars": speed_blocks.bars,
    "bcq-side-by-side": rival_blocks.bcq,
    "blas-threads": cost_blocks.blas_threads,
    "cma": optimizer_blocks.cma,
    "costs": cost_blocks.costs,
    "deployed": deploy_blocks.deployed,
    "discrete-actions": learning_blocks.discrete_actions,
    "exported-c": export_blocks.exported_c,
    "footprint": cost_blocks.footprint,
    "lbfgs": optimizer_blocks.lbfgs,
    "learning-side-by-side": rival_blocks.learning,
    "lion": optimizer_blocks.lion,
    "memory": learning_blocks.memory,
    "mujoco": mujoco_blocks.mujoco,
    "mujoco-side-by-side": mujoco_blocks.side_by_side,
    "natural-gradient": optimizer_blocks.natural_gradient,
    "online": learning_blocks.online,
    "own-optimizers": optimizer_blocks.all_of_them,
    "parallel-driver": parallel_blocks.driver,
    "parallel-engines": parallel_blocks.engines,
    "parallel-machines": parallel_blocks.machines,
    "parallel-overhead": parallel_blocks.overhead,
    "population": learning_blocks.population,
    "recorded": learning_blocks.recorded,
    "processors": speed_blocks.processors,
    "recurrent": speed_blocks.recurrent,
    "rollouts": learning_blocks.rollouts,
    "search": learning_blocks.search,
    "speed": speed_blocks.speed,
    "speed-claims": speed_blocks.claims,
    "tour": deploy_blocks.tour,
    "training": training_blocks.steps,
}
