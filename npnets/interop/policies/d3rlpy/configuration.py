"""The configuration in a file of d3rlpy, and the scalers of observations and actions that it describes.

A part of it is `{"type": ..., "params": {...}}`. d3rlpy computes with scalers in float32, in which their numbers are
therefore rounded before anything else.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from npnets.backend import Array
from npnets.files.fault import DAMAGED, Fault
from npnets.files.limits import MOST_VALUES
from npnets.files.quoting import quoted
from npnets.interop.policies.action_space import Bounds
from npnets.interop.policies.json_text import json_dict
from npnets.normalization import Normalization


def configuration(text: object, version: object) -> dict[str, Any]:
    """Return a configuration, out of its JSON and the release that wrote it.

    Raises
    ------
    Fault
        If it is of d3rlpy 1 or 3, or no JSON of a dict.
    """
    if not isinstance(version, str) or not version.startswith("2."):
        raise Fault(f"it is of d3rlpy {quoted(version)}; files of d3rlpy 2 are read")
    if not isinstance(text, str):
        raise Fault(f"its configuration is no text, but {quoted(text)}; {DAMAGED}")
    return json_dict(text, "its configuration is")


def part(config: Mapping[str, Any], name: str) -> tuple[str, dict[str, Any]]:
    """Return the type and the arguments of a part; a scaler that is not there has the type `"none"`."""
    value = config.get(name)
    match value:
        case {"type": str(kind), "params": dict(params)}:
            return kind, params
        case None if name.endswith("_scaler"):
            return "none", {}
    raise Fault(f"its configuration has {name} {quoted(value)}, where a type and params must be; {DAMAGED}")


def size(config: Mapping[str, Any], name: str) -> int:
    """Return a number of entries; observations have a list of one number."""
    match config.get(name):
        case int(found) | [int(found)] if 0 < found <= MOST_VALUES:
            return found
        case [_, _, *_]:
            raise Fault(f"its {name} is {quoted(config[name])}; policies of observations with one axis are read")
    raise Fault(f"its {name} is {quoted(config.get(name))}, where a number from 1 to {MOST_VALUES} must be; {DAMAGED}")


def quantiles(params: Mapping[str, Any]) -> int:
    """Return how many quantiles each action value has, one for values alone."""
    kind, factory = part(params, "q_func_factory")
    if kind not in ("mean", "qr"):
        raise Fault(f"its action values are of the kind {quoted(kind)}; those that are read are 'mean' and 'qr'")
    return 1 if kind == "mean" else size(factory, "n_quantiles")


def normalization(params: Mapping[str, Any], inputs: int) -> Normalization | None:
    """Return the scaler of observations; the root of the variance is what it divides by."""
    kind, scaler = part(params, "observation_scaler")
    match kind:
        case "none":
            return None
        case "standard":
            mean, std = (_numbers(scaler, name, inputs) for name in ("mean", "std"))
            std = std + np.float32(scaler.get("eps", 1e-3))
        case "min_max":
            low, high = (_numbers(scaler, name, inputs).astype(np.float64) for name in ("minimum", "maximum"))
            mean, std = (low + high) / 2, (high - low) / 2
        case _:
            raise Fault(f"its observation scaler is {quoted(kind)}; those that are read are standard and min_max")
    if not (std > 0).all():
        raise Fault(f"its observation scaler, {kind}, divides by {quoted(std.tolist())}, which is not positive")
    return Normalization(mean.astype(np.float64), std.astype(np.float64) ** 2, 0.0, None, 0.0)


def bounds(params: Mapping[str, Any], actions: int) -> Bounds:
    """Return the lowest and highest actions: those of the scaler, or -1 and 1."""
    kind, scaler = part(params, "action_scaler")
    if kind == "none":
        return -np.ones(actions), np.ones(actions)
    if kind != "min_max":
        raise Fault(f"its action scaler is {quoted(kind)}; the one that is read is min_max")
    low, high = (_numbers(scaler, name, actions).astype(np.float64) for name in ("minimum", "maximum"))
    if not (low < high).all():
        raise Fault(
            f"its action scaler has the minimum {quoted(low.tolist())} and the maximum {quoted(high.tolist())}, where "
            "each minimum must be below its maximum"
        )
    return low, high


def _numbers(scaler: Mapping[str, Any], name: str, count: int) -> Array:
    """Return numbers of a scaler in float32."""
    value = scaler.get(name)
    if value is None:
        raise Fault(f"its scaler has no {name}; d3rlpy fits scalers to data when training begins")
    try:
        with np.errstate(over="ignore"):
            found = np.asarray(value, np.float32)
    except (TypeError, ValueError, OverflowError):
        found = np.empty(0, np.float32)
    if found.shape != (count,) or not np.isfinite(found).all():
        raise Fault(f"its scaler has {name} {quoted(value)}, where {count} finite numbers must be")
    return found
