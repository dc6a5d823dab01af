"""REDQ: randomized ensembled double Q-learning (Chen, Wang, Zhou and Ross 2021, arXiv:2101.05982).

    python examples/online/redq.py --seed 0 --out runs/redq

SAC with several learning steps for each step in the environment. The target uses the lower value of two critics, drawn
from ten for each learning step, so that no critic's error dominates the targets. The actor's loss uses the mean of all
critics.
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
    """Settings of the example; the others are SAC's.

    Attributes
    ----------
    updates_per_step
        Learning steps of the critics after each step in the environment; one of the actor follows the last of them.
    critics
        Number of critics.
    subset
        Number of critics in a target, drawn for each learning step.
    """

    steps: int = 3000
    updates_per_step: int = 5
    critics: int = 10
    subset: int = 2


class REDQ(sac.SAC):
    """SAC with many critics and targets from a random subset; it has the arguments of `SAC`."""

    settings: Hyperparameters

    def __init__(self, settings: Hyperparameters, obs_dim: int, act_dim: int, device: str | int = "cpu") -> None:
        super().__init__(settings, obs_dim, act_dim, device)
        self.few_critics = make_critics(settings.subset, obs_dim, act_dim, settings.hidden_sizes, device)

    def learn(self, state: State, batch: Batch, rng: np.random.Generator) -> tuple[State, dict[str, Array]]:
        """Take one gradient step for the critics, and after `updates_per_step` of them one for actor and temperature.

        Arguments and results are those of `SAC.learn`; the losses are those of the networks that were trained.
        """
        batch = to_device(batch, self.device)
        state, critic_loss = self.improve_critics(state, batch, rng)
        losses = {"critics": critic_loss}
        if state.optimizers["critics"].step % self.settings.updates_per_step == 0:
            state, of_actor = self.improve_actor(state, batch[0], rng)
            losses |= of_actor
        return state, losses

    def target_values(self, targets: Any, obs: Array, act: Array, rng: np.random.Generator) -> Array:
        """Return the minimum `(batch, 1)` over a random subset of target critics, drawn for the whole batch.

        Their rows of the stacked parameters are the parameters of a smaller ensemble: the other critics do not run.
        """
        drawn = backend.to_device(rng.permutation(self.settings.critics)[: self.settings.subset], self.device)
        return nnp.min(self.few_critics.forward(tree.map(lambda leaf: leaf[drawn], targets), obs, act), 0)

    def policy_values(self, values: Array) -> Array:
        """Return the mean of all critics' values `(members, batch, 1)`."""
        return nnp.mean(values, 0)


if __name__ == "__main__":
    sys.exit(main("REDQ", REDQ, Hyperparameters(), learn_while_acting))
