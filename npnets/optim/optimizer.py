"""The interface of optimizers: two pure functions over trees."""

from collections.abc import Callable
from typing import Any, TypeVar

from npnets.tree import Tree

T = TypeVar("T")


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
            vars(self)[name] = function  # shadows the method

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
