"""Adam, and Adam with weight decay apart from the gradient."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from npnets import tree
from npnets.autodiff.devices import computing_where
from npnets.backend import Array, namespace
from npnets.description import call_repr, set_fields, set_plain
from npnets.kernels.cuda.adam import ADAM
from npnets.optim.arithmetic import Lerp, axpy, in_range, lerp_square, ratio
from npnets.optim.optimizer import (
    ARRAYS,
    Optimizer,
    T,
    add_weight_decay,
    check_like,
    check_state,
    zeros_like,
)
from npnets.optim.rates import CurrentRate, Rate, check_rate, current_rates
from npnets.optim.settings import check_decay_rate, check_not_negative
from npnets.tree import Tree
from npnets.underflow import ignoring_underflow


class AdamState(NamedTuple):
    """State of `adam` and `adamw`: updates made, and the first and second moment, running means of `g` and `g * g`."""

    step: int
    mu: Tree
    nu: Tree


@dataclass(frozen=True, repr=False)
class adam(Optimizer):
    """Adam (Kingma and Ba 2015).

    Parameters
    ----------
    learning_rate : float, function of the step, or dict
        As in `sgd`.
    betas : tuple of two floats
        Decay rates of the running means of gradients and of their squares, in [0, 1).
    eps : float
        Added to the root of the mean square.
    weight_decay : float, function of the step, or dict
        Multiple of a parameter that is added to its gradient.

    Raises
    ------
    TypeError
        If a setting is of another kind.
    ValueError
        If a setting is out of its range.
    """

    learning_rate: Rate = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: Rate = 0.0

    __repr__ = call_repr

    def __post_init__(self) -> None:
        _check_settings(self)

    def init(self, params: Tree) -> AdamState:
        """Return the state before the first update."""
        return _init(params)

    def update(self, params: T, grads: Tree, state: AdamState) -> tuple[T, AdamState]:
        """Return new parameters and a new state; the arguments stay as they are."""
        return _update(self, params, grads, state, is_decoupled=False)


@dataclass(frozen=True, repr=False)
class adamw(Optimizer):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019).

    Parameters
    ----------
    learning_rate, betas, eps
        As in `adam`.
    weight_decay : float, function of the step, or dict
        Multiple of a parameter, times the learning rate, that each update takes away.

    Raises
    ------
    TypeError, ValueError
        As `adam`.
    """

    learning_rate: Rate = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: Rate = 0.01

    __repr__ = call_repr

    def __post_init__(self) -> None:
        _check_settings(self)

    def init(self, params: Tree) -> AdamState:
        """Return the state before the first update."""
        return _init(params)

    def update(self, params: T, grads: Tree, state: AdamState) -> tuple[T, AdamState]:
        """Return new parameters and a new state; the arguments stay as they are."""
        return _update(self, params, grads, state, is_decoupled=True)


def _check_settings(optimizer: Any) -> None:
    set_plain(optimizer)
    betas = optimizer.betas
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise TypeError(f"betas must be a pair of numbers, but is {betas!r}")
    set_fields(
        optimizer,
        learning_rate=check_rate("learning_rate", optimizer.learning_rate),
        betas=tuple(check_decay_rate("each of betas", beta) for beta in betas),
        eps=check_not_negative("eps", optimizer.eps),
        weight_decay=check_rate("weight_decay", optimizer.weight_decay),
    )


def _init(params: Tree) -> AdamState:
    with computing_where({"params": params}, ARRAYS):
        tree.map(check_like, params)
        return AdamState(0, zeros_like(params), zeros_like(params))


def _update(
    optimizer: "adam | adamw", params: T, grads: Tree, state: AdamState, is_decoupled: bool
) -> tuple[T, AdamState]:
    check_state(state, AdamState)
    rates = current_rates(
        state.step, params, learning_rate=optimizer.learning_rate, weight_decay=optimizer.weight_decay
    )
    with computing_where({"params": params, "grads": grads, "state": state}, ARRAYS):
        return _step(optimizer, params, grads, state, rates, is_decoupled)


@ignoring_underflow
def _step(
    optimizer: "adam | adamw",
    params: T,
    grads: Tree,
    state: AdamState,
    rates: Sequence[CurrentRate],
    is_decoupled: bool,
) -> tuple[T, AdamState]:
    """Make an update; weight decay goes into the gradient, or decoupled from it into the step."""
    if not is_decoupled and rates[1] != 0.0:
        tree.map(check_like, params, grads, state.mu, state.nu)
        grads = add_weight_decay(params, grads, rates[1])
    (beta1, beta2), step = optimizer.betas, int(state.step) + 1
    root = math.sqrt(1 - beta2**step)
    settings = 1 - beta1, 1 - beta2, root, 1 - beta1**step, optimizer.eps * root, is_decoupled
    numbers: Sequence[Any] = rates if type(rates[0]) is float else ()
    trees = *(() if numbers else rates), params, grads, state.mu, state.nu
    new = in_range(lambda lerp: tree.unzip(3, functools.partial(_move, settings, lerp, *numbers), *trees))
    return new[0], AdamState(step, *new[1:])


def _move(
    settings: tuple[float, ...],
    lerp: Lerp,
    learning_rate: float,
    weight_decay: float,
    p: Array,
    g: Array,
    mu: Array,
    nu: Array,
) -> tuple[Array, Array, Array]:
    """Return one leaf's parameter and moments after an update.

    Both moments began at zero. The correction of the second moves to the learning rate and to `eps`.
    """
    check_like(p, g, mu, nu)
    weight, weight_of_square, root, correction, eps, is_decoupled = settings
    rate, decay = learning_rate * root / correction, learning_rate * weight_decay if is_decoupled else 0.0
    if namespace(p) is not np:
        new_p, mu, nu = ADAM(p, g, mu, nu, weight, 1 - weight, weight_of_square, rate, eps, decay)
        return (new_p if learning_rate else p.copy()), mu, nu
    mu, nu = lerp(mu, g, weight), lerp_square(nu, g, weight_of_square)
    if not learning_rate:
        return p.copy(), mu, nu
    step = ratio(mu, nu, eps)
    step *= -rate
    if decay:  # added to the step and not to the parameter, beside which both may be less than a rounding
        step = axpy(-decay, p, step)
    step += p
    return step, mu, nu
