import numpy as np

import npnets
from npnets import parallel

actor = npnets.Actor(npnets.Net(3, hidden_sizes=(32, 32)), 1)


def mean_action(member, *, rng, shared):
    observations = rng.normal(scale=member, size=(8, 3))
    return float(actor.forward(shared, observations)[0].mean())


def main():
    params = actor.init(np.random.default_rng(0))
    with parallel.ProcessExecutor() as executor:  # one for the whole program, not for each call
        print(parallel.map_population(mean_action, [0.5, 1.0, 2.0], executor, seed=7, shared=params))


if __name__ == "__main__":
    main()
