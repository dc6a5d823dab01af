"""What every optimizer is, and what the optimizers here share: checks of settings and trees, and two steps."""

import operator
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from npnets import tree
from npnets.dtypes import array_fault, check_plain
from npnets.optim.arithmetic import axpy
from npnets.optim.rates import CurrentRate, map_rated
from npnets.tree import Tree

T = TypeVar("T")

ARRAYS = "the arrays of an optimizer"
"""The name in errors of arrays that must lie on one device."""


class Optimizer:
    """Two pure functions over trees: what `sgd`, `rmsprop`, `adam` and `adamw` are, and an optimizer of your own.

    Parameters
    ----------
    init : callable
        `init(params) -> state`.
    update : callable
        `update(params, grads, state) -> (params, state)`.

    Notes
    -----
    Two functions of your own make one, as `Optimizer(init, update)`. So does a class with two such methods: as a frozen
    dataclass it prints, compares and pickles besides. It need not inherit from `Optimizer`; type checkers want it to.
    """

    def __init__(
        self, init: Callable[[Any], Any] | None = None, update: Callable[..., tuple[Any, Any]] | None = None
    ) -> None:
        for name, function in (("init", init), ("update", update)):
            if function is None and getattr(type(self), name) is not getattr(Optimizer, name):
                continue  # a class of one's own has the method
            if not callable(function):
                raise TypeError(f"{name} must be a function, as in Optimizer(init, update), but is {function!r:.80}")
            vars(self)[name] = function  # in the place of the method

    def init(self, params: Tree) -> Any:
        """Return the state before the first update."""
        raise NotImplementedError(f"{type(self).__name__} has no method init(params)")

    def update(self, params: T, grads: Tree, state: Any) -> tuple[T, Any]:
        """Return new parameters and a new state; the arguments stay as they are."""
        raise NotImplementedError(f"{type(self).__name__} has no method update(params, grads, state)")

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


def descend(params: Tree, direction: Tree, learning_rate: CurrentRate) -> Tree:
    """Return parameters one step down a direction; where the learning rate is zero, copies of them."""
    return map_rated(lambda r, p, d: axpy(-r, d, p) if r else p.copy(), learning_rate, params, direction)


def add_weight_decay(params: Tree, grads: Tree, weight_decay: CurrentRate) -> Tree:
    """Return gradients with weight decay added."""
    if weight_decay == 0.0:
        return grads
    return map_rated(lambda r, p, g: axpy(r, p, g) if r else g, weight_decay, params, grads)


def zeros_like(params: Tree) -> Tree:
    """Return a tree of zeros like the parameters."""
    return tree.map(np.zeros_like, params)


def check_like(parameter: Any, *others: Any) -> Any:
    """Return a parameter if its gradient, and what else belongs to it, has the same shape and dtype."""
    if not hasattr(parameter, "dtype"):
        raise TypeError(f"expected floating-point arrays as parameters, but got {parameter!r:.80}")
    fault = array_fault(parameter)
    if fault is not None:
        raise TypeError(f"expected float32 or float64 arrays as parameters, but one {fault}")
    for other in others:
        check_plain(other, "an array beside a parameter")
        if getattr(other, "shape", None) != parameter.shape or other.dtype != parameter.dtype:
            found = f"{other.dtype} {other.shape}" if hasattr(other, "dtype") else f"a {type(other).__name__}"
            raise ValueError(
                f"expected an array like the parameter, {parameter.dtype} {parameter.shape}, but got {found}; were the "
                "two trees made by different networks?"
            )
    return parameter


def check_state(state: Any, kind: type) -> None:
    """Check that a state is one of this optimizer's."""
    if not isinstance(state, kind):
        raise TypeError(
            f"expected the {kind.__name__} that init or the last update gave, but got a {type(state).__name__}; the "
            "order is update(params, grads, state): write update(params=params, grads=grads, state=state)"
        )
    try:
        is_count = operator.index(state.step) >= 0  # type: ignore[attr-defined]
    except TypeError:
        is_count = False
    if not is_count:
        raise ValueError(
            f"expected a state whose step counts the updates made before, an integer of at least 0, but it is "
            f"{state.step!r:.80}; make the state with init"  # type: ignore[attr-defined]
        )


def check_velocity(velocity: Any, momentum: float) -> None:
    """Check that a state has a velocity if its optimizer has momentum, and none otherwise."""
    if (velocity is None) == bool(momentum):
        made = "without" if velocity is None else "with"
        raise ValueError(
            f"expected the state of an optimizer with momentum={momentum:g}, but got one made {made} momentum; make "
            "the state with init of the optimizer that updates it"
        )
