"""The policies of Stable-Baselines3 as networks of npnets, by the class of the policy.

Evaluated deterministically, SAC and TD3 map the `tanh` of a mean to the bounds of the actions, PPO and A2C clip the
mean into them, and those of discrete actions take the largest logit or value. State-dependent noise (`use_sde`) changes
nothing but the standard deviation, which depends on the features then, and limits SAC's mean to `clip_mean`.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from npnets import discrete
from npnets.continuous import Actor, ActorProb
from npnets.files.fault import DAMAGED, Fault
from npnets.files.quoting import listed, quoted
from npnets.interop.policies.action_space import Bounds
from npnets.interop.policies.activations import Named, checked
from npnets.interop.policies.networks import Body, body, body_of_several, check_identities, identity
from npnets.interop.policies.options import Options
from npnets.interop.policies.sequential import Dense, linear, linear_layers
from npnets.interop.policies.stable_baselines3.settings import Settings
from npnets.policy import Policy
from npnets.tree import Params

State: TypeAlias = Mapping[str, Any]

_CLIP_MEAN = 2.0
"""The default of SAC's `clip_mean`."""

_LARGEST = float(np.finfo(np.float32).max)


def policy_of(settings: Settings, state: State, options: Options) -> Policy:
    """Return a policy, from the settings of its model and the state dict of the policy."""
    path = settings.policy_class
    if path not in _FAMILIES:
        names = sorted({name.rpartition(".")[2] for name in _FAMILIES})
        raise Fault(
            f"its policy is a {quoted(path, 200)}; the classes of policies that are read are {listed(names, str, 9)}, "
            "not those for images or dicts, those with a memory, or a user's own"
        )
    return _FAMILIES[path](state, settings, options)


# -- the families ----------------------------------------------------------------------------------------------------


def _sac(state: State, settings: Settings, options: Options) -> Policy:
    shape, bounds = settings.observation_shape(), _bounds(settings, options)
    hidden, activation = linear_layers(state, "actor.latent_pi"), settings.activation("relu", options)
    if settings.flag("use_sde"):
        return _squashed(_noisy_sac(state, settings, shape, hidden, activation), bounds, options)
    found = body(shape, hidden, linear(state, "actor.mu"), activation)
    _check_entries(found.last, bounds)
    network = ActorProb(
        found.net, bounds[0].shape, unbounded=True, conditioned_sigma=True, **_edges(bounds), **_whole(bounds)
    )
    sigma = {"linear_0": linear(state, "actor.log_std").params}
    params = {"preprocess": found.params, "mu": {"linear_0": found.last.params}, "sigma": sigma}
    return Policy(network, params, normalization=options.normalization)


def _noisy_sac(
    state: State, settings: Settings, shape: tuple[int, ...], hidden: list[Dense], activation: Named
) -> Body:
    """Return the layers to the mean of SAC with state-dependent noise, which is limited unless `clip_mean` is zero."""
    if "actor.mu.weight" in state:
        return body(shape, hidden, linear(state, "actor.mu"), activation)
    limit = settings.policy_kwargs.get("clip_mean", _CLIP_MEAN)
    if type(limit) not in (int, float) or not 0 < limit <= _LARGEST:
        raise Fault(f"its clip_mean is {quoted(limit)}, where a positive number must be; {DAMAGED}")
    mean = linear(state, "actor.mu.0")
    limits = checked(Named("hardtanh", {"min_val": -float(limit), "max_val": float(limit)}))
    check_identities([mean.bias.size])
    last = identity(mean.weight.shape[1], mean.weight.dtype)
    return body_of_several(shape, [*hidden, mean], last, [*[activation] * len(hidden), limits])


def _td3(state: State, settings: Settings, options: Options) -> Policy:
    shape, bounds = settings.observation_shape(), _bounds(settings, options)
    *hidden, last = linear_layers(state, "actor.mu") or [linear(state, "actor.mu.0")]
    return _squashed(body(shape, hidden, last, settings.activation("relu", options)), bounds, options)


def _actor_critic(state: State, settings: Settings, options: Options) -> Policy:
    shape = settings.observation_shape()
    names = ("shared_net", "policy_net")  # the first in releases before 1.8
    hidden = [layer for name in names for layer in linear_layers(state, f"mlp_extractor.{name}")]
    found = body(shape, hidden, linear(state, "action_net"), settings.activation("tanh", options))
    count = settings.count_of_actions()
    if count is not None:
        network = discrete.Actor(found.net, count, softmax_output=False)
        return Policy(network, found.actor_params, normalization=options.normalization)
    bounds = _bounds(settings, options)
    if settings.flag("use_sde"):
        noisy = _squashed if settings.flag("squash_output") else _clipped_mean
        return noisy(found, bounds, options)
    return _clipped(found, state, bounds, options)


def _dqn(state: State, settings: Settings, options: Options) -> Policy:
    shape, count = settings.observation_shape(), settings.count_of_actions()
    *hidden, last = linear_layers(state, "q_net.q_net") or [linear(state, "q_net.q_net.0")]
    found = body(shape, hidden, last, settings.activation("relu", options))
    if count != last.weight.shape[1]:
        space = "of another space than a Discrete" if count is None else f"{count}"
        raise Fault(f"it has values of {last.weight.shape[1]} actions, but its actions are {space}; {DAMAGED}")
    network, params = found.net_with_output
    return Policy(network, params, to_action="greedy", normalization=options.normalization)


_FAMILIES: dict[str, Callable[[State, Settings, Options], Policy]] = {
    "sb3_contrib.tqc.policies.TQCPolicy": _sac,
    "stable_baselines3.common.policies.ActorCriticPolicy": _actor_critic,
    "stable_baselines3.dqn.policies.DQNPolicy": _dqn,
    "stable_baselines3.sac.policies.SACPolicy": _sac,
    "stable_baselines3.td3.policies.TD3Policy": _td3,
}
"""By the class of the policy; DDPG uses that of TD3, and PPO, A2C and TRPO share one."""


# -- from the mean to an action --------------------------------------------------------------------------------------


def _squashed(found: Body, bounds: Bounds, options: Options) -> Policy:
    """Return a policy that maps the tanh of its last layer to the bounds."""
    _check_entries(found.last, bounds)
    network = Actor(found.net, bounds[0].shape, **_edges(bounds), **_whole(bounds))
    return Policy(network, found.actor_params, normalization=options.normalization)


def _clipped(found: Body, state: State, bounds: Bounds, options: Options) -> Policy:
    """Return a policy with a standard deviation of its own, whose mean is clipped into the bounds."""
    _check_entries(found.last, bounds)
    network = ActorProb(found.net, bounds[0].shape, unbounded=True, **_whole(bounds))
    params: Params = {"preprocess": found.params, "mu": {"linear_0": found.last.params}}
    log_sigma = state.get("log_std")
    if not isinstance(log_sigma, np.ndarray) or log_sigma.shape != found.last.bias.shape:
        raise Fault(f"it lacks a log_std with a number for each of {found.last.bias.size} actions; {DAMAGED}")
    params["log_sigma"] = log_sigma
    return Policy(network, params, to_action="clip", normalization=options.normalization, **_edges(bounds))


def _clipped_mean(found: Body, bounds: Bounds, options: Options) -> Policy:
    """Return a policy without a standard deviation, whose output is clipped into the bounds."""
    _check_entries(found.last, bounds)
    network, params = found.net_with_output
    return Policy(network, params, to_action="clip", normalization=options.normalization, **_edges(bounds))


def _bounds(settings: Settings, options: Options) -> Bounds:
    bounds = settings.bounds()
    options.check_bounds(*bounds)
    return bounds


def _check_entries(last: Dense, bounds: Bounds) -> None:
    if last.weight.shape[1] != bounds[0].size:
        raise Fault(
            f"it computes {last.weight.shape[1]} numbers, but its actions have the shape {bounds[0].shape}; {DAMAGED}"
        )


def _edges(bounds: Bounds) -> dict[str, Any]:
    return {"low": bounds[0], "high": bounds[1]}


def _whole(bounds: Bounds) -> dict[str, Any]:
    """Return the argument that keeps several axes of actions apart."""
    return {} if bounds[0].ndim == 1 else {"flatten_action": False}
