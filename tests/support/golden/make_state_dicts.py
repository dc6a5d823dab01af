"""Write `state_dicts_1.npz` and its like: state dicts of Tianshou's networks and policies, and some outputs.

The number is that of the version of Tianshou that is installed: 1.0.0, or 2.x. The cases are those of `cases.py`
whose networks differ in more than numbers. Arrays are written as PyTorch has them, under Tianshou's names; npnets is
not needed. The README in this folder says how to run it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from unittest.mock import patch

import cases
import fixtures
import numpy as np
import tianshou
import torch
import torch_discrete
import torch_quantile_policies
import torch_quantiles
import torch_recurrent
from cases_common import Case
from tianshou.utils.net import common, continuous, discrete
from torch import nn
from torch_policies import policies

MAJOR = int(tianshou.__version__.split(".")[0])

NEW_NAMES = {
    "Actor": "ContinuousActorDeterministic",
    "ActorProb": "ContinuousActorProbabilistic",
    "Critic": "ContinuousCritic",
}
"""The names in 2.x of the classes that it renamed."""

WIDTH_GIVEN = [
    Case("an actor told its number of features", "Actor(Net(5, 4), 3, preprocess_net_output_dim=4)", {"obs": (4, 5)}),
    Case("a critic told its number of features", "Critic(Net(5, 4), preprocess_net_output_dim=4)", {"obs": (4, 5)}),
]
"""2.x puts a module around the preprocess net for it."""


FILES: dict[str, list[Case]] = {
    "state_dicts": [*cases.FEED_FORWARD.networks, *cases.RECURRENT.networks, *WIDTH_GIVEN],
    "state_dicts_discrete": cases.DISCRETE.networks,
    "state_dicts_quantiles": cases.QUANTILES.networks,
}
"""The cases of each file; its name ends with the number of the version."""

POLICIES = {"state_dicts": policies, "state_dicts_quantiles": torch_quantile_policies.policies}
"""The functions that make the policies of a file."""


def main() -> None:
    """Write the files of the version that is installed which the command line names, or all."""
    versions = {"tianshou": tianshou.__version__, "torch": torch.__version__, "numpy": np.__version__}
    for file in sys.argv[1:] or FILES:
        content = {
            "versions": versions,
            "cases": [network_case(case, seed) for seed, case in enumerate(chosen_cases(FILES[file]))],
            "policies": [policy_case(*made) for made in POLICIES[file](vocabulary())] if file in POLICIES else [],
        }
        if file == "state_dicts_discrete":
            content["pairs"] = [pair_case(call) for call in torch_discrete.PAIRS]
        fixtures.save(f"{file}_{MAJOR}", content)
        print(f"{len(content['cases'])} networks and {len(content['policies'])} policies, with {versions}")


def chosen_cases(every: list[Case]) -> Iterator[Case]:
    """Go through cases of different networks: one with each activation is enough, for it has no parameters."""
    seen = set()
    activations = [case for case in every if case.name.startswith("activation ") and "far from" not in case.name]
    for case in [case for case in every if not case.name.startswith("activation ")] + activations[::4]:
        if case.call not in seen and case.method == "forward" and "hidden" not in case.inputs:
            seen.add(case.call)
            yield case


def network_case(case: Case, seed: int) -> dict[str, Any]:
    """Return a network's state dict, an input and the output."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    with torch_recurrent.with_output_dim():
        net = eval(case.call, vocabulary())
    randomize(net, rng)
    inputs = {name: torch.as_tensor(rng.integers(-64, 65, shape) / 32).float() for name, shape in case.inputs.items()}
    inputs |= {name: torch.as_tensor(rng.integers(n, size=case.inputs[name])) for name, n in case.integers.items()}
    args = [value for name, value in inputs.items() if name != "noise"]
    with torch.no_grad(), patch.object(torch, "randn_like", lambda like: inputs["noise"]):
        quantiles = torch_quantiles.is_one(net)
        outputs = list(flat(torch_quantiles.run(net, inputs) if quantiles else net(*args)))
    return {
        "name": case.name,
        "call": case.call,
        "class": type(net).__name__,
        "method": "forward",
        "integers": list(case.integers),
        "inputs": arrays({name: value.float() for name, value in inputs.items()}),
        "outputs": [output.numpy() for output in outputs],
        "state_dict": arrays(net.state_dict()),
    }


def pair_case(call: str) -> dict[str, Any]:
    """Return the state dict of an actor and a critic, an observation, and the output of each."""
    rng = np.random.default_rng(len(call))
    pair = eval(call, vocabulary())
    randomize(pair, rng)
    obs = torch.as_tensor(rng.integers(-64, 65, (4, 5)) / 32).float()
    with torch.no_grad():
        outputs = list(flat((pair.actor(obs), pair.critic(obs))))
    return {
        "call": call,
        "inputs": arrays({"obs": obs}),
        "outputs": [output.numpy() for output in outputs],
        "state_dict": arrays(pair.state_dict()),
    }


def policy_case(policy: nn.Module, networks: dict[str, str]) -> dict[str, Any]:
    """Return a policy's state dict, and the calls that make the networks below each of its prefixes."""
    randomize(policy, np.random.default_rng(len(networks)))
    state_dict = {key: value for key, value in policy.state_dict().items() if hasattr(value, "numpy")}
    return {
        "class": type(policy).__name__,
        "networks": networks,
        "no arrays": [key for key in policy.state_dict() if key not in state_dict],
        "state_dict": arrays(state_dict),
    }


def randomize(net: nn.Module, rng: np.random.Generator) -> None:
    """Give all parameters numbers of their own, which norms and targets do not begin with, and short ones in a file."""
    for parameter in net.parameters():
        numbers = np.round(64 * (parameter.detach().numpy() + 0.3 * rng.standard_normal(parameter.shape))) / 64
        parameter.data = torch.as_tensor(numbers.astype(np.float32))


def arrays(tensors: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Return tensors as arrays."""
    return {name: tensor.detach().numpy().copy() for name, tensor in tensors.items()}


def flat(output: Any) -> Iterator[torch.Tensor]:
    """Go through the tensors of an output, a state's `hidden` before its `cell`."""
    if isinstance(output, tuple):
        for part in output:
            yield from flat(part)
    elif isinstance(output, torch.Tensor):
        yield output
    elif output is not None:
        yield from (output["hidden"], output["cell"])


def vocabulary() -> dict[str, Any]:
    """Return what the calls of the cases are written in, as constructors of the version that is installed."""
    modules = {"ReLU": "relu", "Tanh": "tanh", "ELU": "elu", "GELU": "gelu", "SiLU": "silu", "Sigmoid": "sigmoid"}
    modules |= {"SELU": "selu", "CELU": "celu", "Mish": "mish", "ReLU6": "relu6", "Hardtanh": "hardtanh"}
    modules |= {"Softsign": "softsign", "Hardsigmoid": "hardsigmoid", "Hardswish": "hardswish"}
    modules |= {"LogSigmoid": "logsigmoid"}
    modules |= {"Softplus": "softplus", "LeakyReLU": "leaky_relu", "LayerNorm": "layer_norm", "Linear": "Linear"}
    classes = [name for family in cases.FAMILIES.values() for name in family.signatures]
    made = {name: constructor(name) for name in classes if name != "Linear"}
    made["ActorCritic"] = torch_discrete.actor_critic
    return {"partial": partial, **{word: getattr(nn, name) for name, word in modules.items()}, **made}


def constructor(name: str) -> Callable[..., nn.Module]:
    """Return a constructor that takes the arguments of 1.0.0, which 2.x takes by name and partly in other ways."""
    new_name = name if MAJOR == 1 else NEW_NAMES.get(name, name)
    known = {**torch_discrete.CLASSES, **torch_quantiles.CLASSES} if MAJOR == 1 else vars(discrete)
    made = known.get(new_name) or getattr(common, new_name, None) or getattr(continuous, new_name)
    if MAJOR == 1 or name == "EnsembleLinear":
        return made  # type: ignore[no-any-return]
    names = [argument for argument, _ in recorded_signature(name)]

    def make(*args: Any, **kwargs: Any) -> nn.Module:
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        given.pop("device", None)
        if width := given.pop("preprocess_net_output_dim", None):
            given["preprocess_net"] = common.ModuleWithVectorOutput.from_module(given["preprocess_net"], width)
        return made(**given)  # type: ignore[no-any-return]

    return make


def recorded_signature(name: str) -> list[list[str]]:
    """Return the arguments that a class of 1.0.0 has, as `make_golden.py` recorded them."""
    file = next(file for file, family in cases.FAMILIES.items() if name in family.signatures)
    return fixtures.load(file)["signatures"][name]["__init__"]  # type: ignore[no-any-return]


if __name__ == "__main__":
    main()
