"""What a network of a policy takes and returns: the shapes of one observation and of one action, and its mode."""

import inspect
from typing import Any

import numpy as np

import npnets.numpy as nnp
from npnets.backend import Array
from npnets.common import MLP, ActorCritic, BranchingNet, Linear, Net, Recurrent
from npnets.common.protocols import check_is_network
from npnets.common.spec import own_spec
from npnets.continuous import VAE, Actor, ActorProb, Critic, Perturbation, RecurrentActorProb, RecurrentCritic
from npnets.description import width
from npnets.discrete import Actor as DiscreteActor
from npnets.discrete import (
    CosineEmbeddingNetwork,
    FractionProposalNetwork,
    FullQuantileFunction,
    ImplicitQuantileNetwork,
    IntrinsicCuriosityModule,
)
from npnets.discrete import Critic as DiscreteCritic
from npnets.normalization.network import Normalized, unwrapped
from npnets.tree import Params, Tree

CHOOSES = (DiscreteActor, BranchingNet, ImplicitQuantileNetwork, FullQuantileFunction)
"""Networks whose output is a number for each of several actions."""

MORE_INPUTS = {VAE: "decode, which takes latent_z", Perturbation: "forward, which takes an action"}
"""Networks that need more than an observation, and the method that has it."""

FRACTIONS = 32
MIDPOINTS = (np.arange(FRACTIONS) + 0.5) / FRACTIONS
_PROBABILISTIC = (ActorProb, RecurrentActorProb)
ACTORS = (Actor, *_PROBABILISTIC)
_RECURRENT = (Recurrent, RecurrentActorProb)
_WITHOUT_ACTIONS = (
    *(Critic, RecurrentCritic, DiscreteCritic, IntrinsicCuriosityModule, CosineEmbeddingNetwork),
    FractionProposalNetwork,
)


def check(network: Any, params: Params, fraction_proposal: object) -> None:
    """Check that a network can act, that its parameters are its own, and that it has what it needs beside them."""
    if isinstance(network, ActorCritic):
        raise TypeError("network must be one network; pass network.actor with network.split(params)['actor']")
    check_is_network("network", network)
    inner = unwrapped(network)
    if isinstance(inner, _WITHOUT_ACTIONS):
        raise TypeError(f"network must return actions, but is {inner!r:.80}; pass the actor")
    if getattr(getattr(inner, "model", inner), "is_ensemble", False):
        raise TypeError(f"network must return one action for each observation, but is the ensemble {inner!r:.80}")
    spec = own_spec(network)
    if spec is not None:
        spec.read(params, network)
    _check_proposal(inner, fraction_proposal)


def _check_proposal(inner: Any, fraction_proposal: object) -> None:
    if isinstance(inner, FullQuantileFunction) != (fraction_proposal is not None):
        raise TypeError(
            "fraction_proposal=(FractionProposalNetwork, its parameters) belongs to a FullQuantileFunction, which "
            f"needs it, but network is {inner!r:.80} and fraction_proposal {fraction_proposal!r:.40}"
        )
    if fraction_proposal is None:
        return
    if not isinstance(fraction_proposal, tuple) or len(fraction_proposal) != 2:
        raise TypeError(f"fraction_proposal must be a pair (network, params), but is {fraction_proposal!r:.80}")
    proposes, its = fraction_proposal
    if not isinstance(proposes, FractionProposalNetwork):
        raise TypeError(f"fraction_proposal must begin with a FractionProposalNetwork, but is {proposes!r:.80}")
    proposes.spec.read(its, proposes)


def takes_state(network: Any) -> bool:
    """Return whether a network's `forward` takes a state."""
    try:
        inspect.signature(unwrapped(network).forward).bind("params", "obs", "state")
    except TypeError:
        return False
    return not isinstance(unwrapped(network), (MLP, Linear))


def observation_shape(network: Any) -> tuple[int, ...] | None:
    """Return the shape of one observation, or `None` for a trunk of the user's own."""
    if isinstance(network, Normalized):
        return _axes(network.shape)
    if isinstance(network, _RECURRENT):
        return (width(network.state_shape),)
    if isinstance(network, Net) and network.concat:  # which takes an action behind each observation
        return (network.model.input_dim,)
    if isinstance(network, (Net, BranchingNet)):
        return _axes(network.state_shape)
    if isinstance(network, (MLP, Linear)):
        return (network.input_dim if isinstance(network, MLP) else network.in_features,)
    trunk = getattr(network, "preprocess_net", None)
    return None if trunk is None else observation_shape(trunk)


def action_shape(network: Any) -> tuple[int, ...] | None:
    """Return the shape of one action, or `None` for a network that does not say it."""
    inner = unwrapped(network)
    if isinstance(inner, ACTORS):
        return _axes(inner.action_shape)
    last = (
        inner.decoder if isinstance(inner, VAE) else inner.preprocess_net if isinstance(inner, Perturbation) else None
    )
    entries = getattr(last, "output_dim", None)
    return None if entries is None else (int(entries),)


def features(network: Any) -> tuple[int, ...]:
    """Return the shape of one output as far as `output_dim` says it, empty if it is not there."""
    found = getattr(network, "output_dim", None)
    return () if found is None else (int(found),)


def bounds(network: Any) -> tuple[Any, Any] | None:
    """Return the bounds that a network's actions have, or that an unbounded one remembers."""
    inner = unwrapped(network)
    if getattr(inner, "low", None) is not None:
        return inner.low, inner.high
    largest = getattr(inner, "max_action", None)
    if largest is None or getattr(inner, "unbounded", False):
        return None
    return -np.asarray(largest), np.asarray(largest)


def is_unbounded(network: Any) -> bool:
    """Return whether a network is a probabilistic actor whose mean is not squashed."""
    inner = unwrapped(network)
    return isinstance(inner, _PROBABILISTIC) and inner.unbounded


def run(policy: Any, obs: Any, state: Tree) -> tuple[Array, Tree]:
    """Return a network's mode for a batch of observations, `(n, ...)`, and its new state.

    Of a quantile network it is the mean of each action's quantiles, weighted by the fractions between which they lie.
    """
    network, inner, params = policy.network, unwrapped(policy.network), policy.params
    if isinstance(inner, ImplicitQuantileNetwork):
        taus = np.broadcast_to(MIDPOINTS, (len(obs), FRACTIONS))
        (quantiles, _), state = network.forward(params, obs, FRACTIONS, state=state, taus=taus)
        return nnp.mean(quantiles, -1), state
    if isinstance(inner, FullQuantileFunction):
        found = network.forward(params, obs, *policy.fraction_proposal, state=state, training=False)
        (quantiles, (taus, _, _), _), state = found
        return nnp.sum(quantiles * nnp.expand_dims(taus[:, 1:] - taus[:, :-1], 1), -1), state
    if isinstance(inner, Net) and inner.num_atoms > 1 and policy.to_action == "greedy":
        quantiles, state = network.forward(params, obs, state)
        return nnp.mean(quantiles, -1), state
    if not policy._takes_state:
        return network.forward(params, obs), None
    output, state = _pair(network.forward(params, obs, state), network)
    return (output[0] if isinstance(output, tuple) else output), state


def _pair(output: Any, network: object) -> tuple[Any, Tree]:
    if not isinstance(output, tuple) or len(output) != 2:
        raise TypeError(
            f"forward(params, obs, state) must return a pair (output, state), but that of {network!r:.80} returned a "
            f"{type(output).__name__}"
        )
    return output


def _axes(shape: Any) -> tuple[int, ...]:
    return shape if isinstance(shape, tuple) else (width(shape),)
