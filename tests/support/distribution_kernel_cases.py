"""Calls of the kernels of draws and of densities, of noisy layers and of a shared standard deviation."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from backends import on_backend
from kernel_case import COMPOSITIONS, Case, joined

import npnets.numpy as nnp
from npnets.kernels.chosen_log_prob import chosen_log_prob
from npnets.kernels.gaussian import log_density
from npnets.kernels.latent import latent_draw
from npnets.kernels.log_softmax import log_softmax
from npnets.kernels.noisy_parameters import noisy_parameters
from npnets.kernels.shared_sigma import shared_sigma
from npnets.kernels.squashed_gaussian import squashed_draw


def latent_case(batch: int, inputs: int, latent: int) -> Case:
    bounds = {"low": -0.4, "high": 0.7}

    def fun(x: Any, w_m: Any, b_m: Any, w_s: Any, b_s: Any, noise: Any) -> Any:
        return joined(latent_draw(x, (w_m, b_m), (w_s, b_s), noise, **bounds))

    def plain(*arrays: Any) -> Any:
        return joined(COMPOSITIONS["latent"](*arrays, **bounds))

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
        lambda *arrays, part=part: joined(part(*arrays))
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
        return joined(operation(mu, nnp.exp(log_sigma), noise, **edges, **constants))

    fun = functools.partial(drawn, squashed_draw, log_half=log_half)
    plain = functools.partial(drawn, COMPOSITIONS["squashed_gaussian"], log_norm=log_norm)
    return Case("squashed_gaussian", f"of {shape}", fun, plain, (shape,) * 3)


def _squashed_gaussian_cases() -> list[Case]:
    return [squashed_gaussian_case(*shape) for shape in [(5, 3), (1, 1), (7,), (2, 3, 4)]]


DISTRIBUTION_CASES = [
    *_latent_cases(),
    *_gaussian_cases(),
    *_chosen_log_prob_cases(),
    *_log_softmax_cases(),
    *_noisy_parameters_cases(),
    *_shared_sigma_cases(),
    *_squashed_gaussian_cases(),
]
