"""State dicts of CleanRL's networks, as its scripts for continuous actions save them in `.cleanrl_model` files.

`ppo_` and `rpo_continuous_action` save their agent: `actor_mean`, a sequence of linear layers and tanh, and
`actor_logstd`; the environment clips their actions. `td3_`, `ddpg_` and `sac_continuous_action` have an actor of linear
layers `fc1`, `fc2`, ... and relu, whose output is squashed by tanh to `action_scale` and `action_bias`; the former two
save a tuple, with the actor first. The policy is the mean. A file names no activations: `activation` replaces these.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from npnets.backend import Array
from npnets.continuous import Actor, ActorProb
from npnets.files.fault import DAMAGED, Fault
from npnets.files.quoting import listed, quoted
from npnets.interop.library_file import LibraryFile
from npnets.interop.policies.activations import Named
from npnets.interop.policies.networks import body
from npnets.interop.policies.options import Options
from npnets.interop.policies.sequential import Dense, linear, linear_layers
from npnets.policy import Policy

LIBRARY = "CleanRL's .cleanrl_model files of its scripts for continuous actions"

_SUFFIX = ".cleanrl_model"
_FLAX = range(0x81, 0x90)
"""The first byte of a file of `flax.serialization.to_bytes`, which scripts on JAX write: a map of msgpack."""

_HIDDEN = re.compile(r"fc(\d{1,3})\.(weight|bias)")
_HEADS = ("fc_mu", "fc_mean")


def recognizes(file: LibraryFile) -> bool:
    """Return whether a file has CleanRL's suffix, or the names that its networks have."""
    if file.path.endswith(_SUFFIX):
        return file.is_of_torch or _is_of_flax(file)
    return _kind(_state(file.contents)) is not None


def _is_of_flax(file: LibraryFile) -> bool:
    return bool(file.beginning) and file.beginning[0] in _FLAX


def read(file: LibraryFile, options: Options) -> Policy:
    """Return the policy in a file.

    Raises
    ------
    Fault
        If it is of another script, or its layers do not fit.
    """
    state = _state(file.contents)
    match _kind(state):
        case "agent":
            return _gaussian(state, options)
        case "actor":
            return _squashed(state, options)
    if _is_of_flax(file):
        raise Fault("it is of one of CleanRL's scripts on JAX; files of those on PyTorch are read")
    raise Fault(
        f"it holds {listed(state) if state else f'a {type(file.contents).__name__}'}, and none of the networks of "
        "CleanRL's ppo_, rpo_, td3_, ddpg_ and sac_continuous_action, which are read; discrete actions are not"
    )


def _state(contents: object) -> dict[str, Any]:
    """Return the state dict of the actor or agent; an empty one if there is none."""
    first = contents[0] if isinstance(contents, tuple) and contents else contents
    return {key: value for key, value in first.items() if isinstance(key, str)} if isinstance(first, dict) else {}


def _kind(state: Mapping[str, Any]) -> str | None:
    if "actor_mean.0.weight" in state and "actor_logstd" in state:
        return "agent"
    has_head = any(f"{head}.weight" in state for head in _HEADS)
    return "actor" if has_head and "fc1.weight" in state and "action_scale" in state else None


# -- PPO and RPO -----------------------------------------------------------------------------------------------------


def _gaussian(state: Mapping[str, Any], options: Options) -> Policy:
    """Return the agent's actor: its mean, clipped to the bounds of the action space."""
    *hidden, last = _alternating(state, "actor_mean")
    low, high = options.required_bounds("its actions are clipped to the action space, which is not in this file")
    actions = last.bias.size
    shape = low.shape or (actions,)
    if int(np.prod(shape)) != actions:
        raise Fault(f"its policy has {actions} actions, but action_space is of the shape {shape}")
    layers = body(_shape(hidden, last), hidden, last, Named(options.activation or "tanh"))
    log_sigma = _vector(state, "actor_logstd", actions)
    params = {"preprocess": layers.params, "mu": {"linear_0": last.params}, "log_sigma": log_sigma}
    network = ActorProb(layers.net, shape, unbounded=True, flatten_action=len(shape) == 1)
    return Policy(network, params, normalization=options.normalization, to_action="clip", low=low, high=high)


def _alternating(state: Mapping[str, Any], prefix: str) -> list[Dense]:
    """Return the linear layers of a sequence in which every second layer is an activation."""
    layers = linear_layers(state, prefix)
    if any(f"{prefix}.{2 * index}.weight" not in state for index in range(len(layers))):
        raise Fault(f"its {quoted(prefix)} is no sequence of linear layers with an activation between every two")
    return layers


# -- TD3, DDPG and SAC -----------------------------------------------------------------------------------------------


def _squashed(state: Mapping[str, Any], options: Options) -> Policy:
    """Return the actor: `action_scale * tanh(mean) + action_bias`."""
    count = 1 + max(int(found[1]) for name in state if (found := _HIDDEN.fullmatch(name)))
    hidden = [linear(state, f"fc{number}") for number in range(1, count)]
    last = linear(state, next(head for head in _HEADS if f"{head}.weight" in state))
    layers = body(_shape(hidden, last), hidden, last, Named(options.activation or "relu"))
    low, high = _bounds(state, last.bias.size)
    options.check_bounds(low, high)
    actor = Actor(layers.net, last.bias.size, low=low, high=high)
    return Policy(actor, layers.actor_params, normalization=options.normalization)


def _shape(hidden: list[Dense], last: Dense) -> tuple[int]:
    """Return the shape of an observation: as many numbers as the first layer takes."""
    return ([*hidden, last][0].weight.shape[0],)


def _bounds(state: Mapping[str, Any], actions: int) -> tuple[Array, Array]:
    scale, bias = (_vector(state, name, actions).astype(np.float64) for name in ("action_scale", "action_bias"))
    if not np.isfinite([scale, bias]).all() or not (scale > 0).all():
        raise Fault(
            f"its action_scale is {quoted(scale.tolist())} and its action_bias {quoted(bias.tolist())}, where finite "
            "numbers and a positive scale must be; was the action space without bounds?"
        )
    return bias - scale, bias + scale


def _vector(state: Mapping[str, Any], name: str, count: int) -> Array:
    """Return the row of an array whose rows are alike: there is one for each environment that trained together."""
    value = state.get(name)
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f" or value.size % count or not value.size:
        found = f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
        raise Fault(f"its {name} must hold {count} floating-point numbers, but is {found}; {DAMAGED}")
    rows = value.reshape(-1, count)
    if not np.array_equal(rows, np.broadcast_to(rows[0], rows.shape), equal_nan=True):
        raise Fault(f"its {name} differs between environments, so that one policy cannot have it")
    return rows[0].copy()
