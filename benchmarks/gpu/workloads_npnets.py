"""The workloads of the GPU benchmarks on npnets: NumPy on the CPU, CuPy on a GPU.

Calling a workload runs the timed computation once; its output stays on the device. `outcome()` of a new workload
returns the numbers to compare with the other side. Parameters and data are on the device before the first call.
`gpu/workloads_pytorch.py` has the same mathematics under the same names.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np

import npnets
import npnets.numpy as nnp
from benchmarks.gpu import problem
from benchmarks.gpu.problem import Layers, Outcome
from npnets import optim, tree

ACTOR = npnets.Actor(npnets.Net(problem.OBS, hidden_sizes=problem.HIDDEN), problem.ACT)
CRITIC = npnets.Critic(npnets.Net(problem.OBS, problem.ACT, hidden_sizes=problem.HIDDEN, concat=True))


def act(params: Any, obs: Any) -> Any:
    """Return the actor's actions."""
    return ACTOR.forward(params, obs)[0]


def mean_squared_error(output: Any, target: Any) -> Any:
    """Return the mean squared error, the loss of all regressions."""
    return nnp.mean((output - target) ** 2)


class Regression(NamedTuple):
    """A network, its parameters and those of a target network, its inputs, and its targets."""

    name: str
    forward: Callable[..., Any]
    params: Any
    target: Any
    inputs: tuple[Any, ...]
    labels: Any

    def loss(self, params: Any) -> Any:
        """Return the mean squared error of the outputs with these parameters."""
        return mean_squared_error(self.forward(params, *self.inputs), self.labels)


class Forward:
    """The output of a network."""

    def __init__(self, task: Regression) -> None:
        self.task = task

    def __call__(self) -> Any:
        return self.task.forward(self.task.params, *self.task.inputs)

    def outcome(self) -> Outcome:
        """The output."""
        return {"output": tree.to_numpy(self())}


class Gradient:
    """A loss and its gradient."""

    def __init__(self, task: Regression) -> None:
        self.task, self.value_and_grad = task, npnets.value_and_grad(task.loss)

    def __call__(self) -> Any:
        return self.value_and_grad(self.task.params)

    def outcome(self) -> Outcome:
        """Return loss, gradient and the gradient's norm."""
        loss, gradient = tree.to_numpy(self())
        return problem.gradient_outcome(loss, self.task.name, _layers(gradient))


class Step:
    """A gradient, an Adam step, and a soft update of the target network."""

    def __init__(self, task: Regression) -> None:
        self.name, self.value_and_grad = task.name, npnets.value_and_grad(task.loss)
        self.params, self.target, self.optimizer = (
            task.params,
            task.target,
            optim.adam(problem.LEARNING_RATE, eps=problem.EPS),
        )
        self.state = self.optimizer.init(self.params)

    def __call__(self) -> Any:
        loss, gradient = self.value_and_grad(self.params)
        self.params, self.state = self.optimizer.update(params=self.params, grads=gradient, state=self.state)
        self.target = optim.soft_update(target=self.target, source=self.params, tau=problem.TAU)
        return loss

    def outcome(self) -> Outcome:
        """Return both networks' parameters after a few steps, and the last loss."""
        loss, params, target = tree.to_numpy(([self() for _ in range(problem.STEPS)][-1], self.params, self.target))
        return {
            "loss": loss,
            **problem.named(self.name, _layers(params)),
            **problem.named(f"target {self.name}", _layers(target)),
        }


class TD3Step:
    """Update two critics toward the targets' smaller value, an actor through the first critic, and three targets.

    One Adam for the actor and one for both critics. The actor learns in every step.
    """

    def __init__(self, params: dict[str, Any], data: dict[str, Any]) -> None:
        self.data, self.params = data, {name: params[name] for name in problem.NETWORKS}
        self.targets = {name: params[f"target_{name}"] for name in problem.NETWORKS}
        self.optimizer = optim.adam(problem.LEARNING_RATE, eps=problem.EPS)
        self.states = {names: self.optimizer.init(self._part(names)) for names in (problem.CRITICS, ("actor",))}
        self.critic_gradient = npnets.value_and_grad(self._critic_loss)
        self.actor_gradient = npnets.value_and_grad(self._actor_loss)

    def __call__(self) -> Any:
        critic_loss, gradient = self.critic_gradient(self._part(problem.CRITICS), self._target())
        self._descend(problem.CRITICS, gradient)
        actor_loss, gradient = self.actor_gradient(self._part(("actor",)), self.params["critic_1"])
        self._descend(("actor",), gradient)
        self.targets = optim.soft_update(target=self.targets, source=self.params, tau=problem.TAU)
        return critic_loss, actor_loss

    def outcome(self) -> Outcome:
        """Return all parameters after a few steps, and the last losses."""
        losses = [self() for _ in range(problem.STEPS)][-1]
        losses, params, targets = tree.to_numpy((losses, self.params, self.targets))
        outcome = {"losses": np.stack(losses)}  # in one array, because the actor's alone may be near zero
        for name in problem.NETWORKS:
            outcome |= problem.named(name, _layers(params[name])) | problem.named(
                f"target {name}", _layers(targets[name])
            )
        return outcome

    def _part(self, names: tuple[str, ...]) -> dict[str, Any]:
        return {name: self.params[name] for name in names}

    def _descend(self, names: tuple[str, ...], gradient: Any) -> None:
        params, self.states[names] = self.optimizer.update(
            params=self._part(names), grads=gradient, state=self.states[names]
        )
        self.params |= params

    def _target(self) -> Any:
        data, targets = self.data, self.targets
        next_act = nnp.clip(act(targets["actor"], data["next_obs"]) + data["noise"], -1, 1)
        q_1, q_2 = (CRITIC.forward(targets[name], data["next_obs"], next_act) for name in problem.CRITICS)
        return data["reward"] + (1 - data["terminal"]) * problem.GAMMA * nnp.minimum(q_1, q_2)

    def _critic_loss(self, critics: Any, target: Any) -> Any:
        q_1, q_2 = (CRITIC.forward(critics[name], self.data["obs"], self.data["act"]) for name in problem.CRITICS)
        return mean_squared_error(q_1, target) + mean_squared_error(q_2, target)

    def _actor_loss(self, params: Any, critic: Any) -> Any:
        obs = self.data["obs"]
        return -nnp.mean(CRITIC.forward(critic, obs, act(params["actor"], obs)))


def make(name: str, batch: int, device: str) -> Any:
    """Return the workload of that name, with its parameters and a batch of data on a device."""
    params = tree.to_device({network: _params(layers) for network, layers in problem.first_layers().items()}, device)
    data = tree.to_device(problem.transitions(batch), device)
    if name == "td3_step":
        return TD3Step(params, data)
    network, kind = name.split("_")
    key, forward = ("actor", act) if network == "actor" else ("critic_1", CRITIC.forward)
    inputs, labels = tuple(data[part] for part in problem.INPUTS[network]), data[problem.LABELS[network]]
    task = Regression(network, forward, params[key], params[f"target_{key}"], inputs, labels)
    return {"forward": Forward, "gradient": Gradient, "step": Step}[kind](task)


def addition(device: str) -> Callable[[], Any]:
    """Return a call that runs one kernel, to test the counting of kernels."""
    x = tree.to_device(np.ones(1024, np.float32), device)
    return lambda: x + x


def versions() -> dict[str, str]:
    """Return the versions of npnets' dependencies."""
    return {package: version(package) for package in ("numpy", "autograd")} | {"npnets": npnets.__version__}


def _params(layers: Layers) -> Any:
    parts = [{"weight": weight, "bias": bias} for weight, bias in layers]
    hidden = {f"linear_{index}": part for index, part in enumerate(parts[:-1])}
    return {"preprocess": {"model": hidden}, "last": {"linear_0": parts[-1]}}


def _layers(params: Any) -> Layers:
    parts = [*params["preprocess"]["model"].values(), params["last"]["linear_0"]]
    return [(part["weight"], part["bias"]) for part in parts]
