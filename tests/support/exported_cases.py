"""Networks and policies as programs, for the laws that every writer's file keeps.

A program's `self_test` holds inputs, with the outputs that npnets itself computes for them. `EXPORTED` has one of each
kind by name, `exported_programs` draws them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

import npnets
from npnets import Policy, discrete
from npnets.export.building import program_of
from npnets.export.interface import interface_of
from npnets.export.program import Program
from npnets.export.subject import subject_of
from npnets.kernels.activation_formulas import FORMULAS
from npnets.normalization import Normalization, Normalized
from npnets.normalization.network import normalizing_part
from npnets.testing.network_strategies import _STRATEGIES, networks

NOT_EXPORTED = (
    discrete.CosineEmbeddingNetwork,
    discrete.FractionProposalNetwork,
    discrete.IntrinsicCuriosityModule,
)
"""Networks of `testing.networks` with nothing to export by themselves."""


def drawn_params(network: Any, dtype: Any = np.float32, seed: int = 0) -> Any:
    """Return parameters of a network, none of them at a special value such as zero."""
    rng = np.random.default_rng(seed)
    params = network.init(rng, dtype)
    return npnets.tree.map(lambda leaf: leaf + np.abs(rng.normal(size=leaf.shape) * 0.1).astype(dtype), params)


def program(network: Any, params: Any = None, *, dtype: Any = np.float32, seed: int = 0, **options: Any) -> Program:
    """Return the program of a network, by default with parameters of its own, or of a policy."""
    if params is None and not isinstance(network, Policy):
        params = drawn_params(network, dtype, seed)
    given = {"normalization": None, "output": None, "fraction_proposal": None, **options}
    return program_of(subject_of(network, params, **given), "policy", seed)


# -- one of each kind -------------------------------------------------------------------------------------------------

_MEMBERS = partial(npnets.EnsembleLinear, 3)
_TRUNK = npnets.Net((2, 3), hidden_sizes=(16, 8), activation="tanh")
_PAIR = npnets.Net(5, 3, (16,), concat=True)
_MEMORY = npnets.Recurrent(2, 5, 8, hidden_layer_size=6)
_DUELING = ({"hidden_sizes": (8,)}, {"hidden_sizes": (4,)})
_STATISTICS = Normalization(np.array([1e4, -3.0, 0.5, 0.0, 2.0]), np.array([4.0, 1e-6, 9.0, 1.0, 2.0]), 9.0, 5.0, 1e-8)
_BOUNDS: dict[str, Any] = {"low": (-1.0, 0.1), "high": (0.5, 0.3)}
_WHOLE: dict[str, Any] = {"low": ((-1.0, 0.1),), "high": ((0.5, 0.3),)}


def _proposal(network: discrete.FullQuantileFunction, dtype: Any = np.float32) -> Any:
    proposes = discrete.FractionProposalNetwork(6, network.last.input_dim)
    params = proposes.init(np.random.default_rng(7), dtype)
    return proposes, npnets.tree.map(lambda leaf: leaf * 20, params)


def _policy(network: Any, **options: Any) -> Program:
    return program(Policy(network, drawn_params(network, seed=3), **options))


def _full_quantiles(**options: Any) -> Program:
    network = discrete.FullQuantileFunction(_TRUNK, 4, (8,), num_cosines=8)
    return program(network, fraction_proposal=_proposal(network), **options)


def _vae(low: Any = _BOUNDS["low"], high: Any = _BOUNDS["high"], **options: Any) -> Program:
    vae = npnets.VAE(npnets.MLP(7, 8, (8,)), npnets.MLP(9, 2, (8,)), 8, 4, low=low, high=high)
    return program(vae, **options)


EXPORTED: dict[str, Callable[[], Program]] = {
    **{f"activation {name}": partial(program, npnets.MLP(4, 3, (16, 8), activation=name)) for name in FORMULAS},
    "activation gelu by tanh": partial(program, npnets.MLP(4, 3, (16,), activation="gelu", act_args=("tanh",))),
    "activation leaky_relu with a slope": partial(
        program, npnets.MLP(4, 3, (16,), activation="leaky_relu", act_args=(0.3,))
    ),
    "activation softplus with both": partial(
        program, npnets.MLP(4, 3, (16,), activation="softplus", act_args=(3.0, 2.0))
    ),
    "no layers": partial(program, npnets.Net(4)),
    "Linear without bias": partial(program, npnets.Linear(3, 2, bias=False)),
    "EnsembleLinear": partial(program, npnets.EnsembleLinear(3, 4, 2)),
    "NoisyLinear": partial(program, discrete.NoisyLinear(3, 2)),
    "LayerNorm": partial(program, npnets.LayerNorm(5, eps=1e-3)),
    "layer norms": partial(program, npnets.MLP(4, 3, (16, 8), norm_layer="layer_norm", norm_args={"bias": False})),
    "layer norms without weights": partial(
        program, npnets.MLP(4, 3, (16,), norm_layer="layer_norm", norm_args={"elementwise_affine": False})
    ),
    "Net with softmax": partial(program, npnets.Net((2, 3), 4, (8,), softmax=True)),
    "Net with atoms": partial(program, npnets.Net(3, 4, (8,), num_atoms=5, softmax=True)),
    "Net, dueling": partial(program, npnets.Net(3, 4, (8,), dueling_param=_DUELING)),
    "Net, dueling with atoms": partial(program, npnets.Net(3, 4, (8,), dueling_param=_DUELING, num_atoms=3)),
    "Net, an ensemble": partial(program, npnets.Net(3, 2, (8,), linear_layer=_MEMBERS, softmax=True)),
    "Net, noisy": partial(program, npnets.Net(3, 2, (8,), linear_layer=discrete.NoisyLinear)),
    "Actor": partial(program, npnets.Actor(npnets.Net(3, hidden_sizes=(64, 64)), 1, max_action=2.0)),
    "Actor of large actions": partial(program, npnets.Actor(npnets.Net(17, hidden_sizes=(64, 64)), 6, max_action=1e3)),
    "Actor in float64": partial(program, npnets.Actor(_TRUNK, 2, (8,), **_BOUNDS), dtype=np.float64),
    "Actor with low and high": partial(program, npnets.Actor(_TRUNK, 2, **_BOUNDS)),
    "Actor with whole actions": partial(program, npnets.Actor(_TRUNK, (2, 2), flatten_action=False)),
    "Actor with a memory": partial(program, npnets.Actor(_MEMORY, 2, max_action=(0.5, 2.0))),
    "Actor behind Normalized": partial(program, Normalized(npnets.Actor(_TRUNK, 2), (2, 3))),
    "Actor of Normalized": partial(program, npnets.Actor(Normalized(_TRUNK, (2, 3)), 2)),
    "Actor with normalization": partial(
        program, npnets.Actor(npnets.Net(5, hidden_sizes=(8,)), 2), normalization=_STATISTICS
    ),
    "ActorProb": partial(program, npnets.ActorProb(_TRUNK, 2, (8,), conditioned_sigma=True)),
    "ActorProb, both outputs": partial(program, npnets.ActorProb(_TRUNK, 2, max_action=3.0), output="network"),
    "ActorProb, unbounded": partial(
        program, npnets.ActorProb(_TRUNK, (2, 1), (8,), 1.0, "cpu", True, True), output="network"
    ),
    "ActorProb, squashed": partial(program, npnets.ActorProb(_TRUNK, 2, unbounded=True, **_BOUNDS)),
    "Critic": partial(program, npnets.Critic(_PAIR, (8,))),
    "Critic of observations": partial(program, npnets.Critic(_TRUNK, (8,)), normalization=None),
    "Critic with normalization": partial(program, npnets.Critic(_PAIR, (8,)), normalization=_STATISTICS),
    "Critic, an ensemble": partial(
        program,
        npnets.Critic(
            npnets.Net(5, 3, (16,), concat=True, linear_layer=_MEMBERS), linear_layer=_MEMBERS, flatten_input=False
        ),
    ),
    "Critic with actions behind its trunk": partial(
        program, npnets.Critic(_TRUNK, (8,), apply_preprocess_net_to_obs_only=True, action_shape=(2, 2))
    ),
    "Critic with a memory": partial(
        program, npnets.Critic(_MEMORY, (8,), apply_preprocess_net_to_obs_only=True, action_shape=2)
    ),
    "Perturbation": partial(program, npnets.Perturbation(npnets.Net(7, 2, (8,)), 0.5)),
    "Perturbation with low and high": partial(program, npnets.Perturbation(npnets.Net(7, 2, (8,)), phi=0.5, **_BOUNDS)),
    "Perturbation of whole actions": partial(program, npnets.Perturbation(npnets.Net(7, 2, (8,)), **_WHOLE)),
    "VAE": _vae,
    "VAE of whole actions, encoding": partial(_vae, output="network", **_WHOLE),
    "VAE, encoding": partial(_vae, output="network"),
    "Recurrent": partial(program, _MEMORY),
    "RecurrentActorProb": partial(program, npnets.RecurrentActorProb(2, (2, 3), 2, 8)),
    "RecurrentActorProb, both outputs": partial(
        program, npnets.RecurrentActorProb(1, 4, 2, 8, conditioned_sigma=True), output="network"
    ),
    "RecurrentCritic": partial(program, npnets.RecurrentCritic(1, 4, 2, hidden_layer_size=8)),
    "discrete.Actor": partial(program, discrete.Actor(_TRUNK, 5, (8,))),
    "discrete.Actor, probabilities": partial(program, discrete.Actor(_TRUNK, 5, (8,)), output="network"),
    "discrete.Actor, logits": partial(program, discrete.Actor(_MEMORY, 5, softmax_output=False), output="network"),
    "discrete.Critic": partial(program, discrete.Critic(_TRUNK, last_size=3)),
    "discrete.Critic with a memory": partial(program, discrete.Critic(Normalized(_MEMORY, 5), (8,))),
    "BranchingNet": partial(program, npnets.BranchingNet(4, 3, 4, (16,), (8,), (8,), "layer_norm")),
    "BranchingNet, values": partial(program, npnets.BranchingNet(4, 3, 4, (16,)), output="network"),
    "ImplicitQuantileNetwork": partial(program, discrete.ImplicitQuantileNetwork(_TRUNK, 4, (8,), 16)),
    "ImplicitQuantileNetwork, quantiles": partial(
        program, discrete.ImplicitQuantileNetwork(_TRUNK, 4, (8,), 16), output="network"
    ),
    "FullQuantileFunction": _full_quantiles,
    "FullQuantileFunction, quantiles": partial(_full_quantiles, output="network"),
    "Policy of quantiles, as they are": partial(
        _policy, discrete.ImplicitQuantileNetwork(_TRUNK, 4, (8,), 16), to_action="as_is"
    ),
    "Policy of probabilities, as they are": partial(_policy, discrete.Actor(_TRUNK, 5), to_action="as_is"),
    "Policy of branches, as they are": partial(_policy, npnets.BranchingNet(4, 3, 4, (8,)), to_action="as_is"),
    "Policy of a Net, greedy": partial(_policy, npnets.Net(5, 4, (16,)), to_action="greedy", normalization=_STATISTICS),
    "Policy of a Net with atoms, greedy": partial(_policy, npnets.Net(5, 4, (16,), num_atoms=7), to_action="greedy"),
    "Policy, clipped": partial(_policy, npnets.ActorProb(_TRUNK, 2, unbounded=True), to_action="clip", **_BOUNDS),
    "Policy, clipped on one side": partial(
        _policy, npnets.ActorProb(_TRUNK, 2, unbounded=True), to_action="clip", low=-np.inf, high=(0.1, 0.2)
    ),
    "Policy, clipped and scaled": partial(_policy, npnets.Net(5, 2, (8,)), to_action="clip_and_scale", **_BOUNDS),
}
"""Functions that make a program, by what it is a program of."""


# -- drawn ------------------------------------------------------------------------------------------------------------


@st.composite
def exported_programs(draw: st.DrawFn) -> Program:
    """Draw the program of a small network of any class that can be exported."""
    network = draw(networks([kind for kind in _STRATEGIES if kind not in NOT_EXPORTED]))
    dtype, seed = draw(st.sampled_from([np.float32, np.float64])), draw(st.integers(0, 9))
    params = drawn_params(network, dtype, seed)
    options: dict[str, Any] = {"output": draw(st.sampled_from([None, "network"])), "seed": seed}
    if isinstance(network, discrete.FullQuantileFunction):
        options["fraction_proposal"] = _proposal(network, dtype)
    shape = interface_of(network).shapes(network)["obs"]
    if shape and normalizing_part(network) is None and draw(st.booleans()):
        options["normalization"] = draw(_normalizations(shape))
    return program(network, params, **options)


@st.composite
def exported_policies(draw: st.DrawFn) -> tuple[Program, Policy]:
    """Draw a policy of bounded actions around a small network, and its program."""
    kinds = [npnets.Net, npnets.MLP, npnets.Actor, npnets.ActorProb, npnets.RecurrentActorProb]
    network = draw(networks(kinds).filter(_returns_a_vector))
    dtype, seed = draw(st.sampled_from([np.float32, np.float64])), draw(st.integers(0, 9))
    params = drawn_params(network, dtype, seed)
    plain = program(network, params, output="network")
    size = plain.outputs[0].value.size
    squashes = isinstance(network, npnets.Actor) or getattr(network, "unbounded", None) is False
    to_action: Any = draw(st.sampled_from(["clip", "clip_and_scale", *(() if squashes else ("squash",))]))
    low = draw(st.lists(st.floats(-8, 8, width=32), min_size=size, max_size=size))
    high = [lower + draw(st.floats(0.125, 8, width=32)) for lower in low]
    takes_statistics = normalizing_part(network) is None and draw(st.booleans())
    state = draw(_normalizations(plain.inputs[0].shape)) if takes_statistics else None
    bounds: Any = {"to_action": to_action, "low": low, "high": high}
    if squashes and draw(st.booleans()):
        bounds = {}  # those of the actor itself
    policy = Policy(network, params, normalization=state, **bounds)
    return program(policy, seed=seed), policy


def _returns_a_vector(network: Any) -> bool:
    """Return whether a network with parameters takes an observation alone, and returns one axis for it."""
    if isinstance(network, npnets.Net) and network.concat:
        return False
    plain = program(network, output="network")
    return plain.parameters > 0 and len(plain.outputs[0].shape) == 1


@st.composite
def _normalizations(draw: st.DrawFn, shape: tuple[int, ...]) -> Normalization:
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    mean = rng.normal(size=shape) * draw(st.sampled_from([0.0, 1.0, 1e4]))
    return Normalization(mean, rng.uniform(0.1, 4, shape), 5.0, draw(st.sampled_from([None, 1.0, 10.0])), 1e-8)
