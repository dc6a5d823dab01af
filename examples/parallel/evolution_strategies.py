"""Evolution strategies (Salimans et al. 2017, arXiv:1703.03864): a search gradient from the returns of a population.

    python examples/parallel/evolution_strategies.py --seed 0 --out runs/evolution_strategies
    python examples/parallel/evolution_strategies.py --env HalfCheetah-v5 --episodes 1 --sigma 0.1 --learning-rate 0.05

A generation perturbs the parameters by pairs, `theta + sigma epsilon` and `theta - sigma epsilon`. A task is a shard of
these pairs, and only its index and the generation's seed travel: a worker draws the shard's noise from the task's
generator, and the driver draws the same noise again for its update. All policies of a shard act as one ensemble: a
layer is one product. The size of a shard is a setting, so that the number of workers does not change the results. As in
the paper, returns count by their ranks and observations are normalized; unlike there, the noise is drawn instead of
read from a table, actions are continuous, and all policies of a generation start from the same initial states.

The environment may be any of Gymnasium's with vectors as observations, and as actions vectors whose entries are within
±bound. It needs `pip install 'npnets[examples]'`, and for MuJoCo's `'npnets[examples,mujoco]'`. Writes `policy.npz`,
`results.json` and `learning.png` to the folder given by `--out`, and after each generation `checkpoint.npz`, from which
`--resume` continues. Ctrl-C saves the current state.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, NamedTuple, cast

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import numpy as np
from scipy.stats import rankdata

import npnets
from examples.parallel import episodes, program
from examples.parallel.episodes import NO_MOMENTS, Array, Moments, Policy, make_actor, merged, normalized, play
from examples.shared.command_line import at_least, run_and_explain
from npnets import optim, parallel, tree
from npnets.functional import squash
from npnets.log import logger


@dataclass(frozen=True)
class Settings:
    """Settings of the search.

    Attributes
    ----------
    env
        Id of a Gymnasium environment.
    pairs, shard
        Pairs of perturbations in a generation, and in each task.
    episodes
        Episodes of each policy.
    hidden_sizes
        Hidden layers of the policy.
    sigma
        Standard deviation of the perturbations.
    learning_rate, weight_decay
        Adam's.
    """

    env: str = "Pendulum-v1"
    pairs: int = 16
    shard: int = 4
    episodes: int = 4
    hidden_sizes: tuple[int, ...] = (32, 32)
    sigma: float = 0.2
    learning_rate: float = 0.1
    weight_decay: float = 0.005

    def __post_init__(self) -> None:
        if self.pairs % self.shard:
            raise ValueError(f"--pairs must be a multiple of --shard, but {self.pairs} is none of {self.shard}")
        if not (self.sigma > 0 and self.learning_rate > 0):
            raise ValueError(
                f"--sigma and --learning-rate must be positive, but are {self.sigma} and {self.learning_rate}"
            )


class State(NamedTuple):
    """State of the search: number of generations, parameters, Adam's state, moments of all observations so far."""

    generation: int
    params: Any
    optimizer: Any
    moments: Moments


# -- a task, on a worker ----------------------------------------------------------------------------------------------


def draw_noise(rng: np.random.Generator, pairs: int, size: int) -> Array:
    """Return the noise `(pairs, size)` of a shard."""
    return rng.standard_normal((pairs, size), np.float32)


def antithetic(theta: Array, noise: Array) -> Array:
    """Return the members `(2 * pairs, size)` of a shard: all of `theta + noise`, then all of `theta - noise`."""
    return np.concatenate([theta + noise, theta - noise])


def ensemble_policy(actor: npnets.Actor, members: Sequence[Any]) -> Policy:
    """Return many policies as one, from observations `(members, episodes, obs_dim)` to actions, by trees of parameters.

    Each layer is one product of `EnsembleLinear`.
    """
    leaves = tree.map(lambda *members: np.stack(members), *members)
    layers = [*leaves["preprocess"]["model"].values(), *leaves["last"].values()]
    params = {f"linear_{i}": {**layer, "bias": layer["bias"][:, None]} for i, layer in enumerate(layers)}
    trunk, linear = cast(npnets.Net, actor.preprocess_net), functools.partial(npnets.EnsembleLinear, len(members))
    network = replace(trunk.model, output_dim=actor.output_dim, linear_layer=linear, flatten_input=False)
    return lambda observations: squash(network.forward(params, observations), actor.max_action)


def play_shard(
    actor: npnets.Actor, settings: Settings, shard: int, *, rng: np.random.Generator, shared: dict[str, Any]
) -> tuple[Array, Moments]:
    """Perturb the parameters, and play with all members of a shard; the generator's seed depends on its index `shard`.

    Returns
    -------
    returns : (2, pairs) array
        Means over the episodes of `theta + sigma epsilon` and of `theta - sigma epsilon`.
    moments : tuple
    """
    theta, unravel = tree.ravel(shared["actor"])
    noise = settings.sigma * draw_noise(rng, settings.shard, theta.size)
    members, seeds = [unravel(vector) for vector in antithetic(theta, noise)], shared["seeds"]
    ensemble = ensemble_policy(actor, members)

    def policy(observations: Array) -> Array:
        rows = normalized(observations, shared["moments"])
        return ensemble(rows.reshape(len(members), len(seeds), -1)).reshape(len(rows), -1)

    returns, moments = play(settings.env, policy, [*seeds] * len(members))
    return returns.reshape(2, settings.shard, len(seeds)).mean(2), moments


def act(actor: npnets.Actor, policy: dict[str, Any], observations: Array) -> Array:
    """Return the actions of a policy, such as `checkpoint.load("policy.npz").params`, for observations `(n, dim)`."""
    return actor.forward(policy["actor"], normalized(observations, policy["moments"]))[0]


def play_evaluation(actor: npnets.Actor, settings: Settings, seeds: Sequence[int], *, shared: dict[str, Any]) -> Array:
    """Return the returns of the policy itself from some seeds."""
    return play(settings.env, functools.partial(act, actor, shared), seeds)[0]


# -- a generation, on the driver --------------------------------------------------------------------------------------


def centred_ranks(returns: Array) -> Array:
    """Return the rank of each return, from -0.5 for the lowest to 0.5 for the highest; equal returns share a rank."""
    return (rankdata(returns).reshape(returns.shape) - 1) / (returns.size - 1) - 0.5


def search_gradient(returns: Array, noise_of: Callable[[int], Array], sigma: float) -> Array:
    """Estimate the gradient `(size,)` of the expected rank; pairs with a NaN are left out.

    Parameters
    ----------
    returns : (shards, 2, pairs) array
    noise_of : callable
        Draws the noise `(pairs, size)` of a shard again, by its index.
    sigma : float
    """
    valid = ~np.isnan(returns).any(1)
    ranks, weights = centred_ranks(returns.swapaxes(1, 2)[valid]), np.zeros(valid.shape, np.float32)
    weights[valid] = ranks[:, 0] - ranks[:, 1]
    return np.sum([row @ noise_of(shard) for shard, row in enumerate(weights)], axis=0) / (ranks.size * sigma)


class EvolutionStrategies:
    """The search; an object does not change.

    Parameters
    ----------
    settings : Settings
    seed : int
        Of all random numbers.
    executor : any
        Of `npnets.parallel`.
    """

    name, unit = "ES", "generations"

    def __init__(self, settings: Settings, seed: int, executor: Any) -> None:
        self.settings, self.seed, self.executor = settings, seed, executor
        self.env, self.actor = settings.env, make_actor(settings.env, settings.hidden_sizes)
        self.optimizer = optim.adam(settings.learning_rate, weight_decay=settings.weight_decay)

    def init(self) -> State:
        """Return the state before the first generation."""
        params = self.actor.init(np.random.default_rng(self.seed))
        return State(0, params, self.optimizer.init(params), NO_MOMENTS)

    def next(self, state: State) -> State:
        """Play with a population, and take a step of Adam."""
        settings, seed = self.settings, (self.seed, state.generation)
        returns, moments = self.play_population(state)
        theta, unravel = tree.ravel(state.params)

        def noise_of(shard: int) -> Array:
            return draw_noise(parallel.generator(seed, shard), settings.shard, theta.size)

        descent = unravel(-search_gradient(returns, noise_of, settings.sigma))
        params, optimizer = self.optimizer.update(state.params, descent, state.optimizer)
        return State(state.generation + 1, params, optimizer, moments)

    def play_population(self, state: State) -> tuple[Array, Moments]:
        """Send the parameters, and collect returns `(shards, 2, pairs)` and moments in the order of the shards.

        The returns of a failed task are NaN, and the pairs with NaN are reported.
        """
        settings, seed = self.settings, (self.seed, state.generation)
        shards = settings.pairs // settings.shard
        starts = parallel.generator(seed, shards).integers(2**31, size=settings.episodes)  # the generator of no task
        shared = {**self.saved(state), "seeds": starts.tolist()}
        task = functools.partial(play_shard, self.actor, settings)
        options: dict[str, Any] = {"time_limit": episodes.TIME_LIMIT, "on_failure": "return", "allow_nan": True}
        results = parallel.map_population(task, range(shards), self.executor, seed=seed, shared=shared, **options)
        returns, moments = np.full((shards, 2, settings.shard), np.nan), state.moments
        for shard, result in enumerate(results):
            if not isinstance(result, parallel.TaskError):
                returns[shard], moments = result[0], merged(moments, result[1])
        if lost := int(np.isnan(returns).any(1).sum()):
            logger().warning("generation %d: %d of %d pairs are left out", state.generation, lost, settings.pairs)
        if lost == settings.pairs:
            raise RuntimeError(f"generation {state.generation}: no pair has returns; the log has the reasons")
        return returns, moments

    def saved(self, state: State) -> dict[str, Any]:
        """Return the parameters, and the moments that normalize observations: what is sent and saved."""
        return {"actor": state.params, "moments": state.moments}

    def evaluate(self, state: State) -> Array:
        """Return the returns `(30,)` of the policy itself."""
        task = functools.partial(play_evaluation, self.actor, self.settings)
        return episodes.evaluate(task, self.saved(state), self.executor)

    def policy(self, state: State) -> Policy:
        """Return the policy as a function of observations `(n, obs_dim)`."""
        return functools.partial(act, self.actor, self.saved(state))

    def environment_steps(self, state: State) -> int:
        """Return the number of steps in all environments, each of which had an observation."""
        return int(state.moments[2])


# -- the program ------------------------------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> int:
    """Search, evaluate and save; return the exit status."""
    given = {field.name: getattr(options, field.name) for field in fields(Settings) if hasattr(options, field.name)}
    settings = Settings(**given)
    search = functools.partial(EvolutionStrategies, settings, options.seed)
    return program.train(options, search, asdict(settings), options.generations)


def main() -> int:
    """Read the command line and run; print an error in one line."""
    parser = program.training_parser("evolution_strategies", "Train a policy with evolution strategies.", Settings.env)
    parser.add_argument("--generations", type=at_least(1), default=150, help="steps of the search (%(default)s)")
    numbers = {"pairs": "pairs of policies in a generation", "shard": "pairs in a task", "episodes": "of each policy"}
    for name, text in numbers.items():
        default = getattr(Settings, name)
        parser.add_argument(f"--{name}", type=at_least(1), default=default, help=f"{text} (%(default)s)")
    for name, text in {"sigma": "size of the perturbations", "learning_rate": "Adam's"}.items():
        option, default = f"--{name.replace('_', '-')}", getattr(Settings, name)
        parser.add_argument(option, type=float, default=default, help=f"{text} (%(default)s)")
    return run_and_explain(run, parser.parse_args(), "evolution_strategies")


if __name__ == "__main__":
    sys.exit(main())
