"""Populations on many processes and machines: one function for every member, results that do not depend on where.

`map_population` runs a function once for each member of a population, on any executor of `concurrent.futures`: the
processes of this machine, or a Ray cluster. A *member* is whatever distinguishes one task from the next: a seed, a
setting, a tree of parameters. A tree that all tasks need is sent once for a call. Each task has its own random
generator, so that results have the same bits on any executor, with any number of workers.
"""

from npnets.parallel.failures import TaskError, WorkerLost
from npnets.parallel.population import completed, map_population
from npnets.parallel.process_executor import ProcessExecutor
from npnets.parallel.ray_executor import RayExecutor
from npnets.parallel.seeds import generator
from npnets.parallel.serial_executor import SerialExecutor
from npnets.public import listing

__all__ = [
    "ProcessExecutor",
    "RayExecutor",
    "SerialExecutor",
    "TaskError",
    "WorkerLost",
    "completed",
    "generator",
    "map_population",
]

__dir__ = listing(__all__)
