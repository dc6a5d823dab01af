"""Write the results of Tianshou 1.0.0 and PyTorch for the cases, a file for each family and `optimizers.npz`.

Needs Tianshou and PyTorch, but not npnets. Parameters are written under the paths and in the layouts that npnets gives
them, so that all knowledge of Tianshou's names is on this side. The README in this folder says how to run it.
"""

import inspect
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch
from zlib import crc32

import cases
import fixtures
import numpy as np
import tianshou
import torch
import torch_discrete
import torch_quantiles
import torch_recurrent
from cases_common import Case
from tianshou.utils.net import common, continuous
from torch import nn
from torch_tensors import numpy_of, tensor

VOCABULARY: dict[str, Any] = {
    "partial": partial,
    "layer_norm": nn.LayerNorm,
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "sigmoid": nn.Sigmoid,
    "softplus": nn.Softplus,
    "leaky_relu": nn.LeakyReLU,
    "selu": nn.SELU,
    "celu": nn.CELU,
    "mish": nn.Mish,
    "relu6": nn.ReLU6,
    "hardtanh": nn.Hardtanh,
    "softsign": nn.Softsign,
    "hardsigmoid": nn.Hardsigmoid,
    "hardswish": nn.Hardswish,
    "logsigmoid": nn.LogSigmoid,
    "Linear": nn.Linear,
    **{name: getattr(common, name) for name in ("EnsembleLinear", "MLP", "Net", "Recurrent")},
    **{name: getattr(continuous, name, None) for name in ("Actor", "ActorProb", "Critic", "Perturbation", "VAE")},
    **{name: getattr(continuous, name) for name in ("RecurrentActorProb", "RecurrentCritic")},
    **torch_discrete.CLASSES,
    **torch_quantiles.CLASSES,
}

DRAWS = 1000
LINEAR = (nn.Linear, common.EnsembleLinear, torch_quantiles.CLASSES["NoisyLinear"])
FRACTIONS = ("taus", "tau_hats")
"""Inputs between zero and one."""


def main() -> None:
    """Write the files that the command line names, or all."""
    versions = {"tianshou": tianshou.__version__, "torch": torch.__version__, "numpy": np.__version__}
    contents: dict[str, Callable[[], dict[str, Any]]] = {
        **{name: partial(results, family) for name, family in cases.FAMILIES.items()},
        "optimizers": optimizers,
    }
    for name in sys.argv[1:] or contents:
        content = contents[name]()
        fixtures.save(name, {"versions": versions, **content})
        print(f"{len(content['cases'])} {name}, with {versions}")


def optimizers() -> dict[str, Any]:
    """Return steps of PyTorch's optimizers, the errors they raise, clipped gradients and soft updates."""
    from torch_optimizers import clipped, refused, soft_updated, trajectory  # which knows Tianshou 1.0.0 alone

    return {
        "cases": [trajectory(name, call) for name, call in cases.OPTIMIZERS.items()],
        "refused": [refused(call) for call in cases.REFUSED],
        "clipping": [clipped(name, ratio) for name, ratio in cases.CLIPPING.items()],
        "soft updates": [soft_updated(tau) for tau in cases.TAUS],
    }


def results(family: cases.Family) -> dict[str, Any]:
    """Return the results of Tianshou for a family of cases."""
    return {
        "cases": [network_case(case) for case in family.networks],
        "initial": [initial_values(call) for call in family.initial],
        "signatures": {name: signatures(name) for name in family.signatures},
        "warnings": [{"call": call, "warns": warns(call)} for call in family.warnings],
    }


# -- networks ---------------------------------------------------------------------------------------------------------


def network_case(case: Case) -> dict[str, Any]:
    """Return the record of a case. Its random numbers come from its name, so that a new case changes no other."""
    return recorded(case, *random_network(case, crc32(case.name.encode())))


def random_network(case: Case, seed: int) -> tuple[nn.Module, np.random.Generator]:
    """Return the network of a case with random parameters, and a generator for its inputs."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    with torch_recurrent.with_output_dim():
        net = eval(case.call, dict(VOCABULARY))
    randomize(net, rng, case.scale)
    return net, rng


def recorded(case: Case, net: nn.Module, rng: np.random.Generator) -> dict[str, Any]:
    """Return a case with its parameters, inputs, outputs, and the gradients of `sum(outputs * weights)`."""
    inputs = {name: draw_input(case, name, rng) for name in case.inputs}
    with watched_tanh() as squashed:
        outputs = list(flat(run(net, case.method, inputs)))
    weights = [tensor(rng.standard_normal(output.shape)) for output in outputs]
    sum((output * weight).sum() for output, weight in zip(outputs, weights, strict=True)).backward()
    check_attained(case, outputs)
    return {
        "name": case.name,
        "call": case.call,
        "method": case.method,
        "output_dim": getattr(net, "output_dim", None),
        "squashed": [min(squashed), max(squashed)] if squashed else None,
        "params": {path: numpy_of(p, path) for path, p in parameters(net)},
        "integers": list(case.integers),
        "inputs": {name: numpy_of(value.float()) for name, value in inputs.items()},
        "weights": [numpy_of(weight) for weight in weights],
        "outputs": [numpy_of(output) for output in outputs],
        "params_grads": {path: numpy_of(gradient(p), path) for path, p in parameters(net)},
        "inputs_grads": {name: numpy_of(gradient(value)) for name, value in inputs.items() if has_gradient(case, name)},
    }


def randomize(net: nn.Module, rng: np.random.Generator, scale: dict[str, float]) -> None:
    """Move all parameters away from where they started: norms and log sigma start at ones and zeros."""
    for path, parameter in parameters(net):
        factor = next((factor for start, factor in scale.items() if path.startswith(start)), 1.0)
        noise = 0.3 * rng.standard_normal(parameter.shape)
        parameter.data = (parameter.data + tensor(noise)) * factor


def draw_input(case: Case, name: str, rng: np.random.Generator) -> torch.Tensor:
    """Return an input, which collects its gradient unless it is integers."""
    if name in case.integers:
        return torch.as_tensor(rng.integers(case.integers[name], size=case.inputs[name]))
    if name in FRACTIONS:
        return tensor(rng.random(case.inputs[name])).requires_grad_()
    values = case.spread.get(name, 1.0) * rng.standard_normal(case.inputs[name])
    if name in case.grid:
        values = np.round(values / case.grid[name]) * case.grid[name]
    return tensor(values).requires_grad_()


def run(net: nn.Module, method: str, inputs: dict[str, torch.Tensor]) -> Any:
    """Call a network, with `noise` or `drawn` in place of PyTorch's random numbers."""
    if torch_quantiles.is_one(net):
        return torch_quantiles.run(net, inputs)
    if torch_recurrent.has_lstm(net):
        return torch_recurrent.run(net, inputs)
    args = [value for name, value in inputs.items() if name not in ("noise", "drawn")]
    with (
        patch.object(torch, "randn_like", lambda like: same_shape(inputs["noise"], like.shape)),
        patch.object(torch, "randn", lambda shape: same_shape(inputs["drawn"], shape)),
    ):
        return getattr(net, method)(*args)


@contextmanager
def watched_tanh() -> Iterator[list[float]]:
    """Collect the least and the largest argument of each `tanh`."""
    found: list[float] = []
    tanh = torch.tanh

    def watch(z: torch.Tensor) -> torch.Tensor:
        found.extend((z.min().item(), z.max().item()))
        return tanh(z)

    with patch.object(torch, "tanh", watch):
        yield found


def has_gradient(case: Case, name: str) -> bool:
    """Tell whether the gradient of an input is recorded."""
    return name != "drawn" and name not in case.integers


def gradient(value: torch.Tensor) -> torch.Tensor:
    """Return a gradient; zeros where the loss does not depend on the value, such as an encoder when decoding."""
    return torch.zeros_like(value) if value.grad is None else value.grad


def same_shape(value: torch.Tensor, shape: Any) -> torch.Tensor:
    """Return the replacement of random numbers, after a check that it has their shape."""
    assert tuple(value.shape) == tuple(shape), (value.shape, shape)
    return value


def flat(output: Any) -> Iterator[torch.Tensor]:
    """Go through the tensors of an output, a state's `hidden` before its `cell`, without `None`."""
    if isinstance(output, dict):
        yield from (output["hidden"], output["cell"])
    elif isinstance(output, tuple):
        for part in output:
            yield from flat(part)
    elif output is not None:
        yield output


def check_attained(case: Case, outputs: list[torch.Tensor]) -> None:
    """See that an output meets the bounds it was made to meet, and is elsewhere within them."""
    for index, bounds in case.attains.items():
        output = outputs[index].detach().numpy()
        met = np.zeros(output.shape, bool)
        for bound in bounds:
            at_bound = np.isclose(output, np.float32(bound), rtol=1e-6, atol=0)
            assert at_bound.any(), (case.name, bound, output)
            met |= at_bound
        assert not met.all(), (case.name, output)


# -- names and layouts ------------------------------------------------------------------------------------------------


def parameters(net: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Go through a network's parameters, each with the path that npnets gives it."""
    if isinstance(net, common.MLP):
        yield from mlp_parameters(net)
        return
    if isinstance(net, nn.LSTM):
        yield from torch_recurrent.lstm_parameters(net)
        return
    if named := torch_quantiles.parameters(net):
        yield from named
        return
    if isinstance(net, nn.ModuleList):  # of BranchingNet
        for number, part in enumerate(net):
            yield from ((f"branch_{number}.{path}", parameter) for path, parameter in parameters(part))
        return
    names = {"bias_weights": "bias", "sigma_param": "log_sigma"}
    parts = {"preprocess_net": "preprocess", **torch_recurrent.NAMES}
    for name, parameter in net.named_parameters(recurse=False):
        yield names.get(name, name), parameter
    for name, part in net.named_children():
        name = parts.get(name, name)
        yield from ((f"{name}.{path}", parameter) for path, parameter in parameters(part))


def mlp_parameters(net: common.MLP) -> Iterator[tuple[str, nn.Parameter]]:
    """Go through an MLP's linear layers and norms, numbered by the linear layer that they belong to."""
    number = -1
    for layer in net.model:
        linear = isinstance(layer, LINEAR)
        number += linear
        name = f"linear_{number}" if linear else f"norm_{number}"
        yield from ((f"{name}.{path}", parameter) for path, parameter in parameters(layer))


# -- what is drawn, and how it is called ------------------------------------------------------------------------------


def initial_values(call: str) -> dict[str, Any]:
    """Return, for each parameter of a network, the spread of its initial values over many draws."""
    torch.manual_seed(0)
    drawn = [dict(parameters(eval(call, dict(VOCABULARY)))) for _ in range(DRAWS)]
    spreads = {}
    for path in drawn[0]:
        values = np.stack([numpy_of(params[path], path) for params in drawn])
        spreads[path] = {name: float(getattr(values, name)()) for name in ("min", "max", "mean", "std")}
    return {"call": call, "draws": DRAWS, "spreads": spreads}


def signatures(name: str) -> dict[str, list[list[str]]]:
    """Return the arguments of a class's constructor and methods, with their defaults as the vocabulary writes them."""
    found = {"__init__": arguments(VOCABULARY[name])}
    for method in ("forward", "decode"):
        if hasattr(VOCABULARY[name], method):
            found[method] = arguments(getattr(VOCABULARY[name], method))
    return found


def arguments(function: Any) -> list[list[str]]:
    """Return names and defaults in order, without `self` and what has no name."""
    words = {id(value): word for word, value in VOCABULARY.items()}
    named = [p for p in inspect.signature(function).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    return [
        [p.name, "required" if p.default is p.empty else words.get(id(p.default), repr(p.default))]
        for p in named
        if p.name != "self"
    ]


def warns(call: str) -> bool:
    """Tell whether making a network warns."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        eval(call, dict(VOCABULARY))
    return any(issubclass(warning.category, UserWarning) for warning in caught)


if __name__ == "__main__":
    main()
