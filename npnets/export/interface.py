"""The inputs of each network that can be exported, and how npnets itself calls it, the reference for its file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from npnets import discrete
from npnets.backend import Array
from npnets.common import LSTM, MLP, ActorCritic, BranchingNet, EnsembleLinear, LayerNorm, Linear, Net, Recurrent
from npnets.continuous import VAE, Actor, ActorProb, Critic, Perturbation, RecurrentActorProb, RecurrentCritic
from npnets.continuous.action_axes import axes_of
from npnets.description import width
from npnets.normalization import Normalization, Normalized, normalize
from npnets.policy.network import FRACTIONS, MIDPOINTS
from npnets.tree import Tree

Shapes = dict[str, tuple[int, ...]]
Arrays = Mapping[str, Array]


class Reference(NamedTuple):
    """What npnets computes for a batch: outputs in the order of the lowering's, and the new state."""

    outputs: tuple[Array, ...]
    state: Tree = None


@dataclass(frozen=True)
class Interface:
    """One kind of network.

    Parameters
    ----------
    shapes : callable
        From a network to the shapes of its inputs, by name.
    call : callable
        From what is exported (its `network`, `params` and `fraction_proposal`), batches of the inputs and a state to
        what the network returns.
    is_policy : bool
        Whether the network acts, so that an action is exported unless its own output is asked for.
    acts_alone : bool
        Whether an observation is all that an action needs, as in a `Policy`.
    keeps_state : bool
        Whether `forward` takes the state of a recurrent trunk.
    """

    shapes: Callable[[Any], Shapes]
    call: Callable[[Any, Arrays, Tree], Reference]
    is_policy: bool = False
    acts_alone: bool = True
    keeps_state: bool = True


def interface_of(network: Any, output: str | None = None) -> Interface:
    """Return the interface of a network; that of the network inside, if it is a `Normalized`.

    Raises
    ------
    TypeError
        If there is nothing to export.
    """
    inner = innermost(network)
    kind = type(inner)
    if kind is VAE and output == "network":
        return _ENCODER
    if kind is VAE and inner is not network:
        raise TypeError(
            f"cannot export an action of {network!r:.80}, which has no decode; export the VAE inside, with "
            "params['network'] and normalization="
        )
    if kind not in _INTERFACES:
        raise TypeError(_no_interface(inner))
    return _INTERFACES[kind]


def innermost(network: Any) -> Any:
    """Return the network inside of all `Normalized` ones."""
    while isinstance(network, Normalized):
        network = network.network
    return network


def state_shape(network: Any) -> tuple[int, int] | None:
    """Return the shape of a recurrent network's states, `(layers, hidden)`, or `None` if it has none."""
    while network is not None:
        lstm = getattr(network, "lstm", None)
        if isinstance(lstm, LSTM):
            return lstm.num_layers, lstm.hidden_size
        network = getattr(network, "network", None) or getattr(network, "preprocess_net", None)
    return None


# -- shapes -----------------------------------------------------------------------------------------------------------


def _observation(network: Any) -> tuple[int, ...]:
    """Return the shape of one input of a network with a single one."""
    if isinstance(network, Net) and network.concat:
        return (network.model.input_dim,)
    if isinstance(network, (Recurrent, RecurrentActorProb, RecurrentCritic)):
        return (width(network.state_shape),)  # several axes would be steps and features
    for name in ("shape", "state_shape", "input_dim", "in_features", "in_feature", "features"):
        if hasattr(network, name):
            return axes_of(getattr(network, name))
    if hasattr(network, "preprocess_net"):
        return _observation(network.preprocess_net)
    raise TypeError(_no_interface(network))


def _of_observation(network: Any) -> Shapes:
    return {"obs": _observation(network)}


def _of_critic(network: Any) -> Shapes:
    critic = innermost(network)
    trunk = innermost(critic.preprocess_net)
    obs, counted = _observation(critic.preprocess_net), critic.last.input_dim - getattr(trunk, "output_dim", 0)
    if isinstance(trunk, Net) and trunk.concat:
        return {"obs": axes_of(trunk.state_shape), "act": _actions_of(trunk)}
    if critic.apply_preprocess_net_to_obs_only and (critic.action_shape is not None or counted > 0):
        return {"obs": obs, "act": (counted,) if critic.action_shape is None else axes_of(critic.action_shape)}
    return {"obs": obs}


def _actions_of(net: Net) -> tuple[int, ...]:
    actions = net.model.input_dim - width(net.state_shape)
    return axes_of(net.action_shape) if width(net.action_shape) == actions else (actions,)


def _of_recurrent_critic(network: Any) -> Shapes:
    critic = innermost(network)
    actions = width(critic.action_shape)
    return {"obs": _observation(critic), **({"act": (actions,)} if actions else {})}


def _of_perturbation(network: Any) -> Shapes:
    net = innermost(network)
    act = _action_axes(net, net.preprocess_net.output_dim)
    return {"obs": (width(_observation(net)) - width(act),), "act": act}


def _of_decoder(network: Any) -> Shapes:
    vae = innermost(network)
    return {"obs": (width(_observation(vae.decoder)) - vae.latent_dim,), "latent_z": (vae.latent_dim,)}


def _of_encoder(network: Any) -> Shapes:
    vae, obs = innermost(network), _of_decoder(network)["obs"]
    act = _action_axes(vae, width(_observation(vae.encoder)) - width(obs))
    return {"obs": obs, "act": act, "noise": (vae.latent_dim,)}


def _action_axes(network: Any, entries: int) -> tuple[int, ...]:
    axes = np.shape(network.low)
    return axes if len(axes) > 1 else (entries,)


# -- calls ------------------------------------------------------------------------------------------------------------


def _layer(given: Any, inputs: Arrays, state: Tree) -> Reference:
    return Reference((given.network.forward(given.params, inputs["obs"]),))


def _pair(given: Any, inputs: Arrays, state: Tree) -> Reference:
    output, new_state = given.network.forward(given.params, inputs["obs"], state)
    return Reference((output,), new_state)


def _gaussian(given: Any, inputs: Arrays, state: Tree) -> Reference:
    outputs, new_state = given.network.forward(given.params, inputs["obs"], state)
    return Reference(outputs, new_state)


def _critic(given: Any, inputs: Arrays, state: Tree) -> Reference:
    return Reference((given.network.forward(given.params, inputs["obs"], inputs.get("act")),))


def _recurrent_critic(given: Any, inputs: Arrays, state: Tree) -> Reference:
    value, new_state = given.network.forward(
        given.params, inputs["obs"], inputs.get("act"), state=state, return_state=True
    )
    return Reference((value,), new_state)


def _decoder(given: Any, inputs: Arrays, state: Tree) -> Reference:
    return Reference((given.network.decode(given.params, inputs["obs"], inputs["latent_z"]),))


def _encoder(given: Any, inputs: Arrays, state: Tree) -> Reference:
    return Reference(given.network.forward(given.params, inputs["obs"], inputs["act"], noise=inputs["noise"]))


def _discrete_critic(given: Any, inputs: Arrays, state: Tree) -> Reference:
    """Return the values, and the new state of a recurrent trunk, which the critic does not return."""
    obs = inputs["obs"]
    value = given.network.forward(given.params, obs, state=state)
    return Reference((value,), None if state is None else _trunk_state(given.network, given.params, obs, state))


def _trunk_state(network: Any, params: Any, obs: Array, state: Tree) -> Tree:
    if isinstance(network, Normalized):
        statistics = params["normalization"]
        normalization = Normalization(statistics["mean"], statistics["var"], 0.0, network.clip, network.epsilon)
        return _trunk_state(network.network, params["network"], normalize(normalization, obs), state)
    return network.preprocess_net.forward(params["preprocess"], obs, state)[1]


def _implicit_quantiles(given: Any, inputs: Arrays, state: Tree) -> Reference:
    obs = inputs["obs"]
    taus = np.broadcast_to(MIDPOINTS, (len(obs), FRACTIONS))
    (quantiles, _), new_state = given.network.forward(given.params, obs, FRACTIONS, state=state, taus=taus)
    return Reference((quantiles,), new_state)


def _full_quantiles(given: Any, inputs: Arrays, state: Tree) -> Reference:
    proposes, its_params = given.fraction_proposal
    found = given.network.forward(given.params, inputs["obs"], proposes, its_params, state=state, training=False)
    (quantiles, (taus, tau_hats, _), _), new_state = found
    return Reference((quantiles, taus, tau_hats), new_state)


_OF_LAYER, _OF_PAIR = Interface(_of_observation, _layer), Interface(_of_observation, _pair)
_ENCODER = Interface(_of_encoder, _encoder, acts_alone=False)
_INTERFACES: dict[type, Interface] = {
    **dict.fromkeys((Linear, EnsembleLinear, discrete.NoisyLinear, LayerNorm, MLP), _OF_LAYER),
    **dict.fromkeys((Net, Recurrent), _OF_PAIR),
    Actor: Interface(_of_observation, _pair, is_policy=True),
    ActorProb: Interface(_of_observation, _gaussian, is_policy=True),
    RecurrentActorProb: Interface(_of_observation, _gaussian, is_policy=True),
    Critic: Interface(_of_critic, _critic, keeps_state=False),
    RecurrentCritic: Interface(_of_recurrent_critic, _recurrent_critic),
    Perturbation: Interface(_of_perturbation, _critic, is_policy=True, acts_alone=False, keeps_state=False),
    discrete.Actor: Interface(_of_observation, _pair, is_policy=True),
    discrete.Critic: Interface(_of_observation, _discrete_critic),
    BranchingNet: Interface(_of_observation, _pair, is_policy=True),
    discrete.ImplicitQuantileNetwork: Interface(_of_observation, _implicit_quantiles, is_policy=True),
    discrete.FullQuantileFunction: Interface(_of_observation, _full_quantiles, is_policy=True),
    VAE: Interface(_of_decoder, _decoder, is_policy=True, acts_alone=False),
}

_REMEDIES: dict[type, str] = {
    ActorCritic: "export its actor: network.actor with network.split(params)['actor']",
    LSTM: "export the network that it is part of",
    discrete.IntrinsicCuriosityModule: "it rewards training and does not act; export its feature_net, with "
    "params['feature_net']",
    discrete.FractionProposalNetwork: "export the FullQuantileFunction that it proposes for, with "
    "fraction_proposal=(network, params)",
    discrete.CosineEmbeddingNetwork: "export the quantile network that it is part of",
}


def _no_interface(network: object) -> str:
    kind = type(network)
    remedy = _REMEDIES.get(kind)
    if remedy is not None:
        return f"cannot export {network!r:.80} by itself: {remedy}"
    base = next((one.__name__ for one in kind.__mro__ if one in _INTERFACES), None)
    what = "is Python code, which" if base is None else f"is a subclass of {base}, whose own code"
    return (
        f"cannot export {network!r:.80}: its class {kind.__name__} {what} no file can hold; use one of npnets' own "
        f"networks: {', '.join(sorted({one.__name__ for one in _INTERFACES}))}"
    )
