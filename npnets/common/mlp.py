"""A multilayer perceptron."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from numpy.typing import ArrayLike

from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device, parse_device
from npnets.common.layer_norm import LayerNorm
from npnets.common.linear import EnsembleLinear, Linear
from npnets.common.network import Network
from npnets.common.protocols import Layer, check_is_network
from npnets.common.sequential import LinearLayers, Operation, Sequential, entry_of, is_known, operations_of
from npnets.common.spec import Spec
from npnets.description import (
    Sizes,
    cached_property,
    call_repr,
    check_flags,
    frozen,
    set_fields,
    set_plain,
    size,
    sizes,
)
from npnets.functional import ActivationLike, resolve_activation
from npnets.inputs import as_array, as_input, check_width, first_leaf, flattened
from npnets.kernels.activations import Activation
from npnets.tree import Params

_NORMS: dict[str, Callable[..., Layer]] = {"layer_norm": LayerNorm}


class _Block(NamedTuple):
    """A linear layer, with the norm and the activation that follow it, and the names of both layers."""

    linear_name: str
    linear: Layer
    norm_name: str
    norm: Layer | None
    activation: Activation | None

    @property
    def layers(self) -> dict[str, Layer]:
        """The layers by their names."""
        norm = {} if self.norm is None else {self.norm_name: self.norm}
        return {self.linear_name: self.linear, **norm}

    @property
    def operations(self) -> list[Operation]:
        """The layers and the activation as operations."""
        layers = [part for name, layer in self.layers.items() for part in operations_of(layer, name)]
        return layers + ([] if self.activation is None else [Operation(self.activation, 0)])


@dataclass(frozen=True, repr=False)
class MLP(Network):
    """A multilayer perceptron: linear layers, each followed by a norm and an activation, and a last linear layer.

    Parameters
    ----------
    input_dim : int
        Number of features that come in.
    output_dim : int
        Number of features that go out. Zero means no last linear layer; the attribute is then the width of the
        last hidden layer, as in Tianshou.
    hidden_sizes : sequence of int
        Widths of the hidden layers.
    norm_layer : str, callable or sequence of them, optional
        `"layer_norm"`, or a callable that makes a layer from a number of features; one for all hidden layers, or one
        for each.
    norm_args : tuple, dict or sequence of them, optional
        Further arguments of the norm layers, for all or for each.
    activation : str, callable or sequence of them, optional
        A name that `npnets.functional` knows, a function of an array, or `None`; for all hidden layers or one for each.
    act_args : tuple, dict or sequence of them, optional
        Further arguments of the activations, for all or for each.
    device : str, int or None
        Where `init` places parameters: `"cpu"` or `None`, `"cuda"`, `"cuda:1"` or a number.
    linear_layer : callable
        Makes a layer from `(in_features, out_features)`, such as `functools.partial(npnets.EnsembleLinear, 4)`.
    flatten_input : bool
        Whether all axes after the first are laid out in one before the first layer.

    Notes
    -----
    For an MLP without a last layer, `dataclasses.replace` needs `output_dim=0` again.

    Tianshou's ``MLP``. Parameters: `linear_0`, `norm_0`, `linear_1`, ... in order.
    """

    input_dim: int
    output_dim: int = 0
    hidden_sizes: Sizes = ()
    norm_layer: Any = None
    norm_args: object = None
    activation: ActivationLike | Sequence[ActivationLike] = "relu"
    act_args: object = None
    device: Device = None
    linear_layer: Callable[[int, int], Layer] = Linear
    flatten_input: bool = True

    has_last: bool = field(init=False)
    _blocks: tuple[_Block, ...] = field(init=False, repr=False, compare=False)

    def __repr__(self) -> str:
        return call_repr(self, output_dim=self.output_dim if self.has_last else 0)

    def __post_init__(self) -> None:
        set_plain(self)
        check_flags(self, "flatten_input")
        parse_device(self.device)
        names = ("norm_layer", "norm_args", "activation", "act_args", "linear_layer")
        set_fields(self, **{name: frozen(getattr(self, name)) for name in names})
        hidden = sizes("hidden_sizes", self.hidden_sizes)
        set_fields(self, input_dim=size("input_dim", self.input_dim), hidden_sizes=hidden)
        set_fields(self, has_last=size("output_dim", self.output_dim, least=0) > 0)
        set_fields(self, output_dim=int(self.output_dim) or (self.input_dim, *hidden)[-1])
        set_fields(self, _blocks=_make_blocks(self))

    @cached_property
    def spec(self) -> Spec:
        """`linear_0`, `norm_0`, `linear_1`, ... in order."""
        layers = [named for block in self._blocks for named in block.layers.items()]
        return Spec({name: entry_of(layer) for name, layer in layers}, self.device)

    @computes_where_params
    def forward(self, params: Params, obs: ArrayLike) -> Array:
        """Map inputs to outputs.

        Parameters
        ----------
        params : dict
            As `init` made them.
        obs : (batch, ...) array
            With `flatten_input`, all axes after the first make up the features; else features are the last axis.

        Returns
        -------
        (batch, output_dim) array
            In the parameters' dtype; with leading axes if `flatten_input` is off or the layers are an ensemble.
        """
        leaves = self.spec.read(params, self)
        x = as_input(obs, first_leaf(leaves)) if leaves else as_array(obs)
        return self._layers.run(leaves, flattened(x, "obs") if self.flatten_input else x)

    @property
    def is_ensemble(self) -> bool:
        """Whether the output has a leading axis, one entry for each member of an ensemble."""
        return any(isinstance(block.linear, EnsembleLinear) for block in self._blocks)

    @cached_property
    def _layers(self) -> Sequential:
        return Sequential(self._operations)

    @cached_property
    def _operations(self) -> tuple[Operation, ...]:
        operations = [part for block in self._blocks for part in block.operations]
        if not self._blocks or not is_known(self._blocks[0].linear):
            operations.insert(0, Operation(self._checked, 0))
        elif isinstance(operations[0].run, LinearLayers):
            operations[0] = operations[0]._replace(run=replace(operations[0].run, network=self))
        return tuple(operations)

    def _checked(self, x: Array) -> Array:
        check_width(x, self.input_dim, self)
        return x


def _make_blocks(mlp: "MLP") -> tuple[_Block, ...]:
    hidden = mlp.hidden_sizes
    norms = _for_each_layer("norm_layer", mlp.norm_layer, len(hidden), isinstance(mlp.norm_layer, tuple))
    norm_args = _for_each_layer("norm_args", mlp.norm_args, len(hidden), _are_lists_of_args(mlp.norm_args))
    activations = _for_each_layer("activation", mlp.activation, len(hidden), isinstance(mlp.activation, tuple))
    act_args = _for_each_layer("act_args", mlp.act_args, len(hidden), _are_lists_of_args(mlp.act_args))
    blocks = []
    for index, (inputs, outputs) in enumerate(zip((mlp.input_dim, *hidden), hidden, strict=False)):
        norm = _make_norm(norms[index], outputs, norm_args[index])
        activation = resolve_activation(activations[index], act_args[index])
        blocks.append(_block(index, _make_linear(mlp.linear_layer, inputs, outputs), norm, activation))
    if mlp.has_last:
        last = _make_linear(mlp.linear_layer, (mlp.input_dim, *hidden)[-1], mlp.output_dim)
        blocks.append(_block(len(hidden), last, None, None))
    return tuple(blocks)


def _block(index: int, linear: Layer, norm: Layer | None, activation: Activation | None) -> _Block:
    return _Block(f"linear_{index}", linear, f"norm_{index}", norm, activation)


def _for_each_layer(name: str, value: Any, layers: int, is_list: bool) -> tuple[Any, ...]:
    if not is_list or value == ():
        return (None if value == () else value,) * layers
    if len(value) != layers:
        raise ValueError(
            f"{name} given as a list must have one entry for each of the {layers} hidden layers, but has {len(value)}"
        )
    return tuple(value)


def _are_lists_of_args(args: object) -> bool:
    """Return whether arguments are a sequence with one entry for each layer, and not those of a single layer."""
    return isinstance(args, tuple) and args != () and all(isinstance(a, (tuple, dict, type(None))) for a in args)


def _make_linear(linear_layer: Callable[[int, int], Layer], inputs: int, outputs: int) -> Layer:
    if not _makes_layers(linear_layer):
        raise TypeError(f"linear_layer must be a callable that makes a layer from two sizes, but is {linear_layer!r}")
    try:
        layer = linear_layer(inputs, outputs)
    except TypeError as error:
        raise TypeError(
            f"linear_layer must make a layer from two sizes, as functools.partial(npnets.EnsembleLinear, 4) does, but: "
            f"{error}"
        ) from error
    check_is_network("the layer that linear_layer makes", layer)
    return layer


def _make_norm(norm: Any, features: int, args: object) -> Layer | None:
    if norm is None:
        return None
    if isinstance(norm, str) and norm not in _NORMS:
        raise ValueError(f"unknown norm_layer {norm!r}: expected one of {', '.join(_NORMS)}, or a callable")
    if not isinstance(norm, str) and not _makes_layers(norm):
        raise TypeError(f"norm_layer must be a name, a callable that makes a layer, or a list of them, but is {norm!r}")
    make = _NORMS[norm] if isinstance(norm, str) else norm
    if not isinstance(args, (tuple, dict, type(None))):
        raise TypeError(f"norm_args must be a tuple or a dict, or a list of them, but is {args!r}")
    try:
        layer = make(features, **args) if isinstance(args, dict) else make(features, *(args or ()))
    except TypeError as error:
        raise TypeError(f"norm_layer {norm!r} cannot be made from norm_args {args!r}: {error}") from error
    check_is_network("the layer that norm_layer makes", layer)
    return layer


def _makes_layers(value: object) -> bool:
    """Return whether a value is a class or function that makes layers, and not a layer itself."""
    return callable(value) and (isinstance(value, type) or not hasattr(value, "forward"))
