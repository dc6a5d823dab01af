"""The workloads of the GPU benchmarks on PyTorch: plain modules and autograd, nothing compiled, no TF32.

Workloads, mathematics and names are those of `gpu/workloads_npnets.py`. If PyTorch offers several usual ways, the
fastest is used: `Linear`'s own product with bias, `mse_loss`, `inference_mode`, gradients of the actor's parameters
alone when it learns through a critic, Adam over all of a step's tensors at once (`foreach`, PyTorch's default on a GPU;
or `fused`), and a soft update of all tensors at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.optim.swa_utils import get_ema_multi_avg_fn

from benchmarks.gpu import problem
from benchmarks.gpu.problem import Layers, Outcome

soft_update = get_ema_multi_avg_fn(1 - problem.TAU)


class MLP(nn.Module):
    """Linear layers with relu between them, and tanh at the end of an actor; inputs are concatenated."""

    def __init__(self, layers: Layers, last: type[nn.Module]) -> None:
        super().__init__()
        modules = [part for weight, bias in layers for part in (_linear(weight, bias), nn.ReLU())]
        self.layers = nn.Sequential(*modules[:-1], *([] if last is nn.Identity else [last()]))

    def forward(self, *inputs: Tensor) -> Tensor:
        """Map the inputs, each `(batch, width)`, to `(batch, outputs)`."""
        return self.layers(inputs[0] if len(inputs) == 1 else torch.cat(inputs, 1))


class Regression(NamedTuple):
    """A network and a target network, its inputs, its targets, and the options of its Adam."""

    name: str
    network: MLP
    target: MLP
    inputs: tuple[Tensor, ...]
    labels: Tensor
    adam: Callable[..., torch.optim.Adam]

    def loss(self) -> Tensor:
        """Return the mean squared error of the outputs."""
        return mse_loss(self.network(*self.inputs), self.labels)


class Forward:
    """The output of a network."""

    def __init__(self, task: Regression) -> None:
        self.task = task

    @torch.inference_mode()
    def __call__(self) -> Tensor:
        return self.task.network(*self.task.inputs)

    def outcome(self) -> Outcome:
        """The output."""
        return {"output": self().cpu().numpy()}


class Gradient:
    """A loss and its gradient."""

    def __init__(self, task: Regression) -> None:
        self.task, self.params = task, list(task.network.parameters())

    def __call__(self) -> tuple[Tensor, tuple[Tensor, ...]]:
        loss = self.task.loss()
        return loss, torch.autograd.grad(loss, self.params)

    def outcome(self) -> Outcome:
        """Return loss, gradient and the gradient's norm."""
        loss, gradient = self()
        return problem.gradient_outcome(_numpy(loss), self.task.name, _layers(gradient))


class Step:
    """A gradient, an Adam step, and a soft update of the target network."""

    def __init__(self, task: Regression) -> None:
        self.task, self.params = task, list(task.network.parameters())
        self.target, self.optimizer = list(task.target.parameters()), task.adam(self.params)

    def __call__(self) -> Tensor:
        loss = self.task.loss()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        soft_update(self.target, self.params, None)
        return loss

    def outcome(self) -> Outcome:
        """Return both networks' parameters after a few steps, and the last loss."""
        loss, name = [self() for _ in range(problem.STEPS)][-1], self.task.name
        both = problem.named(name, _layers(self.params)) | problem.named(f"target {name}", _layers(self.target))
        return {"loss": _numpy(loss), **both}


class TD3Step:
    """Update two critics toward the targets' smaller value, an actor through the first critic, and three targets.

    One Adam for the actor and one for both critics. The actor learns in every step.
    """

    def __init__(self, networks: dict[str, MLP], data: dict[str, Tensor], adam: Any) -> None:
        self.networks, self.data = networks, data
        self.params = {name: list(network.parameters()) for name, network in networks.items()}
        self.critic_adam = adam([tensor for name in problem.CRITICS for tensor in self.params[name]])
        self.actor_adam = adam(self.params["actor"])
        self.moving = [tensor for name in problem.NETWORKS for tensor in self.params[f"target_{name}"]]
        self.followed = [tensor for name in problem.NETWORKS for tensor in self.params[name]]

    def __call__(self) -> tuple[Tensor, Tensor]:
        critic_loss = self._critic_loss(self._target())
        self.critic_adam.zero_grad()
        critic_loss.backward()
        self.critic_adam.step()
        actor_loss = self._actor_loss()
        self.actor_adam.zero_grad()
        actor_loss.backward(inputs=self.params["actor"])
        self.actor_adam.step()
        soft_update(self.moving, self.followed, None)
        return critic_loss, actor_loss

    def outcome(self) -> Outcome:
        """Return all parameters after a few steps, and the last losses."""
        losses = [self() for _ in range(problem.STEPS)][-1]
        outcome = {"losses": _numpy(torch.stack(losses))}
        for name in problem.NETWORKS:
            outcome |= problem.named(name, _layers(self.params[name]))
            outcome |= problem.named(f"target {name}", _layers(self.params[f"target_{name}"]))
        return outcome

    @torch.no_grad()
    def _target(self) -> Tensor:
        data, networks = self.data, self.networks
        next_act = (networks["target_actor"](data["next_obs"]) + data["noise"]).clamp(-1, 1)
        q_1, q_2 = (networks[f"target_{name}"](data["next_obs"], next_act) for name in problem.CRITICS)
        return data["reward"] + (1 - data["terminal"]) * problem.GAMMA * torch.minimum(q_1, q_2)

    def _critic_loss(self, target: Tensor) -> Tensor:
        q_1, q_2 = (self.networks[name](self.data["obs"], self.data["act"]) for name in problem.CRITICS)
        return mse_loss(q_1, target) + mse_loss(q_2, target)

    def _actor_loss(self) -> Tensor:
        obs = self.data["obs"]
        return -self.networks["critic_1"](obs, self.networks["actor"](obs)).mean()


def make(name: str, batch: int, device: str, fused: bool) -> Any:
    """Return the workload of that name, with its parameters and a batch of data on a device."""
    networks = {network: _network(network, layers).to(device) for network, layers in problem.first_layers().items()}
    data = {part: torch.as_tensor(array).to(device) for part, array in problem.transitions(batch).items()}

    def adam(params: list[Tensor]) -> torch.optim.Adam:
        return torch.optim.Adam(params, problem.LEARNING_RATE, eps=problem.EPS, **({"fused": True} if fused else {}))

    if name == "td3_step":
        return TD3Step(networks, data, adam)
    network, kind = name.split("_")
    key = "actor" if network == "actor" else "critic_1"
    inputs, labels = tuple(data[part] for part in problem.INPUTS[network]), data[problem.LABELS[network]]
    task = Regression(network, networks[key], networks[f"target_{key}"], inputs, labels, adam)
    return {"forward": Forward, "gradient": Gradient, "step": Step}[kind](task)


def addition(device: str) -> Callable[[], Any]:
    """Return a call that runs one kernel, to test the counting of kernels."""
    x = torch.ones(1024, device=device)
    return lambda: x + x


def versions() -> dict[str, str]:
    """Return PyTorch's version."""
    return {"torch": torch.__version__}


def _network(name: str, layers: Layers) -> MLP:
    network = MLP(layers, nn.Tanh if name.endswith("actor") else nn.Identity)
    return network.requires_grad_(not name.startswith("target"))


def _linear(weight: Any, bias: Any) -> nn.Linear:
    layer = nn.Linear(*weight.shape)
    with torch.no_grad():
        layer.weight.copy_(torch.as_tensor(weight.T))
        layer.bias.copy_(torch.as_tensor(bias))
    return layer


def _layers(tensors: Any) -> Layers:
    arrays = [_numpy(tensor) for tensor in tensors]
    return [(weight.T, bias) for weight, bias in zip(arrays[::2], arrays[1::2], strict=True)]


def _numpy(tensor: Tensor) -> Any:
    return tensor.detach().cpu().numpy()
