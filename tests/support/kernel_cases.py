"""The table of kernels: calls of the public function of each, and of the plain composition that it falls back on."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from backends import on_backend
from distribution_kernel_cases import DISTRIBUTION_CASES
from grouped_cases import grouped
from kernel_case import COMPOSITIONS, NAMES, Case, joined

from npnets.kernels.activation_formulas import FORMULAS
from npnets.kernels.activations import TANH, Activation
from npnets.kernels.layer_norm import layer_norm
from npnets.kernels.linear import Activations, linear_layers
from npnets.kernels.lstm import lstm

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "relu": (),
    "leaky_relu": (0.2,),
    "tanh": (),
    "sigmoid": (),
    "silu": (),
    "softplus": (2.0, 3.0),
    "elu": (0.7,),
    "gelu": ("tanh",),
    "clipped_exp": (-1.5, 0.5),
    "selu": (),
    "celu": (0.7,),
    "softsign": (),
    "mish": (),
    "logsigmoid": (),
    "relu6": (),
    "hardtanh": (-0.3, 0.8),
    "hardsigmoid": (),
    "hardswish": (),
}
"""Arguments of each activation that differ from its defaults."""


RELU = Activation("relu")


def each_activation() -> list[Activation]:
    return [Activation(name) for name in FORMULAS] + [
        Activation(name, args) for name, args in ARGUMENTS.items() if args
    ]


def _written(activation: Activation | None) -> str:
    """An activation with its arguments, as in `elu(0.7)`."""
    if activation is None:
        return "none"
    return f"{activation.name}({', '.join(map(str, activation.args))})" if activation.args else activation.name


def _activate_cases() -> list[Case]:
    plain = COMPOSITIONS["activations"]
    return [
        Case(
            "activations",
            f"{_written(a)} of {s}",
            a,
            lambda z, a=a: plain(z, activation=a),
            (s,),
        )
        for a, s in itertools.product(each_activation(), [(5, 3), (1, 1), (7,), (2, 3, 1)])
    ]


def linear(x: Any, weight: Any, bias: Any, activation: Any = None) -> Any:
    """Run a single layer."""
    return linear_layers(x, [weight, bias], (activation,))


def layers_case(activations: Activations, *shapes: Any) -> Case:
    def fun(x: Any, *parameters: Any) -> Any:
        return linear_layers(x, parameters, activations)

    plain = lambda x, *parameters: COMPOSITIONS["linear"](x, *parameters, activations=activations)  # noqa: E731
    name = f"{', '.join(map(_written, activations))} after {', '.join(map(str, shapes))}"
    return Case("linear", name, fun, plain, shapes)


def _linear_cases() -> list[Case]:
    def case(activation: Any, *shapes: Any) -> Case:
        return layers_case((activation,), *shapes)

    shapes = [
        ((5, 3), (3, 7), (7,)),
        ((1, 3), (3, 7), (7,)),
        ((2, 5, 3), (3, 4), (4,)),
        ((2, 1, 3), (3, 4), (4,)),
        ((5, 3), (4, 3, 2), (4, 1, 2)),
        ((4, 5, 3), (4, 3, 2), (4, 1, 2)),
        ((1, 3), (4, 3, 2), (4, 1, 2)),
        ((4, 1, 3), (4, 3, 2), (4, 1, 2)),
        ((5, 1), (1, 1), (1,)),
    ]
    cases = [case(a, x, w, b) for a in (None, TANH, Activation("elu", (0.7,))) for x, w, b in shapes]
    cases += [case(a, x, w, None) for a in (None, RELU) for x, w, b in shapes]
    others = [a for a in each_activation() if a not in (TANH, Activation("elu", (0.7,)))]
    cases += [case(a, *shapes[index]) for a in others for index in (0, 4)]
    return [*cases, case(TANH, (130, 70), (70, 130), (130,)), *_several_layers_cases()]


def _several_layers_cases() -> list[Case]:
    plain = [(5, 3), (3, 4), (4,), (4, 6), None, (6, 2), (2,)]
    one_row = [(1, 3), (3, 4), None, (4, 2), (2,)]
    ensemble = [(5, 3), (4, 3, 6), (4, 1, 6), (4, 6, 2), (4, 1, 2)]
    each_its_own = [(4, 5, 3), (4, 3, 6), (4, 1, 6), (4, 6, 2), None]
    leading = [(2, 5, 3), (3, 4), (4,), (4, 2), (2,)]
    several: list[Activations] = [
        (RELU, Activation("gelu"), None),
        (TANH, None, Activation("softplus")),
        (None, Activation("elu", (0.7,)), Activation("silu")),
    ]
    pairs: list[Activations] = [
        (TANH, None),
        (Activation("leaky_relu", (0.2,)), Activation("sigmoid")),
        (RELU, TANH),
    ]
    return [layers_case(a, *plain) for a in several] + [
        layers_case(a, *shapes) for a in pairs for shapes in (one_row, ensemble, each_its_own, leading)
    ]


def layer_norm_case(shape: tuple[int, ...], weight: bool, bias: bool) -> Case:
    return Case(
        "layer_norm",
        f"of {shape}{' with weight' * weight}{' with bias' * bias}",
        lambda x, w, b: layer_norm(x, w, b, 1e-3),
        lambda x, w, b: COMPOSITIONS["layer_norm"](x, w, b, eps=1e-3),
        (shape, shape[-1:] if weight else None, shape[-1:] if bias else None),
    )


def _layer_norm_cases() -> list[Case]:
    shapes = [(5, 7), (1, 3), (3, 2, 4), (4,), (2, 1)]
    return [layer_norm_case(shape, *given) for shape in shapes for given in itertools.product([True, False], repeat=2)]


def lstm_case(steps: int, batch: int, inputs: int, hidden: int, reset: Any = None, valid: Any = None) -> Case:
    def masks() -> dict[str, Any]:
        return {"reset": on_backend(reset), "valid": on_backend(valid)}

    def fun(x: Any, w_x: Any, w_h: Any, b_x: Any, b_h: Any, h: Any, c: Any) -> Any:
        return joined(lstm(x, (w_x, w_h, b_x, b_h), h, c, **masks()))

    def plain(*arrays: Any) -> Any:
        return joined(COMPOSITIONS["lstm"](*arrays, **masks()))

    weights = ((inputs, 4 * hidden), (hidden, 4 * hidden), (4 * hidden,), (4 * hidden,))
    masks_given = " and ".join(name for name, mask in {"reset": reset, "valid": valid}.items() if mask is not None)
    name = f"{steps} steps, {batch} rows, {inputs} inputs, {hidden} hidden, masks: {masks_given or 'none'}"
    return Case("lstm", name, fun, plain, ((steps, batch, inputs), *weights, (batch, hidden), (batch, hidden)))


def _mask(steps: int, batch: int, *false_or_true: tuple[int, int], default: bool) -> Any:
    mask = np.full((steps, batch, 1), default)
    for step, row in false_or_true:
        mask[step, row] = not default
    return mask


def _lstm_cases() -> list[Case]:
    """One case for each combination of masks, and sizes at which something may collapse."""
    reset = _mask(4, 3, (0, 1), (2, 0), (2, 1), default=False)
    valid = np.arange(4)[:, None, None] < np.array([4, 1, 3])[:, None]
    alone = {"reset": _mask(3, 1, (1, 0), default=False), "valid": np.arange(3)[:, None, None] < 2}
    return [
        *(lstm_case(4, 3, 2, 5, *masks) for masks in itertools.product((None, reset), (None, valid))),
        *(lstm_case(3, 1, 4, 2, **masks) for masks in ({}, alone)),
        lstm_case(1, 3, 2, 3),
        lstm_case(1, 1, 3, 2),
        lstm_case(1, 2, 3, 2, reset[:1, :2], np.ones((1, 2, 1), bool)),
        lstm_case(1, 2, 3, 4, reset[:1, :2], np.ones((1, 2, 1), bool)),
        lstm_case(2, 1, 3, 4),
        lstm_case(5, 2, 3, 1),
        lstm_case(2, 1, 1, 1),
        lstm_case(3, 9, 2, 2, valid=np.arange(3)[:, None, None] < np.resize([1, 3, 2], 9)[:, None]),
    ]


CASES = [
    *_activate_cases(),
    *_linear_cases(),
    *_layer_norm_cases(),
    *_lstm_cases(),
    *DISTRIBUTION_CASES,
]
each_case = grouped("case", {kernel: {c.name: c for c in CASES if c.kernel == kernel} for kernel in NAMES})


def subsets(arrays: tuple[Any, ...]) -> list[tuple[int, ...]]:
    """Choices of the arrays to differentiate with respect to: every one, or of more than three single ones and most."""
    given = [index for index, array in enumerate(arrays) if array is not None]
    sizes = range(1, len(given) + 1) if len(given) <= 3 else (1, len(given) - 1, len(given))
    return [chosen for n in sizes for chosen in itertools.combinations(given, n)]


def of_chosen_arrays(fun: Callable[..., Any], arrays: tuple[Any, ...], chosen: tuple[int, ...]) -> Callable[[Any], Any]:
    """The function of the chosen arrays only."""

    def of_chosen(parts: Any) -> Any:
        args = list(arrays)
        for index, part in zip(chosen, parts, strict=True):
            args[index] = part
        return fun(*args)

    return of_chosen
