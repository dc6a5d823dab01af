"""Random networks for discrete actions."""

from __future__ import annotations

import re
from typing import Any

from drawn_common import Drawn, heads, plain_mlps
from drawn_layers import BATCHES, FLAGS, LAYER_NORM, NORM_ARGS, SHAPES, SIZES, activations, call, shape_of, some
from hypothesis import strategies as st

HIDDEN = st.lists(SIZES, max_size=2)


@st.composite
def discrete_actors(draw: st.DrawFn) -> Drawn:
    trunk, shape, arguments = draw(heads())
    arguments |= {"action_shape": draw(SHAPES), **draw(some(softmax_output=FLAGS, device=st.just("cpu")))}
    return call("DiscreteActor", preprocess_net=trunk, **arguments), {"obs": shape_of(draw(BATCHES), shape)}


@st.composite
def discrete_critics(draw: st.DrawFn) -> Drawn:
    trunk, shape, arguments = draw(heads())
    arguments |= draw(some(last_size=SIZES, device=st.just("cpu")))
    return call("DiscreteCritic", preprocess_net=trunk, **arguments), {"obs": shape_of(draw(BATCHES), shape)}


@st.composite
def branching_nets(draw: st.DrawFn) -> Drawn:
    shape, arguments = draw(SHAPES), {"num_branches": draw(st.integers(1, 3))}
    hidden: dict[str, Any] = {"common_hidden_sizes": draw(st.lists(SIZES, min_size=1, max_size=2))}
    hidden |= draw(some(value_hidden_sizes=HIDDEN, action_hidden_sizes=HIDDEN))
    arguments |= draw(some(action_per_branch=SIZES))
    if draw(FLAGS):
        arguments |= dict(zip(("activation", "act_args"), draw(activations()), strict=True))
    if draw(FLAGS) and min(size for sizes in hidden.values() for size in sizes) >= 3:
        arguments |= {"norm_layer": LAYER_NORM, **draw(some(norm_args=NORM_ARGS))}
    made = call("BranchingNet", state_shape=shape, **arguments, **hidden)
    return made, {"obs": shape_of(draw(BATCHES), shape)}


@st.composite
def curiosity_modules(draw: st.DrawFn) -> Drawn:
    obs, features, batch = draw(SIZES), draw(SIZES), draw(BATCHES)
    sizes = {"feature_dim": features, "action_dim": draw(SIZES), **draw(some(hidden_sizes=HIDDEN))}
    made = call("IntrinsicCuriosityModule", feature_net=draw(plain_mlps(obs, features)), **sizes)
    return made, {"s1": (batch, obs), "act": (batch,), "s2": (batch, obs)}


def choices(made: str) -> dict[str, int]:
    """Return the inputs of a call that are discrete actions, and how many there are to choose from."""
    found = re.search(r"action_dim=(\d+)", made)
    return {} if found is None else {"act": int(found[1])}
