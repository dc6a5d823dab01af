"""The table of kernels: calls of the public function of each, and of the plain composition that it falls back on."""

from __future__ import annotations

import functools
import importlib
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from backends import on_backend
from grouped_cases import grouped

import npnets.numpy as nnp
from npnets.kernels.activation_formulas import FORMULAS
from npnets.kernels.activations import TANH, Activation
from npnets.kernels.chosen_log_prob import chosen_log_prob
from npnets.kernels.gaussian import log_density
from npnets.kernels.latent import latent_draw
from npnets.kernels.layer_norm import layer_norm
from npnets.kernels.linear import Activations, linear_layers
from npnets.kernels.log_softmax import log_softmax
from npnets.kernels.lstm import lstm
from npnets.kernels.noisy_parameters import noisy_parameters
from npnets.kernels.shared_sigma import shared_sigma
from npnets.kernels.squashed_gaussian import squashed_draw

_NAMES = (
    *("activations", "chosen_log_prob", "gaussian", "latent", "layer_norm", "linear", "log_softmax", "lstm"),
    *("noisy_parameters", "shared_sigma", "squashed_gaussian"),
)
_MODULES = {name: importlib.import_module(f"npnets.kernels.{name}") for name in _NAMES}
COMPOSITIONS = {name: module._apply.__wrapped__ for name, module in _MODULES.items()}
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
}
"""Arguments of each activation that differ from its defaults."""


RELU = Activation("relu")


class Case(NamedTuple):
    """A kernel's call: `fun(*arrays)`, the same by its composition, and the shapes of its arrays (None: left out)."""

    kernel: str
    name: str
    fun: Callable[..., Any]
    plain: Callable[..., Any]
    shapes: tuple[tuple[int, ...] | None, ...]

    def arrays(self, dtype: type = np.float64, scale: float = 1.0) -> tuple[Any, ...]:
        """Return the arrays to call it with."""
        rng = np.random.default_rng(0)
        drawn = [None if shape is None else (scale * rng.normal(size=shape)).astype(dtype) for shape in self.shapes]
        return tuple(on_backend(drawn))


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
        return _joined(lstm(x, (w_x, w_h, b_x, b_h), h, c, **masks()))

    def plain(*arrays: Any) -> Any:
        return _joined(COMPOSITIONS["lstm"](*arrays, **masks()))

    weights = ((inputs, 4 * hidden), (hidden, 4 * hidden), (4 * hidden,), (4 * hidden,))
    masks_given = " and ".join(name for name, mask in {"reset": reset, "valid": valid}.items() if mask is not None)
    name = f"{steps} steps, {batch} rows, {inputs} inputs, {hidden} hidden, masks: {masks_given or 'none'}"
    return Case("lstm", name, fun, plain, ((steps, batch, inputs), *weights, (batch, hidden), (batch, hidden)))


def _joined(outputs: tuple[Any, ...]) -> Any:
    """Return several outputs as one array, as the tests of the table expect it."""
    return nnp.concatenate([nnp.ravel(output) for output in outputs])


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


def latent_case(batch: int, inputs: int, latent: int) -> Case:
    bounds = {"low": -0.4, "high": 0.7}

    def fun(x: Any, w_m: Any, b_m: Any, w_s: Any, b_s: Any, noise: Any) -> Any:
        return _joined(latent_draw(x, (w_m, b_m), (w_s, b_s), noise, **bounds))

    def plain(*arrays: Any) -> Any:
        return _joined(COMPOSITIONS["latent"](*arrays, **bounds))

    layer = ((inputs, latent), (latent,))
    return Case(
        "latent",
        f"{batch} rows, {inputs} inputs, {latent} drawn",
        fun,
        plain,
        ((batch, inputs), *layer, *layer, (batch, latent)),
    )


def _latent_cases() -> list[Case]:
    return [latent_case(*sizes) for sizes in [(5, 3, 4), (1, 3, 2), (4, 1, 3)]]


def gaussian_case(*shape: int) -> Case:
    fun = lambda x, mu, log_sigma: log_density(x, mu, nnp.exp(log_sigma))  # noqa: E731
    plain = lambda x, mu, log_sigma: COMPOSITIONS["gaussian"](x, mu, nnp.exp(log_sigma))  # noqa: E731
    return Case("gaussian", f"of {shape}", fun, plain, (shape,) * 3)


def _gaussian_cases() -> list[Case]:
    return [gaussian_case(*shape) for shape in [(5, 3), (1, 1), (7,), (2, 3, 4)]]


def _chosen_log_prob_case(shape: tuple[int, ...], leading: tuple[int, ...] = ()) -> Case:
    def of_chosen(operation: Any, logits: Any) -> Any:
        return operation(logits, on_backend(np.random.default_rng(2).integers(shape[-1], size=(*leading, *shape[:-1]))))

    fun, plain = (functools.partial(of_chosen, part) for part in (chosen_log_prob, COMPOSITIONS["chosen_log_prob"]))
    return Case("chosen_log_prob", f"of {shape} {leading}", fun, plain, (shape,))


def _chosen_log_prob_cases() -> list[Case]:
    return [_chosen_log_prob_case(s) for s in [(5, 3), (1, 1), (7,), (2, 3, 4)]] + [
        _chosen_log_prob_case((5, 3), (6, 2)),
        _chosen_log_prob_case((3,), (4,)),
    ]


def _log_softmax_cases() -> list[Case]:
    plain = COMPOSITIONS["log_softmax"]
    return [Case("log_softmax", f"of {s}", log_softmax, plain, (s,)) for s in [(5, 3), (1, 1), (4, 1), (7,), (2, 3, 4)]]


def noisy_parameters_case(inputs: int, outputs: int) -> Case:
    fun, plain = (
        lambda *arrays, part=part: _joined(part(*arrays))
        for part in (noisy_parameters, COMPOSITIONS["noisy_parameters"])
    )
    layer = ((inputs, outputs),) * 2 + ((outputs,),) * 2
    return Case("noisy_parameters", f"{inputs} inputs, {outputs} outputs", fun, plain, (*layer, (inputs,), (outputs,)))


def _noisy_parameters_cases() -> list[Case]:
    return [noisy_parameters_case(*sizes) for sizes in [(5, 3), (1, 4), (3, 1), (1, 1)]]


def shared_sigma_case(*shape: int) -> Case:
    fun, plain = (functools.partial(part, shape=shape) for part in (shared_sigma, COMPOSITIONS["shared_sigma"]))
    return Case("shared_sigma", f"to {shape}", fun, plain, (shape[-1:],))


def _shared_sigma_cases() -> list[Case]:
    return [shared_sigma_case(*shape) for shape in [(5, 3), (1, 1), (1, 4), (2, 3, 4)]]


def squashed_gaussian_case(*shape: int) -> Case:
    middle, half = np.linspace(-1.0, 2.0, shape[-1]), np.linspace(0.5, 3.0, shape[-1])
    log_half = float(np.log(half).sum())
    log_norm = float(shape[-1] * (0.5 * np.log(2 * np.pi) + np.log(4)) + log_half)

    def drawn(operation: Any, mu: Any, log_sigma: Any, noise: Any, **constants: float) -> Any:
        edges = {"middle": on_backend(middle.astype(mu.dtype)), "half": on_backend(half.astype(mu.dtype))}
        return _joined(operation(mu, nnp.exp(log_sigma), noise, **edges, **constants))

    fun = functools.partial(drawn, squashed_draw, log_half=log_half)
    plain = functools.partial(drawn, COMPOSITIONS["squashed_gaussian"], log_norm=log_norm)
    return Case("squashed_gaussian", f"of {shape}", fun, plain, (shape,) * 3)


def _squashed_gaussian_cases() -> list[Case]:
    return [squashed_gaussian_case(*shape) for shape in [(5, 3), (1, 1), (7,), (2, 3, 4)]]


CASES = [
    *_activate_cases(),
    *_linear_cases(),
    *_layer_norm_cases(),
    *_lstm_cases(),
    *_latent_cases(),
    *_chosen_log_prob_cases(),
    *_gaussian_cases(),
    *_log_softmax_cases(),
    *_noisy_parameters_cases(),
    *_shared_sigma_cases(),
    *_squashed_gaussian_cases(),
]
each_case = grouped("case", {kernel: {c.name: c for c in CASES if c.kernel == kernel} for kernel in _NAMES})


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
