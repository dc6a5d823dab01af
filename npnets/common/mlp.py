"""A multilayer perceptron."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from npnets.backend import Array, Device, parse_device
from npnets.common.chain import Chain, Link
from npnets.common.layer_norm import LayerNorm
from npnets.common.linear import EnsembleLinear, Linear, apply_layers
from npnets.common.protocols import Layer, check_is_network, init_part
from npnets.description import (
    Sizes,
    cached_property,
    call_repr,
    check_flags,
    frozen,
    no_call,
    set_fields,
    set_plain,
    size,
    sizes,
)
from npnets.functional import Activation, ResolvedActivation, resolve_activation
from npnets.initializers import check_generator, placed
from npnets.inputs import as_array, as_input, check_keys, check_width, first_leaf, flattened, follows_params
from npnets.kernels.linear import ActivationCall
from npnets.tree import Params, Tree

_NORMS: dict[str, Callable[..., Layer]] = {"layer_norm": LayerNorm}


class _Block(NamedTuple):
    """A linear layer, with the norm and the activation that follow it.

    It is fusable if one operation can run all of it; `fused` is then how that operation knows the activation.
    """

    linear_name: str
    linear: Any
    norm_name: str
    norm: Any
    activation: ResolvedActivation | None
    fused: ActivationCall
    is_fusable: bool


@dataclass(frozen=True, repr=False)
class MLP:
    """A multilayer perceptron: linear layers, each followed by a norm and an activation, and a last linear layer.

    Parameters
    ----------
    input_dim : int
        Number of features that come in.
    output_dim : int
        Number of features that go out. Zero means no last linear layer; the attribute then tells the width that the
        last hidden layer has, as in Tianshou.
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
    `dataclasses.replace` needs `output_dim=0` said again for an MLP without a last layer.

    Tianshou's ``MLP``. Parameters: `linear_0`, `norm_0`, `linear_1`, ... in order.
    """

    input_dim: int
    output_dim: int = 0
    hidden_sizes: Sizes = ()
    norm_layer: Any = None
    norm_args: Any = None
    activation: Activation | Sequence[Activation] = "relu"
    act_args: Any = None
    device: Device = None
    linear_layer: Callable[[int, int], Any] = Linear
    flatten_input: bool = True

    has_last: bool = field(init=False)
    _blocks: tuple[_Block, ...] = field(init=False, repr=False, compare=False)

    __call__ = no_call

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

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Params:
        """Draw parameters.

        Parameters
        ----------
        rng : numpy.random.Generator
        dtype : dtype

        Returns
        -------
        dict
            `{"linear_0": {"weight": (in, out), "bias": (out,)}, "norm_0": ..., ...}` on the MLP's device.
        """
        check_generator(rng)
        parts = {name: init_part(part, rng, dtype) for name, part in self._parts.items()}
        return placed(parts, self.device)

    @follows_params
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
        x = as_input(obs, first_leaf(params)) if self._parts else as_array(obs)
        return self.apply(params, flattened(x, "obs") if self.flatten_input else x)

    def apply(self, params: Params, x: Array) -> Array:
        """Do as `forward` for an array that is past a network's door and has the shape that the first layer expects."""
        answer = self._chain.apply(params, x)
        if answer is not None:
            return answer
        check_keys(params, tuple(self._parts), self)
        check_width(x, self.input_dim, self)
        for run in self._runs:
            x = _together(run, params, x) if run[0].is_fusable else _one_by_one(run[0], params, x)
        return x

    @property
    def is_ensemble(self) -> bool:
        """Whether the output has a leading axis, one entry for each member of an ensemble."""
        return any(isinstance(block.linear, EnsembleLinear) for block in self._blocks)

    @cached_property
    def links(self) -> tuple[Link, ...] | None:
        """The layers, if they are linear ones with activations that one operation can run, and nothing else."""
        if type(self) is not MLP or not all(block.is_fusable for block in self._blocks):
            return None
        return tuple(Link((block.linear_name,), block.linear, block.fused) for block in self._blocks)

    @cached_property
    def _chain(self) -> Chain:
        return Chain([("", self.links)])

    @cached_property
    def _runs(self) -> tuple[tuple[_Block, ...], ...]:
        """The blocks, those side by side that one operation can run."""
        runs: list[list[_Block]] = []
        for block in self._blocks:
            if runs and block.is_fusable and runs[-1][-1].is_fusable and block.linear.follows(runs[-1][-1].linear):
                runs[-1].append(block)
            else:
                runs.append([block])
        return tuple(tuple(run) for run in runs)

    @cached_property
    def _parts(self) -> dict[str, Any]:
        named = [((b.linear_name, b.linear), (b.norm_name, b.norm)) for b in self._blocks]
        return {name: part for pair in named for name, part in pair if part is not None}


def _make_blocks(mlp: Any) -> tuple[_Block, ...]:
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


def _block(index: int, linear: Any, norm: Any, activation: ResolvedActivation | None) -> _Block:
    fused = None if activation is None else activation.fused
    known = type(linear) in (Linear, EnsembleLinear) and (activation is None or fused is not None)
    return _Block(f"linear_{index}", linear, f"norm_{index}", norm, activation, fused, known and norm is None)


def _for_each_layer(name: str, value: Any, layers: int, is_list: bool) -> tuple[Any, ...]:
    if not is_list or value == ():
        return (None if value == () else value,) * layers
    if len(value) != layers:
        raise ValueError(
            f"{name} given as a list must have one entry for each of the {layers} hidden layers, but has {len(value)}"
        )
    return tuple(value)


def _are_lists_of_args(args: Any) -> bool:
    """Tell a sequence with one entry of arguments for each layer from the arguments of a single layer."""
    return isinstance(args, tuple) and args != () and all(isinstance(a, (tuple, dict, type(None))) for a in args)


def _make_linear(linear_layer: Any, inputs: int, outputs: int) -> Any:
    if not _makes_layers(linear_layer):
        raise TypeError(f"linear_layer must be a callable that makes a layer from two sizes, but is {linear_layer!r}")
    try:
        layer = linear_layer(inputs, outputs)
    except TypeError as error:
        raise TypeError(
            f"linear_layer must make a layer from two sizes, as functools.partial(npnets.EnsembleLinear, 4) does, but: "
            f"{error}"
        ) from error
    check_is_network("what linear_layer makes", layer)
    return layer


def _make_norm(norm: Any, features: int, args: Any) -> Any:
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
    check_is_network("what norm_layer makes", layer)
    return layer


def _together(run: tuple[_Block, ...], params: Tree, x: Array) -> Array:
    return apply_layers([(block.linear, params[block.linear_name], block.fused) for block in run], x)


def _one_by_one(block: _Block, params: Tree, x: Array) -> Array:
    linear, own = block.linear, params[block.linear_name]
    x = linear.apply(own, x) if type(linear) in (Linear, EnsembleLinear) else linear.forward(own, x)
    if block.norm is not None:
        x = block.norm.forward(params[block.norm_name], x)
    return x if block.activation is None else block.activation.apply(x)


def _makes_layers(value: Any) -> bool:
    """Tell whether a value is a class or a function that makes layers, and not a layer itself."""
    return callable(value) and (isinstance(value, type) or not hasattr(value, "forward"))
