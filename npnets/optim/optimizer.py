"""What every optimizer is and checks: the pair of functions, its hyper-parameters, and trees that must be alike."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import numpy as np

from npnets import tree
from npnets.door import on_one_device
from npnets.dtypes import array_fault, require_plain
from npnets.optim.arithmetic import scaled_sum
from npnets.tree import Tree
from npnets.underflow import ignoring_underflow


class Optimizer(NamedTuple):
    """A pair of pure functions.

    Attributes
    ----------
    init : callable
        `init(params) -> state`.
    update : callable
        `update(params, grads, state) -> (params, state)`.
    """

    init: Callable[[Tree], Any]
    update: Callable[[Tree, Tree, Any], tuple[Tree, Any]]


def following_params(init: Callable[[Tree], Any], update: Callable[[Tree, Tree, Any], tuple[Tree, Any]]) -> Optimizer:
    """Make an optimizer that computes where the parameters lie; trees on two devices are refused."""
    quiet_update = ignoring_underflow(update)

    def init_there(params: Tree) -> Any:
        with together(params=params):
            tree.map(alike, params)
            return init(params)

    def update_there(params: Tree, grads: Tree, state: Any) -> tuple[Tree, Any]:
        with together(params=params, grads=grads, state=state):
            return quiet_update(params, grads, state)

    return Optimizer(init_there, update_there)


def together(**trees: Tree) -> AbstractContextManager[Any]:
    """Return a context in which CuPy computes on the GPU that all of some trees lie on."""
    return on_one_device(trees, lambda: "what an optimizer computes with")


def descend(params: Tree, direction: Tree, learning_rate: float) -> Tree:
    """Return parameters one step down a direction."""
    return tree.map(lambda p, d: scaled_sum(d, -learning_rate, p), params, direction)


def decayed(params: Tree, grads: Tree, weight_decay: float, *state: Tree) -> Tree:
    """Return gradients with weight decay added, once they and the state's trees are seen to fit the parameters."""
    tree.map(alike, params, grads, *state)
    return tree.map(lambda p, g: scaled_sum(p, weight_decay, g), params, grads) if weight_decay else grads


def alike(parameter: Any, *others: Any) -> Any:
    """Return a parameter if its gradient, and what else belongs to it, has the same shape and dtype."""
    if not hasattr(parameter, "dtype"):
        raise TypeError(f"expected floating-point arrays as parameters, but got {parameter!r:.80}")
    fault = array_fault(parameter)
    if fault is not None:
        raise TypeError(f"expected float32 or float64 arrays as parameters, but one {fault}")
    for other in others:
        require_plain(other, "an array beside a parameter")
        if getattr(other, "shape", None) != parameter.shape or other.dtype != parameter.dtype:
            found = f"{other.dtype} {other.shape}" if hasattr(other, "dtype") else f"a {type(other).__name__}"
            raise ValueError(
                f"expected an array like the parameter, {parameter.dtype} {parameter.shape}, but got {found}; were the "
                "two trees made by different networks?"
            )
    return parameter


def number(name: str, value: Any, hint: str = "") -> float:
    """Return a hyper-parameter as Python's number: NumPy's would turn what it meets into its own precision.

    Raises
    ------
    TypeError
        If it is no number; the message ends with the hint.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be a number, but is {value!r:.80}{hint and '; '}{hint}")
    return float(value)


def expect_state(state: Any, kind: type) -> None:
    """Check that a state is one of this optimizer's."""
    if not isinstance(state, kind):
        raise TypeError(
            f"expected the {kind.__name__} that init or the last update gave, but got a {type(state).__name__}; the "
            "order is update(params, grads, state): write update(params=params, grads=grads, state=state)"
        )


def positive(name: str, value: Any, hint: str = "") -> float:
    """Return a hyper-parameter that must be above zero, as Python's number."""
    if not 0 < number(name, value, hint) < math.inf:
        raise ValueError(f"{name} must be positive and finite, but is {value!r}")
    return number(name, value)


def not_negative(name: str, value: Any) -> float:
    """Return a hyper-parameter that may be zero, as Python's number."""
    if not 0 <= number(name, value) < math.inf:
        raise ValueError(f"{name} must be zero or positive, and finite, but is {value!r}")
    return number(name, value)


def decay_rate(name: str, value: Any) -> float:
    """Return the part of a running mean that is kept from one update to the next, as Python's number."""
    if not 0 <= number(name, value) < 1:
        raise ValueError(f"{name} must be in [0, 1), but is {value!r}")
    return number(name, value)
