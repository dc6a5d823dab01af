"""Random cases of every class with every argument, in the form and vocabulary of `golden/cases.py`.

Cases that are an error on either side are not drawn, nor those that npnets omits on purpose: ensembles with atoms or a
dueling head, and ensembles as the trunk of an actor.
"""

from __future__ import annotations

from typing import Any

from cases_common import Case
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
    features,
    layers,
    shape_of,
    some,
    width,
)
from hypothesis import strategies as st

Drawn = tuple[Word, dict[str, Any]]
"""A call, and the shapes of the inputs that it takes."""

# -- common -----------------------------------------------------------------------------------------------------------


@st.composite
def linears(draw: st.DrawFn) -> Drawn:
    inputs = draw(SIZES)
    leading = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    made = call("Linear", in_features=inputs, out_features=draw(SIZES), **draw(some(bias=FLAGS)))
    return made, {"obs": (*leading, inputs)}


@st.composite
def ensemble_linears(draw: st.DrawFn) -> Drawn:
    members, inputs = draw(st.integers(1, 4)), draw(SIZES)
    sizes = {"ensemble_size": members, "in_feature": inputs, "out_feature": draw(SIZES)}
    made = call("EnsembleLinear", **sizes, **draw(some(bias=FLAGS)))
    return made, {"obs": (*draw(st.sampled_from([(), (members,)])), draw(BATCHES), inputs)}


@st.composite
def mlps(draw: st.DrawFn) -> Drawn:
    shape, flat = draw(SHAPES), draw(FLAGS)
    inputs = width(shape) if flat else shape_of(1, shape)[-1]
    obs = shape_of(draw(BATCHES), shape)
    arguments = {"input_dim": inputs, **draw(some(output_dim=st.integers(0, 6))), **draw(layers())}
    if draw(FLAGS):
        arguments["linear_layer"] = draw(st.sampled_from(LINEAR))
    elif draw(FLAGS):
        members, arguments["linear_layer"] = draw(ensembles())
        obs = obs if flat else (*draw(st.sampled_from([(), (members,)])), obs[0], inputs)
    return call("MLP", **arguments, **({} if flat else {"flatten_input": False})), {"obs": obs}


@st.composite
def plain_mlps(draw: st.DrawFn, inputs: int, outputs: int) -> Word:
    """Draw an MLP of given sizes, with a last layer or without."""
    if draw(FLAGS):
        return call("MLP", input_dim=inputs, output_dim=outputs, **draw(layers()))
    return call("MLP", input_dim=inputs, **draw(layers(last=outputs)))


@st.composite
def nets(draw: st.DrawFn) -> Drawn:
    made, obs, _ = draw(st.one_of(trunks(), trunks(concat=True), ensemble_nets()))
    return made, {"obs": shape_of(draw(BATCHES), obs)}


@st.composite
def trunks(draw: st.DrawFn, shape: Any = None, concat: bool = False, actions: Any = None) -> tuple[Word, Any, int]:
    """Draw a net of one member; return it, its inputs and its number of output features."""
    shape = draw(SHAPES) if shape is None else shape
    atoms = draw(st.sampled_from([1, 1, 3])) if actions is None else 1
    given = draw(SHAPES if concat or atoms > 1 else st.just(0) | SHAPES) if actions is None else actions
    inputs = width(shape) + concat * width(given) * atoms
    # Without a layer for actions, the last hidden layers are the output, with one number for each atom.
    free = concat or not width(given)
    last = atoms * draw(st.integers(1, 2)) if free and atoms > 1 else None
    arguments: dict[str, Any] = {"state_shape": shape, "action_shape": given, **draw(layers(last))}
    outputs = features(arguments["hidden_sizes"], inputs) if free else width(given) * atoms
    if draw(FLAGS):
        outputs = (last or draw(SIZES)) if free else outputs
        part = _dueling(outputs if free else None)
        arguments["dueling_param"] = (draw(part), draw(part))
    arguments |= draw(some(softmax=FLAGS, linear_layer=st.sampled_from(LINEAR)))
    arguments |= {"concat": True} if concat else {}
    arguments |= {"num_atoms": atoms} if atoms > 1 or draw(FLAGS) else {}
    return call("Net", **arguments), (inputs if concat else shape), outputs


@st.composite
def _dueling(draw: st.DrawFn, last: int | None) -> dict[str, Any]:
    return {**draw(layers(last)), **draw(some(linear_layer=st.sampled_from(LINEAR)))}


@st.composite
def ensemble_nets(draw: st.DrawFn) -> tuple[Word, Any, int]:
    """Draw a net whose layers are ensembles."""
    shape, outputs = draw(SHAPES), draw(SIZES)
    arguments = {"state_shape": shape, "action_shape": outputs, "linear_layer": draw(ensembles())[1]}
    return call("Net", **arguments, **draw(layers()), **draw(some(softmax=FLAGS))), shape, outputs


# -- continuous -------------------------------------------------------------------------------------------------------


@st.composite
def actors(draw: st.DrawFn) -> Drawn:
    trunk, shape, arguments = draw(_heads())
    arguments |= {"action_shape": draw(SHAPES), **draw(some(max_action=BOUNDS, device=st.just("cpu")))}
    return call("Actor", preprocess_net=trunk, **arguments), {"obs": shape_of(draw(BATCHES), shape)}


@st.composite
def probabilistic_actors(draw: st.DrawFn) -> Drawn:
    trunk, shape, arguments = draw(_heads())
    arguments |= {"action_shape": draw(SHAPES), **draw(_gaussian())}
    return call("ActorProb", preprocess_net=trunk, **arguments), {"obs": shape_of(draw(BATCHES), shape)}


@st.composite
def _heads(draw: st.DrawFn) -> tuple[Word, Any, dict[str, Any]]:
    trunk, shape, outputs = draw(trunks())
    given = some(hidden_sizes=st.lists(SIZES, max_size=2), preprocess_net_output_dim=st.just(outputs))
    return trunk, shape, draw(given)


@st.composite
def _gaussian(draw: st.DrawFn) -> dict[str, Any]:
    return draw(some(max_action=BOUNDS, device=st.just("cpu"), unbounded=FLAGS, conditioned_sigma=FLAGS))


@st.composite
def critics(draw: st.DrawFn) -> Drawn:
    if draw(FLAGS):
        return draw(ensemble_critics())
    trunk, shape, arguments = draw(_heads())
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
}


@st.composite
def cases(draw: st.DrawFn, network: str) -> Case:
    """Draw a case of a class: a call, inputs and how far they spread."""
    made, inputs = draw(STRATEGIES[network])
    method = "decode" if {"latent_z", "drawn"} & inputs.keys() else "forward"
    spread = {name: draw(st.sampled_from([1.0, 0.1, 3.0])) for name in inputs}
    return Case("a drawn case", str(made), inputs, spread, method=method)
