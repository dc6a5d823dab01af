"""The driver of a simulated cluster: several nodes of Ray on this machine, each with one CPU.

Its tasks are the shards of an evolution strategy, but they only wait, so that the nodes do not compete for the cores of
this machine. The driver does everything that it does in a real search: it sends the parameters and the tasks, collects
the results, and computes the update with the functions of `examples/parallel/evolution_strategies.py`.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import numpy as np

from benchmarks.parallel import problem
from examples.parallel.episodes import NO_MOMENTS, Moments, merged
from examples.parallel.evolution_strategies import draw_noise, search_gradient
from npnets import optim, parallel, tree
from npnets.typing import Array

SIGMA = 0.05
SEED = 0
WAIT = 1.0  # seconds after which new nodes have started their services, which take processor time

Result = tuple[Array, Moments]


class TimedRayExecutor(parallel.RayExecutor):
    """Ray, and the seconds of processor time that the driver's thread has spent on sending."""

    sending = 0.0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        began = time.thread_time()
        future = super().submit(fn, *args, **kwargs)
        self.sending += time.thread_time() - began
        return future

    def share(self, common: Any) -> Any:
        began = time.thread_time()
        shared = super().share(common)
        self.sending += time.thread_time() - began
        return shared


class Search:
    """A search whose tasks last some seconds, on an executor that counts the seconds of `sending`."""

    def __init__(self, executor: Any, seconds: float) -> None:
        self.executor, self.task = executor, functools.partial(problem.wait_as_shard, seconds)
        self.optimizer = optim.adam(0.01)
        self.params = problem.MUJOCO_POLICY.init(np.random.default_rng(SEED))
        self.state = self.optimizer.init(self.params)

    def iterate(self, tasks: int) -> dict[str, float]:
        """Take one step of the search; return seconds of the driver's processor time, and those of the whole step."""
        began, used, self.executor.sending = time.perf_counter(), time.process_time(), 0.0
        shared = {"actor": self.params, "moments": NO_MOMENTS, "seeds": [0]}
        results = parallel.map_population(self.task, range(tasks), self.executor, seed=SEED, shared=shared)
        mapped = time.process_time() - used
        self.update(results)
        driver = time.process_time() - used
        parts = {"sending": self.executor.sending, "collecting": mapped - self.executor.sending}
        return {**parts, "update": driver - mapped, "driver": driver, "iteration": time.perf_counter() - began}

    def update(self, results: list[Result]) -> None:
        """Draw the noise of all members again, and take a step of Adam."""
        functools.reduce(merged, (moments for _, moments in results), NO_MOMENTS)
        theta, unravel = tree.ravel(self.params)

        def noise_of(shard: int) -> Array:
            return draw_noise(parallel.generator(SEED, shard), problem.PAIRS, theta.size)

        gradient = search_gradient(np.stack([returns for returns, _ in results]), noise_of, SIGMA)
        self.params, self.state = self.optimizer.update(self.params, unravel(-gradient), self.state)


_running: dict[str, Any] = {}


def begin(seconds: float) -> int:
    """Start a cluster of one node; return the number of parameters of the policy."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    search = Search(TimedRayExecutor(cluster.address), seconds)
    _running.update(cluster=cluster, search=search)
    return int(tree.ravel(search.params)[0].size)


def grow(nodes: int, tasks: int) -> None:
    """Add nodes until there are some, and take a step that is not timed."""
    cluster = _running["cluster"]
    while len(cluster.list_all_nodes()) < nodes:
        cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    time.sleep(WAIT)
    iterate(tasks)


def iterate(tasks: int) -> dict[str, float]:
    """Take one step of the search, and return its seconds."""
    seconds: dict[str, float] = _running["search"].iterate(tasks)
    return seconds


def end() -> None:
    """Stop the cluster."""
    _running.pop("search").executor.shutdown()
    _running.pop("cluster").shutdown()
