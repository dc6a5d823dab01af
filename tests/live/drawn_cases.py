"""Random cases of every class with every argument, in the form and vocabulary of `golden/cases.py`.

Cases that are an error on either side are not drawn, nor those that npnets omits on purpose: ensembles with atoms or a
dueling head, and ensembles as the trunk of an actor.
"""

from __future__ import annotations

from typing import Any

import drawn_quantiles
from cases_common import Case
from drawn_common import Drawn, ensemble_linears, heads, linears, mlps, nets, plain_mlps, trunks
from drawn_discrete import branching_nets, choices, curiosity_modules, discrete_actors, discrete_critics
from drawn_layers import (
    BATCHES,
    BOUNDS,
    FLAGS,
    LINEAR,
    SHAPES,
    SIZES,
    Word,
    call,
    ensembles,
    layers,
    shape_of,
    some,
    width,
)
from hypothesis import strategies as st

# -- continuous -------------------------------------------------------------------------------------------------------


@st.composite
def actors(draw: st.DrawFn) -> Drawn:
    trunk, shape, arguments = draw(heads())
    arguments |= {"action_shape": draw(SHAPES), **draw(some(max_action=BOUNDS, device=st.just("cpu")))}
    return call("Actor", preprocess_net=trunk, **arguments), {"obs": shape_of(draw(BATCHES), shape)}


@st.composite
def probabilistic_actors(draw: st.DrawFn) -> Drawn:
    trunk, shape, arguments = draw(heads())
    arguments |= {"action_shape": draw(SHAPES), **draw(_gaussian())}
    return call("ActorProb", preprocess_net=trunk, **arguments), {"obs": shape_of(draw(BATCHES), shape)}


@st.composite
def _gaussian(draw: st.DrawFn) -> dict[str, Any]:
    return draw(some(max_action=BOUNDS, device=st.just("cpu"), unbounded=FLAGS, conditioned_sigma=FLAGS))


@st.composite
def critics(draw: st.DrawFn) -> Drawn:
    if draw(FLAGS):
        return draw(ensemble_critics())
    trunk, shape, arguments = draw(heads())
    batch, inputs = draw(BATCHES), {}
    if draw(FLAGS):
        actions = draw(SHAPES)
        trunk, inputs["act"] = draw(_trunk_beside(shape, actions)), shape_of(batch, actions)
        arguments.pop("preprocess_net_output_dim", None)
    arguments |= draw(some(linear_layer=st.sampled_from(LINEAR) | ensembles().map(lambda drawn: drawn[1])))
    return call("Critic", preprocess_net=trunk, **arguments), {"obs": shape_of(batch, shape), **inputs}


@st.composite
def _trunk_beside(draw: st.DrawFn, shape: Any, actions: Any) -> Word:
    arguments = {"state_shape": shape, "action_shape": actions, **draw(layers()), "concat": True}
    return call("Net", **arguments)


@st.composite
def ensemble_critics(draw: st.DrawFn) -> Drawn:
    """Draw an ensemble of critics, with actions or without, whose net is an ensemble too."""
    shape, actions, batch = draw(SHAPES), draw(SHAPES), draw(BATCHES)
    members, layer = draw(ensembles())
    arguments = {"state_shape": shape, "linear_layer": layer, **draw(layers(last=draw(SIZES)))}
    arguments |= draw(st.sampled_from([{}, {"action_shape": actions, "concat": True}]))
    heads = st.sampled_from([*LINEAR, Word(f"partial(EnsembleLinear, {members})")])
    made = call(
        "Critic",
        preprocess_net=call("Net", **arguments),
        **draw(some(hidden_sizes=st.lists(SIZES, max_size=2))),
        linear_layer=draw(heads),
        flatten_input=False,
    )
    return made, {"obs": shape_of(batch, shape), **({"act": shape_of(batch, actions)} if "concat" in arguments else {})}


@st.composite
def critics_of_features(draw: st.DrawFn) -> Drawn:
    """Draw a critic whose preprocess net sees the observation alone, with actions behind it or without."""
    inputs, features, tokens, batch = draw(SIZES), draw(SIZES), draw(st.integers(2, 5)), draw(BATCHES)
    pooled, actions = draw(FLAGS), draw(st.just(0) | SHAPES)
    outputs = features * (1 if pooled else tokens) + width(actions)
    made = call(
        "Critic",
        preprocess_net=call("Tokens", inputs=inputs, features=features, output_dim=outputs, pooled=pooled),
        **draw(some(hidden_sizes=st.lists(SIZES, max_size=2), flatten_input=FLAGS)),
        **draw(some(linear_layer=st.sampled_from(LINEAR) | ensembles().map(lambda drawn: drawn[1]))),
        apply_preprocess_net_to_obs_only=True,
    )
    shapes = {"obs": (batch, tokens, inputs)}
    return made, {**shapes, "act": shape_of(batch, actions)} if width(actions) else shapes


@st.composite
def perturbations(draw: st.DrawFn) -> Drawn:
    obs, actions, batch = draw(SIZES), draw(SIZES), draw(BATCHES)
    trunk, _, _ = draw(trunks(shape=obs + actions, actions=actions))
    arguments = draw(some(phi=st.sampled_from([0.0, 0.3, 1.5]), device=st.just("cpu")))
    made = call("Perturbation", preprocess_net=trunk, max_action=draw(BOUNDS), **arguments)
    return made, {"state": (batch, obs), "action": (batch, actions)}


@st.composite
def autoencoders(draw: st.DrawFn) -> Drawn:
    obs, actions, hidden, latent, batch = (draw(SIZES) for _ in range(5))
    parts = {"encoder": draw(plain_mlps(obs + actions, hidden)), "decoder": draw(plain_mlps(obs + latent, actions))}
    made = call("VAE", **parts, hidden_dim=hidden, latent_dim=latent, max_action=draw(BOUNDS))
    state = {"state": (batch, obs)}
    forward = {"action": (batch, actions), "noise": (batch, latent)}
    return made, state | draw(
        st.sampled_from([forward, forward, {"latent_z": (batch, latent)}, {"drawn": (batch, latent)}])
    )


# -- with a memory ----------------------------------------------------------------------------------------------------


@st.composite
def recurrents(draw: st.DrawFn) -> Drawn:
    sizes, inputs = draw(_memories(axis_of_steps=draw(FLAGS)))
    return call("Recurrent", action_shape=draw(SHAPES), **sizes), inputs


@st.composite
def recurrent_actors(draw: st.DrawFn) -> Drawn:
    sizes, inputs = draw(_memories(axis_of_steps=draw(FLAGS)))
    return call("RecurrentActorProb", action_shape=draw(SHAPES), **sizes, **draw(_gaussian())), inputs


@st.composite
def recurrent_critics(draw: st.DrawFn) -> Drawn:
    sizes, inputs = draw(_memories(axis_of_steps=True))
    if draw(FLAGS):
        sizes["action_shape"] = draw(SHAPES)
        obs = inputs.pop("obs")
        inputs = {"obs": obs, "act": (obs[0], width(sizes["action_shape"])), **inputs}
    return call("RecurrentCritic", **sizes), inputs


@st.composite
def _memories(draw: st.DrawFn, axis_of_steps: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw an LSTM's sizes, and sequences that begin with a state or without."""
    count, shape, hidden, batch = draw(st.integers(1, 3)), draw(SHAPES), draw(SIZES), draw(BATCHES)
    steps = (draw(st.integers(1, 6)),) if axis_of_steps else ()
    state = {name: (batch, count, hidden) for name in ("hidden", "cell")} if draw(FLAGS) else {}
    sizes = {"layer_num": count, "state_shape": shape, "hidden_layer_size": hidden}
    return sizes, {"obs": (batch, *steps, width(shape)), **state}


STRATEGIES: dict[str, st.SearchStrategy[Drawn]] = {
    "Linear": linears(),
    "EnsembleLinear": ensemble_linears(),
    "MLP": mlps(),
    "Net": nets(),
    "Actor": actors(),
    "ActorProb": probabilistic_actors(),
    "Critic": critics(),
    "Critic of features": critics_of_features(),
    "Perturbation": perturbations(),
    "VAE": autoencoders(),
    "Recurrent": recurrents(),
    "RecurrentActorProb": recurrent_actors(),
    "RecurrentCritic": recurrent_critics(),
    "DiscreteActor": discrete_actors(),
    "DiscreteCritic": discrete_critics(),
    "BranchingNet": branching_nets(),
    "IntrinsicCuriosityModule": curiosity_modules(),
    **drawn_quantiles.STRATEGIES,
}


@st.composite
def cases(draw: st.DrawFn, network: str) -> Case:
    """Draw a case of a class: a call, inputs and how far they spread."""
    made, inputs = draw(STRATEGIES[network])
    method = "decode" if {"latent_z", "drawn"} & inputs.keys() else "forward"
    spread = {name: draw(st.sampled_from([1.0, 0.1, 3.0])) for name in inputs}
    return Case("a drawn case", str(made), inputs, spread, method=method, integers=choices(made))
