"""Learning steps of TD3, SAC and BCQ on npnets, in the order and with the formulas of Tianshou's policies.

Both critics are one ensemble of two: their losses are independent and Adam is elementwise, so that the numbers are
those of two separate critics. BCQ is that of the examples.
"""

from __future__ import annotations

import functools
from typing import Any

import gymnasium
import numpy as np

import npnets
import npnets.numpy as nnp
from benchmarks.cpu import cells
from benchmarks.cpu.cells import Cell
from examples.offline.bcq import BCQ, TUNED, Settings, State
from npnets import data, optim, tree
from npnets.distributions import SquashedGaussian

ADAM = optim.adam(cells.LEARNING_RATE, eps=cells.EPS)


def critics(members: int, hidden: tuple[int, ...]) -> npnets.Critic:
    """Return an ensemble of critics."""
    layer = functools.partial(npnets.EnsembleLinear, members)
    trunk = npnets.Net(cells.OBS, cells.ACT, hidden_sizes=hidden, concat=True, linear_layer=layer)
    return npnets.Critic(trunk, linear_layer=layer, flatten_input=False)


class TwinCritics:
    """The steps that TD3 and SAC share: update two critics, then an actor, then the target networks."""

    def __init__(self, cell: Cell, rng: np.random.Generator) -> None:
        first, self.data, self.rng = cells.first_parameters(cell), cells.data(cell), rng
        self.actor: Any = self.actor_of(npnets.Net(cells.OBS, hidden_sizes=cell.hidden))
        self.twins, self.one = critics(2, cell.hidden), critics(1, cell.hidden)
        self.whole = cell.kind == "whole"
        self.params = {"actor": first["actor"], "critics": tree.map(_paired, first["critic_1"], first["critic_2"])}
        self.targets = dict(self.params)
        self.states = {name: ADAM.init(part) for name, part in self.params.items()}

    def actor_of(self, trunk: npnets.Net) -> Any:
        """Return the actor with a trunk."""
        raise NotImplementedError

    def __call__(self) -> tuple[Any, Any]:
        returns = self.target() if self.whole else self.data["reward"]
        critic_loss = self.descend("critics", self.critic_loss, returns)
        actor_loss = self.descend("actor", self.actor_loss, self.params["critics"])
        self.targets = optim.soft_update(target=self.targets, source=self.params, tau=cells.TAU)
        return critic_loss, actor_loss

    def descend(self, name: str, loss: Any, *args: Any) -> Any:
        """Take a step of Adam on the loss of one network."""
        value, gradient = npnets.value_and_grad(loss)(self.params[name], *args)
        self.params[name], self.states[name] = ADAM.update(
            params=self.params[name], grads=gradient, state=self.states[name]
        )
        return value

    def discounted(self, values: Any) -> Any:
        """Return the targets of the critics from the next observations' values `(batch, 1)`."""
        return self.data["reward"] + (1 - self.data["terminal"]) * cells.GAMMA * values

    def critic_loss(self, critics: Any, returns: Any) -> Any:
        """Return the sum of both critics' mean squared errors."""
        error = self.twins.forward(critics, self.data["obs"], self.data["act"]) - returns
        return 2 * nnp.mean(error**2)

    def target(self) -> Any:
        """Return the targets of the critics, `(batch, 1)`."""
        raise NotImplementedError

    def actor_loss(self, actor: Any, critics: Any) -> Any:
        """Return the loss of the actor."""
        raise NotImplementedError


class TD3(TwinCritics):
    """Twin delayed DDPG (Fujimoto et al. 2018), whose actor learns in every step."""

    def actor_of(self, trunk: npnets.Net) -> Any:
        """Return a deterministic actor."""
        return npnets.Actor(trunk, cells.ACT)

    def target(self) -> Any:
        """Return the smaller value of the target actor's actions with noise."""
        act, _ = self.actor.forward(self.targets["actor"], self.data["next_obs"])
        noise = cells.NOISE * self.rng.standard_normal(act.shape, np.float32)
        act = act + nnp.clip(noise, -cells.NOISE_LIMIT, cells.NOISE_LIMIT)
        q = self.twins.forward(self.targets["critics"], self.data["next_obs"], act)
        return self.discounted(nnp.minimum(q[0], q[1]))

    def actor_loss(self, actor: Any, critics: Any) -> Any:
        """Return the negative mean value, by the first critic, of the actor's actions."""
        act, _ = self.actor.forward(actor, self.data["obs"])
        return -nnp.mean(self.one.forward(tree.map(_first, critics), self.data["obs"], act))


class SAC(TwinCritics):
    """Soft actor-critic (Haarnoja et al. 2018) with a fixed temperature."""

    def actor_of(self, trunk: npnets.Net) -> Any:
        """Return an actor with a mean and a standard deviation for each observation."""
        return npnets.ActorProb(trunk, cells.ACT, unbounded=True, conditioned_sigma=True)

    def target(self) -> Any:
        """Return the smaller value of new actions plus their entropy bonus."""
        act, log_prob = self.draw(self.params["actor"], self.data["next_obs"])
        q = self.twins.forward(self.targets["critics"], self.data["next_obs"], act)
        return self.discounted(nnp.minimum(q[0], q[1]) - cells.ALPHA * log_prob[:, None])

    def actor_loss(self, actor: Any, critics: Any) -> Any:
        """Return the temperature times the log-density of new actions minus the smaller value, averaged."""
        act, log_prob = self.draw(actor, self.data["obs"])
        q = self.twins.forward(critics, self.data["obs"], act)
        return nnp.mean(cells.ALPHA * log_prob[:, None] - nnp.minimum(q[0], q[1]))

    def draw(self, actor: Any, obs: Any) -> tuple[Any, Any]:
        """Draw actions with their log-density."""
        distribution, _ = SquashedGaussian.from_actor(self.actor, actor, obs, -1.0, 1.0)
        return distribution.sample_and_log_prob(self.rng)


class BatchConstrained:
    """The example's BCQ."""

    def __init__(self, cell: Cell, rng: np.random.Generator) -> None:
        first, self.rng = cells.first_parameters(cell), rng
        spaces = gymnasium.spaces.Box(-np.inf, np.inf, (cells.OBS,)), gymnasium.spaces.Box(-1.0, 1.0, (cells.ACT,))
        self.agent = BCQ(bcq_settings(cell), *spaces)
        critics = tree.map(_paired, first["critic_1"], first["critic_2"])
        adams = self.agent.vae_adam.init(first["vae"]), self.agent.perturbation_adam.init(first["perturbation"])
        networks = first["vae"], first["perturbation"], critics, critics
        self.state = State(*networks, *adams, self.agent.critics_adam.init(critics))
        given = cells.data(cell)
        reward, terminated = given["reward"][:, 0], given["terminal"][:, 0] > 0
        self.batch = data.Transitions(given["obs"], given["act"], reward, given["next_obs"], terminated)

    def __call__(self) -> tuple[Any, Any, Any]:
        self.state, losses = self.agent.learn(self.state, self.batch, self.rng)
        return losses["critics"], losses["actor"], losses["vae"]

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the networks."""
        return {name: getattr(self.state, name) for name in ("perturbation", "vae", "critics")}

    @property
    def targets(self) -> dict[str, Any]:
        """The parameters of the target networks."""
        return {"critics": self.state.target_critics}


def bcq_settings(cell: Cell) -> Settings:
    """Return the example's settings for Pendulum-v1 with this benchmark's sizes."""
    sizes = {"hidden_sizes": cell.hidden, "vae_hidden_sizes": cell.hidden, "latent_dim": cells.LATENT}
    return Settings(**{**TUNED["Pendulum-v1"], **sizes, "batch_size": cell.batch})


STEP = {"td3": TD3, "sac": SAC, "bcq": BatchConstrained}


def make(cell: Cell, rng: np.random.Generator) -> Any:
    """Return the call that is timed, which takes one step and returns its losses."""
    return STEP[cell.network](cell, rng)


def outcome(cell: Cell) -> dict[str, Any]:
    """Return all parameters after a few steps, and the last losses."""
    step = make(cell, np.random.default_rng(0))
    losses = [step() for _ in range(cells.STEPS)][-1]
    found = {"losses": np.stack(losses)}  # in one array, because the actor's alone may be near zero
    for kind, networks in (("", step.params), ("target ", step.targets)):
        found |= cells.by_path({f"{kind}{name}": network for name, network in _separate(networks).items()})
    if cell.network == "sac":  # whose actor has no target
        found = {name: array for name, array in found.items() if not name.startswith("target actor")}
    return found


def _separate(networks: dict[str, Any]) -> dict[str, Any]:
    """Return the critics of an ensemble as separate networks, by name."""
    others = {name: network for name, network in networks.items() if name != "critics"}
    single = {
        name: tree.map(lambda leaf, i=i: _member(leaf, i), networks["critics"]) for i, name in enumerate(cells.CRITICS)
    }
    return {**others, **single}


def _paired(first: Any, second: Any) -> Any:
    """Stack two critics' weights `(in, out)` or biases `(out,)` as in an ensemble."""
    return np.stack([np.atleast_2d(first), np.atleast_2d(second)])


def _first(leaf: Any) -> Any:
    return leaf[:1]


def _member(leaf: Any, index: int) -> Any:
    return leaf[index, 0] if leaf.shape[1] == 1 else leaf[index]
