"""The error for a tree of parameters that is not what a network declared: the first difference, with its path."""

from collections.abc import Mapping

from npnets.autodiff import bare
from npnets.dtypes import DType, array_fault
from npnets.tree import Tree

_CAUSE = "were they made by another network?"
_OF_BOTH = "are they those of an ActorCritic? Its split(params) gives those of its actor and of its critic"
_WITHOUT_TRUNK = "do they share a trunk in an ActorCritic? Its split(params) puts it into those of actor and critic"


def fault_of(spec: Mapping[str, Tree], params: Tree, network: object) -> Exception:
    """Return the error for parameters that do not fit a spec."""
    dtypes: dict[DType, str] = {}
    return (
        _fault_of_dict(spec, params, network, (), dtypes)
        or _fault_of_dtypes(dtypes, network)
        or TypeError(f"the parameters of {network!r} do not fit; {_CAUSE}")
    )


def _fault_of_dict(
    spec: Mapping[str, Tree], params: Tree, network: object, path: tuple[str, ...], dtypes: dict[DType, str]
) -> Exception | None:
    fault = _fault_of_keys([name for name in spec if spec[name] is not None], params, network, path)
    if fault is not None:
        return fault
    for name, entry in spec.items():
        below = (*path, name)
        if isinstance(entry, Mapping):
            fault = _fault_of_dict(entry, params[name], network, below, dtypes)
        elif hasattr(entry, "draw"):
            fault = _fault_of_array(entry.shape, params[name], network, below, dtypes)
        if fault is not None:
            return fault
    return None


def _fault_of_keys(names: list[str], params: object, network: object, path: tuple[str, ...]) -> Exception | None:
    at = f" at {'.'.join(path)!r}" if path else ""
    if not hasattr(params, "keys"):
        hint = "" if path else "; forward takes the parameters first: forward(params, ...)"
        return TypeError(
            f"expected the parameters of {network!r}{at} as a dict with the keys {names}, but got a "
            f"{type(params).__name__}{hint}"
        )
    found = list(params.keys())
    missing, extra = [n for n in names if n not in found], [n for n in found if n not in names]
    if not missing and not extra:
        return None
    faults = [f"lack {missing}"] * bool(missing) + [f"have {extra} besides"] * bool(extra)
    cause = _OF_BOTH if {"actor", "critic"} <= set(extra) else _WITHOUT_TRUNK if missing == ["preprocess"] else _CAUSE
    return ValueError(
        f"the parameters of {network!r} must have the keys {names}{at}, but {' and '.join(faults)}; {cause}"
    )


def _fault_of_array(
    shape: tuple[int, ...], value: Tree, network: object, path: tuple[str, ...], dtypes: dict[DType, str]
) -> Exception | None:
    name = ".".join(path)
    if getattr(value, "shape", None) != shape:
        found = f"has shape {value.shape}" if hasattr(value, "shape") else f"is a {type(value).__name__}"
        return ValueError(
            f"parameter {name!r} of {network!r} must be an array of shape {shape}, but {found}; {_cause(shape, value)}"
        )
    fault = array_fault(bare(value))
    if fault is not None:
        return TypeError(f"parameter {name!r} of {network!r} must be a float32 or float64 array, but {fault}")
    dtypes.setdefault(value.dtype, name)
    return None


def _cause(shape: tuple[int, ...], value: object) -> str:
    found = getattr(value, "shape", None)
    if found is None:
        return "make it an array with numpy.asarray(x, numpy.float32)"
    if len(shape) > 1 and found == shape[::-1]:
        return (
            "weights are (in, out) here and (out, in) in PyTorch: npnets.interop.tianshou.from_state_dict converts a "
            "state dict, x.T a single one"
        )
    return "was it made by another network?"


def _fault_of_dtypes(dtypes: dict[DType, str], network: object) -> Exception | None:
    if len(dtypes) < 2:
        return None
    found = " and ".join(f"{name!r} has dtype {dtype}" for dtype, name in dtypes.items())
    return TypeError(
        f"the parameters of {network!r} must all be of one dtype, but {found}; convert them with "
        "npnets.tree.map(lambda leaf: leaf.astype(numpy.float32), params)"
    )
