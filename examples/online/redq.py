"""REDQ: randomized ensembled double Q-learning (Chen, Wang, Zhou and Ross 2021, arXiv:2101.05982).

    python examples/online/redq.py --seed 0 --out runs/redq

SAC that learns several times from every step in the environment. It may, because of ten critics two are drawn each
time, and the lower one is believed: no error stays in favour long enough to be learned. The actor asks all of them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import numpy as np

import npnets.numpy as nnp
from examples.online import sac
from examples.online.critic_ensemble import make_critics
from examples.online.off_policy import learn_while_acting
from examples.online.online_training import main
from examples.shared.learning_state import State
from examples.shared.transitions import Array, Batch
from npnets import backend, tree
from npnets.tree import to_device


@dataclass(frozen=True)
class Hyperparameters(sac.Hyperparameters):
    """Every number that the example chooses; those that are not here are SAC's.

    Attributes
    ----------
    updates_per_step
        Learning steps of the critics after each step in the environment; one of the actor follows the last of them.
    critics
        How many there are.
    subset
        How many of them, drawn anew for each learning step, are asked for a target.
    """

    steps: int = 3000
    updates_per_step: int = 5
    critics: int = 10
    subset: int = 2


class REDQ(sac.SAC):
    """SAC with many critics, of which a few are believed at a time; arguments as of `SAC`."""

    settings: Hyperparameters

    def __init__(self, settings: Hyperparameters, obs_dim: int, act_dim: int, device: str | int = "cpu") -> None:
        super().__init__(settings, obs_dim, act_dim, device)
        self.few_critics = make_critics(settings.subset, obs_dim, act_dim, settings.hidden_sizes, device)

    def learn(self, state: State, batch: Batch, rng: np.random.Generator) -> tuple[State, dict[str, Array]]:
        """Take one gradient step for the critics, and after every few one for the actor and the temperature.

        Parameters, returns and batch are those of `SAC.learn`; the losses are of what was trained.
        """
        batch = to_device(batch, self.device)
        state, critic_loss = self.improve_critics(state, batch, rng)
        losses = {"critics": critic_loss}
        if state.optimizers["critics"].step % self.settings.updates_per_step == 0:
            state, of_actor = self.improve_actor(state, batch[0], rng)
            losses |= of_actor
        return state, losses

    def target_values(self, targets: Any, obs: Array, act: Array, rng: np.random.Generator) -> Array:
        """Return the least value `(batch, 1)` that a few target critics say, drawn for the whole batch.

        Their rows of the stacked parameters are the parameters of a smaller ensemble: the others need not be asked.
        """
        drawn = backend.to_device(rng.permutation(self.settings.critics)[: self.settings.subset], self.device)
        return nnp.min(self.few_critics.forward(tree.map(lambda leaf: leaf[drawn], targets), obs, act), 0)

    def policy_values(self, values: Array) -> Array:
        """Return the mean of what all critics say, `(members, batch, 1)`."""
        return nnp.mean(values, 0)


if __name__ == "__main__":
    sys.exit(main("REDQ", REDQ, Hyperparameters(), learn_while_acting))
