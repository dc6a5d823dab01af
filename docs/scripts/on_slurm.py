import numpy as np
import submitit
from evaluate import actor, mean_action

from npnets import parallel

if __name__ == "__main__":
    executor = submitit.AutoExecutor(folder="jobs")  # a folder that all nodes see; cluster="local" tries it here
    executor.update_parameters(timeout_min=30, cpus_per_task=1, slurm_partition="PARTITION")
    params = actor.init(np.random.default_rng(0))
    print(parallel.map_population(mean_action, [0.5, 1.0, 2.0], executor, seed=7, shared=params))
