"""The names that a file may use: npnets' own networks, layers and activations, and classes that the user gives."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from npnets import common, continuous, discrete, functional
from npnets.caches import bounded_cache
from npnets.kernels.activation_formulas import FORMULAS

Classes: TypeAlias = dict[str, type]

_PUBLIC: Classes = {name: getattr(module, name) for module in (common, continuous) for name in module.__all__}
_PUBLIC |= {f"discrete.{name}": getattr(discrete, name) for name in discrete.__all__}
FUNCTIONS: dict[str, Callable[..., Any]] = {name: getattr(functional, name) for name in (*FORMULAS, "softmax")}
OF_OPTIM = (  # of npnets.optim, which nothing here imports
    *("AdamState", "RMSpropState", "SGDState"),
    *("adam", "adamw", "rmsprop", "sgd", "cosine_schedule", "linear_schedule"),
)
FORMER_FIELDS = {"AdamState": {"mean": "mu", "square": "nu"}, "RMSpropState": {"square": "nu"}}
"""By the name of a named tuple: its fields' present names, by the names that they have in older files."""


@bounded_cache(1)
def own_classes() -> Classes:
    """Return npnets' own classes by their names in `npnets`, because `discrete.Actor` is another class than `Actor`."""
    from npnets.normalization import Normalization, Normalized  # here, for the sake of `import npnets`

    found = {name: one for name, one in _PUBLIC.items() if dataclasses.is_dataclass(one)}
    return {**found, "Normalization": Normalization, "Normalized": Normalized}


@bounded_cache(1)
def own_names() -> dict[type, str]:
    """Return the names of npnets' own classes."""
    return {one: name for name, one in own_classes().items()}


def is_named_tuple(value: object) -> bool:
    """Whether a value is a named tuple, or the class of one."""
    kind = value if isinstance(value, type) else type(value)
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


def with_classes(classes: Iterable[type]) -> Classes:
    """Return all classes by their names, npnets' own and some of the user's.

    Raises
    ------
    TypeError
        If one is neither a dataclass nor a named tuple.
    ValueError
        If two have the same name.
    """
    if isinstance(classes, type) or not isinstance(classes, Iterable):
        raise TypeError(f"classes must be a sequence of classes such as (MyTrunk,), but is {classes!r}")
    known = dict(own_classes())
    for one in classes:
        if not isinstance(one, type) or not (dataclasses.is_dataclass(one) or is_named_tuple(one)):
            raise TypeError(f"each of classes must be a dataclass or a named tuple, but one is {one!r}")
        if known.setdefault(one.__name__, one) is not one:
            raise ValueError(
                f"classes must have a name each, but {one!r} has that of {known[one.__name__]!r}; rename it"
            )
    return known
