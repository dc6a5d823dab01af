"""PyTorch's activation modules by the names and arguments that npnets has for them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from npnets.files.fault import Fault
from npnets.files.quoting import plain, quoted
from npnets.functional import resolve_activation


class Named(NamedTuple):
    """An activation as a network takes it: `activation=name, act_args=args`."""

    name: str | None
    args: dict[str, object] | None = None


MODULES: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "CELU": ("celu", ("alpha", "inplace")),
    "ELU": ("elu", ("alpha", "inplace")),
    "GELU": ("gelu", ("approximate",)),
    "Hardsigmoid": ("hardsigmoid", ("inplace",)),
    "Hardswish": ("hardswish", ("inplace",)),
    "Hardtanh": ("hardtanh", ("min_val", "max_val", "inplace")),
    "LeakyReLU": ("leaky_relu", ("negative_slope", "inplace")),
    "LogSigmoid": ("logsigmoid", ()),
    "Mish": ("mish", ("inplace",)),
    "ReLU": ("relu", ("inplace",)),
    "ReLU6": ("relu6", ("inplace",)),
    "SELU": ("selu", ("inplace",)),
    "SiLU": ("silu", ("inplace",)),
    "Sigmoid": ("sigmoid", ()),
    "Softplus": ("softplus", ("beta", "threshold")),
    "Softsign": ("softsign", ()),
    "Tanh": ("tanh", ()),
}
"""By the class: the name in npnets, and the names of the class's arguments in their order."""

_MODULE, _IDENTITY = "torch.nn.modules.activation.", "torch.nn.modules.linear.Identity"


def of_module(path: str, args: Sequence[object] = (), kwargs: Mapping[str, object] | None = None) -> Named:
    """Return the activation that a module of PyTorch computes.

    Parameters
    ----------
    path : str
        The full name of its class, such as `"torch.nn.modules.activation.ReLU"`.
    args, kwargs : sequence, mapping
        The arguments that it is made with.

    Raises
    ------
    Fault
        If npnets has no such activation, or not with these arguments.
    """
    if path == _IDENTITY:
        return Named(None)
    entry = MODULES.get(path.removeprefix(_MODULE)) if path.startswith(_MODULE) else None
    if entry is None:
        is_of_torch = path.startswith("torch.")  # which computes something else than any that npnets has
        remedy = "" if is_of_torch else "; pass activation='relu', or the name of the one that computes the same"
        raise Fault(f"its activation is {quoted(path, 200)}, which npnets does not have{remedy}")
    name, parameters = entry
    if len(args) > len(parameters):
        raise Fault(
            f"its activation {path.removeprefix(_MODULE)} is made with {len(args)} arguments, more than it takes"
        )
    given = {**dict(zip(parameters, args, strict=False)), **(kwargs or {})}
    found = {key: value for key, value in given.items() if key != "inplace"}
    if odd := [key for key, value in found.items() if not isinstance(value, (int, float, str))]:
        raise Fault(
            f"its activation {path.removeprefix(_MODULE)} is made with {quoted(odd[0])} of another type than a number"
        )
    return checked(Named(name, found or None))


def checked(activation: Named) -> Named:
    """Return an activation, after a check that npnets has it with its arguments."""
    try:
        resolve_activation(*activation)
    except (OverflowError, TypeError, ValueError) as error:
        raise Fault(f"its activation cannot be computed: {plain(error)}") from error
    return activation
