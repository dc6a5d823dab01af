"""The shapes of one observation, one action and one output of a network, read from its description.

Owns all special knowledge of npnets' own classes. `None` means that a description does not contain the shape.
"""

from typing import Any, TypeAlias

import numpy as np

from npnets import discrete
from npnets.backend import Array
from npnets.common import MLP, BranchingNet, EnsembleLinear, LayerNorm, Linear, Net, Recurrent
from npnets.continuous import VAE, Critic, Perturbation, RecurrentActorProb, RecurrentCritic
from npnets.description import Shape, shape, width
from npnets.discrete import (
    CosineEmbeddingNetwork,
    FractionProposalNetwork,
    FullQuantileFunction,
    ImplicitQuantileNetwork,
    IntrinsicCuriosityModule,
    NoisyLinear,
)
from npnets.normalization.network import Normalized, unwrapped

Row: TypeAlias = tuple[int, ...]

_IN: dict[type, str] = {
    Linear: "in_features",
    NoisyLinear: "in_features",
    EnsembleLinear: "in_feature",
    LayerNorm: "features",
    MLP: "input_dim",
    FractionProposalNetwork: "embedding_dim",
}
_OUT: dict[type, str] = {
    Linear: "out_features",
    NoisyLinear: "out_features",
    EnsembleLinear: "out_feature",
    LayerNorm: "features",
    MLP: "output_dim",
}
SAMPLES = 3
"""Number of the fractions that a quantile network is given."""

_SEQUENTIAL = (Recurrent, RecurrentActorProb, RecurrentCritic)


def as_row(name: str, value: Shape) -> Row:
    """Return a shape, an integer or a sequence of integers, as a tuple."""
    checked = shape(name, value)
    return (checked,) if isinstance(checked, int) else checked


def observation_row(net: object) -> Row | None:
    """Return the shape of one observation."""
    if type(net) in _IN:
        return (getattr(net, _IN[type(net)]),)
    if isinstance(net, (VAE, Perturbation)):
        part = net.encoder if isinstance(net, VAE) else net.preprocess_net
        both, action = observation_row(part), action_row(net)
        return (width(both) - width(action),) if both is not None and action is not None else None
    if isinstance(net, Net) and net.concat:
        return (width(net.state_shape) + width(net.action_shape) * net.num_atoms,)
    if isinstance(net, Normalized):
        return as_row("shape", net.shape)
    if isinstance(net, _SEQUENTIAL):
        return (width(net.state_shape),)
    if isinstance(net, IntrinsicCuriosityModule):
        return observation_row(net.feature_net)
    if isinstance(net, CosineEmbeddingNetwork):
        return (SAMPLES,)
    for name in ("state_shape", "input_dim"):
        if getattr(net, name, None) is not None:
            return as_row(name, getattr(net, name))
    trunk: Any = getattr(net, "preprocess_net", None)
    if isinstance(net, Critic) and _joins_before_trunk(net):
        return as_row("state_shape", trunk.state_shape)
    return None if trunk is None else observation_row(trunk)


def action_row(net: object) -> Row | None:
    """Return the shape of one action, either of those a network takes or of those it returns."""
    if isinstance(net, (VAE, Perturbation)):
        part = net.decoder if isinstance(net, VAE) else net.preprocess_net
        features = getattr(part, "output_dim", None)
        return None if features is None else (features,)
    if isinstance(net, Critic):
        trunk: Any = net.preprocess_net
        shape_of_action = trunk.action_shape if _joins_before_trunk(net) else net.action_shape
        return None if shape_of_action is None else as_row("action_shape", shape_of_action)
    if choices_of(net) is not None:
        return (net.num_branches,) if isinstance(net, BranchingNet) else ()
    if isinstance(net, RecurrentCritic):
        return (width(net.action_shape),) if width(net.action_shape) else None
    actions = getattr(net, "action_shape", None)
    return None if actions is None or actions == 0 else (width(as_row("action_shape", actions)),)


def choices_of(net: object) -> int | None:
    """Return the number of choices for each entry of a discrete action; `None` for actions of real numbers."""
    if isinstance(net, (discrete.Actor, ImplicitQuantileNetwork, FullQuantileFunction)):
        return net.output_dim
    if isinstance(net, BranchingNet):
        return net.action_per_branch
    return net.inverse_model.output_dim if isinstance(net, IntrinsicCuriosityModule) else None


def returns_state(net: object) -> bool:
    """Return whether a `forward` that takes a state returns a new one: the critic for discrete actions does not."""
    return not isinstance(net, discrete.Critic)


def _joins_before_trunk(critic: Critic) -> bool:
    """Return whether the preprocess net takes actions beside observations."""
    return bool(getattr(critic.preprocess_net, "concat", False)) and not critic.apply_preprocess_net_to_obs_only


def output_row(net: object, action: Row | None) -> Row:
    """Return the shape of one row of the output."""
    if type(net) in _OUT:
        return (getattr(net, _OUT[type(net)]),)
    features, atoms = getattr(net, "output_dim", None), getattr(net, "num_atoms", 1)
    if features is not None and (isinstance(features, bool) or not isinstance(features, (int, np.integer))):
        raise TypeError(
            f"output_dim must be an integer, the width of the output, but that of {net!r:.80} is {features!r:.80}; "
            "was it read from text, or is it a method without @property?"
        )
    if isinstance(net, (VAE, Perturbation)) and action is not None:
        return action
    if not getattr(net, "flatten_action", True):
        return as_row("action_shape", getattr(net, "action_shape"))  # noqa: B009
    if isinstance(net, IntrinsicCuriosityModule):
        return (net.inverse_model.output_dim,)
    if isinstance(net, BranchingNet):
        return (net.num_branches, net.action_per_branch)
    if features is None:
        raise TypeError(f"{net!r:.80} has no output_dim; a network has init, forward and output_dim")
    return (int(features),) if atoms == 1 else (int(features) // atoms, atoms)


def bounds_of(net: object) -> tuple[Array, Array] | None:
    """Return the lower and the upper bound of an action's entries: of `low` and `high`, or else of `max_action`."""
    low, high = (getattr(net, name, None) for name in ("low", "high"))
    if low is None or high is None:
        high = getattr(net, "max_action", None)
        if high is None:
            return None
        low = np.negative(high)
    return np.ravel(low).astype(np.float64), np.ravel(high).astype(np.float64)


def members_of(net: object) -> int | None:
    """Return the number of members of an ensemble, the first axis of its outputs; `None` for a single network."""
    own = getattr(net, "ensemble_size", None)
    if own is not None:
        return int(own)
    linear = getattr(net, "linear_layer", Linear)
    if linear is not Linear and getattr(getattr(net, "model", net), "is_ensemble", True):
        size = getattr(linear(1, 1), "ensemble_size", None)
        if size is not None:
            return int(size)
    trunk = unwrapped(getattr(net, "preprocess_net", None))
    return None if trunk is None else members_of(trunk)
