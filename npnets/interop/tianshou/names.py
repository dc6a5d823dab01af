"""Tianshou's names and layouts of the parameters of every network; no other file of the package has them.

A *plan* is a tree of the structure of a network's parameters. Its leaves are, in the place of arrays, a `Parameter`
(its name and layout in Tianshou, its shape as the network's `spec` declares it) or an `OwnPart` (a part that the user
wrote). Dicts of a plan are in the order in which Tianshou's modules list their parameters. Names begin at the network's
root, so `at` is the names of the modules around a part, each followed by a dot.

The names are those of Tianshou 1.0.0; 1.1, 1.2 and 2.0 renamed classes (`ContinuousActorDeterministic`), but no
parameter.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from npnets import discrete, tree
from npnets.backend import Array
from npnets.common import MLP, ActorCritic, BranchingNet, EnsembleLinear, LayerNorm, Linear, Net, Recurrent
from npnets.common.lstm import LSTM
from npnets.common.spec import Spec
from npnets.continuous import VAE, Actor, ActorProb, Critic, Perturbation, RecurrentActorProb, RecurrentCritic
from npnets.discrete import (
    CosineEmbeddingNetwork,
    FractionProposalNetwork,
    FullQuantileFunction,
    ImplicitQuantileNetwork,
    IntrinsicCuriosityModule,
    NoisyLinear,
)
from npnets.tree import Tree

NETWORKS = (
    *(MLP, Net, Recurrent, Actor, ActorProb, Critic, Perturbation, VAE, RecurrentActorProb, RecurrentCritic),
    *(BranchingNet, discrete.Actor, discrete.Critic, IntrinsicCuriosityModule),
    *(ImplicitQuantileNetwork, FullQuantileFunction),
)
"""The classes with a device."""


class Layout(NamedTuple):
    """The two conversions between an array of Tianshou and one of npnets; both return views."""

    ours: Callable[[Array], Array]
    theirs: Callable[[Array], Array]


SAME = Layout(lambda array: array, lambda array: array)
TRANSPOSED = Layout(lambda array: array.T, lambda array: array.T)
COLUMN = Layout(lambda array: array[:, 0], lambda array: array[:, None])


@dataclass(frozen=True)
class Parameter:
    """One array: Tianshou's name, the shape in npnets, and how one layout becomes the other."""

    name: str
    shape: tuple[int, ...]
    layout: Layout

    @property
    def shape_in_tianshou(self) -> tuple[int, ...]:
        """The shape that Tianshou gives it."""
        return self.layout.theirs(np.broadcast_to(np.float32(0), self.shape)).shape


@runtime_checkable
class Convertible(Protocol):
    """A part of a user's own that converts its own parameters."""

    def from_state_dict(self, state_dict: dict[str, Array], /) -> Tree:
        """Return parameters from the arrays below the part's name."""
        ...

    def to_state_dict(self, params: Tree, /) -> Mapping[str, object]:
        """Return arrays by their names below that of the part."""
        ...


@dataclass(frozen=True)
class OwnPart:
    """A part that converts its own parameters, and the names of the modules around it."""

    part: Convertible
    at: str


def plan(part: object, at: str = "") -> Tree:
    """Return the plan of a network, layer or part of one.

    Raises
    ------
    TypeError
        If it is one of the user's own with parameters, and without the two methods that convert them.
    """
    if isinstance(part, Convertible):
        return OwnPart(part, at)
    return _plan(part, at)


def parameters(planned: Tree) -> dict[str, Parameter]:
    """Return the parameters of a plan by their names, in Tianshou's order."""
    return {leaf.name: leaf for _, leaf in leaves(planned) if isinstance(leaf, Parameter)}


def own_parts(planned: Tree) -> list[OwnPart]:
    """Return the parts of a plan that convert their own parameters."""
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
    """Plan a part of the user's own without the two methods: possible only if it has no parameters."""
    if isinstance(part, type) or not callable(getattr(part, "init", None)):
        raise TypeError(f"expected a network such as npnets.Actor, but got {part!r:.80}")
    params = part.init(np.random.default_rng(0))
    if tree.leaves(params):
        raise TypeError(
            f"the names of the parameters of {part!r:.80} in Tianshou are not known, because it is not a network of "
            "npnets; give it the methods from_state_dict(state_dict) and to_state_dict(params), which take and return "
            f"a dict of arrays by their names below {at!r}"
        )
    return params


@_plan.register
def _linear(layer: Linear, at: str) -> Tree:
    return _arrays(layer.spec, at, {"weight": ("weight", TRANSPOSED), "bias": ("bias", SAME)})


@_plan.register
def _ensemble_linear(layer: EnsembleLinear, at: str) -> Tree:
    return _arrays(layer.spec, at, {"weight": ("weight", SAME), "bias": ("bias_weights", SAME)})


@_plan.register
def _noisy_linear(layer: NoisyLinear, at: str) -> Tree:
    weights = {"mu_weight": ("mu_W", TRANSPOSED), "sigma_weight": ("sigma_W", TRANSPOSED)}
    vectors = {name: (name, SAME) for name in ("mu_bias", "sigma_bias", "eps_p", "eps_q")}
    return _arrays(layer.spec, at, {**weights, **vectors})


@_plan.register
def _layer_norm(norm: LayerNorm, at: str) -> Tree:
    return _arrays(norm.spec, at, {"weight": ("weight", SAME), "bias": ("bias", SAME)})


@_plan.register
def _mlp(mlp: MLP, at: str) -> Tree:
    parts, place = {}, 0
    for block in mlp._blocks:
        parts[block.linear_name] = plan(block.linear, f"{at}model.{place}.")
        if block.norm is not None:
            parts[block.norm_name] = plan(block.norm, f"{at}model.{place + 1}.")
        # An activation has no parameters, but an index among the modules.
        place += 1 + (block.norm is not None) + (block.activation is not None)
    return parts


@_plan.register
def _net(net: Net, at: str) -> Tree:
    parts = {"model": net.model, "Q": net.Q, "V": net.V}
    return {name: plan(part, f"{at}{name}.") for name, part in parts.items() if part is not None}


@_plan.register
def _lstm(lstm: LSTM, at: str) -> Tree:
    layouts = {"weight_ih": TRANSPOSED, "weight_hh": TRANSPOSED, "bias_ih": SAME, "bias_hh": SAME}
    return {
        layer: _arrays(spec, at, {name: (f"{name}_l{index}", layout) for name, layout in layouts.items()})
        for index, (layer, spec) in enumerate(lstm.spec.items())
    }


@_plan.register
def _recurrent(net: Recurrent, at: str) -> Tree:
    return {
        "lstm": plan(net.lstm, f"{at}nn."),
        "first": plan(net.first, f"{at}fc1."),
        "last": plan(net.last, f"{at}fc2."),
    }


@_plan.register
def _branching_net(net: BranchingNet, at: str) -> Tree:
    branches = {f"branch_{n}": plan(net.branch, f"{at}branches.{n}.") for n in range(net.num_branches)}
    return {"common": plan(net.common, f"{at}common."), "value": plan(net.value, f"{at}value."), "branches": branches}


@_plan.register
def _actor_critic(both: ActorCritic, at: str) -> Tree:
    """Plan networks without a shared trunk, in which form `conversion` reads and writes those with one."""
    return {"actor": plan(both.actor, f"{at}actor."), "critic": plan(both.critic, f"{at}critic.")}


@_plan.register(Actor)
@_plan.register(Critic)
@_plan.register(discrete.Actor)
@_plan.register(discrete.Critic)
def _head(net: Actor | Critic | discrete.Actor | discrete.Critic, at: str) -> Tree:
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


@_plan.register
def _cosine_embedding(net: CosineEmbeddingNetwork, at: str) -> Tree:
    return {"linear": plan(net.linear, f"{at}net.0.")}


@_plan.register
def _fraction_proposal(net: FractionProposalNetwork, at: str) -> Tree:
    return {"linear": plan(net.linear, f"{at}net.")}


@_plan.register(ImplicitQuantileNetwork)
@_plan.register(FullQuantileFunction)
def _quantile_network(net: ImplicitQuantileNetwork | FullQuantileFunction, at: str) -> Tree:
    parts = {"preprocess": net.preprocess_net, "last": net.last, "embed_model": net.embed_model}
    return {name: plan(part, f"{at}{name}.") for name, part in parts.items()}


@_plan.register
def _curiosity(net: IntrinsicCuriosityModule, at: str) -> Tree:
    parts = {name: getattr(net, name) for name in ("feature_net", "forward_model", "inverse_model")}
    return {name: plan(part, f"{at}{name}.") for name, part in parts.items()}


def _arrays(spec: Spec, at: str, named: dict[str, tuple[str, Layout]]) -> Tree:
    """Return the parameters of a layer, in the order and with the names and layouts of Tianshou."""
    present = spec.present
    return {
        key: Parameter(f"{at}{name}", present[key].shape, layout)
        for key, (name, layout) in named.items()
        if key in present
    }


def _with_sigma(actor: ActorProb | RecurrentActorProb, trunk: Tree, at: str) -> Tree:
    """Return the head of a probabilistic actor after its trunk; a parameter of its own stands before all modules."""
    mu = {"mu": plan(actor.head, f"{at}mu.")}
    if actor.conditioned_sigma:
        return {**trunk, **mu, "sigma": plan(actor.head, f"{at}sigma.")}
    return {**_arrays(actor.spec, at, {"log_sigma": ("sigma_param", COLUMN)}), **trunk, **mu}
