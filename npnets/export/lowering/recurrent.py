"""Recurrent networks as operations: one step, with the state before it and after it."""

from typing import Any

import numpy as np

from npnets.common import LSTM, Recurrent
from npnets.continuous import RecurrentActorProb, RecurrentCritic
from npnets.export import program
from npnets.export.lowering.builder import Builder, Lowering, Outputs, Signal, joined, vector
from npnets.export.lowering.continuous import beside, gaussian
from npnets.export.program import Concatenate, Slice, Value
from npnets.tree import Params


def _lstm(builder: Builder, lstm: LSTM, params: Params, x: Value, name: str) -> Signal:
    """Add the layers of an LSTM, and return the last one's hidden state."""
    shape, size = (lstm.num_layers, lstm.hidden_size), lstm.hidden_size
    hidden, cell = builder.state("hidden", shape), builder.state("cell", shape)
    hiddens, cells = [], []
    for number in range(lstm.num_layers):
        layer, own_name = params[f"layer_{number}"], joined(name, f"layer_{number}")
        new_cell = builder.new(joined(own_name, "cell"), size)
        fields: dict[str, Any] = {
            "hidden": _part(builder, hidden, number, size),
            "cell": _part(builder, cell, number, size),
            "input_weight": np.ascontiguousarray(layer["weight_ih"]),
            "hidden_weight": np.ascontiguousarray(layer["weight_hh"]),
            "bias": layer["bias_ih"] + layer["bias_hh"],
        }
        x = builder.add(program.Lstm, joined(own_name, "hidden"), size, new_cell=new_cell, x=x, **fields)
        hiddens.append(x)
        cells.append(new_cell)
    builder.keep("hidden", shape, hidden, _together(builder, hiddens, "new_hidden"))
    builder.keep("cell", shape, cell, _together(builder, cells, "new_cell"))
    return vector(x)


def _part(builder: Builder, state: Value, number: int, size: int) -> Value:
    if state.size == size:
        return state
    return builder.add(Slice, f"{state.name}_{number}", size, x=state, start=number * size)


def _together(builder: Builder, parts: list[Value], name: str) -> Value:
    if len(parts) == 1:
        return parts[0]
    return builder.add(Concatenate, name, sum(part.size for part in parts), parts=tuple(parts))


def _recurrent(builder: Builder, net: Recurrent, params: Params, x: Signal, name: str) -> Outputs:
    first = builder.features(net.first, params["first"], x, joined(name, "first"))
    hidden = _lstm(builder, net.lstm, params["lstm"], first.value, joined(name, "lstm"))
    return {"output": builder.features(net.last, params["last"], hidden, joined(name, "last"))}


def _recurrent_actor_prob(builder: Builder, actor: RecurrentActorProb, params: Params, x: Signal, name: str) -> Outputs:
    hidden = _lstm(builder, actor.lstm, params["lstm"], x.value, joined(name, "lstm"))
    return gaussian(builder, actor, params, hidden, name)


def _recurrent_critic(builder: Builder, critic: RecurrentCritic, params: Params, x: Signal, name: str) -> Outputs:
    hidden = _lstm(builder, critic.lstm, params["lstm"], x.value, joined(name, "lstm"))
    features = beside(builder, hidden, builder.input("act"), joined(name, "hidden_act"))
    return {"value": builder.features(critic.last, params["last"], features, joined(name, "last"))}


LOWERINGS: dict[type, Lowering] = {
    Recurrent: _recurrent,
    RecurrentActorProb: _recurrent_actor_prob,
    RecurrentCritic: _recurrent_critic,
}
