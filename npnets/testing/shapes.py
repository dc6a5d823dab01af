"""What shape a row of a network's observations, actions and answers has, as its description tells.

Owns all that the kit knows of npnets' own classes. `None` means that the description does not tell.
"""

from typing import Any, TypeAlias

from npnets.common import MLP, EnsembleLinear, LayerNorm, Linear, Net, Recurrent
from npnets.continuous import VAE, Critic, Perturbation, RecurrentActorProb, RecurrentCritic
from npnets.description import shape, width

Row: TypeAlias = tuple[int, ...]

_IN = {Linear: "in_features", EnsembleLinear: "in_feature", LayerNorm: "features", MLP: "input_dim"}
_OUT = {Linear: "out_features", EnsembleLinear: "out_feature", LayerNorm: "features", MLP: "output_dim"}
_SEQUENTIAL = (Recurrent, RecurrentActorProb, RecurrentCritic)


def as_row(name: str, value: Any) -> Row:
    """Return a shape that was given, an integer or a sequence of them, as a tuple."""
    checked = shape(name, value)
    return (checked,) if isinstance(checked, int) else checked


def observation_row(net: Any) -> Row | None:
    """Return the shape of one observation."""
    if type(net) in _IN:
        return (getattr(net, _IN[type(net)]),)
    if isinstance(net, VAE):
        return _less(observation_row(net.encoder), action_row(net))
    if isinstance(net, Perturbation):
        return _less(observation_row(net.preprocess_net), action_row(net))
    if isinstance(net, Net) and net.concat:
        return (net.model.input_dim,)
    if isinstance(net, _SEQUENTIAL):
        return (width(net.state_shape),)
    for name in ("state_shape", "input_dim"):
        if getattr(net, name, None) is not None:
            return as_row(name, getattr(net, name))
    trunk: Any = getattr(net, "preprocess_net", None)
    if isinstance(net, Critic) and getattr(trunk, "concat", False):
        return as_row("state_shape", trunk.state_shape)
    return None if trunk is None else observation_row(trunk)


def _less(whole: Row | None, part: Row | None) -> Row | None:
    """Return the width of observations, of which actions stand beside them."""
    return (width(whole) - width(part),) if whole is not None and part is not None else None


def action_row(net: Any) -> Row | None:
    """Return the shape of one action: of that which a network takes, or else of that which it answers with."""
    if isinstance(net, (VAE, Perturbation)):
        part = net.decoder if isinstance(net, VAE) else net.preprocess_net
        features = getattr(part, "output_dim", None)
        return None if features is None else (features,)
    if isinstance(net, Critic):
        trunk: Any = net.preprocess_net
        return as_row("action_shape", trunk.action_shape) if getattr(trunk, "concat", False) else None
    if isinstance(net, RecurrentCritic):
        return (width(net.action_shape),) if width(net.action_shape) else None
    given = getattr(net, "action_shape", None)
    return None if given is None or given == 0 else (width(as_row("action_shape", given)),)


def answer_row(net: Any, actions: Row | None) -> Row | None:
    """Return the shape of one answer."""
    if type(net) in _OUT:
        return (getattr(net, _OUT[type(net)]),)
    if isinstance(net, (VAE, Perturbation)):
        return actions
    features, atoms = getattr(net, "output_dim", None), getattr(net, "num_atoms", 1)
    if features is None:
        return None
    return (features,) if atoms == 1 else (features // atoms, atoms)


def members_of(net: Any) -> int | None:
    """Return how many members an ensemble has, whose answers stand before the axis of rows; `None` for one network."""
    own = getattr(net, "ensemble_size", None)
    if own is not None:
        return int(own)
    linear = getattr(net, "linear_layer", Linear)
    if linear is not Linear and getattr(getattr(net, "model", net), "is_ensemble", True):
        size = getattr(linear(1, 1), "ensemble_size", None)
        if size is not None:
            return int(size)
    trunk = getattr(net, "preprocess_net", None)
    return None if trunk is None else members_of(trunk)
