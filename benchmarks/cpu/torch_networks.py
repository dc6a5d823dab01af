"""The networks of the cells on PyTorch alone: layers of `torch.nn`, tensors in, tensors out.

This is the code of a user of PyTorch without a reinforcement-learning library. Parameters are registered in the order
of `cells.first_parameters`, except that `log_sigma` comes first.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from benchmarks.cpu import cells

Outputs = tuple[Tensor, ...]


def layers(*widths: int, last: nn.Module | None = None) -> nn.Sequential:
    """Return linear layers with relu after each, or with another function, or none, after the last."""
    modules = [module for pair in pairwise(widths) for module in (nn.Linear(*pair), nn.ReLU())]
    return nn.Sequential(*modules[:-1], *([] if last is None else [last]))


class Actor(nn.Module):
    """A deterministic actor."""

    def __init__(self, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.model = layers(cells.OBS, *hidden, cells.ACT, last=nn.Tanh())

    def forward(self, obs: Tensor) -> Outputs:
        """Return the actions."""
        return (self.model(obs),)


class ActorProb(nn.Module):
    """An actor with a standard deviation that does not depend on the observation."""

    def __init__(self, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.log_sigma = nn.Parameter(torch.zeros(cells.ACT))
        self.model = layers(cells.OBS, *hidden, cells.ACT, last=nn.Tanh())

    def forward(self, obs: Tensor) -> Outputs:
        """Return mean and standard deviation."""
        mu = self.model(obs)
        return mu, self.log_sigma.exp().expand_as(mu)


class Critic(nn.Module):
    """A critic of observations and actions."""

    def __init__(self, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.model = layers(cells.OBS + cells.ACT, *hidden, 1)

    def forward(self, obs: Tensor, act: Tensor) -> Outputs:
        """Return the values `(batch, 1)`."""
        return (self.model(torch.cat((obs, act), 1)),)


class Linears(nn.Module):
    """A linear layer for each member: the weights `(members, in, out)`, the biases `(members, 1, out)`."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        limit, shape = 1 / math.sqrt(inputs), (cells.MEMBERS, inputs, outputs)
        self.weight = nn.Parameter(torch.empty(shape).uniform_(-limit, limit))
        self.bias = nn.Parameter(torch.empty(cells.MEMBERS, 1, outputs).uniform_(-limit, limit))

    def forward(self, x: Tensor) -> Tensor:
        """Return `(members, batch, out)` from `(members, batch, in)`."""
        return torch.baddbmm(self.bias, x, self.weight)


class Ensemble(nn.Module):
    """Ten critics."""

    def __init__(self, hidden: tuple[int, ...]) -> None:
        super().__init__()
        widths = (cells.OBS + cells.ACT, *hidden, 1)
        modules = [module for pair in pairwise(widths) for module in (Linears(*pair), nn.ReLU())]
        self.model = nn.Sequential(*modules[:-1])

    def forward(self, obs: Tensor, act: Tensor) -> Outputs:
        """Return the values `(members, batch, 1)`."""
        return (self.model(torch.cat((obs, act), 1).expand(cells.MEMBERS, -1, -1)),)


class VAE(nn.Module):
    """BCQ's variational autoencoder of actions."""

    def __init__(self, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.encoder = layers(cells.OBS + cells.ACT, *hidden, last=nn.ReLU())
        self.mean = nn.Linear(hidden[-1], cells.LATENT)
        self.log_std = nn.Linear(hidden[-1], cells.LATENT)
        self.decoder = layers(cells.OBS + cells.LATENT, *hidden, cells.ACT, last=nn.Tanh())

    def forward(self, obs: Tensor, act: Tensor) -> Outputs:
        """Return the reconstruction, and mean and standard deviation of the latent vectors."""
        features = self.encoder(torch.cat((obs, act), 1))
        mean, std = self.mean(features), self.log_std(features).clamp(-4, 15).exp()
        latent = mean + std * torch.randn_like(std)
        return self.decoder(torch.cat((obs, latent), 1)), mean, std


class RecurrentActor(nn.Module):
    """An LSTM, and the mean of the last step's action."""

    def __init__(self, _: tuple[int, ...]) -> None:
        super().__init__()
        self.log_sigma = nn.Parameter(torch.zeros(cells.ACT))
        self.lstm = nn.LSTM(cells.OBS, cells.HIDDEN, batch_first=True)
        self.mu = nn.Linear(cells.HIDDEN, cells.ACT)

    def forward(self, obs: Tensor) -> Outputs:
        """Return mean, standard deviation, and the states `(batch, 1, hidden)`."""
        _, (hidden, cell) = self.lstm(obs)
        mu = torch.tanh(self.mu(hidden[0]))
        return mu, self.log_sigma.exp().expand_as(mu), hidden.transpose(0, 1), cell.transpose(0, 1)


class RecurrentCritic(nn.Module):
    """An LSTM, and the value of its last state and an action."""

    def __init__(self, _: tuple[int, ...]) -> None:
        super().__init__()
        self.lstm = nn.LSTM(cells.OBS, cells.HIDDEN, batch_first=True)
        self.last = nn.Linear(cells.HIDDEN + cells.ACT, 1)

    def forward(self, obs: Tensor, act: Tensor) -> Outputs:
        """Return the values `(batch, 1)`."""
        _, (hidden, _) = self.lstm(obs)
        return (self.last(torch.cat((hidden[0], act), 1)),)


NETWORKS: dict[str, Callable[[tuple[int, ...]], nn.Module]] = {
    "actor": Actor,
    "actor_prob": ActorProb,
    "critic": Critic,
    "vae": VAE,
    "ensemble": Ensemble,
    "recurrent_actor": RecurrentActor,
    "recurrent_critic": RecurrentCritic,
}
