"""`networks`: small random networks of every class of npnets, with all options of their constructors.

They shrink towards few and narrow layers. Networks with a constant output are not drawn, such as a softmax over one
action or a layer norm of one feature.
"""

import functools
import math
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st

from npnets import discrete
from npnets.common import MLP, BranchingNet, EnsembleLinear, LayerNorm, Linear, Net, Recurrent
from npnets.continuous import VAE, Actor, ActorProb, Critic, Perturbation, RecurrentActorProb, RecurrentCritic
from npnets.kernels.activation_formulas import FORMULAS
from npnets.normalization import Normalized
from npnets.testing.shapes import observation_row

Networks: TypeAlias = st.SearchStrategy[Any]

_SIZES = st.integers(1, 4)
_WIDTHS = st.integers(2, 6)
_HIDDEN = st.lists(_WIDTHS, max_size=2).map(tuple)
_SHAPES = _SIZES | st.tuples(_SIZES, _SIZES)
_FLAGS = st.booleans()
_BOUNDS = st.floats(0.125, 8.0, width=32)
_ACTIVATIONS = st.sampled_from(
    [
        *[(name, None) for name in FORMULAS if name != "clipped_exp"],
        ("leaky_relu", (0.2,)),
        ("elu", {"alpha": 0.5}),
        ("hardtanh", {"max_val": 0.5}),
        (None, None),
    ]
)
_NORMS = st.sampled_from([(None, None), ("layer_norm", None), ("layer_norm", {"eps": 1e-3, "bias": False})])


def networks(classes: Iterable[type] | None = None) -> Networks:
    """Draw small networks of npnets, with any options of their classes.

    Parameters
    ----------
    classes : iterable of type, optional
        Classes to draw from; the default is all classes.

    Returns
    -------
    strategy of networks

    Raises
    ------
    ValueError
        If a class is not a network of npnets.
    """
    chosen = list(_STRATEGIES if classes is None else classes)
    unknown = [kind for kind in chosen if kind not in _STRATEGIES]
    if unknown or not chosen:
        names = [kind.__name__ for kind in _STRATEGIES]
        raise ValueError(f"classes must be some of {names}, but are {chosen}")
    return st.one_of([_STRATEGIES[kind] for kind in chosen])


@st.composite
def _layers(draw: st.DrawFn, hidden: st.SearchStrategy[tuple[int, ...]] = _HIDDEN) -> dict[str, Any]:
    """Draw arguments of `MLP` and `Net` for hidden layers with a norm and activations."""
    sizes = draw(hidden)
    norm, norm_args = draw(_NORMS)
    each: Any = [draw(_ACTIVATIONS) for _ in sizes]
    names: Any = [name for name, _ in each]
    args: Any = [given or () for _, given in each]
    if each and not draw(_FLAGS):
        names, args = each[0]
    chosen = {"hidden_sizes": sizes, "norm_layer": norm, "norm_args": norm_args, "activation": names, "act_args": args}
    return chosen if sizes else {"hidden_sizes": ()}


_ENSEMBLES = st.builds(functools.partial, st.just(EnsembleLinear), st.integers(1, 3))


@st.composite
def _mlps(draw: st.DrawFn, inputs: int | None = None, outputs: int | None = None) -> MLP:
    layers = draw(_layers())
    sizes = (draw(_SIZES) if inputs is None else inputs, draw(_SIZES) if outputs is None else outputs)
    linear = draw(_ENSEMBLES) if inputs is None and draw(_FLAGS) else Linear
    return MLP(*sizes, **layers, linear_layer=linear)


@st.composite
def _trunks(draw: st.DrawFn, shape: Any = None, actions: Any = 0, options: Any = ()) -> Any:
    """Draw a net from observations to features, or to values of `actions`."""
    return Net(draw(_SHAPES) if shape is None else shape, actions, **draw(_layers()), **dict(options))


@st.composite
def _normalized(draw: st.DrawFn, inner: Networks) -> Normalized:
    """Draw a network whose first stage normalizes."""
    net: Any = draw(inner)
    row: Any = observation_row(net)
    return Normalized(net, row, draw(st.sampled_from([10.0, 0.5])), draw(st.sampled_from([1e-8, 1e-2])))


@st.composite
def _nets(draw: st.DrawFn) -> Any:
    kind = draw(st.sampled_from(["features", "values", "softmax", "atoms", "dueling", "concat", "ensemble", "noisy"]))
    actions = draw(st.integers(2, 4))
    if kind == "dueling":
        parts = ({"hidden_sizes": draw(_HIDDEN)}, {"hidden_sizes": draw(_HIDDEN)})
        dueling = {"dueling_param": parts, "num_atoms": draw(st.sampled_from([1, 3]))}
        return draw(_trunks(actions=actions, options=dueling))
    options: dict[str, dict[str, Any]] = {
        "softmax": {"softmax": True},
        "atoms": {"num_atoms": 3, "softmax": draw(_FLAGS)},
        "concat": {"concat": True},
        "ensemble": {"linear_layer": draw(_ENSEMBLES)},
        "noisy": {"linear_layer": discrete.NoisyLinear},
    }
    return draw(_trunks(actions=0 if kind == "features" else actions, options=options.get(kind, {})))


@st.composite
def _actors(draw: st.DrawFn, kind: type[Actor] | type[ActorProb]) -> Any:
    trunk, shape, hidden = draw(_features()), draw(_SHAPES), draw(_HIDDEN)
    options = draw(_bounds(shape) if kind is Actor else _gaussian(shape))
    return kind(trunk, shape, hidden, flatten_action=draw(_FLAGS), **options)


@st.composite
def _critics_of_features(draw: st.DrawFn) -> Critic:
    """Draw a critic whose trunk sees observations alone, with actions behind it or without."""
    members: Any = draw(st.none() | _ENSEMBLES)
    trunk: Any = draw(_features())
    layers: dict[str, Any] = {}
    if members is not None:
        trunk = Net(draw(_SHAPES), 0, draw(st.tuples(_WIDTHS)), linear_layer=members)
        layers = {"linear_layer": members, "flatten_input": False}
    actions = draw(st.none() | _SHAPES)
    return Critic(trunk, draw(_HIDDEN), apply_preprocess_net_to_obs_only=True, action_shape=actions, **layers)


@st.composite
def _critics(draw: st.DrawFn) -> Critic:
    actions = draw(st.just(0) | _SHAPES)
    concat: dict[str, Any] = {"concat": True} if actions else {}
    if draw(_FLAGS):
        return Critic(draw(_trunks(actions=actions, options=concat)), draw(_HIDDEN))
    members = draw(_ENSEMBLES)
    trunk: Any = Net(draw(_SHAPES), actions, draw(st.tuples(_WIDTHS)), linear_layer=members, **concat)
    return Critic(trunk, draw(_HIDDEN), linear_layer=members, flatten_input=False)


@st.composite
def _discrete_actors(draw: st.DrawFn) -> discrete.Actor:
    shape = draw(_WIDTHS | st.tuples(_WIDTHS, _SIZES))
    return discrete.Actor(draw(_features()), shape, draw(_HIDDEN), softmax_output=draw(_FLAGS))


@st.composite
def _discrete_critics(draw: st.DrawFn) -> discrete.Critic:
    return discrete.Critic(draw(_features()), draw(_HIDDEN), draw(_SIZES))


@st.composite
def _curiosity_modules(draw: st.DrawFn) -> discrete.IntrinsicCuriosityModule:
    features = draw(_SIZES)
    net = draw(_mlps(draw(_SIZES), features))
    return discrete.IntrinsicCuriosityModule(net, features, draw(_SIZES), draw(_HIDDEN))


@st.composite
def _branching_nets(draw: st.DrawFn) -> BranchingNet:
    sizes: dict[str, Any] = {
        f"{part}_hidden_sizes": draw(st.none() | _HIDDEN) for part in ("common", "value", "action")
    }
    (norm, norm_args), (activation, act_args) = draw(_NORMS), draw(_ACTIVATIONS)
    layers: dict[str, Any] = {
        "norm_layer": norm,
        "norm_args": norm_args,
        "activation": activation,
        "act_args": act_args,
    }
    return BranchingNet(draw(_SHAPES), draw(_SIZES), draw(_WIDTHS), **sizes, **layers)


def _quantile_networks(kind: type) -> Networks:
    return st.builds(kind, _features(), _SHAPES, _HIDDEN, _SIZES)


@st.composite
def _perturbations(draw: st.DrawFn) -> Perturbation:
    obs, actions = draw(_SIZES), draw(_SIZES)
    trunk = draw(_trunks(shape=obs + actions, actions=actions))
    return Perturbation(trunk, phi=draw(st.sampled_from([0.05, 0.5])), **draw(_bounds(actions)))


@st.composite
def _autoencoders(draw: st.DrawFn) -> VAE:
    obs, actions, hidden, latent = (draw(_SIZES) for _ in range(4))
    encoder, decoder = draw(_mlps(obs + actions, hidden)), draw(_mlps(obs + latent, actions))
    return VAE(encoder, decoder, hidden, latent, **draw(_bounds(actions)))


@st.composite
def _recurrent_actors(draw: st.DrawFn) -> RecurrentActorProb:
    layers, obs, actions, hidden = draw(_LAYERS), draw(_SHAPES), draw(_SHAPES), draw(_SIZES)
    return RecurrentActorProb(layers, obs, actions, hidden, flatten_action=draw(_FLAGS), **draw(_gaussian(actions)))


def _bounds(shape: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Draw bounds of actions: `max_action`, or `low` and `high`; one number, or one for each action dimension."""
    axes = (shape,) if isinstance(shape, int) else shape
    entries = math.prod(axes)
    several = st.lists(_BOUNDS, min_size=entries, max_size=entries).map(tuple)
    symmetric = st.fixed_dictionaries({"max_action": st.just(1.0) | _BOUNDS | several})
    return symmetric | st.builds(_interval, st.just(axes), st.floats(-8.0, 8.0, width=32), _BOUNDS | several)


def _interval(axes: tuple[int, ...], low: float, widths: Any) -> dict[str, Any]:
    high = np.add(low, widths)
    return {"low": low, "high": high.reshape(axes) if high.ndim else float(high)}


@st.composite
def _gaussian(draw: st.DrawFn, shape: Any) -> dict[str, Any]:
    unbounded = draw(_FLAGS)
    bounds = {} if unbounded else draw(_bounds(shape))
    return {**bounds, "unbounded": unbounded, "conditioned_sigma": draw(_FLAGS)}


def _features() -> Networks:
    """Draw the trunk of an actor or a critic."""
    return _trunks() | _RECURRENT | _normalized(_trunks() | _RECURRENT)


_LAYERS = st.integers(1, 2)
_RECURRENT: Networks = st.builds(Recurrent, _LAYERS, _SHAPES, _SHAPES, hidden_layer_size=_SIZES)
_STRATEGIES: dict[type, Networks] = {
    Linear: st.builds(Linear, _SIZES, _SIZES, _FLAGS),
    EnsembleLinear: st.builds(EnsembleLinear, st.integers(1, 3), _SIZES, _SIZES, _FLAGS),
    LayerNorm: st.builds(LayerNorm, _WIDTHS, st.sampled_from([1e-5, 1e-3]), bias=_FLAGS),
    MLP: _mlps(),
    Net: _nets(),
    Actor: _actors(Actor),
    ActorProb: _actors(ActorProb),
    Critic: _critics() | _critics_of_features(),
    Perturbation: _perturbations(),
    VAE: _autoencoders(),
    Recurrent: _RECURRENT,
    RecurrentActorProb: _recurrent_actors(),
    RecurrentCritic: st.builds(RecurrentCritic, _LAYERS, _SHAPES, st.just(0) | _SHAPES, hidden_layer_size=_SIZES),
    discrete.Actor: _discrete_actors(),
    discrete.Critic: _discrete_critics(),
    discrete.CosineEmbeddingNetwork: st.builds(discrete.CosineEmbeddingNetwork, _SIZES, _SIZES),
    discrete.ImplicitQuantileNetwork: _quantile_networks(discrete.ImplicitQuantileNetwork),
    discrete.FractionProposalNetwork: st.builds(discrete.FractionProposalNetwork, _WIDTHS, _SIZES),
    discrete.FullQuantileFunction: _quantile_networks(discrete.FullQuantileFunction),
    discrete.NoisyLinear: st.builds(discrete.NoisyLinear, _SIZES, _SIZES, st.sampled_from([0.5, 0.125])),
    discrete.IntrinsicCuriosityModule: _curiosity_modules(),
    BranchingNet: _branching_nets(),
    Normalized: _normalized(_trunks() | _actors(Actor) | _recurrent_actors() | _critics() | _discrete_actors()),
}
