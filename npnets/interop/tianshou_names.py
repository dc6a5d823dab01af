"""Tianshou's names and layouts of all parameters of every network: nothing else in the package knows them.

A *plan* is a tree of the structure of a network's parameters. At its leaves stand, instead of arrays, a `Parameter`
(what Tianshou calls that array, and how it lays it out) or an `OwnPart` (a part that the user wrote). Dicts of a plan
are in the order in which Tianshou's modules list their parameters. A name is given from the network's root, so `at` is
the names of the modules around a part, each followed by a dot.

The names are those of Tianshou 1.0.0; 1.1, 1.2 and 2.0 renamed classes (`ContinuousActorDeterministic`), but no
parameter.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from npnets import tree
from npnets.backend import Array
from npnets.common import MLP, EnsembleLinear, LayerNorm, Linear, Net, Recurrent
from npnets.common.lstm import LSTM
from npnets.continuous import VAE, Actor, ActorProb, Critic, Perturbation, RecurrentActorProb, RecurrentCritic
from npnets.tree import Tree

NETWORKS = (MLP, Net, Recurrent, Actor, ActorProb, Critic, Perturbation, VAE, RecurrentActorProb, RecurrentCritic)
"""The classes that have a device."""


class Layout(NamedTuple):
    """The two ways between an array as Tianshou has it and as npnets has it; both give views."""

    ours: Callable[[Array], Array]
    theirs: Callable[[Array], Array]


SAME = Layout(lambda array: array, lambda array: array)
TURNED = Layout(lambda array: array.T, lambda array: array.T)
COLUMN = Layout(lambda array: array[:, 0], lambda array: array[:, None])


@dataclass(frozen=True)
class Parameter:
    """One array: Tianshou's name and shape of it, and how its layout becomes ours."""

    name: str
    shape: tuple[int, ...]
    layout: Layout = SAME

    @property
    def our_shape(self) -> tuple[int, ...]:
        """The shape that npnets gives it."""
        return self.layout.ours(np.broadcast_to(np.float32(0), self.shape)).shape


@dataclass(frozen=True)
class OwnPart:
    """A part that translates its own parameters, and the names of the modules around it."""

    part: Any
    at: str


def plan(part: Any, at: str = "") -> Tree:
    """Return the plan of a network, layer or part of one.

    Raises
    ------
    TypeError
        If it is one of the user's own which has parameters, and does not say what they are called.
    """
    if callable(getattr(part, "from_state_dict", None)) and callable(getattr(part, "to_state_dict", None)):
        return OwnPart(part, at)
    return _plan(part, at)


def parameters(planned: Tree) -> dict[str, Parameter]:
    """Return the parameters of a plan by their names, in Tianshou's order."""
    return {leaf.name: leaf for _, leaf in leaves(planned) if isinstance(leaf, Parameter)}


def own_parts(planned: Tree) -> list[OwnPart]:
    """Return the parts of a plan that translate themselves."""
    return [leaf for _, leaf in leaves(planned) if isinstance(leaf, OwnPart)]


def leaves(planned: Tree, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Parameter | OwnPart]]:
    """Go through the leaves of a plan in Tianshou's order, each with the keys that lead to it."""
    if not isinstance(planned, dict):
        yield keys, planned
        return
    for key, part in planned.items():
        yield from leaves(part, (*keys, key))


# -- each network -----------------------------------------------------------------------------------------------------


@functools.singledispatch
def _plan(part: Any, at: str) -> Tree:
    """Plan a part of the user's own that translates nothing: right only if it has no parameters."""
    if isinstance(part, type) or not callable(getattr(part, "init", None)):
        raise TypeError(f"expected a network such as npnets.Actor, but got {part!r:.80}")
    params = part.init(np.random.default_rng(0))
    if tree.leaves(params):
        raise TypeError(
            f"what Tianshou calls the parameters of {part!r:.80} is not known, because it is no network of npnets; "
            "give it the methods from_state_dict(state_dict) and to_state_dict(params), which take and return a dict "
            f"of arrays by their names below {at!r}"
        )
    return params


@_plan.register
def _linear(layer: Linear, at: str) -> Tree:
    weight = Parameter(f"{at}weight", (layer.out_features, layer.in_features), TURNED)
    return _with_bias(layer, weight, Parameter(f"{at}bias", (layer.out_features,)))


@_plan.register
def _ensemble_linear(layer: EnsembleLinear, at: str) -> Tree:
    members, inputs, outputs = layer.ensemble_size, layer.in_feature, layer.out_feature
    weight = Parameter(f"{at}weight", (members, inputs, outputs))
    return _with_bias(layer, weight, Parameter(f"{at}bias_weights", (members, 1, outputs)))


@_plan.register
def _layer_norm(norm: LayerNorm, at: str) -> Tree:
    if not norm.elementwise_affine:
        return {}
    return _with_bias(norm, Parameter(f"{at}weight", (norm.features,)), Parameter(f"{at}bias", (norm.features,)))


@_plan.register
def _mlp(mlp: MLP, at: str) -> Tree:
    parts, place = {}, 0
    for block in mlp._blocks:
        parts[block.linear_name] = plan(block.linear, f"{at}model.{place}.")
        if block.norm is not None:
            parts[block.norm_name] = plan(block.norm, f"{at}model.{place + 1}.")
        # An activation has no parameters, but a place in the row of modules.
        place += 1 + (block.norm is not None) + (block.activation is not None)
    return parts


@_plan.register
def _net(net: Net, at: str) -> Tree:
    parts = {"model": net.model, "Q": net.Q, "V": net.V}
    return {name: plan(part, f"{at}{name}.") for name, part in parts.items() if part is not None}


@_plan.register
def _lstm(lstm: LSTM, at: str) -> Tree:
    gates, layers = 4 * lstm.hidden_size, {}
    for index in range(lstm.num_layers):
        inputs = lstm.hidden_size if index else lstm.input_size
        layers[f"layer_{index}"] = {
            "weight_ih": Parameter(f"{at}weight_ih_l{index}", (gates, inputs), TURNED),
            "weight_hh": Parameter(f"{at}weight_hh_l{index}", (gates, lstm.hidden_size), TURNED),
            "bias_ih": Parameter(f"{at}bias_ih_l{index}", (gates,)),
            "bias_hh": Parameter(f"{at}bias_hh_l{index}", (gates,)),
        }
    return layers


@_plan.register
def _recurrent(net: Recurrent, at: str) -> Tree:
    return {
        "lstm": plan(net.lstm, f"{at}nn."),
        "first": plan(net.first, f"{at}fc1."),
        "last": plan(net.last, f"{at}fc2."),
    }


@_plan.register(Actor)
@_plan.register(Critic)
def _head(net: Actor | Critic, at: str) -> Tree:
    return {"preprocess": plan(net.preprocess_net, f"{at}preprocess."), "last": plan(net.last, f"{at}last.")}


@_plan.register
def _actor_prob(actor: ActorProb, at: str) -> Tree:
    return _with_sigma(actor, {"preprocess": plan(actor.preprocess_net, f"{at}preprocess.")}, at)


@_plan.register
def _recurrent_actor_prob(actor: RecurrentActorProb, at: str) -> Tree:
    return _with_sigma(actor, {"lstm": plan(actor.lstm, f"{at}nn.")}, at)


@_plan.register
def _recurrent_critic(critic: RecurrentCritic, at: str) -> Tree:
    return {"lstm": plan(critic.lstm, f"{at}nn."), "last": plan(critic.last, f"{at}fc2.")}


@_plan.register
def _perturbation(net: Perturbation, at: str) -> Tree:
    return {"preprocess": plan(net.preprocess_net, f"{at}preprocess_net.")}


@_plan.register
def _vae(vae: VAE, at: str) -> Tree:
    parts = {"encoder": vae.encoder, "mean": vae.latent_layer, "log_std": vae.latent_layer, "decoder": vae.decoder}
    return {name: plan(part, f"{at}{name}.") for name, part in parts.items()}


def _with_bias(layer: Linear | EnsembleLinear | LayerNorm, weight: Parameter, bias: Parameter) -> Tree:
    return {"weight": weight, "bias": bias} if layer.bias else {"weight": weight}


def _with_sigma(actor: ActorProb | RecurrentActorProb, trunk: Tree, at: str) -> Tree:
    """Put the head of a probabilistic actor behind its trunk; a parameter of its own stands before all modules."""
    mu = {"mu": plan(actor.head, f"{at}mu.")}
    if actor.conditioned_sigma:
        return {**trunk, **mu, "sigma": plan(actor.head, f"{at}sigma.")}
    return {"log_sigma": Parameter(f"{at}sigma_param", (actor.output_dim, 1), COLUMN), **trunk, **mu}
