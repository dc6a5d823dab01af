"""Results of PyTorch's optimizers and gradient clipping, and of Tianshou's soft update, for fixed numbers."""

from functools import partial
from typing import Any

import cases
import numpy as np
import torch
from tianshou.policy import BasePolicy
from torch import nn
from torch_tensors import numpy_of, tensor

OPTIMIZERS: dict[str, Any] = {
    "sgd": torch.optim.SGD,
    "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}

STEPS = 10


def trajectory(name: str, call: str) -> dict[str, Any]:
    """Return the parameters after each step of an optimizer on fixed gradients."""
    rng = np.random.default_rng(7)
    params = {path: nn.Parameter(draw_leaf(rng, path, "zero")) for path in cases.TREE}
    start = {path: numpy_of(p) for path, p in params.items()}
    optimizer = eval(call, {word: partial(make_optimizer, word, params.values()) for word in OPTIMIZERS})
    all_grads, visited = [], []
    for step in range(STEPS):
        grads = {path: draw_gradient(rng, path, step) for path in params}
        for path, parameter in params.items():
            parameter.grad = grads[path].clone()
        optimizer.step()
        all_grads.append({path: numpy_of(g) for path, g in grads.items()})
        visited.append({path: numpy_of(p) for path, p in params.items()})
    return {"name": name, "call": call, "start": start, "grads": all_grads, "visited": visited}


def refused(call: str) -> str:
    """Return a call for which PyTorch raises a ValueError."""
    made = {word: partial(make_optimizer, word, [nn.Parameter(torch.zeros(2))]) for word in OPTIMIZERS}
    try:
        eval(call, made)
    except ValueError:
        return call
    raise AssertionError(f"PyTorch accepts {call}")


def make_optimizer(word: str, params: Any, *args: Any, **kwargs: Any) -> torch.optim.Optimizer:
    """Make an optimizer over parameters; the first argument is the learning rate on both sides."""
    return OPTIMIZERS[word](list(params), *args, **kwargs)  # type: ignore[no-any-return]


def draw_leaf(rng: np.random.Generator, path: str, zero: str) -> torch.Tensor:
    """Return numbers for a leaf; one leaf starts at zero, so that each step is visible to its last digit."""
    return tensor(rng.standard_normal(cases.TREE[path]) * (zero not in path))


def draw_gradient(rng: np.random.Generator, path: str, step: int) -> torch.Tensor:
    """Return a gradient: zero in one step, and in one leaf so small that eps of an optimizer matters."""
    return tensor(rng.standard_normal(cases.TREE[path]) * (step != 4) * (3e-8 if "bias" in path else 1.0))


def clipped(name: str, ratio: float) -> dict[str, Any]:
    """Return gradients clipped by their norm, and the norm, for a limit that is a multiple of it."""
    rng = np.random.default_rng(8)
    grads = {path: draw_leaf(rng, path, "none") for path in cases.TREE}
    limit = ratio * float(torch.cat([g.ravel() for g in grads.values()]).norm())
    params = {path: nn.Parameter(torch.zeros_like(g)) for path, g in grads.items()}
    for path, parameter in params.items():
        parameter.grad = grads[path].clone()
    norm = nn.utils.clip_grad_norm_(list(params.values()), limit)
    return {
        "name": name,
        "limit": limit,
        "grads": {path: numpy_of(g) for path, g in grads.items()},
        "clipped": {path: numpy_of(p.grad) for path, p in params.items()},
        "norm": numpy_of(norm),
    }


def soft_updated(tau: float) -> dict[str, Any]:
    """Return a target's parameters after Tianshou's soft update."""
    rng = np.random.default_rng(9)
    target, source = (
        nn.ParameterDict({p.replace(".", "/"): draw_leaf(rng, p, "none") for p in cases.TREE}) for _ in "ts"
    )
    before = {path: numpy_of(target[path.replace(".", "/")]) for path in cases.TREE}
    BasePolicy.soft_update(None, target, source, tau)  # type: ignore[arg-type]
    return {
        "tau": tau,
        "target": before,
        "source": {path: numpy_of(source[path.replace(".", "/")]) for path in cases.TREE},
        "updated": {path: numpy_of(target[path.replace(".", "/")]) for path in cases.TREE},
    }
