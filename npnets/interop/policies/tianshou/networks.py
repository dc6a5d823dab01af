"""The policy that the networks of a state dict are.

A state dict names no class, no bound and no activation. The kind of actor follows from its names, and an off-policy
algorithm from its target networks (`critic_old`). Assumed is what Tianshou's examples do: a deterministic actor and the
mean of SAC fill the action space by tanh; the mean of PPO and its kin is unbounded, clipped to [-1, 1] and scaled.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from npnets import discrete
from npnets.common import Net
from npnets.continuous import Actor, ActorProb, RecurrentActorProb
from npnets.files.fault import Fault
from npnets.files.quoting import listed
from npnets.interop.policies.action_space import Bounds
from npnets.interop.policies.options import Options
from npnets.interop.policies.tianshou.layers import Layers, layers_of
from npnets.interop.policies.tianshou.parts import Parts
from npnets.interop.tianshou import from_state_dict
from npnets.policy import Policy
from npnets.policy.actions import ToAction

_TRUNK = "preprocess.model.model"
_WHY = "a state dict of Tianshou does not hold the bounds of the actions"


def policy_of(parts: Parts, options: Options) -> Policy:
    """Return the policy.

    Raises
    ------
    Fault
        If it is of another kind than those that are read, or needs bounds that were not passed.
    """
    if "actor" not in parts:
        return _of_values(parts["model"], parts, options)
    actor = parts["actor"]
    if any(name.startswith("nn.") for name in actor):
        return _recurrent(actor, parts, options)
    if "mu.model.0.weight" in actor:
        return _probabilistic(actor, parts, options)
    if "last.model.0.weight" in actor:
        return _of_last_layer(actor, parts, options)
    raise Fault(f"its actor has {listed(actor)}: neither a last layer nor a mean, so it is of no class of Tianshou's")


# -- kinds of policies -----------------------------------------------------------------------------------------------


def _of_last_layer(actor: Mapping[str, Any], parts: Parts, options: Options) -> Policy:
    """Return a deterministic actor, or an actor of discrete actions, whose parameters have the same names."""
    trunk, sizes, count = _trunk_and_head(actor, "last", options)
    if _is_discrete(parts, trunk.state_shape):
        network = discrete.Actor(trunk, count, sizes, softmax_output=False)
        return _policy(network, actor, options, "greedy", None)
    if "critic" not in parts and options.bounds is None:
        raise Fault(
            "its actor alone does not show whether its actions are continuous or discrete: pass "
            "action_space=env.action_space for continuous ones; of discrete ones the state dict of the whole algorithm "
            "is read"
        )
    low, high = bounds = _bounds(options, count)
    return _policy(Actor(trunk, count, sizes, low=low, high=high), actor, options, "as_is", bounds)


def _is_discrete(parts: Parts, observations: object) -> bool:
    """Return whether actions are discrete, because the critic takes observations alone."""
    critic = parts.get("critic", {})
    weight = np.asarray(critic.get(f"{_TRUNK}.0.weight", critic.get("last.model.0.weight", 0.0)))
    return weight.ndim == 2 and weight.shape[1] == observations


def _probabilistic(actor: Mapping[str, Any], parts: Parts, options: Options) -> Policy:
    trunk, sizes, count = _trunk_and_head(actor, "mu", options)
    conditioned = "sigma_param" not in actor
    network = ActorProb(trunk, count, sizes, unbounded=True, conditioned_sigma=conditioned)
    return _policy(network, actor, options, _mapping(parts, conditioned), _bounds(options, count))


def _recurrent(actor: Mapping[str, Any], parts: Parts, options: Options) -> Policy:
    layers = sum(name.startswith("nn.weight_ih_l") for name in actor)
    weight, mean = (np.asarray(actor.get(name, 0.0)) for name in ("nn.weight_ih_l0", "mu.weight"))
    if weight.ndim != 2 or mean.ndim != 2:
        raise Fault("its recurrent actor is no RecurrentActorProb of Tianshou, which has an LSTM and a linear mean")
    if options.activation is not None:
        raise Fault("its recurrent actor has no activations; leave activation out")
    conditioned, count = "sigma_param" not in actor, mean.shape[0]
    widths = (layers, weight.shape[1], count, weight.shape[0] // 4)
    network = RecurrentActorProb(*widths, unbounded=True, conditioned_sigma=conditioned)
    return _policy(network, actor, options, _mapping(parts, conditioned), _bounds(options, count))


def _of_values(model: Mapping[str, Any], parts: Parts, options: Options) -> Policy:
    """Return the policy of a Q-network, which takes the action of the largest value."""
    if buffers := [name for name in parts.get("", {}) if name in ("support", "tau_hat")]:
        raise Fault(f"its values are distributions, as {buffers[0]!r} shows; of discrete values those of DQN are read")
    sides = [layers_of(model, f"{side}.model") for side in ("model", "Q", "V")]
    others = [name for name in model if not name.startswith(("model.model.", "Q.model.", "V.model."))]
    match sides:
        case [Layers() as layers, None, None] if not others:
            hidden = layers._replace(outputs=layers.outputs[:-1], norms=layers.norms[:-1])
            return _policy(_net(hidden, options, layers.outputs[-1]), model, options, "greedy", None)
        case [layers, Layers() as advantages, Layers() as values] if not others:
            layers = layers or Layers(advantages.inputs, (), (), True)
            dueling = ({"hidden_sizes": advantages.outputs[:-1]}, {"hidden_sizes": values.outputs[:-1]})
            net = replace(_net(layers, options, advantages.outputs[-1]), dueling_param=dueling)
            return _policy(net, model, options, "greedy", None)
    raise Fault(f"its Q-network has {listed(model)}; of discrete values those of a Net of linear layers are read")


def _mapping(parts: Parts, conditioned: bool) -> ToAction:
    """Return how a mean becomes an action: by tanh in off-policy algorithms, which have target networks."""
    off_policy = any(name.endswith("_old") for name in parts)
    return "squash" if off_policy or ("critic" not in parts and conditioned) else "clip_and_scale"


# -- networks --------------------------------------------------------------------------------------------------------


def _trunk_and_head(actor: Mapping[str, Any], head: str, options: Options) -> tuple[Net, tuple[int, ...], int]:
    """Return an actor's trunk, the hidden sizes of its head, and the number of outputs."""
    layers = layers_of(actor, f"{head}.model")
    assert layers is not None
    others = [name for name in actor if name.startswith("preprocess.") and not name.startswith(f"{_TRUNK}.")]
    if others:
        raise Fault(f"its trunk has {listed(others)}; trunks of linear layers and layer norms are read")
    trunk = layers_of(actor, _TRUNK) or Layers(layers.inputs, (), (), True)
    return _net(trunk, options), layers.outputs[:-1], layers.outputs[-1]


def _net(layers: Layers, options: Options, outputs: int = 0) -> Net:
    """Return a `Net`; Tianshou's default activation is relu."""
    if len(set(layers.norms)) > 1:
        raise Fault("its trunk has layer norms after some layers and not after others, as no Net of Tianshou has")
    if options.activation is not None and not layers.has_activations:
        raise Fault("the numbers of its layers leave no places for activations; leave activation out")
    norm = "layer_norm" if any(layers.norms) else None
    activation = (options.activation or "relu") if layers.has_activations else None
    return Net(layers.inputs, outputs, layers.outputs, norm_layer=norm, activation=activation)


def _policy(
    network: Any, state_dict: Mapping[str, Any], options: Options, to_action: ToAction, bounds: Bounds | None
) -> Policy:
    try:
        params = from_state_dict(network, state_dict)
        low, high = bounds or (None, None)
        return Policy(network, params, normalization=options.normalization, to_action=to_action, low=low, high=high)
    except (TypeError, ValueError) as error:
        raise Fault(f"its networks do not fit together: {error}") from error


def _bounds(options: Options, count: int) -> Bounds:
    low, high = options.required_bounds(_WHY)
    if low.shape not in ((), (count,)):
        raise Fault(f"its actions have {count} entries, but action_space has the shape {low.shape}")
    return np.broadcast_to(low, (count,)), np.broadcast_to(high, (count,))
