"""Random layers, nets and trunks, from which the cases of all other classes are drawn."""

from __future__ import annotations

from typing import Any

from drawn_layers import (
    BATCHES,
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


@st.composite
def heads(draw: st.DrawFn) -> tuple[Word, Any, dict[str, Any]]:
    """Draw a trunk for an actor or critic; return it, its inputs and arguments of the head."""
    trunk, shape, outputs = draw(trunks())
    given = some(hidden_sizes=st.lists(SIZES, max_size=2), preprocess_net_output_dim=st.just(outputs))
    return trunk, shape, draw(given)
