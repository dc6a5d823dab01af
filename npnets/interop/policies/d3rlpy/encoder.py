"""The hidden layers of d3rlpy's vector encoders, as a `Net` and its parameters.

A layer there is linear, activation, batch norm, layer norm, in this order; one of npnets is linear, norm, activation.
At evaluation a batch norm is `scale * x + shift`, which the next linear layer takes up. A layer norm stands behind a
further linear layer, which is the identity, or the batch norm before it. Dropout does nothing at evaluation.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from npnets.backend import Array
from npnets.common import Net
from npnets.files.fault import Fault
from npnets.files.quoting import listed, quoted
from npnets.interop.policies.networks import check_identities, identity
from npnets.interop.policies.sequential import Dense, check_chain, linear
from npnets.tree import Params

Factory: TypeAlias = tuple[str, dict[str, Any]]
"""The type and the arguments of an encoder's factory."""

_ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "gelu": "gelu", "swish": "silu", "none": None}
_EPSILON = 1e-5
"""What PyTorch's norms add to the variance."""

_DEFAULT_LAYERS = 2
_OTHER_KINDS = {"pixel": "convolutions", "simba": "residual blocks"}


class Affine(NamedTuple):
    """`scale * x + shift`, float64."""

    scale: Array
    shift: Array

    def then(self, other: "Affine") -> "Affine":
        """Return this, followed by another."""
        return Affine(self.scale * other.scale, self.shift * other.scale + other.shift)


class Encoder(NamedTuple):
    """The hidden layers of a policy, their parameters, and a last batch norm, which the next layer takes up."""

    net: Net
    params: Params
    last: Affine | None

    def head(self, dense: Dense) -> Dense:
        """Return the linear layer behind the encoder."""
        check_chain([Dense(np.empty((1, self.net.output_dim)), np.empty(0)), dense], "its policy")
        return _behind(self.last, dense)


class _Layer(NamedTuple):
    dense: Dense
    activation: str | None
    batch_norm: Affine | None
    layer_norm: Params | None


class _Hidden(NamedTuple):
    """A hidden layer of npnets."""

    dense: Dense
    norm: Params | None
    activation: str | None


def encoder(state: Mapping[str, Any], at: str, factory: Factory, inputs: int) -> Encoder:
    """Return the hidden layers of a policy.

    Parameters
    ----------
    state : mapping
        A state dict of a policy.
    at : str
        The beginning of the encoder's names in it, such as `"_encoder."`.
    factory : pair
        The type of the encoder's factory, and its arguments.
    inputs : int
        Number of entries of an observation.

    Raises
    ------
    Fault
        If it is of a kind, or has an activation, that npnets does not have, or the state dict does not fit it.
    """
    layers = _layers(state, at, factory)
    check_chain([layer.dense for layer in layers], "its encoder")
    if (found := layers[0].dense.weight.shape[0]) != inputs:
        raise Fault(f"its first layer takes {found} numbers, but its configuration says {inputs}")
    check_identities([layer.dense.bias.size for layer in layers if layer.layer_norm is not None])
    hidden: list[_Hidden] = []
    before: Affine | None = None
    for layer in layers:
        hidden.append(_Hidden(_behind(before, layer.dense), None, layer.activation))
        before = layer.batch_norm
        if layer.layer_norm is not None:
            same = identity(layer.dense.bias.size, layer.dense.bias.dtype)
            hidden.append(_Hidden(_behind(before, same), layer.layer_norm, None))
            before = None
    return Encoder(*_trunk(hidden, inputs), before)


def _trunk(hidden: list[_Hidden], inputs: int) -> tuple[Net, Params]:
    norms = [None if layer.norm is None else "layer_norm" for layer in hidden]
    net = Net(
        inputs,
        hidden_sizes=[layer.dense.bias.size for layer in hidden],
        norm_layer=norms if any(norms) else None,
        activation=_one([layer.activation for layer in hidden]),
    )
    params: dict[str, Any] = {}
    for index, layer in enumerate(hidden):
        params[f"linear_{index}"] = layer.dense.params
        params |= {} if layer.norm is None else {f"norm_{index}": layer.norm}
    return net, {"model": params}


def _one(values: list[str | None]) -> Any:
    """Return the one value of all layers, or a list with those of each."""
    return values[0] if len(set(values)) == 1 else values


# -- the layers in a state dict --------------------------------------------------------------------------------------


class _Flags(NamedTuple):
    """The arguments of an encoder's factory that say which layers there are."""

    activations: list[str | None]
    excludes_last: bool
    batch_norm: bool
    layer_norm: bool
    dropout: bool

    @property
    def layers(self) -> int:
        """How many layers there are."""
        return len(self.activations)


def _layers(state: Mapping[str, Any], at: str, factory: Factory) -> list[_Layer]:
    flags = _flags(factory)
    if flags.layers > len(state):  # before names are made for each
        raise Fault(f"its configuration has {flags.layers} hidden layers, but its weights are {len(state)} arrays")
    is_first_format = f"{at}_fcs.0.weight" in state
    names = _names_by_kind(at, flags) if is_first_format else _names_in_sequence(at, flags)
    used = {f"{name}.{part}" for layer in names for name in layer if name for part in _PARTS}
    if others := [name for name in state if name.startswith(at) and name not in used]:
        raise Fault(f"its policy has {listed(others)}, which its configuration does not name")
    layers = [_layer(state, *layer, activation) for layer, activation in zip(names, flags.activations, strict=True)]
    last = layers[-1]
    if is_first_format and last.batch_norm is not None:  # d3rlpy before 2.1 applies the last one twice
        layers[-1] = last._replace(batch_norm=last.batch_norm.then(last.batch_norm))
    return layers


_PARTS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def _flags(factory: Factory) -> _Flags:
    kind, params = factory
    if kind not in ("default", "vector"):
        has = f", which has {_OTHER_KINDS[kind]}" if kind in _OTHER_KINDS else ""
        raise Fault(f"its encoder is {quoted(kind)}{has}; the encoders that are read are 'default' and 'vector'")
    if params.get("use_dense"):
        raise Fault("its encoder has use_dense=True, which feeds observations to every layer, and is not read")
    count = _count(params.get("hidden_units"))
    excludes = bool(params.get("exclude_last_activation"))
    activations = [activation_of(factory)] * count
    if excludes or params.get("last_activation"):
        activations[-1] = None if excludes else _activation(params["last_activation"])
    batch_norm, layer_norm = bool(params.get("use_batch_norm")), bool(params.get("use_layer_norm"))
    return _Flags(activations, excludes, batch_norm, layer_norm, params.get("dropout_rate") is not None)


def _count(units: object) -> int:
    """Return the number of layers; their widths are those of their weights."""
    if units is None:
        return _DEFAULT_LAYERS
    if not isinstance(units, list) or not units:
        raise Fault(f"its encoder has hidden_units {quoted(units)}, which must be a list of widths")
    return len(units)


def activation_of(factory: Factory) -> str | None:
    """Return the activation of an encoder's hidden layers."""
    return _activation(factory[1].get("activation", "relu"))


def _activation(name: object) -> str | None:
    if not isinstance(name, str) or name not in _ACTIVATIONS:
        raise Fault(f"its encoder has the activation {quoted(name)}; those that are read are {', '.join(_ACTIVATIONS)}")
    return _ACTIVATIONS[name]


def _names_in_sequence(at: str, flags: _Flags) -> list[tuple[str, str, str]]:
    """Return the names of each layer's linear layer, batch norm and layer norm, by their places in one sequence."""
    place, names = 0, []
    for index in range(flags.layers):
        has_activation = not (flags.excludes_last and index == flags.layers - 1)
        batch_norm = place + 1 + has_activation
        layer_norm = batch_norm + flags.batch_norm
        found = [(place, True), (batch_norm, flags.batch_norm), (layer_norm, flags.layer_norm)]
        linear_name, *norm_names = (f"{at}_layers.{number}" if there else "" for number, there in found)
        names.append((linear_name, norm_names[0], norm_names[1]))
        place = layer_norm + flags.layer_norm + flags.dropout
    return names


def _names_by_kind(at: str, flags: _Flags) -> list[tuple[str, str, str]]:
    """Return the same for d3rlpy before 2.1, which has a list of each kind of layers."""
    return [(f"{at}_fcs.{n}", f"{at}_bns.{n}" if flags.batch_norm else "", "") for n in range(flags.layers)]


def _layer(state: Mapping[str, Any], dense: str, batch_norm: str, layer_norm: str, activation: str | None) -> _Layer:
    found = linear(state, dense)
    width = found.weight.shape[1]
    affine = _batch_norm(state, batch_norm, width) if batch_norm else None
    norm = {part: _vector(state, f"{layer_norm}.{part}", width) for part in ("weight", "bias")} if layer_norm else None
    return _Layer(found, activation, affine, norm)


def _batch_norm(state: Mapping[str, Any], name: str, width: int) -> Affine:
    weight, bias, mean, var = (_vector(state, f"{name}.{part}", width).astype(np.float64) for part in _PARTS[:4])
    if not (var + _EPSILON > 0).all():
        raise Fault(f"its {quoted(f'{name}.running_var')} has a negative variance; the file is damaged")
    scale = weight / np.sqrt(var + _EPSILON)
    return Affine(scale, bias - mean * scale)


def _vector(state: Mapping[str, Any], name: str, width: int) -> Array:
    value = state.get(name)
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f" or value.shape != (width,):
        found = f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
        raise Fault(f"its {quoted(name)} must be {width} floating-point numbers, but is {found}")
    return value


# -- norms within linear layers --------------------------------------------------------------------------------------


def _behind(affine: Affine | None, dense: Dense) -> Dense:
    """Return a linear layer of `scale * x + shift` as one of `x`, in the same dtype."""
    if affine is None:
        return dense
    weight, dtype = dense.weight.astype(np.float64), dense.weight.dtype
    return Dense((affine.scale[:, None] * weight).astype(dtype), (affine.shift @ weight + dense.bias).astype(dtype))
